// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <inlay/blocks/attention/spec.hpp>
#include <inlay/blocks/attention/stream.hpp>

namespace inlay::inline INLAY_ISA {

/// Words of a misfit.
struct no_pattern;
struct a_pattern_of_keys;

/// Attention over some of the keys: as SoftmaxAttn, with the sum and the softmax over those that a pattern
/// gives each query.
///
/// Shapes: `Shape<T, D>`, kept. Policies: a pattern, one of `LocalTokens<N>`, `Strided<S>`, `Dilated<N, R>`,
/// `Column<S, C>`, each with `GlobalTokens<N>` or without, `BigBird<B, ...>`, `TopBlocks<N, B>`, `Quest<N,
/// P>`, `TopTokens<N>`, `HardSelect<N>`, `Nsa<B, N, W>`, or, for prompts, `MeanBlocks<N, B>`,
/// `VerticalSlash<V, D>`, `FlexPrefill<Share, N>`, `SnapKv<P, C>`; and, as SoftmaxAttn has them, `Heads`,
/// `KvHeads`, `HeadDim`, `Causal` (the default) or, where the pattern allows, `Bidirectional`; `Rope`;
/// `Bias`, `QkvBias`; `QkNorm`, `QkUnit`; `Softcap`; `OffByOne`, `SinkLogit`; `OutputGate`. Parameters: those
/// of a SoftmaxAttn with the same policies, by name and shape, so that either runs with the other's;
/// `HardSelect` and `Nsa` have one more. A pattern that leaves out no key gives what SoftmaxAttn gives. Cost
/// a token: the projections, 4 H d for each key that is asked, and what the pattern says of choosing;
/// backward 2.5 times. Choices are constants on the way back; the tape holds them as whole numbers. State:
/// keys and values of the last T tokens, or of those that can still be asked, and what the pattern keeps of
/// them. Error: as SoftmaxAttn's; no pattern; `step` of Bidirectional and of patterns for prompts. PyTorch:
/// `F.scaled_dot_product_attention(q, k, v, attn_mask=pattern)`.
template <class... Policies> struct SparseAttn : detail::AttentionSpec<SparseAttn<>, Policies...> {
    using Base = detail::AttentionSpec<SparseAttn<>, Policies...>;
    using Allowed =
        PolicyKinds<HowManyHeads, HowManyKvHeads, HowWideHeads, WhichKeys, WhichPattern, WhichGlobals,
                    WhichPlaces, WhichBias, WhichNorm, WhichCap, WhichGate, WhichScoreSink>;

    template <class I> static consteval auto with_a_pattern() {
        if constexpr (Base::Pattern::used) return Tag<typename Base::template Problem<I>>{};
        else return Tag<Misfit<SparseAttn<>, Place<>, Got<no_pattern>, Wants<a_pattern_of_keys>>>{};
    }
    template <class I> using Problem = typename decltype(with_a_pattern<I>())::type;

    template <class I, class R> struct Block : detail::AttentionStream<SparseAttn, I, R> {
        using Spec = SparseAttn;
    };
};

} // namespace inlay::inline INLAY_ISA
