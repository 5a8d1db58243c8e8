// SPDX-License-Identifier: BSD-3-Clause
// Metrics of classes, two by one logit or several by a logit each, in double. All are NaN where no row
// counts.
#pragma once

#include <inlay/train/predictions.hpp>

#include <array>

namespace inlay::inline INLAY_ISA {

namespace detail {
/// The sum of e^(z - the largest).
inline double sum_of_exponentials(double const* z, int width) noexcept {
    double const top = *std::max_element(z, z + width);
    double sum = 0;
    for (int k = 0; k < width; ++k) sum += std::exp(z[k] - top);
    return sum;
}
/// logit > 0 for one logit, the first largest for several.
inline std::ptrdiff_t guess(double const* z, int width) noexcept {
    return width == 1 ? std::ptrdiff_t(*z > 0) : std::max_element(z, z + width) - z;
}
} // namespace detail

/// The mean of -log p(target): binary for one logit, over classes for several.
struct LogLoss {
    static double of(Predictions const& p) { return of(p, "LogLoss"); }
    static double of(Predictions const& p, char const* metric) {
        return detail::mean_of_labelled(metric, p, [&](double const* z, std::size_t i, std::ptrdiff_t label) {
            if (p.width == 1)
                return std::max(*z, 0.0) - *z * double(p.target[i]) + std::log1p(std::exp(-std::abs(*z)));
            double const top = *std::max_element(z, z + p.width);
            return std::log(detail::sum_of_exponentials(z, p.width)) + top - z[label];
        });
    }
};
/// e^LogLoss: of how many equally likely ids a model of texts is in doubt.
struct Perplexity {
    static double of(Predictions const& p) { return std::exp(LogLoss::of(p, "Perplexity")); }
};
/// LogLoss in bits, for texts of which each id is a byte; else it is bits an id, to be multiplied by ids /
/// bytes.
struct BitsPerByte {
    static double of(Predictions const& p) { return LogLoss::of(p, "BitsPerByte") / std::log(2.0); }
};

/// The share of rows whose class is right.
struct Accuracy {
    static double of(Predictions const& p) {
        return detail::mean_of_labelled("Accuracy", p,
                                        [&](double const* z, std::size_t, std::ptrdiff_t label) {
                                            return double(detail::guess(z, p.width) == label);
                                        });
    }
};

/// 2 TP / (2 TP + FP + FN): of label 1 for one logit; for several the mean over the classes that occur as a
/// label or a guess. scikit-learn: `f1_score`, `average="macro"`. NaN where one logit has neither.
struct F1 {
    static double of(Predictions const& p) {
        p.expect("F1", 0);
        auto const classes = std::size_t(std::max(p.width, 2));
        std::vector<double> right(classes), said(classes); // said: as a label and as a guess
        detail::each_labelled(p, [&](double const* z, std::size_t, std::ptrdiff_t label) {
            auto const g = detail::guess(z, p.width);
            right[std::size_t(label)] += g == label;
            ++said[std::size_t(label)];
            ++said[std::size_t(g)];
        });
        if (p.width == 1) return 2 * right[1] / said[1];
        double sum = 0, count = 0;
        for (std::size_t c = 0; c < classes; ++c)
            if (said[c] > 0) {
                sum += 2 * right[c] / said[c];
                ++count;
            }
        return sum / count;
    }
};

/// Expected calibration error: rows fall into `Bins` bins of equal width by p, bin min(floor(p Bins), Bins -
/// 1), and the error is the sum over bins of (rows in it / rows) |mean p - mean y|. For one logit p is that
/// of label 1 and y the label; for several p is the largest and y whether its class is right (arXiv
/// 1706.04599).
template <int Bins> struct BasicEce {
    static_assert(Bins > 0, "inlay: BasicEce needs at least one bin");
    static double of(Predictions const& p) {
        p.expect("Ece", 0);
        std::array<double, std::size_t(Bins)> excess{}; // sums of p - y
        double count = 0;
        detail::each_labelled(p, [&](double const* z, std::size_t i, std::ptrdiff_t label) {
            double const e = std::exp(-std::abs(*z)), of_1 = (*z < 0 ? e : 1) / (1 + e);
            double const sure = p.width == 1 ? of_1 : 1 / detail::sum_of_exponentials(z, p.width);
            double const y = p.width == 1 ? double(p.target[i]) : double(detail::guess(z, p.width) == label);
            int const bin = sure > 0 ? std::min(int(sure * Bins), Bins - 1) : 0; // NaN has none
            excess[std::size_t(bin)] += sure - y;
            ++count;
        });
        double error = 0;
        for (double const e : excess) error += std::abs(e);
        return error / count;
    }
};
using Ece = BasicEce<15>;

} // namespace inlay::inline INLAY_ISA
