// SPDX-License-Identifier: BSD-3-Clause
// A history with the item that is asked about in front of it.
#pragma once

#include <inlay/combine/target_attn.hpp>

namespace inlay::inline INLAY_ISA {

/// A over the sequence t, x_n, ..., x_1: the side tensor N and behind it the rows of a history, the newest
/// first, so that a row's place says how far it is from the target.
///
/// With a LearnedPosition and a layer of attention inside it is the behaviour sequence transformer (BST,
/// arXiv 1905.06874), whose positions are distances from the target too: `Let<"item", Stack<Select<"item">,
/// Embed<16, Share<"items">>>, Select<"watched">, Embed<16, Share<"items">>, TargetFirst<"item",
/// LearnedPosition, Residual<SoftmaxAttn<Heads<8>, Bidirectional>>, LayerNorm, Flatten>>`. Shapes: `Shape<T,
/// D>` to `Shape<O>`; the blocks given, a stack, take `Shape<T + 1, D>`, of length n + 1, and give a vector.
/// The target has D numbers and is made by a Let around this block. Parameters: A's. Cost: A's, and a copy.
/// Tape: A's. Backward: the rows of A's cotangent go where they came from. No streaming form. PyTorch:
/// `a(torch.cat([t[:, None], x.flip(1)], 1))`. Error: what is no sequence of numbers, blocks that do not give
/// a vector; asserted: a target that is not there, or of another width.
template <Name N, class... Specs> struct TargetFirst {
    using Body = Stack<Specs...>;
    static constexpr int layers = Body::layers;
    template <class I> struct ProblemOf {
        using type = Misfit<TargetFirst<N>, Place<>, Got<detail::Brief<I>>, Wants<a_sequence>>;
    };
    template <int T, int D> struct ProblemOf<Shape<T, D>> {
        static consteval auto find() {
            using P = typename Body::template Problem<Shape<T + 1, D>>;
            if constexpr (!detail::fits<P>) return Tag<P>{};
            else {
                using O = typename detail::OutputOf<Body, Shape<T + 1, D>>::type;
                if constexpr (is_numbers<O> && !is_sequence<O>) return Tag<Fits>{};
                else return Tag<Misfit<TargetFirst<N>, Place<>, Got<detail::Brief<O>>, Wants<a_vector>>>{};
            }
        }
        using type = typename decltype(find())::type;
    };
    template <class I> using Problem = typename ProblemOf<I>::type;
    template <int T, int D>
    static Tag<typename detail::OutputOf<Body, Shape<T + 1, D>>::type> out(Tag<Shape<T, D>>);

    template <class I, class R>
    struct Block : detail::RunsElsewhere<typename Body::template Block<Shape<I::rows + 1, I::width>, R>> {
        using Spec = TargetFirst;
        using T = typename R::type;
        using All = Shape<I::rows + 1, I::width>;
        using Net = typename Body::template Block<All, R>;
        using Output = typename Net::Output;
        using Params = typename Net::Params;
        template <int B> using Tape = typename Net::template Tape<B>;
        static constexpr int W = R::lanes, D = I::width, stride = In<I, R>::stride;
        static constexpr double flops = Net::flops;
        static constexpr std::size_t scratch(int B) {
            return 2 * detail::bytes<All, R>(B) + detail::lines(std::size_t(B) * sizeof(std::int32_t)) +
                   Net::scratch(B);
        }
        template <class C, class Tp>
        static void forward(C const& c, Params const& p, In<I, R> x, Out<Output, R> y, Tp& tape,
                            Scratch s) noexcept {
            auto const all = join(c, x, s);
            Net::forward(detail::without_stream(c), p, all, y, tape, s);
        }
        template <class C, class Tp, class DX, class G>
        static void backward(C const& c, Params const& p, In<I, R> x, Tp const& tape, In<Output, R> dy, DX dx,
                             G& g, Scratch s) noexcept {
            auto const all = join(c, x, s);
            auto const dall = s.template take<All, R>(c.capacity, all.lengths);
            Net::backward(detail::without_stream(c), p, all, tape, dy, dall, g, s);
            auto const& target = side<N>(c.extras);
            for (int b = 0; b < c.rows; ++b) {
                int const n = x.length(b);
                if constexpr (wants_grad<decltype(target.cotangent)>)
                    kernels::add<W>(stride, dall(b, 0), target.cotangent(b));
                if constexpr (wants_grad<DX>) {
                    for (int t = 0; t < n; ++t) std::copy_n(dall(b, n - t), stride, dx(b, t));
                    detail::clear_rows_from(dx, b, n);
                }
            }
        }

    private:
        template <class C> static Out<All, R> join(C const& c, In<I, R> x, Scratch& s) noexcept {
            static_assert(HasSide<N, decltype(c.extras)>,
                          "inlay: TargetFirst stands in the Let of its target");
            auto const& target = side<N>(c.extras);
            using Side = std::remove_cvref_t<decltype(target.value)>;
            static_assert(Side::width == D && Side::rows == 1,
                          "inlay: TargetFirst's target has the width of the sequence");
            auto* const lengths = s.template take<std::int32_t>(std::size_t(c.capacity));
            auto const all = s.template take<All, R>(c.capacity, Lengths{lengths, sizeof(std::int32_t)});
            for (int b = 0; b < c.rows; ++b) {
                int const n = x.length(b);
                lengths[b] = n + 1;
                std::copy_n(target.value(b), stride, all(b, 0));
                for (int t = 0; t < n; ++t) std::copy_n(x(b, t), stride, all(b, n - t));
                detail::clear_rows_from(all, b, n + 1);
            }
            return all;
        }
    };
};

} // namespace inlay::inline INLAY_ISA
