// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <inlay/train/predictions.hpp>

namespace inlay::inline INLAY_ISA {

/// The root of the mean squared difference between outputs and targets; a target of NaN does not count.
struct Rmse {
    static double of(Predictions const& p) {
        if (p.targets != p.width || p.target.size() != p.logit.size())
            detail::fail(
                Error("", "Rmse", "as many targets as outputs", detail::joined(p.targets, " for ", p.width)));
        double sum = 0, count = 0;
        for (std::size_t i = 0; i < p.logit.size(); ++i) {
            if (std::isnan(p.target[i])) continue;
            double const d = p.logit[i] - double(p.target[i]);
            sum += d * d;
            ++count;
        }
        return std::sqrt(sum / count);
    }
};

} // namespace inlay::inline INLAY_ISA
