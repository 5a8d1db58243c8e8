// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <inlay/combine/memory_context.hpp>

namespace inlay::inline INLAY_ISA {

/// Words of a misfit.
struct a_block_of_memory;
struct a_causal_block_that_keeps_the_shape;

/// Attention within segments of C tokens, over learned tokens P, what a memory answers to the segment's
/// tokens, and the tokens; the memory learns what attention gives (MAC of arXiv 2501.00663, read so that
/// nothing looks ahead). Token s of a segment sees P, and answers and tokens up to s:
///
///     h_s = M'(q(x_s)),  y_s = attention over [P, h_1, x_1, ..., h_s, x_s],  m_s = memory(y_s)
///     o_s = RMSNorm(y_s) sigmoid(RMSNorm(m_s))
///
/// with M' the memory as the segment began.
///
/// Shapes: `Shape<T, D>`, kept. Parameters: `attn`'s and `memory`'s under these names, `attn_norm.weight
/// [D]`, `memory_norm.weight [D]`, and `persistent [N, D]` from N(0, 0.02^2). Cost: attention of N + 2 C
/// tokens a segment, the memory, and its queries once more. State: the segment's keys and values, the
/// memory's state, the memory as the segment began. Attention is any causal block; a position counts answers
/// and tokens. Error: what is no sequence of numbers, a LongTerm that is no Memory, attention that changes
/// the shape. PyTorch: no module that computes the same.
template <int C, int N, class Attention, class LongTerm> struct MemoryAsContext {
    using Must = detail::Must<(C > 0 && N >= 0), a_positive_count>;
    using Wanted = a_sequence;
    using Reader = Attention;
    using Learner = LongTerm;
    static constexpr int segment = C, persistent = N;
    static constexpr int layers = detail::layers_of<Attention> + detail::layers_of<LongTerm>;

    template <class I> static consteval auto problem() {
        using Brief = MemoryAsContext<C, N, void, void>;
        if constexpr (!is_sequence<I>)
            return Tag<Misfit<Brief, Place<>, Got<detail::Brief<I>>, Wants<a_sequence>>>{};
        else {
            using Long = Shape<N + 2 * C, I::width>;
            using P = detail::Problem<Attention, Long>;
            using Q = detail::Problem<LongTerm, Shape<C, I::width>>;
            if constexpr (!detail::fits<P>) return Tag<detail::Inside<0, P>>{};
            else if constexpr (!detail::fits<Q>) return Tag<detail::Inside<1, Q>>{};
            else if constexpr (!std::is_same_v<typename detail::OutputOf<Attention, Long>::type, Long>)
                return Tag<
                    Misfit<Brief, Place<0>, Got<Attention>, Wants<a_causal_block_that_keeps_the_shape>>>{};
            else if constexpr (!requires { LongTerm::chunk, LongTerm::depth; })
                return Tag<Misfit<Brief, Place<1>, Got<LongTerm>, Wants<a_block_of_memory>>>{};
            else return Tag<Fits>{};
        }
    }
    template <class I> using Problem = typename decltype(problem<I>())::type;
    template <int T, int D> static Tag<Shape<T, D>> out(Tag<Shape<T, D>>);

    template <class I, class R> struct Block : detail::MemoryContext<MemoryAsContext, I, R> {
        using Spec = MemoryAsContext;
    };
};

} // namespace inlay::inline INLAY_ISA
