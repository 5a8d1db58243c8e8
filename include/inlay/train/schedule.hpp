// SPDX-License-Identifier: BSD-3-Clause
// The learning rate over the steps of a fit, as a factor.
#pragma once

#include <inlay/config.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <variant>

namespace inlay::inline INLAY_ISA {

/// Always 1.
struct Constant {
    double factor(std::uint64_t, std::uint64_t) const noexcept { return 1; }
};
/// (s + 1) / W for the first W = warmup steps, then from 1 to `floor` along half a cosine until step
/// `total`. `total` = 0 takes the last step of the fit; where there is no fit either, the factor stays 1.
struct Cosine {
    int warmup = 0, total = 0;
    double floor = 0;
    double factor(std::uint64_t s, std::uint64_t steps) const noexcept {
        double const w = warmup, n = total ? double(total) : double(steps), x = double(s);
        if (x < w) return (x + 1) / w;
        if (n == 0) return 1;
        double const part = n > w ? std::min(1.0, (x - w) / (n - w)) : 1.0;
        return floor + 0.5 * (1 - floor) * (1 + std::cos(3.141592653589793 * part));
    }
};
using Schedule = std::variant<Constant, Cosine>;

} // namespace inlay::inline INLAY_ISA
