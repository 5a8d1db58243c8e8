// SPDX-License-Identifier: BSD-3-Clause
// RMSNorm: y = weight x / sqrt(mean(x^2) + eps). LayerNorm: y = weight (x - mean) / sqrt(var + eps) + bias,
// var biased.
#pragma once

#include "reference.hpp"

namespace reference {

inline double mean_of(std::vector<double> const& x) {
    double sum = 0;
    for (double v : x) sum += v;
    return sum / static_cast<double>(x.size());
}

inline Block rms_norm_with(double eps) {
    return [eps](Parameters const& p, Sequence const& x) {
        std::vector<double> const weight = rows_of(p["weight"]).at(0);
        Result y{x, x};
        for (std::size_t t = 0; t < x.size(); ++t) {
            double squares = 0;
            for (double v : x[t]) squares += v * v;
            double const r = 1 / std::sqrt(squares / static_cast<double>(x[t].size()) + eps);
            for (std::size_t i = 0; i < x[t].size(); ++i) {
                y.value[t][i] = weight.at(i) * x[t][i] * r;
                y.magnitude[t][i] = std::abs(y.value[t][i]);
            }
        }
        return y;
    };
}

// The magnitude follows the cancellation in x - mean, and what it does to the variance.
inline Block layer_norm_with(double eps) {
    return [eps](Parameters const& p, Sequence const& x) {
        std::vector<double> const weight = rows_of(p["weight"]).at(0), bias = rows_of(p["bias"]).at(0);
        Result y{x, x};
        for (std::size_t t = 0; t < x.size(); ++t) {
            double const n = static_cast<double>(x[t].size());
            double const mean = mean_of(x[t]), mean_absolute = mean_of(absolute({x[t]})[0]);
            double variance = 0;
            for (double v : x[t]) variance += (v - mean) * (v - mean) / n;
            double const r = 1 / std::sqrt(variance + eps);
            double relative = 1; // of r
            for (double v : x[t]) relative += std::abs(v - mean) * r * (std::abs(v) + mean_absolute) * r / n;
            for (std::size_t i = 0; i < x[t].size(); ++i) {
                double const hat = (x[t][i] - mean) * r;
                y.value[t][i] = weight.at(i) * hat + bias.at(i);
                y.magnitude[t][i] = std::abs(weight[i]) *
                                        ((std::abs(x[t][i]) + mean_absolute) * r + std::abs(hat) * relative) +
                                    std::abs(bias[i]);
            }
        }
        return y;
    };
}

inline Result rms_norm(Parameters const& p, Sequence const& x) { return rms_norm_with(1e-6)(p, x); }
inline Result layer_norm(Parameters const& p, Sequence const& x) { return layer_norm_with(1e-5)(p, x); }

} // namespace reference
