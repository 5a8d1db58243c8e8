// SPDX-License-Identifier: BSD-3-Clause
// One id drawn from a model's scores.
#pragma once

#include <inlay/core/error.hpp>
#include <inlay/core/random.hpp>

#include <algorithm>
#include <limits>
#include <span>
#include <vector>

namespace inlay::inline INLAY_ISA {

/// How ids are drawn. The filters apply one behind the other: of the ids that one leaves, the next sees
/// probabilities that sum to 1.
struct SampleOptions {
    float temperature = 1; ///< scores are divided by it; 0 takes the greatest, the lower id of equals
    int top_k = 0;         ///< the k most probable; 0: all
    float top_p = 1;       ///< the fewest, most probable first, that have this probability together
    float min_p = 0;       ///< those at least this times as probable as the most probable
};

namespace detail {
/// Throws Error where an option is out of range.
inline void check_options(SampleOptions const& o) {
    auto const want = [](bool holds, char const* option, char const* range, double found) {
        if (!holds) fail(Error("", option, range, std::to_string(found)));
    };
    want(o.temperature >= 0 && o.temperature <= std::numeric_limits<float>::max(), "temperature",
         "a finite number from 0 on", double(o.temperature));
    want(o.top_k >= 0, "top_k", "0 or more", double(o.top_k));
    want(o.top_p > 0 && o.top_p <= 1, "top_p", "above 0, and at most 1", double(o.top_p));
    want(o.min_p >= 0 && o.min_p <= 1, "min_p", "0 to 1", double(o.min_p));
}
} // namespace detail

/// Draws ids below V by their scores: allocates when it is made, and never again. Cost: V exponentials, and a
/// sort of V ids where top_k or top_p asks for one.
class Sampler {
public:
    explicit Sampler(int vocabulary) : ranked_(std::size_t(vocabulary)), weight_(std::size_t(vocabulary)) {}

    /// The id at `point`, from [0, 1), of the distribution that softmax(scores / temperature) becomes by the
    /// filters, laid out by id. A score that is no number counts as minus infinity. Options out of range, or
    /// another count of scores than V, are an Error.
    template <class T> int draw(std::span<T const> scores, SampleOptions const& o, double point) {
        detail::check_options(o);
        if (scores.size() != weight_.size())
            detail::fail(Error("", "scores", std::to_string(weight_.size()), std::to_string(scores.size())));
        std::size_t const best = greatest(scores);
        double const top = number(scores[best]);
        if (o.temperature == 0 || !(std::abs(top) <= std::numeric_limits<double>::max())) return int(best);

        for (std::size_t i = 0; i < weight_.size(); ++i)
            weight_[i] = std::exp((number(scores[i]) - top) / double(o.temperature));
        if (o.top_k > 0 || o.top_p < 1) keep_first(o);
        double total = 0; // the greatest weight is 1
        for (double& w : weight_) {
            if (w < double(o.min_p)) w = 0;
            total += w;
        }
        double left = point * total;
        std::size_t id = best;
        for (std::size_t i = 0; i < weight_.size() && left >= 0; ++i) {
            if (weight_[i] > 0) id = i;
            left -= weight_[i];
        }
        return int(id);
    }

private:
    struct Item {
        double weight = 0;
        std::size_t id = 0;
        bool operator<(Item const& o) const noexcept {
            return weight > o.weight || (weight == o.weight && id < o.id);
        }
    };
    template <class T> static double number(T score) noexcept {
        return score == score ? double(score) : -HUGE_VAL;
    }
    template <class T> static std::size_t greatest(std::span<T const> scores) noexcept {
        std::size_t best = 0;
        for (std::size_t i = 1; i < scores.size(); ++i)
            if (number(scores[i]) > number(scores[best])) best = i;
        return best;
    }
    /// Takes the weight of what top_k and top_p leave out.
    void keep_first(SampleOptions const& o) noexcept {
        for (std::size_t i = 0; i < weight_.size(); ++i) ranked_[i] = {weight_[i], i};
        std::size_t kept = weight_.size();
        if (o.top_k > 0) kept = std::min(kept, std::size_t(o.top_k));
        std::partial_sort(ranked_.begin(), ranked_.begin() + std::ptrdiff_t(kept), ranked_.end());
        if (o.top_p < 1) {
            double all = 0, sum = 0;
            for (std::size_t r = 0; r < kept; ++r) all += ranked_[r].weight;
            std::size_t fewest = 0;
            while (fewest < kept && sum < double(o.top_p) * all) sum += ranked_[fewest++].weight;
            kept = fewest;
        }
        std::fill(weight_.begin(), weight_.end(), 0.0);
        for (std::size_t r = 0; r < kept; ++r) weight_[ranked_[r].id] = ranked_[r].weight;
    }

    std::vector<Item> ranked_;
    std::vector<double> weight_;
};

} // namespace inlay::inline INLAY_ISA
