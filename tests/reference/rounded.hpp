// SPDX-License-Identifier: BSD-3-Clause
// A double that knows what rounding may have done to it: for references whose bounds would be longer than
// themselves.
#pragma once

#include "activation.hpp"
#include "reference.hpp"

namespace reference {

// The error of float code is at most a small constant times epsilon times magnitude, to first order: every
// operation hands on the errors of its arguments and adds one of its own. A bare double is exact.
// Its functions are friends, so that the references of blocks keep their names to themselves.
struct Rounded {
    double value = 0, magnitude = 0;

    Rounded() = default;
    Rounded(double v) : Rounded(v, 0) {}
    Rounded(double v, double m) : value(v), magnitude(m) {}

    friend Rounded operator+(Rounded a, Rounded b) {
        return {a.value + b.value, a.magnitude + b.magnitude + std::abs(a.value + b.value)};
    }
    friend Rounded operator-(Rounded a) { return {-a.value, a.magnitude}; }
    friend Rounded operator-(Rounded a, Rounded b) { return a + -b; }
    friend Rounded operator*(Rounded a, Rounded b) {
        return {a.value * b.value, std::abs(a.value * b.value) + std::abs(a.value) * b.magnitude +
                                       std::abs(b.value) * a.magnitude};
    }
    friend Rounded operator/(Rounded a, Rounded b) {
        double const q = a.value / b.value;
        return {q, std::abs(q) + (a.magnitude + std::abs(q) * b.magnitude) / std::abs(b.value)};
    }
    friend Rounded& operator+=(Rounded& a, Rounded b) { return a = a + b; }

    // f(x), with one rounding of the argument.
    friend Rounded at(Rounded x, ValueAndSlope f) {
        return {f.value, std::abs(f.value) + std::abs(f.slope) * (x.magnitude + std::abs(x.value))};
    }
    friend Rounded exp(Rounded x) { return at(x, {std::exp(x.value), std::exp(x.value)}); }
    friend Rounded log(Rounded x) { return at(x, {std::log(x.value), 1 / x.value}); }
    friend Rounded sqrt(Rounded x) {
        double const s = std::sqrt(x.value);
        return {s, s + (s > 0 ? x.magnitude / (2 * s) : 0)};
    }
    friend Rounded tanh(Rounded x) {
        double const t = std::tanh(x.value);
        return at(x, {t, 1 - t * t});
    }
    friend Rounded sigmoid(Rounded x) {
        return at(x, {sigmoid_of(x.value), sigmoid_of(x.value) * sigmoid_of(-x.value)});
    }
    friend Rounded softplus(Rounded x) { return at(x, {softplus_of(x.value), sigmoid_of(x.value)}); }
    friend Rounded silu(Rounded x) { return at(x, silu_of(x.value)); }
    friend Rounded gelu(Rounded x) { return at(x, gelu_of(x.value)); }
    friend Rounded relu(Rounded x) { return x.value > 0 ? x : Rounded(); }
};

// A number that float code rounds before it uses it.
inline Rounded constant(double v) { return {v, std::abs(v)}; }

using Row = std::vector<Rounded>;
using Rows = std::vector<Row>;

// The magnitude of a sum is the sum of those of its terms: no partial sums.
inline Rounded total(Row const& terms) {
    Rounded sum;
    for (Rounded const& t : terms) {
        sum.value += t.value;
        sum.magnitude += t.magnitude > std::abs(t.value) ? t.magnitude : std::abs(t.value);
    }
    return sum;
}
inline Rounded dot(Row const& a, Row const& b) {
    if (a.size() != b.size()) throw std::invalid_argument("reference: widths differ");
    Row terms;
    for (std::size_t i = 0; i < a.size(); ++i) terms.push_back(a[i] * b[i]);
    return total(terms);
}

inline Row exactly(std::vector<double> const& x) { return Row(x.begin(), x.end()); }
inline Rows exactly(Sequence const& x) {
    Rows rows;
    for (auto const& token : x) rows.push_back(exactly(token));
    return rows;
}
inline Result result_of(Rows const& rows) {
    Result y;
    for (Row const& row : rows) {
        y.value.emplace_back();
        y.magnitude.emplace_back();
        for (Rounded const& r : row) {
            y.value.back().push_back(r.value);
            y.magnitude.back().push_back(r.magnitude);
        }
    }
    return y;
}

// Elements from, from + 1, ... from + count - 1.
inline Row part(Row const& x, std::size_t from, std::size_t count) {
    Row kept;
    for (std::size_t i = from; i < from + count; ++i) kept.push_back(x.at(i));
    return kept;
}

inline Row row_of(Parameters const& p, std::string const& name, std::size_t row = 0) {
    return exactly(rows_of(p[name]).at(row));
}

// y = x W^T + b, of "weight" [out, in] and "bias" [1, out] if there is one.
inline Row linear(Parameters const& p, Row const& x) {
    Sequence const w = rows_of(p["weight"]);
    Row y;
    for (std::size_t o = 0; o < w.size(); ++o) {
        Row const weights = exactly(w[o]);
        if (weights.size() != x.size()) throw std::invalid_argument("reference: linear got another width");
        Row terms;
        for (std::size_t i = 0; i < x.size(); ++i) terms.push_back(weights[i] * x[i]);
        if (p.has("bias")) terms.push_back(row_of(p, "bias").at(o));
        y.push_back(total(terms));
    }
    return y;
}
inline Rows linear(Parameters const& p, Rows const& x) {
    Rows y;
    for (Row const& token : x) y.push_back(linear(p, token));
    return y;
}

// x / sqrt(mean(x^2) + eps), times the weight if there is one.
inline Row rms_normed(Row const& x, double eps, Row const& weight = {}) {
    Rounded const r = 1.0 / sqrt(dot(x, x) / Rounded(double(x.size())) + constant(eps));
    Row y;
    for (std::size_t i = 0; i < x.size(); ++i)
        y.push_back(weight.empty() ? x[i] * r : weight.at(i) * (x[i] * r));
    return y;
}
// x / sqrt(x . x + eps).
inline Row l2_normed(Row const& x, double eps = 1e-6) {
    Rounded const n = sqrt(dot(x, x) + constant(eps));
    Row y;
    for (Rounded const& v : x) y.push_back(v / n);
    return y;
}

} // namespace reference
