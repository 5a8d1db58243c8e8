// SPDX-License-Identifier: BSD-3-Clause
// The independent truth: naive double-precision references, written from the mathematics pages alone.
// They share no code with the library, so a misreading of a page cannot agree with itself.
#pragma once

#include <cmath>
#include <cstddef>
#include <functional>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

namespace reference {

// A vector input is a sequence of length 1. Tokens are a sequence of width 1 that holds the ids.
using Sequence = std::vector<std::vector<double>>;

struct Matrix {
    int rows = 0, cols = 0;
    std::vector<double> data;

    double operator()(int r, int c) const {
        return data.at(static_cast<std::size_t>(r) * static_cast<std::size_t>(cols) +
                       static_cast<std::size_t>(c));
    }
};

inline Sequence rows_of(Matrix const& matrix) {
    Sequence rows;
    for (int r = 0; r < matrix.rows; ++r) {
        std::vector<double> row;
        for (int c = 0; c < matrix.cols; ++c) row.push_back(matrix(r, c));
        rows.push_back(row);
    }
    return rows;
}

inline Matrix matrix_of(Sequence const& rows) {
    Matrix matrix;
    matrix.rows = static_cast<int>(rows.size());
    matrix.cols = rows.empty() ? 0 : static_cast<int>(rows[0].size());
    for (auto const& row : rows) matrix.data.insert(matrix.data.end(), row.begin(), row.end());
    return matrix;
}

struct Parameters {
    std::map<std::string, Matrix> by_name;

    Matrix const& operator[](std::string const& name) const {
        auto const found = by_name.find(name);
        if (found == by_name.end()) throw std::out_of_range("reference: no parameter named " + name);
        return found->second;
    }
    bool has(std::string const& name) const { return by_name.count(name) != 0; }

    // child("0") keeps the entries "0.x" and calls them "x".
    Parameters child(std::string const& prefix) const {
        Parameters kept;
        for (auto const& [name, matrix] : by_name)
            if (name.size() > prefix.size() && name.compare(0, prefix.size() + 1, prefix + ".") == 0)
                kept.by_name[name.substr(prefix.size() + 1)] = matrix;
        return kept;
    }
};

inline Sequence rows_between(Sequence const& x, std::size_t from, std::size_t to) {
    return {x.begin() + static_cast<std::ptrdiff_t>(from), x.begin() + static_cast<std::ptrdiff_t>(to)};
}

// magnitude: the sum of the absolute values of the terms summed into each output. Float code is held to
// a small constant times epsilon times this. Nonlinear functions add |x f'(x)|, one rounding of the
// argument; combinators add what the errors of an inner result do to the outer one (see carried).
struct Result {
    Sequence value;
    Sequence magnitude;
};

using Block = std::function<Result(Parameters const&, Sequence const&)>;

inline Sequence zeros_like(Sequence const& x) {
    Sequence zeros = x;
    for (auto& row : zeros)
        for (double& v : row) v = 0;
    return zeros;
}

inline Sequence absolute(Sequence x) {
    for (auto& row : x)
        for (double& v : row) v = std::abs(v);
    return x;
}

inline Sequence plus(Sequence a, Sequence const& b) {
    if (a.size() != b.size()) throw std::invalid_argument("reference: lengths differ");
    for (std::size_t t = 0; t < a.size(); ++t) {
        if (a[t].size() != b[t].size()) throw std::invalid_argument("reference: widths differ");
        for (std::size_t i = 0; i < a[t].size(); ++i) a[t][i] += b[t][i];
    }
    return a;
}

inline Sequence tokens(std::vector<int> const& ids) {
    Sequence x;
    for (int id : ids) x.push_back({static_cast<double>(id)});
    return x;
}

// While a ValuesOnly lives, combinators skip the error propagation: for finite differences over a reference.
inline bool& values_only() {
    static thread_local bool flag = false;
    return flag;
}

class ValuesOnly {
public:
    ValuesOnly() : before_(values_only()) { values_only() = true; }
    ~ValuesOnly() { values_only() = before_; }
    ValuesOnly(ValuesOnly const&) = delete;
    ValuesOnly& operator=(ValuesOnly const&) = delete;

private:
    bool before_;
};

// sum over inputs j of |dy_i / dx_j| m_j, by forward differences: what an error of m in x does to y = f(x).
inline Sequence carried(std::function<Sequence(Sequence const&)> const& f, Sequence const& x,
                        Sequence const& m) {
    ValuesOnly const guard;
    Sequence const y = f(x);
    Sequence total = zeros_like(y);
    for (std::size_t t = 0; t < x.size(); ++t)
        for (std::size_t j = 0; j < x[t].size(); ++j) {
            if (!(m[t][j] > 0)) continue;
            double const h = 1e-6 * std::fmax(1.0, std::abs(x[t][j]));
            Sequence moved = x;
            moved[t][j] += h;
            Sequence const z = f(moved);
            for (std::size_t s = 0; s < y.size(); ++s)
                for (std::size_t i = 0; i < y[s].size(); ++i)
                    total[s][i] += std::abs((z[s][i] - y[s][i]) / h) * m[t][j];
        }
    return total;
}

// f applied to an inner result: the magnitude holds f's own terms and the carried ones.
inline Result apply(std::function<Result(Sequence const&)> const& f, Result const& inner) {
    Result result = f(inner.value);
    if (!values_only())
        result.magnitude = plus(result.magnitude, carried([&](Sequence const& z) { return f(z).value; },
                                                          inner.value, inner.magnitude));
    return result;
}

// One row of a record. Categorical: one id. Multi-hot, history: the valid ids. Numeric: value, and ids[0] is
// its bucket if it has edges, else ids is empty.
struct FieldValue {
    double value = 0;
    std::vector<int> ids;
    bool is_numeric = false;
    double part = 0;                  // of the bucket ids[0], where edges are learned
    std::vector<double> weights = {}; // of the ids, where they have any
};
using RecordRow = std::vector<FieldValue>;

// What a record says of a field: ids is the count of ids (0: numeric without edges); several: multi-hot or
// history; table: the field whose table it shares, if not its own.
struct Field {
    std::string name;
    int ids = 0;
    bool several = false;
    std::string table = {};
};
using Schema = std::vector<Field>;

} // namespace reference
