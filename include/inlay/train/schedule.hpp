// SPDX-License-Identifier: BSD-3-Clause
// The learning rate over the steps of a fit, as a factor: factor(s, steps) for step s, from 0, of a fit of so
// many.
#pragma once

#include <inlay/core/error.hpp>
#include <inlay/core/joined.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <variant>

namespace inlay::inline INLAY_ISA {

namespace detail {
/// From 0 at the end of the warm-up to 1 at the last step: `total`, or where that is 0 the fit's. 0 for ever
/// where there is neither.
inline double part_done(std::uint64_t s, std::uint64_t steps, int warmup, int total) noexcept {
    double const w = warmup, n = total ? double(total) : double(steps);
    if (n == 0) return 0;
    return n > w ? std::clamp((double(s) - w) / (n - w), 0.0, 1.0) : 1.0;
}
/// (s + 1) / warmup while that is below 1, then `after()`.
template <class F> double warmed_up(std::uint64_t s, int warmup, F after) noexcept {
    return s < std::uint64_t(warmup) ? double(s + 1) / warmup : after();
}
/// From one number to another along half a cosine.
inline double half_cosine(double from, double to, double part) noexcept {
    return to + 0.5 * (from - to) * (1 + std::cos(3.141592653589793 * part));
}
inline void expect_schedule(bool holds, char const* place, char const* wanted, double found) {
    if (!holds) fail(Error("", place, wanted, std::to_string(found)));
}
} // namespace detail

/// 1, after a warm-up.
struct Constant {
    int warmup = 0;
    double factor(std::uint64_t s, std::uint64_t) const noexcept {
        return detail::warmed_up(s, warmup, [] { return 1.0; });
    }
    void check() const { detail::expect_schedule(warmup >= 0, "Constant, warmup", "0 or more", warmup); }
};

/// (s + 1) / W for the first W = warmup steps, then from 1 to `floor` along half a cosine until step
/// `total`. `total` = 0 takes the last step of the fit; where there is no fit either, the factor stays 1.
/// PyTorch: `CosineAnnealingLR`, after `LinearLR(1 / W, total_iters=W - 1)`.
struct Cosine {
    int warmup = 0, total = 0;
    double floor = 0;
    double factor(std::uint64_t s, std::uint64_t steps) const noexcept {
        return detail::warmed_up(s, warmup, [&] {
            return detail::half_cosine(1, floor, detail::part_done(s, steps, warmup, total));
        });
    }
    void check() const {
        detail::expect_schedule(warmup >= 0, "Cosine, warmup", "0 or more", warmup);
        detail::expect_schedule(total >= 0, "Cosine, total", "0 or more", total);
        detail::expect_schedule(floor >= 0, "Cosine, floor", "0 or more", floor);
    }
};

/// As Cosine, along a straight line. PyTorch: `LinearLR(1, floor, total)`.
struct LinearDecay {
    int warmup = 0, total = 0;
    double floor = 0;
    double factor(std::uint64_t s, std::uint64_t steps) const noexcept {
        return detail::warmed_up(
            s, warmup, [&] { return 1 + (floor - 1) * detail::part_done(s, steps, warmup, total); });
    }
    void check() const {
        detail::expect_schedule(warmup >= 0, "LinearDecay, warmup", "0 or more", warmup);
        detail::expect_schedule(total >= 0, "LinearDecay, total", "0 or more", total);
        detail::expect_schedule(floor >= 0, "LinearDecay, floor", "0 or more", floor);
    }
};

/// Times `by` after every so many steps. PyTorch: `StepLR(every, gamma=by)`.
struct StepDecay {
    int every = 1000;
    double by = 0.1;
    int warmup = 0; ///< does not put the first drop off
    double factor(std::uint64_t s, std::uint64_t) const noexcept {
        return detail::warmed_up(s, warmup, [&] { return std::pow(by, double(s / std::uint64_t(every))); });
    }
    void check() const {
        detail::expect_schedule(every > 0, "StepDecay, every", "1 or more", every);
        detail::expect_schedule(by >= 0, "StepDecay, by", "0 or more", by);
        detail::expect_schedule(warmup >= 0, "StepDecay, warmup", "0 or more", warmup);
    }
};

/// (s + 1) / W for the first W = warmup steps, then sqrt(W / (s + 1)). The rate of arXiv 1706.03762,
/// d^-0.5 min((s + 1)^-0.5, (s + 1) W^-1.5), is this with a learning rate of (d W)^-0.5.
struct InverseSqrt {
    int warmup = 1;
    double factor(std::uint64_t s, std::uint64_t) const noexcept {
        return detail::warmed_up(s, warmup, [&] { return std::sqrt(double(warmup) / double(s + 1)); });
    }
    void check() const { detail::expect_schedule(warmup > 0, "InverseSqrt, warmup", "1 or more", warmup); }
};

/// From 1 / `start` to 1 at step `rise` total - 1, and down to 1 / (`start` `end`) at the last, along two
/// half cosines. PyTorch: `OneCycleLR(max_lr=learning_rate, cycle_momentum=False)`: the momentum stays.
struct OneCycle {
    int total = 0; ///< 0 takes the fit's
    double rise = 0.3, start = 25, end = 1e4;
    double factor(std::uint64_t s, std::uint64_t steps) const noexcept {
        double const n = total ? double(total) : double(steps), peak = rise * n - 1, x = double(s);
        if (n == 0) return 1;
        if (x < peak) return detail::half_cosine(1 / start, 1, x / peak);
        double const part = n - 1 > peak ? std::min(1.0, (x - peak) / (n - 1 - peak)) : x > peak ? 1.0 : 0.0;
        return detail::half_cosine(1, 1 / (start * end), part);
    }
    void check() const {
        detail::expect_schedule(total >= 0, "OneCycle, total", "0 or more", total);
        detail::expect_schedule(rise >= 0 && rise <= 1, "OneCycle, rise", "0 to 1", rise);
        detail::expect_schedule(start >= 1, "OneCycle, start", "1 or more", start);
        detail::expect_schedule(end >= 1, "OneCycle, end", "1 or more", end);
    }
};

using Schedule = std::variant<Constant, Cosine, LinearDecay, StepDecay, InverseSqrt, OneCycle>;

} // namespace inlay::inline INLAY_ISA
