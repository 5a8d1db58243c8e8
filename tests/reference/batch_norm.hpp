// SPDX-License-Identifier: BSD-3-Clause
// BatchNorm: y = weight (x - mean) / sqrt(var + eps) + bias, column by column. In training mean and biased
// variance are those of all vectors of the batch, else the running ones.
#pragma once

#include "activation.hpp"

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

// p x + (1 - p) alpha x, p the sigmoid of x normalised by columns without weight and bias.
inline Result dice_of(Parameters const& p, Sequence const& x, Columns const& c) {
    std::vector<double> const alpha = rows_of(p["alpha"]).at(0);
    Parameters plain;
    plain.by_name["weight"] = matrix_of({std::vector<double>(alpha.size(), 1)});
    plain.by_name["bias"] = matrix_of({std::vector<double>(alpha.size(), 0)});
    Result y = normalise_columns(plain, x, c, 1e-9);
    for (std::size_t t = 0; t < x.size(); ++t)
        for (std::size_t i = 0; i < x[t].size(); ++i) {
            double const up = sigmoid_of(y.value[t][i]), down = sigmoid_of(-y.value[t][i]), v = x[t][i];
            y.value[t][i] = up * v + down * alpha[i] * v;
            y.magnitude[t][i] = std::abs(up * v) + (down + 1) * std::abs(alpha[i] * v) +
                                y.magnitude[t][i] * std::abs(v * (1 - alpha[i])) * up * down;
        }
    return y;
}
inline Result dice(Parameters const& p, Sequence const& x) {
    std::vector<double> const mean = rows_of(p["running_mean"]).at(0);
    return dice_of(
        p, x, {mean, rows_of(p["running_var"]).at(0), absolute({mean})[0], std::vector<double>(mean.size())});
}
inline Result dice_training(Parameters const& p, Sequence const& x, Sequence const& batch) {
    return batch.size() < 2 ? dice(p, x) : dice_of(p, x, columns_of(batch));
}

// max(x, 0) + weight min(x, 0), column by column.
inline Result prelu(Parameters const& p, Sequence const& x) {
    std::vector<double> const slope = rows_of(p["weight"]).at(0);
    Result y{x, x};
    for (std::size_t t = 0; t < x.size(); ++t)
        for (std::size_t i = 0; i < x[t].size(); ++i) {
            y.value[t][i] = std::fmax(x[t][i], 0) + slope[i] * std::fmin(x[t][i], 0);
            y.magnitude[t][i] = std::abs(y.value[t][i]);
        }
    return y;
}

} // namespace reference
