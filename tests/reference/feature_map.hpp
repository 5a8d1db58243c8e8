// SPDX-License-Identifier: BSD-3-Clause
// What linear attention makes of a query or a key of d numbers.
#pragma once

#include "row_map.hpp"

namespace reference {

enum class FeatureMap {
    identity,
    elu,       // elu(x) + 1
    relu,      // max(x, 0)
    relu2,     // max(x, 0)^2
    hedgehog,  // softmax([y, -y]), y = W x + b: weight [H d, d] and bias [1, H d], head by head
    taylor,    // 1, x / d^(1/4), x_i^2 / sqrt(2 d), x_i x_j / sqrt(d) for i < j
    rebased,   // of n = weight LN(x) + bias: n_i^2 / sqrt(d), n_i n_j sqrt(2 / d); weight, bias [1, d]
    cosformer, // max(x, 0) cos(a), max(x, 0) sin(a), a = pi / 2 position / M
    favor      // exp(u W^T - |u|^2 / 2) / sqrt(m), u = x / d^(1/4): weight [m, d]
};

// (x - mean) / sqrt(var + eps).
inline Row layer_normed(Row const& x, double eps = 1e-5) {
    Rounded const n(static_cast<double>(x.size())), mean = total(x) / n;
    Row y;
    for (Rounded const& v : x) y.push_back(v - mean);
    Rounded const deviation = sqrt(dot(y, y) / n + constant(eps));
    for (Rounded& v : y) v = v / deviation;
    return y;
}

// x_i x_j for i < j, in order, times a number.
inline void add_pairs(Row& features, Row const& x, double times) {
    for (std::size_t i = 0; i < x.size(); ++i)
        for (std::size_t j = i + 1; j < x.size(); ++j) features.push_back(x[i] * x[j] * constant(times));
}

// p holds the map's own parameters; M is the position at which cosformer's cosine is 0.
inline Row mapped(FeatureMap map, Parameters const& p, Row const& x, std::size_t head, int position,
                  double M) {
    double const d = static_cast<double>(x.size());
    Row y;
    switch (map) {
    case FeatureMap::identity:
        return x;
    case FeatureMap::elu:
        for (Rounded const& v : x) y.push_back(v.value > 0 ? v + 1.0 : exp(v));
        return y;
    case FeatureMap::relu:
        for (Rounded const& v : x) y.push_back(relu(v));
        return y;
    case FeatureMap::relu2:
        for (Rounded const& v : x) y.push_back(relu(v) * relu(v));
        return y;
    case FeatureMap::hedgehog: {
        Row signs;
        for (std::size_t i = 0; i < x.size(); ++i) {
            Row const w = row_of(p, "weight", head * x.size() + i);
            Rounded const b = p.has("bias") ? row_of(p, "bias").at(head * x.size() + i) : 0.0;
            signs.push_back(total({dot(w, x), b}));
        }
        for (std::size_t i = 0; i < x.size(); ++i) signs.push_back(-signs[i]);
        return softmax(signs);
    }
    case FeatureMap::taylor:
        y.push_back(1.0);
        for (Rounded const& v : x) y.push_back(v * constant(std::pow(d, -.25)));
        for (Rounded const& v : x) y.push_back(v * v * constant(1 / std::sqrt(2 * d)));
        add_pairs(y, x, 1 / std::sqrt(d));
        return y;
    case FeatureMap::rebased: {
        Row n = layer_normed(x);
        for (std::size_t i = 0; i < x.size(); ++i)
            n[i] = total({row_of(p, "weight").at(i) * n[i], row_of(p, "bias").at(i)});
        for (Rounded const& v : n) y.push_back(v * v * constant(1 / std::sqrt(d)));
        add_pairs(y, n, std::sqrt(2 / d));
        return y;
    }
    case FeatureMap::cosformer: {
        double const angle = std::acos(-1.0) / 2 * position / M;
        for (Rounded const& v : x) y.push_back(relu(v) * constant(std::cos(angle)));
        for (Rounded const& v : x) y.push_back(relu(v) * constant(std::sin(angle)));
        return y;
    }
    case FeatureMap::favor: {
        Row u;
        for (Rounded const& v : x) u.push_back(v * constant(std::pow(d, -.25)));
        std::size_t const m = static_cast<std::size_t>(p["weight"].rows);
        for (std::size_t f = 0; f < m; ++f)
            y.push_back(exp(total({dot(row_of(p, "weight", f), u), -(dot(u, u) * 0.5)})) *
                        constant(1 / std::sqrt(double(m))));
        return y;
    }
    }
    return y;
}

} // namespace reference
