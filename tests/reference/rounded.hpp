// SPDX-License-Identifier: BSD-3-Clause
// Doubles that remember how they came about, for references whose bounds would be longer than themselves: the
// magnitude of a result is the sum over all roundings on the way of |own size times what it does to the
// result|.
#pragma once

#include "activation.hpp"
#include "reference.hpp"

namespace reference {

// Every operation so far: the size of its own rounding, and its slopes by what it was made of.
class Tape {
public:
    struct Edge {
        int from;
        double slope;
    };
    // Operations from here on are forgotten at the end of the scope.
    class Scope {
    public:
        Scope() : operations_(now().own_.size()) {}
        ~Scope() {
            Tape& t = now();
            t.edges_.resize(operations_ == 0 ? 0 : t.ends_[operations_ - 1]);
            t.own_.resize(operations_);
            t.ends_.resize(operations_);
        }
        Scope(Scope const&) = delete;
        Scope& operator=(Scope const&) = delete;

    private:
        std::size_t operations_;
    };

    static Tape& now() {
        static thread_local Tape tape;
        return tape;
    }
    // An operation; -1 is what is exact.
    int add(double own, std::vector<Edge> const& edges) {
        if (values_only()) return -1;
        for (Edge const& e : edges)
            if (e.from >= 0) edges_.push_back(e);
        std::size_t const before = ends_.empty() ? 0 : ends_.back();
        if (own == 0 && edges_.size() == before) return -1;
        own_.push_back(own);
        ends_.push_back(edges_.size());
        return static_cast<int>(own_.size()) - 1;
    }
    double magnitude(int operation) const {
        double sum = 0;
        std::vector<double> effect(static_cast<std::size_t>(operation + 1));
        if (operation >= 0) effect.back() = 1;
        for (std::size_t i = effect.size(); i-- > 0;) {
            if (effect[i] == 0) continue;
            sum += std::abs(effect[i]) * own_[i];
            for (std::size_t e = i == 0 ? 0 : ends_[i - 1]; e < ends_[i]; ++e)
                effect[static_cast<std::size_t>(edges_[e].from)] += effect[i] * edges_[e].slope;
        }
        return sum;
    }

private:
    std::vector<double> own_;
    std::vector<std::size_t> ends_; // of the edges of each
    std::vector<Edge> edges_;
};

// A bare double is exact. The functions are friends, so that the references of blocks keep their names to
// themselves.
struct Rounded {
    double value = 0;
    int operation = -1;

    Rounded() = default;
    Rounded(double v) : value(v) {}
    Rounded(double v, double own, std::vector<Tape::Edge> const& edges)
        : value(v), operation(Tape::now().add(own, edges)) {}

    friend double magnitude_of(Rounded x) { return Tape::now().magnitude(x.operation); }

    friend Rounded operator+(Rounded a, Rounded b) {
        return {a.value + b.value, std::abs(a.value + b.value), {{a.operation, 1}, {b.operation, 1}}};
    }
    friend Rounded operator-(Rounded a, Rounded b) {
        return {a.value - b.value, std::abs(a.value - b.value), {{a.operation, 1}, {b.operation, -1}}};
    }
    friend Rounded operator-(Rounded a) { return {-a.value, 0, {{a.operation, -1}}}; }
    friend Rounded operator*(Rounded a, Rounded b) {
        return {
            a.value * b.value, std::abs(a.value * b.value), {{a.operation, b.value}, {b.operation, a.value}}};
    }
    friend Rounded operator/(Rounded a, Rounded b) {
        double const q = a.value / b.value;
        return {q, std::abs(q), {{a.operation, 1 / b.value}, {b.operation, -q / b.value}}};
    }
    friend Rounded& operator+=(Rounded& a, Rounded b) { return a = a + b; }

    // f(x), with one rounding of the argument.
    friend Rounded at(Rounded x, ValueAndSlope f) {
        return {f.value, std::abs(f.value) + std::abs(f.slope * x.value), {{x.operation, f.slope}}};
    }
    friend Rounded exp(Rounded x) { return at(x, {std::exp(x.value), std::exp(x.value)}); }
    friend Rounded log(Rounded x) { return at(x, {std::log(x.value), 1 / x.value}); }
    friend Rounded sqrt(Rounded x) {
        double const s = std::sqrt(x.value);
        return {s, s, {{x.operation, s > 0 ? 1 / (2 * s) : 0}}};
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
inline Rounded constant(double v) { return {v, std::abs(v), {}}; }

using Row = std::vector<Rounded>;
using Rows = std::vector<Row>;

// The rounding of a sum is as large as its terms together, in any order.
inline Rounded total(Row const& terms) {
    double sum = 0, sizes = 0;
    std::vector<Tape::Edge> edges;
    for (Rounded const& t : terms) {
        sum += t.value;
        sizes += std::abs(t.value);
        edges.push_back({t.operation, 1});
    }
    return {sum, sizes, edges};
}
inline Rounded dot(Row const& a, Row const& b) {
    if (a.size() != b.size()) throw std::invalid_argument("reference: widths differ");
    double sum = 0, sizes = 0;
    std::vector<Tape::Edge> edges;
    for (std::size_t i = 0; i < a.size(); ++i) {
        sum += a[i].value * b[i].value;
        sizes += std::abs(a[i].value * b[i].value);
        edges.push_back({a[i].operation, b[i].value});
        edges.push_back({b[i].operation, a[i].value});
    }
    return {sum, sizes, edges};
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
            y.magnitude.back().push_back(values_only() ? 0 : magnitude_of(r));
        }
    }
    return y;
}

// A reference of these numbers.
inline Block block_of(std::function<Rows(Parameters const&, Rows const&)> const& f) {
    return [f](Parameters const& p, Sequence const& x) {
        Tape::Scope const scope;
        return result_of(f(p, exactly(x)));
    };
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
        Row weights = exactly(w[o]), terms = x;
        if (p.has("bias")) weights.push_back(row_of(p, "bias").at(o)), terms.push_back(1.0);
        y.push_back(dot(weights, terms));
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
