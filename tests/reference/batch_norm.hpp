// SPDX-License-Identifier: BSD-3-Clause
// BatchNorm: y = weight (x - mean) / sqrt(var + eps) + bias, column by column. In training mean and biased
// variance are those of all vectors of the batch, else the running ones.
#pragma once

#include "reference.hpp"

namespace reference {

struct Columns {
    std::vector<double> mean, variance;
    std::vector<double> mean_absolute; // magnitudes that mean and variance were made from
    std::vector<double> spread;        // sum of |x - mean| (|x| + mean |x|) / n
};

inline Columns columns_of(Sequence const& x) {
    std::size_t const width = x.at(0).size();
    double const n = static_cast<double>(x.size());
    Columns c{std::vector<double>(width), std::vector<double>(width), std::vector<double>(width),
              std::vector<double>(width)};
    for (std::size_t i = 0; i < width; ++i) {
        for (auto const& row : x) c.mean[i] += row[i] / n, c.mean_absolute[i] += std::abs(row[i]) / n;
        for (auto const& row : x) {
            double const d = row[i] - c.mean[i];
            c.variance[i] += d * d / n;
            c.spread[i] += std::abs(d) * (std::abs(row[i]) + c.mean_absolute[i]) / n;
        }
    }
    return c;
}

inline Result normalise_columns(Parameters const& p, Sequence const& x, Columns const& c, double eps) {
    std::vector<double> const weight = rows_of(p["weight"]).at(0), bias = rows_of(p["bias"]).at(0);
    Result y{x, x};
    for (std::size_t t = 0; t < x.size(); ++t)
        for (std::size_t i = 0; i < x[t].size(); ++i) {
            double const r = 1 / std::sqrt(c.variance[i] + eps), hat = (x[t][i] - c.mean[i]) * r;
            y.value[t][i] = weight.at(i) * hat + bias.at(i);
            y.magnitude[t][i] = std::abs(weight[i]) * ((std::abs(x[t][i]) + c.mean_absolute[i]) * r +
                                                       std::abs(hat) * (1 + c.spread[i] * r * r)) +
                                std::abs(bias[i]);
        }
    return y;
}

inline Result batch_norm(Parameters const& p, Sequence const& x) {
    std::vector<double> const mean = rows_of(p["running_mean"]).at(0);
    Columns c{mean, rows_of(p["running_var"]).at(0), absolute({mean})[0], std::vector<double>(mean.size())};
    return normalise_columns(p, x, c, 1e-5);
}

// `batch` holds all vectors of the batch, those of x among them.
inline Result batch_norm_training(Parameters const& p, Sequence const& x, Sequence const& batch) {
    if (batch.size() < 2) return batch_norm(p, x);
    return normalise_columns(p, x, columns_of(batch), 1e-5);
}

} // namespace reference
