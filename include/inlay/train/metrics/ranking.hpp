// SPDX-License-Identifier: BSD-3-Clause
// How well scores put items in order, in double.
#pragma once

#include <inlay/train/predictions.hpp>

#include <functional>
#include <utility>

namespace inlay::inline INLAY_ISA {

/// P(score of a positive > score of a negative) + P(equal) / 2, exactly. NaN where one class is absent or a
/// score is NaN.
struct Auc {
    static double of(Predictions const& p) {
        p.expect("Auc", 1);
        constexpr double none = std::numeric_limits<double>::quiet_NaN();
        std::vector<std::pair<double, bool>> scored;
        detail::each_labelled(p, [&](double const* z, std::size_t, std::ptrdiff_t label) {
            scored.emplace_back(*z, label > 0);
        });
        for (auto const& s : scored)
            if (std::isnan(s.first)) return none;
        std::sort(scored.begin(), scored.end());
        double twice_ranks = 0, positives = 0;
        for (std::size_t i = 0; i < scored.size();) {
            std::size_t j = i;
            double here = 0;
            for (; j < scored.size() && scored[j].first == scored[i].first; ++j) here += scored[j].second;
            twice_ranks += here * double(i + 1 + j); // ranks i + 1 ... j have the mean (i + 1 + j) / 2
            positives += here;
            i = j;
        }
        double const negatives = double(scored.size()) - positives;
        if (positives == 0 || negatives == 0) return none;
        return (twice_ranks / 2 - positives * (positives + 1) / 2) / (positives * negatives);
    }
};

namespace detail {
/// A relevant item and its rank, from 1.
struct Ranked {
    double relevance;
    std::size_t rank;
};

/// The relevant items of row i in the order of their scores, which are descending; a tie goes to the lower
/// item. The target is one item, or a relevance for each. An item with a score of -infinity or a relevance of
/// NaN is not there. Cost: n log r for r relevant items of n.
class Ranking {
public:
    Ranking(char const* metric, Predictions const& p) : p_(p) {
        bool const all = p.targets == p.width && p.target.size() == p.logit.size();
        if (p.width < 2 || !(all || (p.targets == 1 && p.target.size() == p.size())))
            fail(Error("", metric, "a score for each item, and one target or as many",
                       joined(p.width, " logits and ", p.targets, " targets")));
    }
    /// None for a row that does not count.
    std::vector<Ranked> const& of(std::size_t i) {
        double const* z = p_.row(i);
        auto const before = [z](std::size_t a, std::size_t b) {
            return z[a] > z[b] || (z[a] == z[b] && a < b);
        };
        auto const n = std::size_t(p_.width);
        label_ = p_.targets == 1 ? p_.label(i) : -1;
        item_.clear();
        ranked_.clear();
        for (std::size_t j = 0; j < n; ++j)
            if (relevance(i, j) > 0 && there(i, j)) item_.push_back(j);
        std::sort(item_.begin(), item_.end(), before);
        // How many items stand between one relevant item and the next.
        ahead_.assign(item_.size() + 1, 0);
        for (std::size_t j = 0; j < n && !item_.empty(); ++j)
            if (there(i, j))
                ++ahead_[std::size_t(std::lower_bound(item_.begin(), item_.end(), j, before) -
                                     item_.begin())];
        std::size_t rank = 0;
        for (std::size_t r = 0; r < item_.size(); ++r) {
            rank += ahead_[r]; // itself among them
            ranked_.push_back({relevance(i, item_[r]), rank});
        }
        return ranked_;
    }
    /// The mean of f over the rows that have a relevant item; NaN where none has, or a score is NaN.
    template <class F> double mean(F f) {
        double sum = 0, count = 0;
        for (double const z : p_.logit)
            if (std::isnan(z)) return z;
        for (std::size_t i = 0; i < p_.size(); ++i)
            if (auto const& ranked = of(i); !ranked.empty()) {
                sum += f(ranked);
                ++count;
            }
        return sum / count;
    }

private:
    double relevance(std::size_t i, std::size_t j) const {
        if (p_.targets == 1) return std::ptrdiff_t(j) == label_;
        return double(p_.target[i * std::size_t(p_.width) + j]);
    }
    bool there(std::size_t i, std::size_t j) const {
        return p_.row(i)[j] > -std::numeric_limits<double>::infinity() && !std::isnan(relevance(i, j));
    }
    Predictions const& p_;
    std::ptrdiff_t label_ = -1;
    std::vector<std::size_t> item_, ahead_;
    std::vector<Ranked> ranked_;
};
/// How many of the relevant items are among the first k.
inline double hits(std::vector<Ranked> const& ranked, std::size_t k) noexcept {
    return double(std::count_if(ranked.begin(), ranked.end(), [k](Ranked r) { return r.rank <= k; }));
}
inline double gain(double relevance, std::size_t rank) noexcept {
    return (std::exp2(relevance) - 1) / std::log2(double(rank) + 1);
}
} // namespace detail

/// The share of rows with a relevant item among the K best.
template <int K> struct HitRate {
    static_assert(K > 0, "inlay: HitRate looks at least at the best item");
    static double of(Predictions const& p) {
        return detail::Ranking("HitRate", p).mean([](auto const& r) { return double(r[0].rank <= K); });
    }
};
/// The share of a row's relevant items that are among the K best, by their number even where that exceeds K.
template <int K> struct Recall {
    static_assert(K > 0, "inlay: Recall looks at least at the best item");
    static double of(Predictions const& p) {
        return detail::Ranking("Recall", p).mean([](auto const& r) {
            return detail::hits(r, K) / double(r.size());
        });
    }
};
/// The sum over the K best of (2^relevance - 1) / log2(rank + 1), over what the best order would have.
template <int K> struct Ndcg {
    static_assert(K > 0, "inlay: Ndcg looks at least at the best item");
    static double of(Predictions const& p) {
        std::vector<double> best;
        return detail::Ranking("Ndcg", p).mean([&best](auto const& r) {
            double sum = 0, ideal = 0;
            best.clear();
            for (auto const& item : r) {
                if (item.rank <= K) sum += detail::gain(item.relevance, item.rank);
                best.push_back(item.relevance);
            }
            std::sort(best.begin(), best.end(), std::greater<>());
            for (std::size_t i = 0; i < best.size() && i < K; ++i) ideal += detail::gain(best[i], i + 1);
            return sum / ideal;
        });
    }
};
/// The mean of 1 / the rank of the first relevant item.
struct Mrr {
    static double of(Predictions const& p) {
        return detail::Ranking("Mrr", p).mean([](auto const& r) { return 1 / double(r[0].rank); });
    }
};

} // namespace inlay::inline INLAY_ISA
