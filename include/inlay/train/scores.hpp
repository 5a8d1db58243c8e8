// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <inlay/config.hpp>

#include <cstddef>
#include <type_traits>

namespace inlay::inline INLAY_ISA {

/// Metrics by type: `get<Auc>(scores)`.
template <class... Metric> struct Scores {
    double value[sizeof...(Metric)];
};
template <class Wanted, class... Metric> double get(Scores<Metric...> const& scores) noexcept {
    static_assert((std::is_same_v<Wanted, Metric> || ...), "inlay: these Scores do not hold that metric");
    std::size_t at = 0, i = 0;
    ((std::is_same_v<Wanted, Metric> ? at = i : 0, ++i), ...);
    return scores.value[at];
}

} // namespace inlay::inline INLAY_ISA
