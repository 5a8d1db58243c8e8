// SPDX-License-Identifier: BSD-3-Clause
// A number or a row for each pair of fields.
#pragma once

#include <inlay/blocks/cross_sums.hpp>
#include <inlay/blocks/dense.hpp>
#include <inlay/blocks/draw.hpp>
#include <inlay/kernels/hadamard.hpp>

namespace inlay::inline INLAY_ISA {

/// <v_i, v_i> as well.
struct Diagonal {};
/// A matrix for each field, or for each pair.
struct PerField {
    using PolicyKind = struct HowManyMaps;
};
struct PerPair {
    using PolicyKind = struct HowManyMaps;
};
/// Words of a misfit.
struct a_part_for_each_other;
struct two_vectors_in_heads;

namespace detail {
/// The rows of a sequence, those past its length as zeros.
template <class I, class R>
typename R::type const* whole_rows(In<I, R> x, int b, typename R::type* room) noexcept {
    int const n = x.length(b);
    if (n == I::rows) return x(b);
    std::copy_n(x(b), std::ptrdiff_t(n) * x.stride, room);
    kernels::clear(room + std::ptrdiff_t(n) * x.stride, std::ptrdiff_t(I::rows - n) * x.stride);
    return room;
}

template <class Spec_, class... P> struct DotForm {
    using Wanted = a_row_for_each_field;
    using Allowed = PolicyKinds<CrossForm, Diagonal>;
    template <class I> using Problem = PolicyProblem<Spec_, I, Allowed, P...>;
    static constexpr int own = has_policy<Diagonal, P...>;
    template <int F, int D>
        requires(F + own > 1)
    static Tag<Shape<F*(F - 1 + 2 * own) / 2>> out(Tag<Shape<F, D>>);

    template <class I, class R> struct Block : BlockDefaults {
        using Spec = Spec_;
        using T = typename R::type;
        static constexpr int W = R::lanes, F = I::rows, stride = In<I, R>::stride, row = padded(F, W),
                             width = padded(I::width, W);
        using Output = Shape<F*(F - 1 + 2 * own) / 2>;
        static constexpr double flops = 2.0 * Output::width * I::width;
        static constexpr std::size_t scratch(int) {
            return lines(sizeof(T) * std::size_t(F) * row) + lines(sizeof(T) * std::size_t(F) * stride);
        }

        template <class C, class Tp>
        static void forward(C const& c, Params const&, In<I, R> x, Out<Output, R> y, Tp&,
                            Scratch s) noexcept {
            T* const all = s.take<T>(std::size_t(F) * row);
            T* const room = s.take<T>(std::size_t(F) * stride);
            for (int b = 0; b < c.rows; ++b) {
                T const* const v = whole_rows<I, R>(x, b, room);
                kernels::gemm_nt<W>(F, F, row, width, v, stride, v, stride, all, row, false);
                T* to = y(b);
                for (int i = 0; i < F; ++i) to = std::copy_n(all + i * row, i + own, to);
                kernels::clear_pads(y(b), Output::width, y.stride);
            }
        }
        template <class C, class Tp, class DX, class G>
        static void backward(C const& c, Params const&, In<I, R> x, Tp const&, In<Output, R> dy, DX dx, G&,
                             Scratch s) noexcept {
            if constexpr (wants_grad<DX>) {
                T* const all = s.take<T>(std::size_t(F) * row); // symmetric
                T* const room = s.take<T>(std::size_t(F) * stride);
                for (int b = 0; b < c.rows; ++b) {
                    T const* from = dy(b);
                    for (int i = 0; i < F; ++i) {
                        for (int j = 0; j < i; ++j) all[i * row + j] = all[j * row + i] = *from++;
                        all[i * row + i] = own ? 2 * *from++ : T(0);
                    }
                    T const* const v = whole_rows<I, R>(x, b, room);
                    kernels::gemm<W>(F, width, F, all, row, 1, v, stride, dx(b), stride, false);
                    if constexpr (stride > width)
                        for (int i = 0; i < F; ++i) kernels::clear_pads(dx(b, i), width, stride);
                    clear_rows_from(dx, b, x.length(b));
                }
            }
        }
    };
};

template <class Spec_, class... P> struct FfmForm {
    using Wanted = a_part_for_each_other;
    using Allowed = PolicyKinds<CrossForm>;
    template <class I> using Problem = PolicyProblem<Spec_, I, Allowed, P...>;
    template <int F, int D>
        requires(F > 1 && D % (F > 1 ? F - 1 : 1) == 0)
    static Tag<Shape<1>> out(Tag<Shape<F, D>>);

    template <class I, class R> struct Block : BlockDefaults {
        using Spec = Spec_;
        using T = typename R::type;
        static constexpr int W = R::lanes, F = I::rows, k = I::width / (F - 1);
        using Output = Shape<1>;
        static constexpr double flops = double(F) * (F - 1) * k;

        template <class C, class Tp>
        static void forward(C const& c, Params const&, In<I, R> x, Out<Output, R> y, Tp&, Scratch) noexcept {
            for (int b = 0; b < c.rows; ++b) {
                T sum(0);
                for (int i = 0, n = x.length(b); i < n; ++i)
                    for (int j = i + 1; j < n; ++j)
                        sum += kernels::dot<W>(k, x(b, i) + (j - 1) * k, x(b, j) + i * k);
                kernels::clear_pads(y(b), 1, y.stride);
                y(b)[0] = sum;
            }
        }
        template <class C, class Tp, class DX, class G>
        static void backward(C const& c, Params const&, In<I, R> x, Tp const&, In<Output, R> dy, DX dx, G&,
                             Scratch) noexcept {
            if constexpr (wants_grad<DX>)
                for (int b = 0; b < c.rows; ++b) {
                    kernels::clear(dx(b), std::ptrdiff_t(F) * DX::stride);
                    for (int i = 0, n = x.length(b); i < n; ++i)
                        for (int j = i + 1; j < n; ++j) {
                            int const at_i = (j - 1) * k, at_j = i * k;
                            kernels::scale<W>(k, dy(b)[0], x(b, j) + at_j, dx(b, i) + at_i);
                            kernels::scale<W>(k, dy(b)[0], x(b, i) + at_i, dx(b, j) + at_j);
                        }
                }
        }
    };
};

struct OneMap {};
/// (A v_i) v_j for i < j, with one A, one for each i but the last, or one for each pair.
template <class Spec_, class... P> struct BilinearForm {
    using Wanted = a_row_for_each_field;
    using Allowed = PolicyKinds<CrossForm, HowManyMaps>;
    template <class I> using Problem = PolicyProblem<Spec_, I, Allowed, P...>;
    using Maps = typename PolicyOr<HowManyMaps, OneMap, P...>::type;
    static constexpr bool one = std::is_same_v<Maps, OneMap>, by_pair = std::is_same_v<Maps, PerPair>;
    template <int F, int D>
        requires(F > 1)
    static Tag<Shape<F*(F - 1) / 2, D>> out(Tag<Shape<F, D>>);

    template <class I, class R> struct Block : BlockDefaults {
        using Spec = Spec_;
        using T = typename R::type;
        static constexpr int W = R::lanes, F = I::rows, D = I::width, stride = In<I, R>::stride,
                             pairs = F * (F - 1) / 2,
                             maps = one       ? 1
                                    : by_pair ? pairs
                                              : F - 1;
        using Output = Shape<pairs, D>;
        using Map = typename Dense<D, NoBias>::template Block<Shape<D>, R>;
        static constexpr int parameters = maps * D * D;
        static constexpr double flops = 2.0 * D * D * (by_pair ? pairs : F - 1) + 1.0 * pairs * D;
        struct Params {
            typename Map::Params map[std::size_t(maps)];
        };
        template <int> using Grads = Params;
        static constexpr std::size_t scratch(int) {
            return 2 * lines(sizeof(T) * std::size_t(stride)) + lines(sizeof(T) * std::size_t(F) * stride);
        }

        static Lengths lengths(In<I, R>) noexcept { return {}; }
        template <class Q, class G> static void visit(Q& p, Path const& at, G&& f) {
            auto const tell = [&](Path const& here, auto& map) {
                f(Tag<Spec>{}, Path{&here, "weight"}, Kind::matrix, map.weight.ref());
            };
            if constexpr (one) tell(at, p.map[0]);
            else
                for (int m = 0; m < maps; ++m) tell(Path{&at, nullptr, m}, p.map[m]);
        }
        template <class C> static void initialize(C const& c, Params& p) noexcept {
            for (int m = 0; m < maps; ++m) draw_map(c.key.fold(std::uint64_t(m)), 1, p.map[m]);
        }
        template <class C, class Tp>
        static void forward(C const& c, Params const& p, In<I, R> x, Out<Output, R> y, Tp&,
                            Scratch s) noexcept {
            T* const u = s.take<T>(std::size_t(stride));
            T* const room = s.take<T>(std::size_t(F) * stride);
            for (int b = 0; b < c.rows; ++b) {
                T const* const v = whole_rows<I, R>(x, b, room);
                each_pair([&](int i, int j, int pair) noexcept {
                    if (by_pair || j == i + 1) Map::apply(1, p.map[place(i, pair)], v + i * stride, u);
                    kernels::multiply<W>(stride, u, v + j * stride, y(b, pair));
                });
            }
        }
        template <class C, class Tp, class DX, class G>
        static void backward(C const& c, Params const& p, In<I, R> x, Tp const&, In<Output, R> dy, DX dx,
                             G& g, Scratch s) noexcept {
            T* const u = s.take<T>(std::size_t(stride));
            T* const du = s.take<T>(std::size_t(stride));
            T* const room = s.take<T>(std::size_t(F) * stride);
            for (int b = 0; b < c.rows; ++b) {
                T const* const v = whole_rows<I, R>(x, b, room);
                if constexpr (wants_grad<DX>) kernels::clear(dx(b), std::ptrdiff_t(F) * stride);
                each_pair([&](int i, int j, int pair) noexcept {
                    auto const& map = p.map[place(i, pair)];
                    if (by_pair || j == i + 1) {
                        Map::apply(1, map, v + i * stride, u);
                        kernels::clear(du, stride);
                    }
                    kernels::multiply_add<W>(stride, dy(b, pair), v + j * stride, du, du);
                    T* to = nullptr;
                    if constexpr (wants_grad<DX>) {
                        kernels::multiply_add<W>(stride, dy(b, pair), u, dx(b, j), dx(b, j));
                        to = dx(b, i);
                    }
                    if (by_pair || j + 1 == F)
                        Map::pull(1, map, v + i * stride, du, to, true, g.map[place(i, pair)]);
                });
                if constexpr (wants_grad<DX>) clear_rows_from(dx, b, x.length(b));
            }
        }

    private:
        static constexpr int place(int i, int pair) { return one ? 0 : by_pair ? pair : i; }
        template <class Do> static void each_pair(Do f) noexcept {
            for (int i = 0, pair = 0; i < F; ++i)
                for (int j = i + 1; j < F; ++j, ++pair) f(i, j, pair);
        }
    };
};

/// b + <w, [o1, o2]> + sum over heads of o1_h^T W_h o2_h.
template <class Spec_, int H, class... P> struct FusionForm {
    using Wanted = two_vectors_in_heads;
    using Allowed = PolicyKinds<CrossForm>;
    template <class I> using Problem = PolicyProblem<Spec_, I, Allowed, P...>;
    template <int D>
        requires(D % (2 * H) == 0)
    static Tag<Shape<1>> out(Tag<Shape<D>>);

    template <class I, class R> struct Block : BlockDefaults {
        using Spec = Spec_;
        using T = typename R::type;
        using Output = Shape<1>;
        static constexpr int W = R::lanes, half = I::width / 2, k = half / H, stride = In<I, R>::stride;
        using Linear = typename Dense<1>::template Block<I, R>;
        using Weight = Tensor<R, k, k>;
        static constexpr int parameters = Linear::parameters + H * k * k;
        static constexpr double flops = Linear::flops + 2.0 * H * k * (k + 1);
        struct Params {
            typename Linear::Params linear;
            Weight weight[std::size_t(H)];
        };
        template <int> using Grads = Params;

        template <class Q, class F> static void visit(Q& p, Path const& at, F&& f) {
            auto own = [&](auto, Path const& path, Kind kind, auto ref) { f(Tag<Spec>{}, path, kind, ref); };
            Linear::visit(p.linear, at, own);
            for (int h = 0; h < H; ++h) {
                Path const here{&at, nullptr, h};
                f(Tag<Spec>{}, Path{&here, "weight"}, Kind::matrix, p.weight[h].ref());
            }
        }
        template <class C> static void initialize(C const& c, Params& p) noexcept {
            draw_map(c.key, 1, p.linear);
            for (int h = 0; h < H; ++h)
                draw_uniform(c.key.fold(std::uint64_t(h)), std::sqrt(3.0 / k), p.weight[h].ref());
        }
        template <class C, class Tp>
        static void forward(C const& c, Params const& p, In<I, R> x, Out<Output, R> y, Tp&,
                            Scratch) noexcept {
            Linear::apply(c.rows, p.linear, x.data, y.data);
            for (int b = 0; b < c.rows; ++b)
                for (int h = 0; h < H; ++h)
                    for (int i = 0; i < k; ++i)
                        y(b)[0] += x(b)[h * k + i] * kernels::dot<W>(k, p.weight[h][i], second(x, b, h));
        }
        template <class C, class Tp, class DX, class G>
        static void backward(C const& c, Params const& p, In<I, R> x, Tp const&, In<Output, R> dy, DX dx,
                             G& g, Scratch) noexcept {
            T* to = nullptr;
            if constexpr (wants_grad<DX>) to = dx.data;
            Linear::pull(c.rows, p.linear, x.data, dy.data, to, false, g.linear);
            for (int b = 0; b < c.rows; ++b)
                for (int h = 0; h < H; ++h)
                    for (int i = 0; i < k; ++i) {
                        T const d = dy(b)[0], first = x(b)[h * k + i];
                        kernels::axpy<W>(k, d * first, second(x, b, h), g.weight[h][i]);
                        if constexpr (wants_grad<DX>) {
                            dx(b)[h * k + i] += d * kernels::dot<W>(k, p.weight[h][i], second(x, b, h));
                            kernels::axpy<W>(k, d * first, p.weight[h][i], dx(b) + half + h * k);
                        }
                    }
        }

    private:
        static T const* second(In<I, R> x, int b, int h) noexcept { return x(b) + half + h * k; }
    };
};
} // namespace detail

/// Cross<Dot>: <v_i, v_j> for all pairs of fields, in the order (1, 0), (2, 0), (2, 1), ... (DLRM, arXiv
/// 1906.00091; IPNN): `Shape<F, D>` to `Shape<F (F - 1) / 2>`; with `Diagonal` also the <v_i, v_i>, to
/// `Shape<F (F + 1) / 2>`. Fields past the true length are zeros. No parameters. Cost: F^2 D flops. Backward:
/// dV = S V with S symmetric. PyTorch: `(v @ v.mT)[:, i, j]` with `i, j = torch.tril_indices(F, F, -1)`.
struct Dot {
    using PolicyKind = CrossForm;
    template <class Spec, class... P> using Form = detail::DotForm<Spec, P...>;
};
/// Cross<Ffm>: the second order of a field-aware factorization machine (Juan et al. 2016), y = sum over i < j
/// of <v_ij, v_ji>: row i holds, for every other field j in order, a vector v_ij. `Embed<(F - 1) * k>` over a
/// record gives such rows: `Shape<F, (F - 1) k>` to `Shape<1>`. No parameters. Cost: F^2 k flops.
struct Ffm {
    using PolicyKind = CrossForm;
    template <class Spec, class... P> using Form = detail::FfmForm<Spec, P...>;
};
/// Cross<Bilinear>: rows (A v_i) v_j for i < j, element by element (FiBiNET, arXiv 1905.09433): `Shape<F, D>`
/// to `Shape<F (F - 1) / 2, D>`. Parameters: `weight [D, D]`; with `PerField` one for each field but the
/// last, `i.weight`, with `PerPair` one for each pair; drawn by Xavier. Cost: 2 D^2 flops a field or pair.
/// Backward: du = dy v_j, dv_j += dy u, dv_i += A^T du, dA += du v_i^T with u = A v_i.
struct Bilinear {
    using PolicyKind = CrossForm;
    template <class Spec, class... P> using Form = detail::BilinearForm<Spec, P...>;
};
/// Cross<Fusion<H>>: two vectors o1 and o2 of equal width side by side, crossed in H heads (FinalMLP, arXiv
/// 2304.00902): y = b + <w, [o1, o2]> + sum over h of o1_h^T W_h o2_h, `Shape<2 D>` to `Shape<1>`.
/// Parameters: `weight [1, 2 D]`, `bias [1]`, `h.weight [D / H, D / H]`, drawn by Xavier, the bias 0. Cost: 2
/// D^2 / H flops.
template <int H> struct Fusion {
    using Must = detail::Must<(H > 0), a_positive_count>;
    using PolicyKind = CrossForm;
    template <class Spec, class... P> using Form = detail::FusionForm<Spec, H, P...>;
};

} // namespace inlay::inline INLAY_ISA
