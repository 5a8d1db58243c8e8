// SPDX-License-Identifier: BSD-3-Clause
// Pointwise functions: the value, and |f(x)| + |x f'(x)| as magnitude.
#pragma once

#include "reference.hpp"

namespace reference {

inline double sigmoid_of(double x) {
    return x >= 0 ? 1 / (1 + std::exp(-x)) : std::exp(x) / (1 + std::exp(x));
}
inline double softplus_of(double x) { return std::fmax(x, 0.0) + std::log1p(std::exp(-std::abs(x))); }

struct ValueAndSlope {
    double value, slope;
};

inline Result pointwise(std::function<ValueAndSlope(double)> const& f, Sequence const& x) {
    Result y{x, x};
    for (std::size_t t = 0; t < x.size(); ++t)
        for (std::size_t i = 0; i < x[t].size(); ++i) {
            auto const [value, slope] = f(x[t][i]);
            y.value[t][i] = value;
            y.magnitude[t][i] = std::abs(value) + std::abs(x[t][i] * slope);
        }
    return y;
}

inline ValueAndSlope relu_of(double x) { return x > 0 ? ValueAndSlope{x, 1} : ValueAndSlope{0, 0}; }
inline ValueAndSlope silu_of(double x) {
    double const s = sigmoid_of(x);
    return {x * s, s * (1 + x * (1 - s))};
}
inline ValueAndSlope gelu_of(double x) {
    double const cdf = 0.5 * std::erfc(-x / std::sqrt(2.0));
    double const density = std::exp(-x * x / 2) / std::sqrt(2 * std::acos(-1.0));
    return {x * cdf, cdf + x * density};
}
// 0.5 x (1 + tanh u), u = sqrt(2/pi) (x + 0.044715 x^3); 0.5 (1 + tanh u) is written as sigmoid(2u), which
// does not cancel.
inline ValueAndSlope gelu_tanh_of(double x) {
    double const c = std::sqrt(2 / std::acos(-1.0));
    double const u = c * (x + 0.044715 * x * x * x);
    double const s = sigmoid_of(2 * u);
    return {x * s, s + x * 2 * s * (1 - s) * c * (1 + 3 * 0.044715 * x * x)};
}

inline Result relu(Parameters const&, Sequence const& x) { return pointwise(relu_of, x); }
inline Result silu(Parameters const&, Sequence const& x) { return pointwise(silu_of, x); }
inline Result gelu(Parameters const&, Sequence const& x) { return pointwise(gelu_of, x); }

// The magnitude is that of the published formula, whose two terms 0.5x and 0.5x tanh(u) may cancel.
inline Result gelu_tanh(Parameters const&, Sequence const& x) {
    Result y = pointwise(gelu_tanh_of, x);
    for (std::size_t t = 0; t < x.size(); ++t)
        for (std::size_t i = 0; i < x[t].size(); ++i) y.magnitude[t][i] += std::abs(x[t][i]);
    return y;
}

inline Result tanh(Parameters const&, Sequence const& x) {
    return pointwise([](double v) { return ValueAndSlope{std::tanh(v), 1 - std::tanh(v) * std::tanh(v)}; },
                     x);
}
inline Result sigmoid(Parameters const&, Sequence const& x) {
    return pointwise([](double v) { return ValueAndSlope{sigmoid_of(v), sigmoid_of(v) * sigmoid_of(-v)}; },
                     x);
}
inline Result softplus(Parameters const&, Sequence const& x) {
    return pointwise([](double v) { return ValueAndSlope{softplus_of(v), sigmoid_of(v)}; }, x);
}

inline Block leaky_relu_with(double slope) {
    return [slope](Parameters const&, Sequence const& x) {
        return pointwise(
            [slope](double v) { return v > 0 ? ValueAndSlope{v, 1} : ValueAndSlope{slope * v, slope}; }, x);
    };
}
inline Result leaky_relu(Parameters const& p, Sequence const& x) { return leaky_relu_with(0.01)(p, x); }

} // namespace reference
