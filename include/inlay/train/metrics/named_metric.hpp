// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <inlay/model/summary.hpp>
#include <inlay/train/metrics.hpp>

#include <array>
#include <string_view>

namespace inlay::inline INLAY_ISA {

/// A metric as a value, so that a fit can take any number: `{"above_half", [](Predictions const& p) { ...
/// }}`.
struct NamedMetric {
    std::string_view name;
    double (*of)(Predictions const&);
};
/// What a metric came to.
struct MetricValue {
    std::string_view name;
    double value;
};

namespace detail {
template <class M> struct measures_predictions {
    consteval operator bool() const {
        return requires(Predictions const& p) { double(M::of(p)); };
    }
};
template <class M> double measured(Predictions const& p) {
    static_assert(measures_predictions<M>{}, "inlay: a metric has `static double of(Predictions const&)`");
    if constexpr (measures_predictions<M>{}) return double(M::of(p));
    else return 0;
}
} // namespace detail

/// Metrics by type as values: `{.metrics = metrics<Auc, LogLoss>}`.
template <class... Metric>
inline constexpr std::array<NamedMetric, sizeof...(Metric)> metrics{
    NamedMetric{detail::plain_name<Metric>(), &detail::measured<Metric>}...};

} // namespace inlay::inline INLAY_ISA
