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

/// Metrics by type as values: `{.metrics = metrics<Auc, LogLoss>}`.
template <class... Metric>
inline constexpr std::array<NamedMetric, sizeof...(Metric)> metrics{
    NamedMetric{detail::plain_name<Metric>(), &detail::measured<Metric>}...};

} // namespace inlay::inline INLAY_ISA
