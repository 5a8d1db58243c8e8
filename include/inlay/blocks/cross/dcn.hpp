// SPDX-License-Identifier: BSD-3-Clause
// Crosses of bounded degree over a vector: Deep & Cross networks.
#pragma once

#include <inlay/blocks/cross/factor.hpp>
#include <inlay/blocks/cross/policies.hpp>

#include <array>

namespace inlay::inline INLAY_ISA {

/// Words of a misfit.
struct experts_of_full_rank;

namespace detail {
template <class Spec, class... P> struct DcnProblem {
    template <class I, class Allowed> static consteval auto find() {
        using First = PolicyProblem<Spec, I, Allowed, P...>;
        if constexpr (fits<First> && has_policy<HowManyExperts, P...> && !has_policy<HighestRank, P...>)
            return Tag<Misfit<Spec, Place<>, Got<experts_of_full_rank>, Wants<HighestRank>>>{};
        else return Tag<First>{};
    }
};
struct NoRank {
    static constexpr int value = 0;
};

template <class I, class R, int Rank, int E, bool Gated> struct FactorOf {
    using type = MixtureFactor<I, R, Rank, E>;
};
template <class I, class R, int Rank> struct FactorOf<I, R, Rank, 0, false> {
    using type = LinearFactor<I, R, Rank>;
};
template <class I, class R, int Rank> struct FactorOf<I, R, Rank, 0, true> {
    using type = GatedFactor<I, R, Rank>;
};

/// x' = x_0 F(x) + x, L times.
template <class Spec_, int L, bool Gated, class... P> struct DcnForm {
    using Wanted = a_vector_or_a_sequence;
    using Allowed = std::conditional_t<Gated, PolicyKinds<CrossForm, HighestRank>,
                                       PolicyKinds<CrossForm, HighestRank, HowManyExperts>>;
    template <class I>
    using Problem = typename decltype(DcnProblem<Spec_, P...>::template find<I, Allowed>())::type;
    template <int... N> static Tag<Shape<N...>> out(Tag<Shape<N...>>);

    template <class I, class R> struct Block : BlockDefaults {
        using Spec = Spec_;
        using T = typename R::type;
        using Output = I;
        using Factor = typename FactorOf<I, R, PolicyOr<HighestRank, NoRank, P...>::type::value,
                                         PolicyOr<HowManyExperts, NoRank, P...>::type::value, Gated>::type;
        static constexpr int W = R::lanes;
        static constexpr std::ptrdiff_t stride = In<I, R>::stride;
        static constexpr bool streams = true;
        static constexpr long long parameters = L * Factor::parameters;
        static constexpr double flops = L * (Factor::flops + 2.0 * I::rows * I::width);

        struct Params {
            typename Factor::Params layer[std::size_t(L)];
        };
        template <int> using Grads = Params;
        /// What each layer but the first reads, what x_0 was multiplied by, and what the factor keeps.
        template <int B> struct Tape {
            std::array<Buffer<I, R, B>, std::size_t(L - 1)> x;
            std::array<Buffer<I, R, B>, std::size_t(L)> z;
            std::array<Buffer<Shape<I::rows * std::max(1, Factor::kept), I::width>, R, B>,
                       Factor::kept == 0 ? 0 : std::size_t(L)>
                kept;
        };
        static constexpr std::size_t room(int n) { return lines(sizeof(T) * std::size_t(n * stride)); }
        static constexpr std::size_t scratch_of(int n) {
            return std::max(1 + Factor::kept, 2) * room(n) + Factor::scratch(n);
        }
        static constexpr std::size_t scratch(int B) { return scratch_of(B * I::rows); }
        static constexpr std::size_t step_scratch() { return scratch_of(1); }

        template <class Q, class F> static void visit(Q& p, Path const& at, F&& f) {
            auto own = [&](auto, Path const& path, Kind kind, auto ref) { f(Tag<Spec>{}, path, kind, ref); };
            for (int l = 0; l < L; ++l) Factor::visit(p.layer[l], Path{&at, nullptr, l}, own);
        }
        template <class C> static void initialize(C const& c, Params& p) noexcept { draw_all(c.key, p); }

        template <class C, class Tp>
        static void forward(C const& c, Params const& p, In<I, R> x, Out<I, R> y, Tp& tape,
                            Scratch s) noexcept {
            int const n = c.rows * I::rows;
            if constexpr (is_recording<Tp>) {
                T const* in = x.data;
                for (int l = 0; l < L; ++l) {
                    T* const out = l + 1 < L ? at(tape.x, l) : y.data;
                    Factor::forward(n, p.layer[l], in, at(tape.z, l), at(tape.kept, l), s);
                    kernels::multiply_add<W>(n * stride, x.data, at(tape.z, l), in, out);
                    in = out;
                }
            } else infer(n, p, x.data, y.data, s);
        }
        template <class C>
        static void step(C const&, Params const& p, State&, T const* x, T* y, Scratch s) noexcept {
            infer(1, p, x, y, s);
        }
        template <class C, class Tp, class DX, class G>
        static void backward(C const& c, Params const& p, In<I, R> x, Tp const& tape, In<I, R> dy, DX dx,
                             G& g, Scratch s) noexcept {
            int const n = c.rows * I::rows;
            std::ptrdiff_t const count = n * stride;
            T* const d = s.take<T>(std::size_t(count)); // of what layer l gives
            T* const u = s.take<T>(std::size_t(count));
            std::copy_n(dy.data, count, d);
            if constexpr (wants_grad<DX>) kernels::clear(dx.data, count);
            for (int l = L - 1; l >= 0; --l) {
                if constexpr (wants_grad<DX>)
                    kernels::multiply_add<W>(count, d, at(tape.z, l), dx.data, dx.data);
                kernels::multiply<W>(count, d, x.data, u);
                T* const below = l > 0 || wants_grad<DX> ? d : nullptr;
                Factor::backward(n, p.layer[l], l > 0 ? at(tape.x, l - 1) : x.data, at(tape.kept, l), u,
                                 below, g.layer[l], s);
            }
            if constexpr (wants_grad<DX>) kernels::add<W>(count, d, dx.data);
        }

    private:
        template <class Buffers> static auto* at(Buffers& b, int l) noexcept {
            using E = std::conditional_t<std::is_const_v<Buffers>, T const, T>;
            return b.empty() ? static_cast<E*>(nullptr) : reinterpret_cast<E*>((b.data() + l)->data);
        }
        static void infer(int n, Params const& p, T const* x, T* y, Scratch s) noexcept {
            T* const z = s.take<T>(std::size_t(n * stride));
            T* const kept = s.take<T>(std::size_t(n * stride) * Factor::kept);
            for (int l = 0; l < L; ++l) {
                T const* const in = l > 0 ? y : x;
                Factor::forward(n, p.layer[l], in, z, kept, s);
                kernels::multiply_add<W>(n * stride, x, z, in, y);
            }
        }
        /// Xavier for matrices, zeros for biases.
        static void draw_all(Key key, Params& p) noexcept {
            std::uint64_t place = 0;
            visit(p, Path{}, [&](auto, Path const&, Kind kind, auto ref) noexcept {
                if (kind == Kind::matrix)
                    draw_uniform(key.fold(place++), std::sqrt(6.0 / (ref.rows + ref.width)), ref);
                else fill(ref, 0);
            });
        }
    };
};

/// x' = x_0 <w, x> + b + x, L times.
template <class Spec_, int L, class... P> struct DcnFirstForm {
    using Wanted = a_vector_or_a_sequence;
    using Allowed = PolicyKinds<CrossForm>;
    template <class I> using Problem = PolicyProblem<Spec_, I, Allowed, P...>;
    template <int... N> static Tag<Shape<N...>> out(Tag<Shape<N...>>);

    template <class I, class R> struct Block : BlockDefaults {
        using Spec = Spec_;
        using T = typename R::type;
        using Output = I;
        static constexpr int W = R::lanes, D = I::width, stride = In<I, R>::stride;
        static constexpr bool streams = true;
        static constexpr long long parameters = 2LL * D * L;
        static constexpr double flops = 5.0 * L * I::rows * D;

        struct Layer {
            Tensor<R, 1, D> weight, bias;
        };
        struct Params {
            Layer layer[std::size_t(L)];
        };
        template <int> using Grads = Params;
        template <int B> struct Tape {
            std::array<Buffer<I, R, B>, std::size_t(L - 1)> x;
        };
        static constexpr std::size_t scratch(int) { return lines(sizeof(T) * std::size_t(stride)); }

        template <class Q, class F> static void visit(Q& p, Path const& at, F&& f) {
            for (int l = 0; l < L; ++l) {
                Path const here{&at, nullptr, l};
                f(Tag<Spec>{}, Path{&here, "weight"}, Kind::matrix, p.layer[l].weight.ref());
                f(Tag<Spec>{}, Path{&here, "bias"}, Kind::vector, p.layer[l].bias.ref());
            }
        }
        template <class C> static void initialize(C const& c, Params& p) noexcept {
            for (int l = 0; l < L; ++l) draw_map(c.key.fold(std::uint64_t(l)), 1, p.layer[l]);
        }
        template <class C, class Tp>
        static void forward(C const& c, Params const& p, In<I, R> x, Out<I, R> y, Tp& tape,
                            Scratch) noexcept {
            for (int r = 0; r < c.rows * I::rows; ++r) {
                T const *const x0 = x(0, r), *in = x0;
                for (int l = 0; l < L; ++l) {
                    T* out = y(0, r);
                    if constexpr (is_recording<Tp>)
                        if (l + 1 < L) out = tape.x[std::size_t(l)].view({})(0, r);
                    cross(p.layer[l], x0, in, out);
                    in = out;
                }
            }
        }
        template <class C>
        static void step(C const&, Params const& p, State&, T const* x, T* y, Scratch) noexcept {
            for (int l = 0; l < L; ++l) cross(p.layer[l], x, l > 0 ? y : x, y);
        }
        template <class C, class Tp, class DX, class G>
        static void backward(C const& c, Params const& p, In<I, R> x, Tp const& tape, In<I, R> dy, DX dx,
                             G& g, Scratch s) noexcept {
            T* const d = s.take<T>(std::size_t(stride));
            for (int r = 0; r < c.rows * I::rows; ++r) {
                T const* const x0 = x(0, r);
                std::copy_n(dy(0, r), stride, d);
                if constexpr (wants_grad<DX>) kernels::clear(dx(0, r), stride);
                for (int l = L - 1; l >= 0; --l) {
                    T const* const in = l > 0 ? tape.x[std::size_t(l - 1)].view({})(0, r) : x0;
                    T const *const w = p.layer[l].weight[0], t = kernels::dot<W>(D, d, x0);
                    if constexpr (wants_grad<DX>)
                        kernels::axpy<W>(stride, kernels::dot<W>(D, in, w), d, dx(0, r));
                    kernels::add<W>(stride, d, g.layer[l].bias[0]);
                    kernels::axpy<W>(stride, t, in, g.layer[l].weight[0]);
                    kernels::axpy<W>(stride, t, w, d);
                }
                if constexpr (wants_grad<DX>) kernels::add<W>(stride, d, dx(0, r));
            }
        }

    private:
        static void cross(Layer const& p, T const* x0, T const* x, T* y) noexcept {
            T const s = kernels::dot<W>(D, x, p.weight[0]);
            using V = simd::vec<T, W>;
            for (int i = 0; i < stride; i += W)
                simd::fma(V(s), V::load(x0 + i), V::load(p.bias[0] + i) + V::load(x + i)).store(y + i);
        }
    };
};
} // namespace detail

/// Cross<Dcn<L>>: L layers of DCN-V2 (arXiv 2008.13535), x' = x_0 (W x + b) + x element by element, x_0 the
/// block's input: polynomials of degree L + 1 of its numbers.
///
/// Shapes: `Shape<D>` or `Shape<T, D>`, kept, token by token. Parameters of layer l: `l.weight [D, D]`,
/// `l.bias [D]`. With `Rank<r>` W = U V: `l.0.weight [r, D]` is V, `l.1.weight [D, r]` U, `l.1.bias` b. With
/// `Rank<r>, Experts<E>` the factor is sum over e of softmax(G x)_e U_e tanh(C_e tanh(V_e x)) + b:
/// `l.gate.weight [E, D]`, `l.e.0.weight [r, D]`, `l.e.2.weight [r, r]`, `l.e.4.weight [D, r]`, `l.bias [D]`.
/// Matrices are drawn by Xavier, biases are 0. Cost of a layer: 2 D^2 flops, 4 D r with a rank; backward
/// twice that. No state. Tape: 2 L - 1 times the input. Backward: u = dy x_0, dx_0 += dy (W x + b), dx = dy +
/// W^T u, dW += u x^T, db
/// += u. PyTorch: `x0 * linear(x) + x`. Error: ids or a record, experts without a rank.
template <int L> struct Dcn {
    using Must = detail::Must<(L > 0), a_positive_count>;
    using PolicyKind = CrossForm;
    template <class Spec, class... P> using Form = detail::DcnForm<Spec, L, false, P...>;
};
/// Cross<Gdcn<L>>: L layers of the gated cross network (arXiv 2311.04635), x' = x_0 (W x + b) sigmoid(W_g x)
/// + x. As Dcn, with `l.gate.weight [D, D]` besides, or both of low rank with `Rank<r>`. Twice Dcn's cost.
template <int L> struct Gdcn {
    using Must = detail::Must<(L > 0), a_positive_count>;
    using PolicyKind = CrossForm;
    template <class Spec, class... P> using Form = detail::DcnForm<Spec, L, true, P...>;
};
/// Cross<DcnV1<L>>: L layers of the first Deep & Cross network (arXiv 1708.05123), x' = x_0 <w, x> + b + x.
/// Parameters of layer l: `l.weight [1, D]` by Xavier, `l.bias [D]` zero. Cost: 5 D flops a layer and token.
template <int L> struct DcnV1 {
    using Must = detail::Must<(L > 0), a_positive_count>;
    using PolicyKind = CrossForm;
    template <class Spec, class... P> using Form = detail::DcnFirstForm<Spec, L, P...>;
};

} // namespace inlay::inline INLAY_ISA
