// SPDX-License-Identifier: BSD-3-Clause
// How good predictions are, in double, with ties settled.
#pragma once

#include <inlay/core/error.hpp>
#include <inlay/core/joined.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <type_traits>
#include <vector>

namespace inlay::inline INLAY_ISA {

/// Logits and targets of a data set, a row for each vector, or for each token of a sequence: `width` logits,
/// and `targets` targets, of which classifiers have one: a class, or a label in {0, 1}. As in the losses, a
/// negative class and NaN are rows that do not count. Weights of rows do not enter metrics.
struct Predictions {
    int width = 1;
    std::vector<double> logit;
    std::vector<float> target;
    int targets = 1;
    std::size_t size() const noexcept { return logit.size() / std::size_t(width); }

    /// The class of row i, or -1 where the row does not count; throws Error for a class that has no logit.
    std::ptrdiff_t label(std::size_t i) const {
        float const t = target[i];
        if (std::isnan(t) || (width > 1 && t < 0)) return -1;
        int const classes = std::max(width, 2);
        if (!(t >= 0 && t < float(classes)))
            detail::fail(Error("", detail::joined("prediction ", i),
                               detail::joined("a class below ", classes), std::to_string(t)));
        return std::ptrdiff_t(t > 0.5f && width == 1 ? 1 : std::ptrdiff_t(t));
    }
    /// Throws Error unless there is one target a row, and `logits` logits where that is not 0.
    void expect(char const* metric, int logits) const {
        if (targets != 1 || target.size() != size() || (logits && width != logits))
            detail::fail(Error("", metric, logits ? "one logit and one target a row" : "one target a row",
                               detail::joined(width, " logits and ", targets, " targets")));
    }
};

/// P(score of a positive > score of a negative) + P(equal) / 2, exactly. NaN where one class is absent or a
/// score is NaN.
struct Auc {
    static double of(Predictions const& p) {
        p.expect("Auc", 1);
        constexpr double none = std::numeric_limits<double>::quiet_NaN();
        std::vector<std::uint32_t> order;
        for (std::size_t i = 0; i < p.size(); ++i) {
            if (p.label(i) < 0) continue;
            if (std::isnan(p.logit[i])) return none;
            order.push_back(std::uint32_t(i));
        }
        std::sort(order.begin(), order.end(), [&](auto a, auto b) { return p.logit[a] < p.logit[b]; });
        double twice_ranks = 0, positives = 0;
        for (std::size_t i = 0; i < order.size();) {
            std::size_t j = i;
            double here = 0;
            for (; j < order.size() && p.logit[order[j]] == p.logit[order[i]]; ++j)
                here += double(p.label(order[j]));
            twice_ranks += here * double(i + 1 + j); // ranks i + 1 ... j have the mean (i + 1 + j) / 2
            positives += here;
            i = j;
        }
        double const negatives = double(order.size()) - positives;
        if (positives == 0 || negatives == 0) return none;
        return (twice_ranks / 2 - positives * (positives + 1) / 2) / (positives * negatives);
    }
};

/// The mean of -log p(target): binary for one logit, over classes for several.
struct LogLoss {
    static double of(Predictions const& p) {
        p.expect("LogLoss", 0);
        double sum = 0, count = 0;
        auto const w = std::size_t(p.width);
        for (std::size_t i = 0; i < p.size(); ++i) {
            double const* z = p.logit.data() + i * w;
            auto const label = p.label(i);
            if (label < 0) continue;
            ++count;
            if (p.width == 1) {
                sum += std::max(*z, 0.0) - *z * double(p.target[i]) + std::log1p(std::exp(-std::abs(*z)));
                continue;
            }
            double const top = *std::max_element(z, z + w);
            double e = 0;
            for (std::size_t k = 0; k < w; ++k) e += std::exp(z[k] - top);
            sum += std::log(e) + top - z[label];
        }
        return sum / count;
    }
};

/// The share of rows whose class is right: logit > 0 for one logit, the first largest for several.
struct Accuracy {
    static double of(Predictions const& p) {
        p.expect("Accuracy", 0);
        double right = 0, count = 0;
        auto const w = std::size_t(p.width);
        for (std::size_t i = 0; i < p.size(); ++i) {
            double const* z = p.logit.data() + i * w;
            auto const label = p.label(i);
            if (label < 0) continue;
            ++count;
            auto const guess = p.width == 1 ? std::ptrdiff_t(*z > 0) : std::max_element(z, z + w) - z;
            right += guess == label;
        }
        return right / count;
    }
};

/// The root of the mean squared difference between outputs and targets.
struct Rmse {
    static double of(Predictions const& p) {
        if (p.targets != p.width || p.target.size() != p.logit.size())
            detail::fail(
                Error("", "Rmse", "as many targets as outputs", detail::joined(p.targets, " for ", p.width)));
        double sum = 0, count = 0;
        for (std::size_t i = 0; i < p.logit.size(); ++i) {
            if (std::isnan(p.target[i])) continue;
            double const d = p.logit[i] - double(p.target[i]);
            sum += d * d;
            ++count;
        }
        return std::sqrt(sum / count);
    }
};

/// Metrics by type: `get<Auc>(scores)`.
template <class... Metric> struct Scores {
    double value[sizeof...(Metric)];
};
template <class Wanted, class... Metric> double get(Scores<Metric...> const& scores) noexcept {
    static_assert((std::is_same_v<Wanted, Metric> || ...), "inlay: these Scores do not hold that metric");
    std::size_t at = 0, i = 0;
    ((std::is_same_v<Wanted, Metric> ? at = i : 0, ++i), ...);
    return scores.value[at];
}

} // namespace inlay::inline INLAY_ISA
