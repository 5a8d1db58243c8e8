// SPDX-License-Identifier: BSD-3-Clause
// Losses: the mean over valid weighted rows, and its gradient with respect to the logits.
// Empty weights are ones. magnitude is the mean of the absolute values of the terms.
#pragma once

#include "activation.hpp"
#include "reference.hpp"

#include <algorithm>
#include <limits>

namespace reference {

struct Loss {
    double value = 0;
    double magnitude = 0;
    Sequence gradient;
};

inline double weight_of(std::vector<double> const& weights, std::size_t row) {
    return weights.empty() ? 1.0 : weights.at(row);
}

// One logit a row: max(z,0) - zy + log1p(e^-|z|); with a positive weight w, l = 1 + (w-1)y: (1-y)z + l
// softplus(-z).
inline Loss bce_with_logits(std::vector<double> const& logits, std::vector<double> const& targets,
                            std::vector<double> const& weights = {}, double positive_weight = 1) {
    Loss loss;
    double total = 0;
    for (std::size_t i = 0; i < logits.size(); ++i) total += weight_of(weights, i);
    for (std::size_t i = 0; i < logits.size(); ++i) {
        double const z = logits[i], y = targets.at(i), share = total > 0 ? weight_of(weights, i) / total : 0;
        double const l = 1 + (positive_weight - 1) * y;
        loss.value += share * ((1 - y) * z + l * softplus_of(-z));
        loss.magnitude += share * (std::abs((1 - y) * z) + l * softplus_of(-z));
        loss.gradient.push_back({share * ((1 - y) - l * sigmoid_of(-z))});
    }
    return loss;
}

// lse(z) - sum_c q_c z_c with q = (1 - smoothing) onehot + smoothing / C. A negative label is an ignored row,
// as is a row of which every logit is masked (minus infinity).
inline Loss softmax_cross_entropy(Sequence const& logits, std::vector<int> const& labels,
                                  std::vector<double> const& weights = {}, double smoothing = 0) {
    double const infinity = std::numeric_limits<double>::infinity();
    auto const valid = [&](std::size_t i) {
        return labels.at(i) >= 0 && *std::max_element(logits[i].begin(), logits[i].end()) > -infinity;
    };
    Loss loss;
    loss.gradient = zeros_like(logits);
    double total = 0;
    for (std::size_t i = 0; i < logits.size(); ++i) total += valid(i) ? weight_of(weights, i) : 0;
    for (std::size_t i = 0; i < logits.size(); ++i) {
        if (!valid(i) || !(total > 0)) continue;
        double const share = weight_of(weights, i) / total;
        double const largest = *std::max_element(logits[i].begin(), logits[i].end());
        double exponentials = 0;
        for (double z : logits[i]) exponentials += std::exp(z - largest);
        double const lse = largest + std::log(exponentials);
        loss.value += share * lse;
        loss.magnitude += share * (std::abs(largest) + std::log(exponentials));
        for (std::size_t c = 0; c < logits[i].size(); ++c) {
            double const q = smoothing / static_cast<double>(logits[i].size()) +
                             (static_cast<int>(c) == labels[i] ? 1 - smoothing : 0.0);
            if (q > 0) {
                loss.value -= share * q * logits[i][c];
                loss.magnitude += share * q * std::abs(logits[i][c]);
            }
            loss.gradient[i][c] = share * (std::exp(logits[i][c] - lse) - q);
        }
    }
    return loss;
}

// The mean over rows of the mean over a row's elements.
inline Loss mse(Sequence const& predictions, Sequence const& targets,
                std::vector<double> const& weights = {}) {
    Loss loss;
    loss.gradient = zeros_like(predictions);
    double total = 0;
    for (std::size_t i = 0; i < predictions.size(); ++i) total += weight_of(weights, i);
    for (std::size_t i = 0; i < predictions.size(); ++i)
        for (std::size_t c = 0; c < predictions[i].size(); ++c) {
            double const share =
                total > 0 ? weight_of(weights, i) / total / static_cast<double>(predictions[i].size()) : 0;
            double const difference = predictions[i][c] - targets.at(i).at(c);
            loss.value += share * difference * difference;
            loss.magnitude +=
                share * std::abs(difference) * (std::abs(predictions[i][c]) + std::abs(targets[i][c]));
            loss.gradient[i][c] = share * 2 * difference;
        }
    return loss;
}

} // namespace reference
