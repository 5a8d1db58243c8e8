// SPDX-License-Identifier: BSD-3-Clause
// Which keys a query keeps of those that the mask lets it see. Places are counted from 0, and of equals the
// earlier is kept.
#pragma once

#include "attention.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

namespace reference {

using Chosen = std::vector<std::vector<bool>>; // [query][key]
// Of one head, from what is known of all of them.
using Selector = std::function<Chosen(detail::Attending const&, int h)>;

inline Chosen chosen_where(std::size_t T, std::function<bool(int, int)> const& f) {
    Chosen chosen(T, std::vector<bool>(T));
    for (std::size_t i = 0; i < T; ++i)
        for (std::size_t j = 0; j < T; ++j) chosen[i][j] = f(static_cast<int>(i), static_cast<int>(j));
    return chosen;
}

constexpr double never = -std::numeric_limits<double>::infinity();
constexpr double always = std::numeric_limits<double>::infinity();

// True at the n best scores, of those that are not `never`.
inline std::vector<bool> best(std::vector<double> const& scores, int n) {
    std::vector<std::size_t> order(scores.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        return scores[a] > scores[b] || (scores[a] == scores[b] && a < b);
    });
    std::vector<bool> kept(scores.size());
    for (std::size_t r = 0; r < order.size() && r < static_cast<std::size_t>(n); ++r)
        kept[order[r]] = scores[order[r]] != never;
    return kept;
}

// Fixed patterns, those of them that are not 0, together.
struct Pattern {
    int local = 0;                 // j > i - local
    int strided = 0;               // the last `strided`, and those a multiple of it away
    int fixed = 0, columns = 0;    // the same stretch of `fixed`, and the last `columns` of each
    int global = 0;                // the first see all, and all see them
    int dilated = 0, dilation = 1; // `dilated` of them, each `dilation` from the last
    int block = 0, near_blocks = 0, first_blocks = 0; // the own block and those before it; the first ones
    std::function<std::vector<int>(int h, int query_block)> random_blocks = {};
};

inline bool in_pattern(Pattern const& p, int h, int i, int j) {
    int const back = i - j;
    if (p.local > 0 && back >= 0 && back < p.local) return true;
    if (p.strided > 0 && back >= 0 && (back < p.strided || back % p.strided == 0)) return true;
    if (p.fixed > 0 && (j / p.fixed == i / p.fixed || j % p.fixed >= p.fixed - p.columns)) return true;
    if (j < p.global || i < p.global) return true;
    if (p.dilated > 0 && back >= 0 && back % p.dilation == 0 && back / p.dilation < p.dilated) return true;
    if (p.block == 0) return false;
    int const from = i / p.block, to = j / p.block;
    if (to < p.first_blocks || (to <= from && to > from - p.near_blocks)) return true;
    if (!p.random_blocks) return false;
    std::vector<int> const drawn = p.random_blocks(h, from);
    return std::find(drawn.begin(), drawn.end(), to) != drawn.end();
}

inline Selector pattern(Pattern const& p) {
    return [p](detail::Attending const& a, int h) {
        return chosen_where(a.size(), [&](int i, int j) { return in_pattern(p, h, i, j); });
    };
}

// The n keys with the largest logits.
inline Selector top_tokens(int n) {
    return [n](detail::Attending const& a, int h) {
        Chosen chosen;
        for (std::size_t i = 0; i < a.size(); ++i) {
            std::vector<double> scores(a.size(), never);
            for (std::size_t j = 0; j < a.size(); ++j)
                if (a.sees(h, i, j)) scores[j] = a.score(h, i, j).value;
            chosen.push_back(best(scores, n));
        }
        return chosen;
    };
}

inline double product(Row const& a, std::vector<double> const& b) {
    double sum = 0;
    for (std::size_t d = 0; d < b.size(); ++d) sum += a[d].value * b[d];
    return sum;
}
inline std::vector<double> mean_of(Rows const& rows, std::size_t from, std::size_t to) {
    std::vector<double> mean(rows.at(from).size());
    for (std::size_t t = from; t < to; ++t)
        for (std::size_t d = 0; d < mean.size(); ++d) mean[d] += rows[t][d].value / double(to - from);
    return mean;
}

// MoBA: the query's own block, and the n - 1 blocks before it whose mean key it likes best.
inline Selector top_blocks(int n, int block) {
    return [n, block](detail::Attending const& a, int h) {
        std::size_t const B = static_cast<std::size_t>(block);
        Chosen chosen(a.size(), std::vector<bool>(a.size()));
        for (std::size_t i = 0; i < a.size(); ++i) {
            std::vector<double> scores;
            for (std::size_t c = 0; c < i / B; ++c)
                scores.push_back(product(a.queries(h)[i], mean_of(a.keys(h), c * B, (c + 1) * B)));
            std::vector<bool> kept = best(scores, n - 1);
            kept.push_back(true);
            for (std::size_t j = 0; j <= i; ++j) chosen[i][j] = kept[j / B];
        }
        return chosen;
    };
}

// Quest: the query's own page, and the n pages before it that could hold the best key, by the least and the
// largest of each channel. Shared: the heads of a group add up their bounds.
inline double quest_bound(Row const& q, Rows const& k, std::size_t from, std::size_t to) {
    double bound = 0;
    for (std::size_t d = 0; d < q.size(); ++d) {
        double least = k.at(from)[d].value, most = least;
        for (std::size_t t = from; t < to; ++t)
            least = std::fmin(least, k[t][d].value), most = std::fmax(most, k[t][d].value);
        bound += std::fmax(q[d].value * least, q[d].value * most);
    }
    return bound;
}
inline Selector quest(int n, int page, bool shared = false) {
    return [=](detail::Attending const& a, int h) {
        std::size_t const P = static_cast<std::size_t>(page);
        int const group = a.options().heads / a.kv_heads(), leader = h / group * group;
        Chosen chosen(a.size(), std::vector<bool>(a.size()));
        for (std::size_t i = 0; i < a.size(); ++i) {
            std::vector<double> scores(i / P);
            for (std::size_t c = 0; c < scores.size(); ++c)
                for (int g = shared ? leader : h; g < (shared ? leader + group : h + 1); ++g)
                    scores[c] += quest_bound(a.queries(g)[i], a.keys(g), c * P, (c + 1) * P);
            std::vector<bool> kept = best(scores, n);
            kept.push_back(true);
            for (std::size_t j = 0; j <= i; ++j) chosen[i][j] = kept[j / P];
        }
        return chosen;
    };
}

} // namespace reference
