// SPDX-License-Identifier: BSD-3-Clause
// Losses that rank a positive above negatives. Where candidates come from is a policy: Negatives<K>, drawn
// from an output that scores all items; Listed, an output of one positive's score and the negatives';
// InBatch, an output of two vectors (candidates.hpp). Further policies: Temperature<tau> divides the scores;
// with Negatives, LogUniform draws frequent items more often; with InBatch, DotProduct or CosineSimilarity.
#pragma once

#include <inlay/train/loss/in_batch.hpp>

namespace inlay::inline INLAY_ISA {

/// Words of a misfit.
struct a_number_from_0_to_1;
struct a_number_of_items;

/// The family of Calibration.
struct HowGbceIsCalibrated;
/// gBCE's t: 0 is plain binary cross-entropy, 1 undoes all of the overconfidence that sampling causes.
template <double T> struct Calibration {
    using Must = detail::Must<(T >= 0 && T <= 1), a_number_from_0_to_1>;
    using PolicyKind = HowGbceIsCalibrated;
    static constexpr double value = T;
};
/// The family of Symmetric and OneSided.
struct WhichSideChooses;
/// Items are told apart by queries and queries by items, half and half.
struct Symmetric {
    using PolicyKind = WhichSideChooses;
};
/// Items are told apart by queries.
struct OneSided {
    using PolicyKind = WhichSideChooses;
};

/// Bayesian personalised ranking (arXiv 1205.2618): the mean over the negatives of softplus(-(s+ - s-)), ds+
/// = -sigmoid(s- - s+), ds- = sigmoid(s- - s+). By default one negative, drawn evenly. The L2 of the paper is
/// the optimizer's `row_decay`. PyTorch: `F.softplus(negative - positive).mean()`.
template <class... Policies>
struct BasicBpr : detail::CandidateLoss<BasicBpr<Policies...>, detail::PairRule, List<Negatives<1>>,
                                        List<WhereCandidatesComeFrom>, Policies...> {};
using Bpr = BasicBpr<>;

/// Cross-entropy over the positive and sampled negatives, each score less the logarithm of how often its item
/// is expected in the sample (logQ). Drawn negatives (256 by default) are corrected by log(K q), the
/// positive, which is there for certain, not at all (arXiv 2507.09331); Listed and InBatch take log q from
/// the targets, for the positive too (Yi et al., RecSys 2019: the same number for all changes nothing).
/// PyTorch: `F.cross_entropy(scores - log_q, label)`.
template <class... Policies>
struct BasicSampledSoftmax
    : detail::CandidateLoss<BasicSampledSoftmax<Policies...>, detail::SoftmaxRule<true>, List<Negatives<256>>,
                            List<WhereCandidatesComeFrom>, Policies...> {};
using SampledSoftmax = BasicSampledSoftmax<>;

/// gBCE (arXiv 2308.07192): -(beta log sigmoid(s+) + sum over k negatives of log(1 - sigmoid(s-))) / (k + 1)
/// with beta = 1 - t (1 - a) and a = k / (items - 1), ds+ = -beta (1 - sigmoid(s+)) / (k + 1), ds- =
/// sigmoid(s-) / (k + 1). By default 256 negatives and `Calibration<0.75>`. Listed and InBatch need
/// `Items<N>`.
template <class... Policies>
struct BasicGbce
    : detail::CandidateLoss<BasicGbce<Policies...>,
                            detail::GbceRule<detail::PolicyOr<HowGbceIsCalibrated, Calibration<0.75>,
                                                              Policies...>::type::value>,
                            List<Negatives<256>>,
                            List<WhereCandidatesComeFrom, HowGbceIsCalibrated, HowManyItems>, Policies...> {
    using Base = typename BasicGbce::CandidateLoss;
    static constexpr bool sees_items = requires { Base::Source::count; };
    static constexpr bool is_told = detail::has_policy<HowManyItems, Policies...>;
    template <class Output>
    using Problem = detail::FirstMisfit<
        typename Base::template Problem<Output>,
        detail::LossMust<(sees_items || is_told), BasicGbce, typename Base::Source, a_number_of_items>>;
    static constexpr double items(int width) {
        return double(sees_items ? width
                                 : detail::PolicyOr<HowManyItems, Items<2>, Policies...>::type::value);
    }
};
using Gbce = BasicGbce<>;

/// InfoNCE: cross-entropy of every query over the items of its shard, its own as the class: S = <u, v> / tau,
/// l_i = log sum_j e^S_ij - S_ii, dS = softmax(S) - I. By default of vectors at length 1, with tau 0.07 and
/// OneSided. Output: [u, v], queries and items side by side; target: the item's id, so that rows with the
/// same item are no negatives of each other. Near log(rows of a shard) at first. Cost: 3 rows^2 width a
/// shard. Policies: `Temperature<tau>`, `Symmetric`, `DotProduct`. PyTorch: `F.cross_entropy(u @ v.T / tau,
/// arange(n))`.
template <class... Policies>
struct BasicInfoNce : detail::CandidateLoss<BasicInfoNce<Policies...>, detail::SoftmaxRule<false>,
                                            List<InBatch, CosineSimilarity, Temperature<0.07>>,
                                            List<WhichSideChooses>, Policies...> {
    static constexpr bool symmetric =
        std::is_same_v<typename detail::PolicyOr<WhichSideChooses, OneSided, Policies...>::type, Symmetric>;
};
using InfoNce = BasicInfoNce<>;

} // namespace inlay::inline INLAY_ISA
