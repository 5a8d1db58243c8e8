// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <inlay/blocks/memory/feedback_block.hpp>

namespace inlay::inline INLAY_ISA {

/// The families of policies.
struct HowManyFeedbackRows;
struct HowWideHidden;
struct WhichRowsNorm;

/// Words of a misfit.
template <class Heads> struct a_width_for;
template <class Heads> struct what_divides;
struct pairs_to_turn;
struct a_block_window;

/// Rows of a feedback memory.
template <int N> struct FeedbackRows {
    using Must = detail::Must<(N > 0), a_positive_count>;
    using PolicyKind = HowManyFeedbackRows;
    static constexpr int value = N;
};
/// A feedback memory's rows are divided by their root mean square when a block has changed them.
struct NormRows {
    using PolicyKind = WhichRowsNorm;
    static constexpr bool used = true;
};
/// They are not, as in the paper.
struct BareRows {
    using PolicyKind = WhichRowsNorm;
    static constexpr bool used = false;
};
/// Numbers between the two maps of a layer's feed-forward part.
template <int N> struct Hidden {
    using Must = detail::Must<(N > 0), a_positive_width>;
    using PolicyKind = HowWideHidden;
    static constexpr int value = N;
};

/// A layer of a transformer over blocks of tokens with a feedback memory F of a few rows, which goes through
/// the same parameters as tokens do (TransformerFAM, arXiv 2404.09173). Tokens see F, the blocks before
/// theirs that `BlockWindow` says, and their own up to themselves; when a block is whole, F sees itself and
/// the block, and becomes what the layer makes of it:
///
///     a = x + attention(RmsNorm(x)),  y = a + SwiGlu(RmsNorm(a))
///
/// without the x for F after the first block. F stands at the places before its block, and asks from the last
/// places of it.
///
/// Nothing fades F: each block adds to it what the norms leave bounded, |F| <= c times the blocks, with a c
/// of the weights, and in float no more than 2^24 c, where an addition rounds away; one whose squares
/// overflow is read as zeros. So it stays finite, but late blocks turn it less than early ones. With
/// `NormRows`, which the paper does not have, F = y / rms(y): its rows keep length sqrt(D), and what a block
/// added fades as others add to it.
///
/// Shapes: `Shape<T, D>`, kept. Policies: `BlockWindow<B, M>`, needed; `FeedbackRows<8>`; `BareRows` or
/// `NormRows`; `Hidden<2 D>`; `Heads<1>`, `KvHeads<Heads>`, `HeadDim<D / Heads>`, `Rope<>`. Parameters:
/// `norm.weight [D]`, `attn.q.weight [H d, D]`, `attn.k.weight [K d, D]`, `attn.v.weight`, `attn.o.weight [D,
/// H d]`, `ff_norm.weight [D]`, `ff.gate.weight [Hidden, D]`, `ff.up.weight`, `ff.down.weight [D, Hidden]`,
/// and `fam [rows, D]`, F before the first block, from N(0, 0.02^2). Cost a token: the maps, and 4 H d for
/// each key seen; of a block, the maps for each row. State: F, its keys and values, and those of M + 1
/// blocks; a stream may run for ever. Backward: through all blocks, and into the state that came in. The
/// paper lets one learned prompt run through all layers; here each learns its own. Error: what is no sequence
/// of numbers, no BlockWindow, Heads that do not divide D without a HeadDim, KvHeads that do not divide
/// Heads, an odd number of turning numbers, an unknown or doubled policy. PyTorch: no module.
template <class... Policies> struct FeedbackMemory {
    template <class Kind, class Default>
    using policy = typename detail::PolicyOr<Kind, Default, Policies...>::type;
    using Wanted = a_sequence;
    using Allowed = PolicyKinds<WhichWindow, HowManyFeedbackRows, HowWideHidden, WhichRowsNorm, HowManyHeads,
                                HowManyKvHeads, HowWideHeads, WhichPlaces>;
    static constexpr int layers = 1;
    static constexpr int heads = policy<HowManyHeads, Heads<1>>::value;
    static constexpr int kv_heads = policy<HowManyKvHeads, KvHeads<heads>>::value;
    static constexpr int feedback = policy<HowManyFeedbackRows, FeedbackRows<8>>::value;
    static constexpr bool rows_are_normed = policy<WhichRowsNorm, BareRows>::used;
    using Places = policy<WhichPlaces, detail::NoPlaces>;
    using Win = policy<WhichWindow, detail::NoWindow>;
    template <int D> static constexpr int head_dim = detail::head_width<D, heads, Policies...>;
    template <int D> static constexpr int hidden = policy<HowWideHidden, Hidden<2 * D>>::value;

    template <class W> struct BlocksOf {
        static constexpr int block = 0, segments = 0;
    };
    template <int N, int M> struct BlocksOf<BlockWindow<N, M>> {
        static constexpr int block = N, segments = M;
    };
    using Blocks = BlocksOf<Win>;

    template <class I> static consteval auto problem() {
        using Brief = FeedbackMemory<>; // its policies would fill the message
        using P = detail::PolicyProblem<Brief, I, Allowed, Policies...>;
        if constexpr (!detail::fits<P>) return Tag<P>{};
        else if constexpr (Blocks::block == 0)
            return Tag<Misfit<Brief, Place<>, Got<Win>, Wants<a_block_window>>>{};
        else if constexpr (heads < 1 || kv_heads < 1 || heads % std::max(kv_heads, 1) != 0)
            return Tag<Misfit<Brief, Place<>, Got<KvHeads<kv_heads>>, Wants<what_divides<Heads<heads>>>>>{};
        else if constexpr (head_dim<I::width> < 1)
            return Tag<Misfit<Brief, Place<>, Got<I>, Wants<a_width_for<Heads<heads>>>>>{};
        else if constexpr (!detail::Rotation<Native, Places, head_dim<I::width>>::fits)
            return Tag<Misfit<Brief, Place<>, Got<HeadDim<head_dim<I::width>>>, Wants<pairs_to_turn>>>{};
        else return Tag<Fits>{};
    }
    template <class I> using Problem = typename decltype(problem<I>())::type;
    template <int T, int D> static Tag<Shape<T, D>> out(Tag<Shape<T, D>>);

    template <class I, class R> struct Block : detail::FeedbackBlock<FeedbackMemory, I, R> {
        using Spec = FeedbackMemory;
    };
};

} // namespace inlay::inline INLAY_ISA
