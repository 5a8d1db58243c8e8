// SPDX-License-Identifier: BSD-3-Clause
// A history seen from the item that is asked about.
#pragma once

#include <inlay/combine/stack.hpp>
#include <inlay/kernels/hadamard.hpp>

namespace inlay::inline INLAY_ISA {

/// Words of a misfit.
struct one_number_for_each_row;

namespace detail {
/// Without the carried state and the positions of the block around.
template <class C> C without_stream(C c) noexcept {
    c.carry = {};
    c.position = nullptr;
    return c;
}
/// What a block takes over from blocks that it runs over another sequence than its own.
template <class Net> struct RunsElsewhere : BlockDefaults {
    using Params = typename Net::Params;
    using Shared = SharedIn<Net>;
    template <int B> using Grads = typename Net::template Grads<B>;
    static constexpr long long parameters = Net::parameters;

    template <class P, class F> static void visit(P& p, Path const& at, F&& f) { Net::visit(p, at, f); }
    template <class F> static constexpr void describe(Path const& at, int times, F const& f) {
        Net::describe(at, times, f);
    }
    template <class C> static void initialize(C const& c, Params& p) noexcept { Net::initialize(c, p); }
};
} // namespace detail

/// The sum of a sequence's rows e_j, weighed by how they fit a target t, the side tensor N (DIN, arXiv
/// 1706.06978): y = sum over j of a_j e_j with a_j = A([t, e_j, t - e_j, t e_j]), A the blocks given, not
/// normalised.
///
/// Shapes: `Shape<T, D>` to `Shape<D>`; A takes `Shape<T, 4 D>` to `Shape<T, 1>`, say `Mlp<36, 1>`. The
/// target has D numbers and is made by a Let around this block, `Let<"item", Stack<Select<"item">, Embed<16,
/// Share<"items">>>, Select<"watched">, Embed<16, Share<"items">>, TargetAttn<"item", Mlp<36, 1>>>`. An empty
/// sequence gives zeros. Parameters: A's. Cost: that of A and 4 D flops a row. Tape: A's, and a. Backward:
/// da_j = <dy, e_j>; with dI the four parts of A's cotangent, dt += dI1 + dI3 + dI4 e_j, de_j = a_j dy + dI2
/// - dI3 + dI4 t. No streaming form. Error: blocks that do not give one number a row; asserted: a target that
/// is not there, or of another width. PyTorch: `(a(torch.cat([t, e, t - e, t * e], -1)) * e).sum(1)`.
template <Name N, class... Specs> struct TargetAttn {
    using Body = Stack<Specs...>;
    using Wanted = a_sequence;
    static constexpr int layers = Body::layers;
    template <class I> struct ProblemOf {
        using type = Misfit<TargetAttn, Place<>, Got<detail::Brief<I>>, Wants<a_sequence>>;
    };
    template <int T, int D> struct ProblemOf<Shape<T, D>> {
        static consteval auto find() {
            using P = typename Body::template Problem<Shape<T, 4 * D>>;
            if constexpr (!detail::fits<P>) return Tag<P>{};
            else {
                using O = typename detail::OutputOf<Body, Shape<T, 4 * D>>::type;
                if constexpr (std::is_same_v<O, Shape<T, 1>>) return Tag<Fits>{};
                else
                    return Tag<Misfit<TargetAttn<N>, Place<>, Got<detail::Brief<O>>,
                                      Wants<one_number_for_each_row>>>{};
            }
        }
        using type = typename decltype(find())::type;
    };
    template <class I> using Problem = typename ProblemOf<I>::type;
    template <int T, int D> static Tag<Shape<D>> out(Tag<Shape<T, D>>);

    template <class I, class R>
    struct Block : detail::RunsElsewhere<typename Body::template Block<Shape<I::rows, 4 * I::width>, R>> {
        using Spec = TargetAttn;
        using T = typename R::type;
        using Output = Shape<I::width>;
        using Pairs = Shape<I::rows, 4 * I::width>;
        using Weights = Shape<I::rows, 1>;
        using Net = typename Body::template Block<Pairs, R>;
        using Params = typename Net::Params;
        static constexpr int W = R::lanes, D = I::width, stride = In<I, R>::stride;
        static constexpr double flops = Net::flops + 4.0 * I::rows * D;
        template <int B> struct Tape {
            INLAY_EMPTY typename Net::template Tape<B> net;
            detail::Buffer<Weights, R, B> weights;
        };
        static constexpr std::size_t scratch(int B) {
            return 2 * detail::bytes<Pairs, R>(B) + detail::bytes<Weights, R>(B) + Net::scratch(B);
        }
        template <class C, class Tp>
        static void forward(C const& c, Params const& p, In<I, R> x, Out<Output, R> y, Tp& tape,
                            Scratch s) noexcept {
            auto const pairs = s.template take<Pairs, R>(c.capacity, x.lengths);
            pair(c, x, pairs);
            auto const weights = [&] {
                if constexpr (is_recording<Tp>) return tape.weights.view(x.lengths);
                else return s.template take<Weights, R>(c.capacity, x.lengths);
            }();
            if constexpr (is_recording<Tp>)
                Net::forward(detail::without_stream(c), p, pairs, weights, tape.net, s);
            else Net::forward(detail::without_stream(c), p, pairs, weights, tape, s);
            for (int b = 0; b < c.rows; ++b) {
                kernels::clear(y(b), stride);
                for (int t = 0, n = x.length(b); t < n; ++t)
                    kernels::axpy<W>(stride, weights(b, t)[0], x(b, t), y(b));
            }
        }
        template <class C, class Tp, class DX, class G>
        static void backward(C const& c, Params const& p, In<I, R> x, Tp const& tape, In<Output, R> dy, DX dx,
                             G& g, Scratch s) noexcept {
            auto const pairs = s.template take<Pairs, R>(c.capacity, x.lengths);
            auto const dpairs = s.template take<Pairs, R>(c.capacity, x.lengths);
            auto const dweights = s.template take<Weights, R>(c.capacity, x.lengths);
            auto const weights = tape.weights.view(x.lengths);
            pair(c, x, pairs);
            for (int b = 0; b < c.rows; ++b)
                for (int t = 0; t < I::rows; ++t) {
                    kernels::clear(dweights(b, t), dweights.stride);
                    if (t < x.length(b)) dweights(b, t)[0] = kernels::dot<W>(D, dy(b), x(b, t));
                }
            Net::backward(detail::without_stream(c), p, pairs, tape.net, dweights, dpairs, g, s);
            auto const& target = side<N>(c.extras);
            for (int b = 0; b < c.rows; ++b) {
                int const n = x.length(b);
                T const* const goal = target.value(b);
                for (int t = 0; t < n; ++t) {
                    T const *const d = dpairs(b, t), *const e = x(b, t);
                    if constexpr (wants_grad<decltype(target.cotangent)>) {
                        T* const to = target.cotangent(b);
                        for (int i = 0; i < D; ++i) to[i] += d[i] + d[2 * D + i] + d[3 * D + i] * e[i];
                    }
                    if constexpr (wants_grad<DX>) {
                        T* const to = dx(b, t);
                        T const a = weights(b, t)[0];
                        for (int i = 0; i < D; ++i)
                            to[i] = a * dy(b)[i] + d[D + i] - d[2 * D + i] + d[3 * D + i] * goal[i];
                        kernels::clear_pads(to, D, stride);
                    }
                }
                if constexpr (wants_grad<DX>) detail::clear_rows_from(dx, b, n);
            }
        }

    private:
        template <class C> static void pair(C const& c, In<I, R> x, Out<Pairs, R> pairs) noexcept {
            static_assert(HasSide<N, decltype(c.extras)>,
                          "inlay: TargetAttn stands in the Let of its target");
            auto const& target = side<N>(c.extras);
            using Side = std::remove_cvref_t<decltype(target.value)>;
            static_assert(Side::width == D && Side::rows == 1,
                          "inlay: TargetAttn's target has the width of the sequence");
            for (int b = 0; b < c.rows; ++b) {
                int const n = x.length(b);
                T const* const goal = target.value(b);
                for (int t = 0; t < n; ++t) {
                    T const* const e = x(b, t);
                    T* const to = pairs(b, t);
                    for (int i = 0; i < D; ++i) {
                        to[i] = goal[i];
                        to[D + i] = e[i];
                        to[2 * D + i] = goal[i] - e[i];
                        to[3 * D + i] = goal[i] * e[i];
                    }
                    kernels::clear_pads(to, 4 * D, pairs.stride);
                }
                detail::clear_rows_from(pairs, b, n);
            }
        }
    };
};

} // namespace inlay::inline INLAY_ISA
