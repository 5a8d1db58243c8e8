// SPDX-License-Identifier: BSD-3-Clause
// What metrics look at: logits and targets, row by row.
#pragma once

#include <inlay/core/error.hpp>
#include <inlay/core/joined.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace inlay::inline INLAY_ISA {

/// Logits and targets of a data set, a row for each vector, or for each token of a sequence: `width` logits,
/// and `targets` targets, of which classifiers have one: a class, or a label from 0 to 1. As in the losses, a
/// negative class and NaN are rows that do not count. Weights of rows do not enter metrics.
struct Predictions {
    int width = 1;
    std::vector<double> logit;
    std::vector<float> target;
    int targets = 1;
    std::size_t size() const noexcept { return logit.size() / std::size_t(width); }
    double const* row(std::size_t i) const noexcept { return logit.data() + i * std::size_t(width); }

    /// The class of row i, or -1 where the row does not count; throws Error for a class that has no logit.
    std::ptrdiff_t label(std::size_t i) const {
        float const t = target[i];
        if (std::isnan(t) || (width > 1 && t < 0)) return -1;
        int const classes = std::max(width, 2);
        if (!(t >= 0 && t <= float(classes - 1)) || (width > 1 && t != std::floor(t)))
            detail::fail(Error("", detail::joined("prediction ", i),
                               detail::joined("a class below ", classes), std::to_string(t)));
        return std::ptrdiff_t(width == 1 ? t > 0.5f : t);
    }
    /// Throws Error unless there is one target a row, and `logits` logits where that is not 0.
    void expect(char const* metric, int logits) const {
        if (targets != 1 || target.size() != size() || (logits && width != logits))
            detail::fail(Error("", metric, logits ? "one logit and one target a row" : "one target a row",
                               detail::joined(width, " logits and ", targets, " targets")));
    }

    /// What one of several losses reads: `columns` logits from `column` on, `each` targets from `first` on.
    Predictions part(int column, int columns, int first, int each = 1) const {
        if (column < 0 || columns < 1 || first < 0 || each < 1 || column + columns > width ||
            first + each > targets)
            detail::fail(
                Error("", "Predictions::part",
                      detail::joined("some of ", width, " logits and ", targets, " targets"),
                      detail::joined(columns, " from ", column, " on and ", each, " from ", first, " on")));
        Predictions p{columns, {}, {}, each};
        for (std::size_t i = 0; i < size(); ++i) {
            p.logit.insert(p.logit.end(), row(i) + column, row(i) + column + columns);
            auto const y = target.begin() + std::ptrdiff_t(i) * targets + first;
            p.target.insert(p.target.end(), y, y + each);
        }
        return p;
    }
};

namespace detail {
/// f(logits, row, label) for each row that counts.
template <class F> void each_labelled(Predictions const& p, F f) {
    for (std::size_t i = 0; i < p.size(); ++i)
        if (auto const label = p.label(i); label >= 0) f(p.row(i), i, label);
}
/// The mean of f over the rows that count; NaN where none does.
template <class F> double mean_of_labelled(char const* metric, Predictions const& p, F f) {
    p.expect(metric, 0);
    double sum = 0, count = 0;
    each_labelled(p, [&](double const* z, std::size_t i, std::ptrdiff_t label) {
        sum += f(z, i, label);
        ++count;
    });
    return sum / count;
}

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

} // namespace inlay::inline INLAY_ISA
