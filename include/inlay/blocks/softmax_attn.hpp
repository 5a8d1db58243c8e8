// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <inlay/blocks/attention_scan.hpp>
#include <inlay/blocks/attention_stream.hpp>

namespace inlay::inline INLAY_ISA {

/// Words of a misfit.
template <class Heads> struct a_width_for;
template <class Heads> struct what_divides;
struct pairs_to_turn;

/// Exact attention: y_t = Wo concat_h(sum_j P_tj v_j), P_t = softmax over the keys j that t sees of
/// q_t k_j / sqrt(d), with q = Wq x, k = Wk x, v = Wv x by heads.
///
/// Shapes: `Shape<T, D>`, kept. Policies: `Heads<1>`; `KvHeads<N>`, each read by Heads / N heads of queries;
/// `HeadDim<D / Heads>`; `Causal` (the default), `Bidirectional` or `Prefix<N>`; `Window<N>` or
/// `BlockWindow<N, M>`; `Sinks<N>`; `Rope<10'000>`, `Rope<10'000, Interleaved, Rotates<16>>`,
/// `Alibi` or `LearnedAlibi`; `Forgetting`; `QkNorm` or `QkUnit`; `Softcap<C>`; `OffByOne`, `SinkLogit` or
/// `SinkKeys<N>`; `Sparsemax` or `Entmax15`; `Differential`; `Selective`; `ScoredBy<Standard>` or another way
/// to ask; `OutputGate<Headwise>` or
/// `<Elementwise>`; `Documents<"name">`; `Bias`, `QkvBias`. Parameters: `q.weight [H d, D]`, `k.weight [K d,
/// D]`, `v.weight [K d, D]`, `o.weight [D, H d]` from Xavier's U(-a, a), a^2 = 6 / (in + out), that of o
/// divided by sqrt(2 depth); biases 0. Cost a token: 4 D d (H + K) for the projections and 4 H d for each key
/// seen; backward 2.5 times. State: the keys and values of the window, of the last T tokens without one (K T
/// 2 d numbers): a stream may be longer, and forgets the oldest. Memory is linear in T: the tape keeps
/// projections, the heads' outputs and one number a head and token, and backward computes weights again
/// (arXiv 2205.14135). A token that sees nothing gets zeros from its heads. PyTorch:
/// `scaled_dot_product_attention` between four `nn.Linear`. Error: what is no sequence of numbers, Heads that
/// do not divide D without a HeadDim, KvHeads that do not divide Heads, an odd number of turning numbers, an
/// unknown or doubled policy, two of which one refuses the other; `step` of Bidirectional or Prefix.
template <class... Policies> struct SoftmaxAttn {
    template <class Kind, class Default>
    using policy = typename detail::PolicyOr<Kind, Default, Policies...>::type;
    using Wanted = a_sequence;
    using Allowed =
        PolicyKinds<HowManyHeads, HowManyKvHeads, HowWideHeads, WhichKeys, WhichWindow, WhichSinks,
                    WhichPlaces, WhichBias, WhichNorm, WhichCap, WhichGate, WhichScoreSink, WhichForgetting,
                    WhichDocuments, WhichWeights, WhichDifference, WhichSelection, WhichScores>;
    static constexpr int layers = 1;
    static constexpr int heads = policy<HowManyHeads, Heads<1>>::value;
    static constexpr int kv_heads = policy<HowManyKvHeads, KvHeads<heads>>::value;
    using Keys = policy<WhichKeys, Causal>;
    using Win = policy<WhichWindow, detail::NoWindow>;
    using Sink = policy<WhichSinks, detail::NoSinks>;
    using Places = policy<WhichPlaces, detail::NoPlaces>;
    using Biases = policy<WhichBias, detail::NoBiases>;
    using Norm = policy<WhichNorm, detail::NoNorm>;
    using Cap = policy<WhichCap, detail::NoCap>;
    using Gate = policy<WhichGate, detail::NoGate>;
    using ScoreSink = policy<WhichScoreSink, detail::NoScoreSink>;
    using Forget = policy<WhichForgetting, detail::NoForgetting>;
    using Asks = policy<WhichScores, ScoredBy<Standard>>;
    using Weights =
        policy<WhichWeights,
               std::conditional_t<std::is_same_v<Asks, ScoredBy<Approximate>>, Asks, detail::NoWeights>>;
    using Diff = policy<WhichDifference, detail::NoDifference>;
    using Select = policy<WhichSelection, detail::NoSelection>;
    using Docs = policy<WhichDocuments, detail::NoDocuments>;
    template <int D>
    static constexpr int head_dim =
        policy<HowWideHeads,
               HeadDim<(heads > 0 && D % (heads * Diff::sets) == 0 ? D / (heads * Diff::sets) : 0)>>::value;

    template <class I> static consteval auto problem() {
        using Brief = SoftmaxAttn<>; // its policies would fill the message
        using P = detail::PolicyProblem<Brief, I, Allowed, Policies...>;
        if constexpr (!detail::fits<P>) return Tag<P>{};
        else if constexpr (heads < 1 || kv_heads < 1 || heads % std::max(kv_heads, 1) != 0)
            return Tag<Misfit<Brief, Place<>, Got<KvHeads<kv_heads>>, Wants<what_divides<Heads<heads>>>>>{};
        else {
            constexpr int d = head_dim<I::width>;
            if constexpr (d < 1)
                return Tag<Misfit<Brief, Place<>, Got<I>, Wants<a_width_for<Heads<heads>>>>>{};
            else if constexpr (!detail::Rotation<Native, Places, d>::fits)
                return Tag<Misfit<Brief, Place<>, Got<HeadDim<d>>, Wants<pairs_to_turn>>>{};
            else return Tag<Fits>{};
        }
    }
    template <class I> using Problem = typename decltype(problem<I>())::type;
    template <int T, int D> static Tag<Shape<T, D>> out(Tag<Shape<T, D>>);

    /// How attention is computed.
    template <class I, class R>
    using Body = std::conditional_t<std::is_same_v<Asks, ScoredBy<NonApproximate>>,
                                    detail::AttentionScan<SoftmaxAttn, I, R>,
                                    detail::AttentionStream<SoftmaxAttn, I, R>>;
    template <class I, class R> struct Block : Body<I, R> {
        using Spec = SoftmaxAttn;
    };
};

} // namespace inlay::inline INLAY_ISA
