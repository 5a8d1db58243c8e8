// SPDX-License-Identifier: BSD-3-Clause
// A metric inside groups of rows.
#pragma once

#include <inlay/train/predictions.hpp>

#include <numeric>
#include <span>

namespace inlay::inline INLAY_ISA {

namespace detail {
/// Whether a row with targets from y on counts.
inline bool says_something(Predictions const& p, std::vector<float>::const_iterator y) {
    if (p.targets == 1 && p.width > 1 && *y < 0) return false; // a class that is none
    return !std::all_of(y, y + p.targets, [](float t) { return std::isnan(t); });
}
} // namespace detail

/// The mean of a metric over groups of rows, each weighted by how many of its rows have a target: with `Auc`
/// and a user a group, GAUC (arXiv 1706.06978). `group` names the group of each row of the predictions. A
/// group in which the metric is NaN, as Auc without a row of each class, does not count; NaN where none does.
/// Throws Error unless each row has a group.
template <class Metric> double by_group(Predictions const& p, std::span<std::int32_t const> group) {
    if (group.size() != p.size())
        detail::fail(Error("", "by_group", detail::joined("a group for each of ", p.size(), " rows"),
                           std::to_string(group.size())));
    std::vector<std::size_t> order(p.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return group[a] < group[b]; });
    double sum = 0, rows = 0;
    for (std::size_t at = 0; at < order.size();) {
        Predictions part{p.width, {}, {}, p.targets};
        double counted = 0;
        for (auto const name = group[order[at]]; at < order.size() && group[order[at]] == name; ++at) {
            auto const y = p.target.begin() + std::ptrdiff_t(order[at]) * p.targets;
            part.logit.insert(part.logit.end(), p.row(order[at]), p.row(order[at]) + p.width);
            part.target.insert(part.target.end(), y, y + p.targets);
            counted += detail::says_something(p, y);
        }
        double const value = detail::measured<Metric>(part);
        if (std::isnan(value)) continue;
        sum += counted * value;
        rows += counted;
    }
    return sum / rows;
}

} // namespace inlay::inline INLAY_ISA
