// SPDX-License-Identifier: BSD-3-Clause
// y = (U * LN(O)) Wo^T + bo; [U, V, Q, K] = silu(LN(x) W^T) head by head within each; O = A V, A_ij =
// silu(q_i k_j + position(i - j)) / capacity for the last j <= i, not normalised.
#pragma once

#include "activation.hpp"
#include "combine.hpp"

namespace reference {

// With times, time(bucket of their difference over unit) is added to the score.
inline Block hstu(std::size_t heads, std::size_t d, std::size_t capacity, std::vector<double> times = {},
                  double unit = 1) {
    return [=](Parameters const& p, Sequence const& x) {
        if (x.empty()) return Result{};
        auto const normed = [](Sequence const& z) {
            Parameters ones;
            ones.by_name["weight"] = matrix_of({std::vector<double>(z[0].size(), 1.0)});
            ones.by_name["bias"] = matrix_of({std::vector<double>(z[0].size(), 0.0)});
            return layer_norm_with(1e-6)(ones, z);
        };
        std::size_t const width = heads * d;
        Result parts = apply([&](Sequence const& z) { return dense(p.child("uvqk"), z); }, normed(x));
        parts = apply([](Sequence const& z) { return silu({}, z); }, parts);
        Result const mixed = apply(
            [&](Sequence const& z) {
                Result o{Sequence(z.size(), std::vector<double>(width)), {}};
                o.magnitude = o.value;
                for (std::size_t h = 0; h < heads; ++h)
                    for (std::size_t i = 0; i < z.size(); ++i)
                        for (std::size_t j = i < capacity ? 0 : i + 1 - capacity; j <= i; ++j) {
                            double s = p["position"](0, static_cast<int>(i - j)), terms = std::abs(s);
                            if (!times.empty()) {
                                double const apart = std::abs(times.at(i) - times.at(j)) / unit;
                                int const last = p["time"].cols - 1;
                                double const level = std::floor(std::log(std::fmax(1, apart)) / 0.301);
                                double const b = p["time"](0, level < last ? static_cast<int>(level) : last);
                                s += b, terms += std::abs(b);
                            }
                            for (std::size_t t = 0; t < d; ++t) {
                                double const term = z[i][2 * width + h * d + t] * z[j][3 * width + h * d + t];
                                s += term;
                                terms += std::abs(term);
                            }
                            auto const [a, slope] = silu_of(s);
                            for (std::size_t t = 0; t < d; ++t) {
                                double const v = z[j][width + h * d + t] / static_cast<double>(capacity);
                                o.value[i][h * d + t] += a * v;
                                o.magnitude[i][h * d + t] +=
                                    (std::abs(a) + std::abs(slope) * terms) * std::abs(v);
                            }
                        }
                return o;
            },
            parts);
        Result const o = apply(normed, mixed);
        Result gated = o;
        for (std::size_t i = 0; i < x.size(); ++i)
            for (std::size_t t = 0; t < width; ++t) {
                double const u = parts.value[i][t];
                gated.value[i][t] *= u;
                gated.magnitude[i][t] =
                    o.magnitude[i][t] * std::abs(u) + std::abs(o.value[i][t]) * parts.magnitude[i][t];
            }
        return apply([&](Sequence const& z) { return dense(p.child("o"), z); }, gated);
    };
}

} // namespace reference
