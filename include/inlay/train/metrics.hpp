// SPDX-License-Identifier: BSD-3-Clause
// How good predictions are, in double, with ties settled.
#pragma once

#include <inlay/config.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <span>
#include <vector>

namespace inlay::inline INLAY_ISA {

/// Logits and targets of a data set: `width` logits a row; one target a row, a class or a label in {0, 1}.
struct Predictions {
    int width = 1;
    std::vector<double> logit;
    std::vector<float> target;
    std::size_t size() const noexcept { return target.size(); }
};

/// P(score of a positive > score of a negative) + P(equal) / 2, exactly. NaN where one class is absent.
struct Auc {
    static double of(Predictions const& p) {
        std::vector<std::uint32_t> order(p.size());
        std::iota(order.begin(), order.end(), 0u);
        std::sort(order.begin(), order.end(), [&](auto a, auto b) { return p.logit[a] < p.logit[b]; });
        double twice_ranks = 0, positives = 0;
        for (std::size_t i = 0; i < order.size();) {
            std::size_t j = i;
            double here = 0;
            for (; j < order.size() && p.logit[order[j]] == p.logit[order[i]]; ++j)
                here += p.target[order[j]] > 0.5f;
            twice_ranks += here * double(i + 1 + j); // ranks i + 1 ... j have the mean (i + 1 + j) / 2
            positives += here;
            i = j;
        }
        double const negatives = double(p.size()) - positives;
        if (positives == 0 || negatives == 0) return std::numeric_limits<double>::quiet_NaN();
        return (twice_ranks / 2 - positives * (positives + 1) / 2) / (positives * negatives);
    }
};

/// The mean of -log p(target): binary for one logit, over classes for several.
struct LogLoss {
    static double of(Predictions const& p) {
        double sum = 0;
        auto const w = std::size_t(p.width);
        for (std::size_t i = 0; i < p.size(); ++i) {
            double const* z = p.logit.data() + i * w;
            if (p.width == 1) {
                sum += std::max(*z, 0.0) - *z * double(p.target[i]) + std::log1p(std::exp(-std::abs(*z)));
                continue;
            }
            double const top = *std::max_element(z, z + w);
            double e = 0;
            for (std::size_t k = 0; k < w; ++k) e += std::exp(z[k] - top);
            sum += std::log(e) + top - z[std::size_t(p.target[i])];
        }
        return sum / double(p.size());
    }
};

/// The share of rows whose class is right: logit > 0 for one logit, the first largest for several.
struct Accuracy {
    static double of(Predictions const& p) {
        double right = 0;
        auto const w = std::size_t(p.width);
        for (std::size_t i = 0; i < p.size(); ++i) {
            double const* z = p.logit.data() + i * w;
            auto const guess = p.width == 1 ? std::ptrdiff_t(*z > 0) : std::max_element(z, z + w) - z;
            right += guess == std::ptrdiff_t(p.target[i]);
        }
        return right / double(p.size());
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
