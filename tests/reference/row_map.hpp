// SPDX-License-Identifier: BSD-3-Clause
// What makes weights of a row of logits. No logits, no weights.
#pragma once

#include "rounded.hpp"

namespace reference {

inline Rounded largest_of(Row const& z) {
    Rounded largest = z.at(0);
    for (Rounded const& v : z)
        if (v.value > largest.value) largest = v;
    return largest;
}

// e^z / sum e^z. An error of the largest moves them all alike and drops out.
inline Row softmax(Row const& z) {
    if (z.empty()) return {};
    double const largest = largest_of(z).value;
    Row e;
    for (Rounded const& v : z) e.push_back(exp(v - largest));
    Rounded const sum = total(e);
    for (Rounded& v : e) v = v / sum;
    return e;
}

// max((alpha - 1) z - tau, 0)^(1 / (alpha - 1)), with the tau that makes them sum to 1: sparsemax at alpha 2.
inline Row entmax(double alpha, Row const& z) {
    if (z.empty()) return {};
    double const power = 1 / (alpha - 1), largest = largest_of(z).value;
    auto const weight = [&](Rounded const& v, double tau) {
        double const above = (alpha - 1) * (v.value - largest) - tau;
        return above > 0 ? std::pow(above, power) : 0.0;
    };
    double low = -1, high = 0; // at -1 the largest alone has weight 1
    for (int halving = 0; halving < 200; ++halving) {
        double const tau = low + (high - low) / 2;
        double sum = 0;
        for (Rounded const& v : z) sum += weight(v, tau);
        (sum >= 1 ? low : high) = tau;
    }
    // dp_i = s_i (dz_i - sum s dz / sum s), s = p^(2 - alpha) where p > 0; z comes less its largest
    std::vector<double> p, s, own;
    double slopes = 0, errors = 0;
    for (Rounded const& v : z) {
        p.push_back(weight(v, low));
        s.push_back(p.back() > 0 ? std::pow(p.back(), 2 - alpha) : 0.0);
        own.push_back(std::abs(v.value - largest));
        slopes += s.back();
        errors += s.back() * own.back();
    }
    Row row;
    for (std::size_t i = 0; i < z.size(); ++i) {
        std::vector<Tape::Edge> edges;
        for (std::size_t j = 0; j < z.size(); ++j)
            edges.push_back({z[j].operation, s[i] * ((i == j ? 1 : 0) - s[j] / slopes)});
        row.emplace_back(p[i], p[i] + s[i] * (own[i] + errors / slopes), edges);
    }
    return row;
}
inline Row sparsemax(Row const& z) { return entmax(2, z); }
inline Row entmax15(Row const& z) { return entmax(1.5, z); }

// (1 + s + s^2 / 2) / (sum + eps): the exponential to second order.
inline Row taylor(Row const& s, double eps) {
    Row w;
    for (Rounded const& v : s) w.push_back(total({1.0, v, v * v * 0.5}));
    Row terms = w;
    terms.push_back(constant(eps));
    for (Rounded& v : w) v = v / total(terms);
    return w;
}

} // namespace reference
