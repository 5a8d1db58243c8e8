// SPDX-License-Identifier: BSD-3-Clause
// Metrics by their definitions, quadratic where that is plainest.
#pragma once

#include "activation.hpp"
#include "reference.hpp"

#include <algorithm>
#include <limits>

namespace reference {

// P(positive above negative) + P(equal) / 2 over all pairs; NaN if a class is empty.
inline double auc(std::vector<double> const& scores, std::vector<int> const& labels) {
    double won = 0, pairs = 0;
    for (std::size_t i = 0; i < scores.size(); ++i)
        for (std::size_t j = 0; j < scores.size(); ++j)
            if (labels.at(i) == 1 && labels.at(j) == 0) {
                pairs += 1;
                won += scores[i] > scores[j] ? 1.0 : scores[i] < scores[j] ? 0.0 : 0.5;
            }
    return pairs > 0 ? won / pairs : std::numeric_limits<double>::quiet_NaN();
}

inline double log_loss(std::vector<double> const& probabilities, std::vector<int> const& labels) {
    double sum = 0;
    for (std::size_t i = 0; i < probabilities.size(); ++i) {
        double const p = std::clamp(probabilities[i], 1e-15, 1 - 1e-15);
        sum -= labels.at(i) == 1 ? std::log(p) : std::log(1 - p);
    }
    return sum / static_cast<double>(probabilities.size());
}

inline double log_loss_of_logits(std::vector<double> const& logits, std::vector<int> const& labels) {
    double sum = 0;
    for (std::size_t i = 0; i < logits.size(); ++i)
        sum += softplus_of(labels.at(i) == 1 ? -logits[i] : logits[i]);
    return sum / static_cast<double>(logits.size());
}

// A score above the threshold says 1 (0.5 for probabilities, 0 for logits).
inline double binary_accuracy(std::vector<double> const& scores, std::vector<int> const& labels,
                              double threshold) {
    double right = 0;
    for (std::size_t i = 0; i < scores.size(); ++i)
        right += (scores[i] > threshold ? 1 : 0) == labels.at(i) ? 1 : 0;
    return right / static_cast<double>(scores.size());
}

// The largest logit, the lower class on a tie; rows with a negative label do not count.
inline double accuracy(Sequence const& logits, std::vector<int> const& labels) {
    double right = 0, count = 0;
    for (std::size_t i = 0; i < logits.size(); ++i) {
        if (labels.at(i) < 0) continue;
        auto const best = std::max_element(logits[i].begin(), logits[i].end()) - logits[i].begin();
        count += 1;
        right += best == labels[i] ? 1 : 0;
    }
    return right / count;
}

// Expected calibration error over equal-width bins.
inline double ece(std::vector<double> const& probabilities, std::vector<int> const& labels, int bins) {
    double error = 0;
    for (int bin = 0; bin < bins; ++bin) {
        double p = 0, y = 0;
        for (std::size_t i = 0; i < probabilities.size(); ++i)
            if (std::min(static_cast<int>(std::floor(probabilities[i] * bins)), bins - 1) == bin) {
                p += probabilities[i];
                y += labels.at(i);
            }
        error += std::abs(p - y); // (count / N) |p / count - y / count|
    }
    return error / static_cast<double>(probabilities.size());
}

// F1 of one class.
inline double f1(std::vector<int> const& guesses, std::vector<int> const& labels, int c) {
    double both = 0, guessed = 0, there = 0;
    for (std::size_t i = 0; i < guesses.size(); ++i) {
        both += guesses[i] == c && labels.at(i) == c ? 1 : 0;
        guessed += guesses[i] == c ? 1 : 0;
        there += labels[i] == c ? 1 : 0;
    }
    double const precision = both / guessed, recall = both / there;
    return both > 0 ? 2 * precision * recall / (precision + recall) : 0;
}

// Items from the largest score down; a tie goes to the lower item.
inline std::vector<int> ranking(std::vector<double> const& scores) {
    std::vector<int> items;
    for (std::size_t i = 0; i < scores.size(); ++i) items.push_back(static_cast<int>(i));
    std::sort(items.begin(), items.end(), [&](int a, int b) {
        double const x = scores[static_cast<std::size_t>(a)], y = scores[static_cast<std::size_t>(b)];
        return x > y || (x == y && a < b);
    });
    return items;
}

// relevance: of the items in the order they were ranked; all: of every item there is.
inline double ndcg(std::vector<int> const& relevance, std::vector<int> all) {
    auto const gain = [&](std::vector<int> const& order) {
        double sum = 0;
        for (std::size_t i = 0; i < relevance.size() && i < order.size(); ++i)
            sum += (std::exp2(order[i]) - 1) / std::log2(static_cast<double>(i) + 2);
        return sum;
    };
    std::sort(all.begin(), all.end(), std::greater<>());
    return gain(all) > 0 ? gain(relevance) / gain(all) : 0;
}

} // namespace reference
