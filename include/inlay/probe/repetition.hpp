// SPDX-License-Identifier: BSD-3-Clause
// How the weight on a token grows with its copies.
#pragma once

#include <inlay/probe/attention_map.hpp>

#include <map>

namespace inlay::inline INLAY_ISA {

/// What all copies of a token get together from a query, in the mean over queries and tokens with so many
/// copies.
struct CopiesSeen {
    double weight = 0;
    double even = 0; ///< what they would get if the query looked at all keys evenly
    int times = 0;   ///< pairs of a query and a token in the mean
};

/// For each number of copies at or before a query, of index 0 (always empty) on. A head whose weight grows
/// in step with `even` does nothing about repetition; one that falls behind it discounts copies.
inline std::vector<CopiesSeen> repetition(AttentionMap const& map, int head,
                                          std::span<std::int32_t const> ids) {
    std::vector<CopiesSeen> by_copies(std::size_t(map.tokens) + 1);
    for (int t = 0; t < map.tokens; ++t) {
        std::map<std::int32_t, std::pair<std::size_t, double>> seen; // copies and weight
        for (int j = 0; j <= t; ++j) {
            auto& [copies, weight] = seen[ids[std::size_t(j)]];
            ++copies;
            weight += map.at(head, t, j);
        }
        for (auto const& [id, both] : seen) {
            auto& mean = by_copies[both.first];
            ++mean.times;
            mean.weight += (both.second - mean.weight) / mean.times;
            mean.even += (double(both.first) / (t + 1) - mean.even) / mean.times;
        }
    }
    return by_copies;
}

} // namespace inlay::inline INLAY_ISA
