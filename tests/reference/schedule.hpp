// SPDX-License-Identifier: BSD-3-Clause
// Learning rates at step s = 0, 1, ...
#pragma once

#include <cmath>

namespace reference {

inline double warmup_cosine(int s, double lr, double lr_min, int warmup, int total) {
    if (s < warmup) return lr * (s + 1) / warmup;
    double const done = static_cast<double>(s - warmup) / (total - warmup);
    return lr_min + 0.5 * (lr - lr_min) * (1 + std::cos(std::acos(-1.0) * done));
}

// Two cosine phases: max/25 up to max at 0.3 T - 1, down to max/25e4 at T - 1.
inline double one_cycle(int s, double lr_max, int total) {
    auto const between = [](double from, double to, double done) {
        return to + (from - to) / 2 * (1 + std::cos(std::acos(-1.0) * done));
    };
    double const first = lr_max / 25, end = first / 1e4, peak = 0.3 * total - 1;
    if (s <= peak) return between(first, lr_max, s / peak);
    return between(lr_max, end, (s - peak) / (total - 1 - peak));
}

inline double inverse_sqrt(int s, double lr, int warmup) {
    return lr * std::fmin(std::pow(s + 1, -0.5), (s + 1) * std::pow(warmup, -1.5));
}

// The factor of global-norm clipping.
inline double clip_factor(double norm, double max_norm) { return std::fmin(1.0, max_norm / (norm + 1e-6)); }

} // namespace reference
