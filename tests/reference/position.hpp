// SPDX-License-Identifier: BSD-3-Clause
// Positions told to queries and keys: rotation (RoPE), and slopes (ALiBi).
#pragma once

#include "rounded.hpp"

namespace reference {

enum class Pairs { halves, neighbours }; // (m, m + d/2), or (2m, 2m + 1)

// Pair m of the first `dims` numbers turns by position * base^(-2m / dims).
struct Rope {
    double base = 0; // 0: none
    Pairs pairs = Pairs::halves;
    int dims = 0; // 0: all
};

inline Row rotated(Rope const& rope, Row x, int position) {
    if (!(rope.base > 0)) return x;
    std::size_t const d = rope.dims > 0 ? static_cast<std::size_t>(rope.dims) : x.size();
    if (d % 2 != 0 || d > x.size()) throw std::invalid_argument("reference: rope turns pairs");
    for (std::size_t m = 0; m < d / 2; ++m) {
        double const angle = position * std::pow(rope.base, -2.0 * double(m) / double(d));
        Rounded const c = constant(std::cos(angle)), s = constant(std::sin(angle));
        std::size_t const at = rope.pairs == Pairs::halves ? m : 2 * m;
        std::size_t const to = rope.pairs == Pairs::halves ? m + d / 2 : 2 * m + 1;
        Rounded const a = x[at], b = x[to];
        x[at] = total({a * c, -(b * s)});
        x[to] = total({a * s, b * c});
    }
    return x;
}

// With n the largest power of two up to `heads`: 2^(-8(h+1)/n) for the first n heads, then
// 2^(-4(2(h-n)+1)/n).
inline double alibi_slope(int h, int heads) {
    int n = 1;
    while (2 * n <= heads) n *= 2;
    return h < n ? std::pow(2.0, -8.0 * (h + 1) / n) : std::pow(2.0, -4.0 * (2 * (h - n) + 1) / n);
}

// x_t + sin(t base^(-2m / D)) in number 2m, the cosine in 2m + 1.
inline Block sinusoidal(double base) {
    return [base](Parameters const&, Sequence const& x) {
        Rows y = exactly(x);
        for (std::size_t t = 0; t < y.size(); ++t)
            for (std::size_t i = 0; i < y[t].size(); ++i) {
                double const angle = double(t) * std::pow(base, -2.0 * double(i / 2) / double(y[t].size()));
                y[t][i] = y[t][i] + constant(i % 2 == 0 ? std::sin(angle) : std::cos(angle));
            }
        return result_of(y);
    };
}

// x_t + weight[t].
inline Result learned_position(Parameters const& p, Sequence const& x) {
    Rows y = exactly(x);
    for (std::size_t t = 0; t < y.size(); ++t) {
        Row const w = row_of(p, "weight", t);
        for (std::size_t i = 0; i < w.size(); ++i) y[t][i] = y[t][i] + w[i];
    }
    return result_of(y);
}

} // namespace reference
