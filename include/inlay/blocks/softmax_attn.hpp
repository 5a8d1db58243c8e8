// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <inlay/blocks/attention/scan.hpp>
#include <inlay/blocks/attention/spec.hpp>
#include <inlay/blocks/attention/stream.hpp>

namespace inlay::inline INLAY_ISA {

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
template <class... Policies> struct SoftmaxAttn : detail::AttentionSpec<SoftmaxAttn<>, Policies...> {
    using Allowed =
        PolicyKinds<HowManyHeads, HowManyKvHeads, HowWideHeads, WhichKeys, WhichWindow, WhichSinks,
                    WhichPlaces, WhichBias, WhichNorm, WhichCap, WhichGate, WhichScoreSink, WhichForgetting,
                    WhichDocuments, WhichWeights, WhichDifference, WhichSelection, WhichScores>;
    using Asks = typename detail::AttentionSpec<SoftmaxAttn<>, Policies...>::Asks;

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
