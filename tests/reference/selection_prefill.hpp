// SPDX-License-Identifier: BSD-3-Clause
// Choices made once for a prompt, from the weights of its last queries, or from blocks.
#pragma once

#include "selection.hpp"

namespace reference {

// The weights of query i over all T keys, 0 where it does not see.
inline std::vector<double> weights_over_all(detail::Attending const& a, int h, std::size_t i) {
    Row const w = a.weights(h, i);
    std::vector<double> all(a.size());
    std::size_t at = w.size();
    for (std::size_t j = a.size(); j-- > 0;)
        if (a.sees(h, i, j)) all[j] = w.at(--at).value;
    return all;
}

// What the last n queries give to each key, and to each distance.
struct Mass {
    std::vector<double> columns, diagonals;
};
inline Mass mass_of(detail::Attending const& a, int h, int n) {
    Mass mass{std::vector<double>(a.size()), std::vector<double>(a.size())};
    std::size_t const count = static_cast<std::size_t>(n), first = a.size() > count ? a.size() - count : 0;
    for (std::size_t i = first; i < a.size(); ++i) {
        std::vector<double> const w = weights_over_all(a, h, i);
        for (std::size_t j = 0; j <= i; ++j) mass.columns[j] += w[j], mass.diagonals[i - j] += w[j];
    }
    return mass;
}

inline Chosen cross_of(std::vector<bool> const& columns, std::vector<bool> const& diagonals) {
    return chosen_where(columns.size(), [&](int i, int j) {
        return columns[static_cast<std::size_t>(j)] || (i >= j && diagonals[static_cast<std::size_t>(i - j)]);
    });
}

struct VerticalSlash {
    int columns = 0, diagonals = 0;
    int queries = 256, first = 4, nearest = 64; // the first columns and the nearest diagonals are among them
};
inline Selector vertical_slash(VerticalSlash const& v) {
    return [v](detail::Attending const& a, int h) {
        Mass mass = mass_of(a, h, v.queries);
        for (std::size_t t = 0; t < a.size(); ++t) {
            if (t < static_cast<std::size_t>(v.first)) mass.columns[t] = always;
            if (t < static_cast<std::size_t>(v.nearest)) mass.diagonals[t] = always;
        }
        return cross_of(best(mass.columns, v.columns), best(mass.diagonals, v.diagonals));
    };
}

// FlexPrefill: as many columns, and as many diagonals, as hold more than alpha of the mean mass.
inline Selector flex_prefill(double alpha, int at_least, int queries) {
    return [=](detail::Attending const& a, int h) {
        Mass const mass = mass_of(a, h, queries);
        auto const enough = [&](std::vector<double> scores) {
            std::vector<double> sorted = scores;
            std::sort(sorted.rbegin(), sorted.rend());
            double const all = std::fmin(double(queries), double(a.size()));
            int n = 0;
            for (double sum = 0; sum <= alpha * all && n < static_cast<int>(sorted.size()); ++n)
                sum += sorted[static_cast<std::size_t>(n)];
            return best(scores, std::max(n, at_least));
        };
        return cross_of(enough(mass.columns), enough(mass.diagonals));
    };
}

// For each block of queries the n blocks of keys that its mean likes best; the first, its own and the one
// before come before all.
inline Selector mean_blocks(int n, int block) {
    return [n, block](detail::Attending const& a, int h) {
        std::size_t const B = static_cast<std::size_t>(block), T = a.size();
        auto const mean = [&](Rows const& rows, std::size_t c) {
            return mean_of(rows, c * B, std::min(T, (c + 1) * B));
        };
        Chosen chosen(T, std::vector<bool>(T));
        for (std::size_t own = 0; own * B < T; ++own) {
            std::vector<double> const q = mean(a.queries(h), own);
            std::vector<double> scores;
            for (std::size_t c = 0; c <= own; ++c) {
                std::vector<double> const k = mean(a.keys(h), c);
                scores.push_back(c == 0 || c + 1 >= own ? always : product(exactly(q), k));
            }
            std::vector<bool> const kept = best(scores, n);
            for (std::size_t i = own * B; i < std::min(T, (own + 1) * B); ++i)
                for (std::size_t j = 0; j <= i; ++j) chosen[i][j] = kept[j / B];
        }
        return chosen;
    };
}

// SnapKV: behind a prompt of `prompt` tokens, `capacity` of them stay for each key head: those to which its
// last `window` queries give most, summed over queries, averaged over heads and over `pool` neighbours (zeros
// beyond the ends); the first and the last ones come before all. Adaptive: the largest weight instead of sum
// and average; a fifth of `capacity` for each key head, and the rest to the best of all key heads.
struct SnapKv {
    int prompt = 0, capacity = 0;
    int window = 256, pool = 21, first = 4, last = 128;
    bool adaptive = false;
};
inline std::vector<double> snap_scores(SnapKv const& s, detail::Attending const& a, int key_head) {
    int const group = a.options().heads / a.kv_heads();
    std::vector<double> raw(static_cast<std::size_t>(s.prompt)), pooled;
    for (int i = std::max(0, s.prompt - s.window); i < s.prompt; ++i)
        for (int h = key_head * group; h < (key_head + 1) * group; ++h) {
            std::vector<double> const w = weights_over_all(a, h, static_cast<std::size_t>(i));
            for (std::size_t j = 0; j < raw.size(); ++j)
                raw[j] = s.adaptive ? std::fmax(raw[j], w[j]) : raw[j] + w[j] / group;
        }
    for (int j = 0; j < s.prompt; ++j) {
        double sum = 0;
        for (int n = j - s.pool / 2; n <= j + s.pool / 2; ++n)
            if (n >= 0 && n < s.prompt) sum += raw[static_cast<std::size_t>(n)] / s.pool;
        pooled.push_back(j < s.first || j >= s.prompt - s.last ? always : sum);
    }
    return pooled;
}
inline Selector snap_kv(SnapKv const& s) {
    return [s](detail::Attending const& a, int h) {
        int const key_head = h / (a.options().heads / a.kv_heads());
        std::vector<double> const own = snap_scores(s, a, key_head);
        std::vector<bool> kept = best(own, s.capacity);
        if (s.adaptive) {
            int const floor = s.capacity / 5;
            std::vector<double> all; // of what no head keeps for itself
            for (int g = 0; g < a.kv_heads(); ++g) {
                std::vector<double> scores = snap_scores(s, a, g);
                std::vector<bool> const sure = best(scores, floor);
                for (std::size_t j = 0; j < scores.size(); ++j) all.push_back(sure[j] ? never : scores[j]);
            }
            std::vector<bool> const rest = best(all, a.kv_heads() * (s.capacity - floor));
            kept = best(own, floor);
            for (std::size_t j = 0; j < kept.size(); ++j)
                if (rest[static_cast<std::size_t>(key_head) * kept.size() + j]) kept[j] = true;
        }
        return chosen_where(a.size(), [&](int i, int j) {
            return i < s.prompt || j >= s.prompt || kept[static_cast<std::size_t>(j)];
        });
    };
}

} // namespace reference
