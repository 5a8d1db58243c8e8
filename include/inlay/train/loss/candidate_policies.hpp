// SPDX-License-Identifier: BSD-3-Clause
// A positive among negatives: what a list of scores costs, and where the list comes from.
#pragma once

#include <inlay/simd/math.hpp>
#include <inlay/train/loss/numbers.hpp>

#include <limits>

namespace inlay::inline INLAY_ISA {

/// The families of Listed, Negatives and InBatch; of Uniform and LogUniform; of DotProduct and
/// CosineSimilarity.
struct WhereCandidatesComeFrom;
struct HowNegativesAreDrawn;
struct HowTowersAreCompared;

/// The output is a list of scores, the positive's first. Target: 0 or more, or for a loss with logQ the
/// logarithm of how often each candidate is sampled; NaN in its first place ignores the token, and elsewhere
/// leaves that candidate out.
struct Listed {
    using PolicyKind = WhereCandidatesComeFrom;
};
/// The output scores all items; the target is the positive, and K others are drawn anew for each token and
/// step, with replacement. Out of training the same are drawn each time.
template <int K> struct Negatives {
    using Must = detail::Must<(K > 0), a_positive_count>;
    using PolicyKind = WhereCandidatesComeFrom;
    static constexpr int count = K;
};
/// The output is two vectors side by side, those of a query and of its item, and the negatives are the items
/// of the other rows. Targets: the item's id, so that a row with the same item is no negative, or a negative
/// number for a row that takes no part; and for a loss with logQ the logarithm of how often the item is
/// sampled. Rows meet within one shard: an eighth of the batch.
struct InBatch {
    using PolicyKind = WhereCandidatesComeFrom;
};

/// Every item but the positive is drawn equally often.
struct Uniform {
    using PolicyKind = HowNegativesAreDrawn;
};
/// Item j is drawn with probability log((j + 2) / (j + 1)) / log(items + 1): ids in the order of how frequent
/// they are.
struct LogUniform {
    using PolicyKind = HowNegativesAreDrawn;
};

struct DotProduct {
    using PolicyKind = HowTowersAreCompared;
};
/// The dot product of the vectors divided by their lengths.
struct CosineSimilarity {
    using PolicyKind = HowTowersAreCompared;
};

/// Words of a misfit.
struct more_than_one_item;
/// How many items there are, where a loss cannot see it.
struct HowManyItems;
template <int N> struct Items {
    using Must = detail::Must<(N > 1), more_than_one_item>;
    using PolicyKind = HowManyItems;
    static constexpr int value = N;
};

namespace detail {
// A rule turns the scores of m candidates, the positive's first, into their cotangents and returns the loss.
// A score of -infinity is a candidate that is none. `items` is how many there are in all.

inline bool is_none(double score) noexcept { return score == -std::numeric_limits<double>::infinity(); }
inline int count_negatives(double const* s, int m) noexcept {
    return int(std::count_if(s + 1, s + m, [](double x) { return !is_none(x); }));
}

/// The mean over the negatives of softplus(negative - positive).
struct PairRule {
    static constexpr bool corrects = false;
    static double value(double* s, int m, double) noexcept {
        double const positive = s[0], share = 1.0 / std::max(1, count_negatives(s, m));
        double loss = 0;
        s[0] = 0;
        for (int j = 1; j < m; ++j) {
            double const margin = s[j] - positive;
            s[j] = share * sigmoid(margin); // 0 for a candidate that is none
            s[0] -= s[j];
            loss += share * softplus(margin);
        }
        return loss;
    }
};
/// Cross-entropy with the positive as the class; `Corrects`: over scores less logQ.
template <bool Corrects> struct SoftmaxRule {
    static constexpr bool corrects = Corrects;
    static double value(double* s, int m, double) noexcept {
        double const top = *std::max_element(s, s + m), positive = s[0] - top;
        double sum = 0;
        for (int j = 0; j < m; ++j) sum += s[j] = std::exp(s[j] - top);
        for (int j = 0; j < m; ++j) s[j] /= sum;
        s[0] -= 1;
        return std::log(sum) - positive;
    }
};
/// Binary cross-entropy whose positive weighs 1 - t (1 - the share of the items that are its negatives).
template <double Calibrated> struct GbceRule {
    static constexpr bool corrects = false;
    static double value(double* s, int m, double items) noexcept {
        int const k = count_negatives(s, m);
        double const share = 1.0 / (k + 1), sampled = std::min(1.0, k / (items - 1));
        double const beta = 1 - Calibrated * (1 - sampled);
        double loss = beta * softplus(-s[0]) * share;
        s[0] = -beta * sigmoid(-s[0]) * share;
        for (int j = 1; j < m; ++j) {
            loss += softplus(s[j]) * share;
            s[j] = sigmoid(s[j]) * share;
        }
        return loss;
    }
};
} // namespace detail

} // namespace inlay::inline INLAY_ISA
