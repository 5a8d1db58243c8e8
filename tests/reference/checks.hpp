// SPDX-License-Identifier: BSD-3-Clause
// What the tests of the references share.
#pragma once

#include "philox.hpp"
#include "reference.hpp"

#include <doctest/doctest.h>

namespace reference {

inline Parameters parameters(std::map<std::string, Sequence> const& tensors) {
    Parameters p;
    for (auto const& [name, rows] : tensors) p.by_name[name] = matrix_of(rows);
    return p;
}

inline void check_equal(Sequence const& got, Sequence const& expected, double tolerance = 1e-12) {
    REQUIRE(got.size() == expected.size());
    for (std::size_t t = 0; t < got.size(); ++t) {
        REQUIRE(got[t].size() == expected[t].size());
        for (std::size_t i = 0; i < got[t].size(); ++i) {
            CAPTURE(t);
            CAPTURE(i);
            CHECK(std::abs(got[t][i] - expected[t][i]) <= tolerance);
        }
    }
}

// Small numbers without a pattern, the same on every machine.
inline Sequence numbers(std::size_t length, std::size_t width, std::uint32_t key) {
    Sequence x(length, std::vector<double>(width));
    std::uint32_t counter = 0;
    for (auto& row : x)
        for (double& v : row) v = philox4x32_10({counter++, 0, 0, 0}, {key, 0})[0] / 2147483648.0 - 1;
    return x;
}

// As easily made elsewhere, say in numpy.
inline Sequence wave(std::size_t length, std::size_t width, double key) {
    Sequence x(length, std::vector<double>(width));
    for (std::size_t r = 0; r < length; ++r)
        for (std::size_t c = 0; c < width; ++c)
            x[r][c] = std::sin(key + 1.3 * double(r) + 2.1 * double(c) + 0.7 * double(r * c));
    return x;
}

inline Sequence times(double factor, Sequence x, double plus = 0) {
    for (auto& row : x)
        for (double& v : row) v = factor * v + plus;
    return x;
}

inline Sequence transposed(Sequence const& x) {
    Sequence y(x.at(0).size(), std::vector<double>(x.size()));
    for (std::size_t r = 0; r < x.size(); ++r)
        for (std::size_t c = 0; c < x[r].size(); ++c) y[c][r] = x[r][c];
    return y;
}

inline Sequence identity(std::size_t n) {
    Sequence rows(n, std::vector<double>(n));
    for (std::size_t i = 0; i < n; ++i) rows[i][i] = 1;
    return rows;
}

inline Sequence beside(Sequence x, Sequence const& y) {
    for (std::size_t t = 0; t < x.size(); ++t) x[t].insert(x[t].end(), y[t].begin(), y[t].end());
    return x;
}

// Parameters that turn the one-hot tokens of identity(T) into these queries, keys and values.
inline Parameters giving(Sequence const& q, Sequence const& k, Sequence const& v) {
    return parameters({{"q.weight", transposed(q)},
                       {"k.weight", transposed(k)},
                       {"v.weight", transposed(v)},
                       {"o.weight", identity(v[0].size())}});
}

// Of 2.13.
inline Sequence const worked_q = {{1, 0}, {0, 1}, {1, 1}}, worked_k = {{1, 0}, {0, 1}, {.6, .8}},
                      worked_v = {{1, 2}, {3, 4}, {5, 6}};

inline Parameters with(Parameters p, std::map<std::string, Sequence> const& more) {
    for (auto const& [name, tensor] : more) p.by_name[name] = matrix_of(tensor);
    return p;
}

} // namespace reference
