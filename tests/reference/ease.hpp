// SPDX-License-Identifier: BSD-3-Clause
// B_ij = -P_ij / P_jj and zeros on the diagonal, P the inverse of G + l2, by Gauss-Jordan.
#pragma once

#include "reference.hpp"

#include <algorithm>

namespace reference {

inline Sequence inverse(Sequence a) {
    std::size_t const n = a.size();
    for (std::size_t i = 0; i < n; ++i) {
        a[i].resize(2 * n);
        a[i][n + i] = 1;
    }
    for (std::size_t k = 0; k < n; ++k) {
        std::size_t best = k;
        for (std::size_t i = k; i < n; ++i)
            if (std::abs(a[i][k]) > std::abs(a[best][k])) best = i;
        std::swap(a[k], a[best]);
        for (std::size_t i = 0; i < n; ++i) {
            if (i == k) continue;
            double const f = a[i][k] / a[k][k];
            for (std::size_t j = k; j < 2 * n; ++j) a[i][j] -= f * a[k][j];
        }
    }
    for (std::size_t i = 0; i < n; ++i) {
        double const d = a[i][i];
        a[i].erase(a[i].begin(), a[i].begin() + static_cast<std::ptrdiff_t>(n));
        for (double& v : a[i]) v /= d;
    }
    return a;
}

inline Sequence ease(Sequence gram, double l2) {
    for (std::size_t i = 0; i < gram.size(); ++i) gram[i][i] += l2;
    Sequence const p = inverse(gram);
    Sequence b = p;
    for (std::size_t i = 0; i < p.size(); ++i)
        for (std::size_t j = 0; j < p.size(); ++j) b[i][j] = i == j ? 0 : -p[i][j] / p[j][j];
    return b;
}

// x_j times weight_ij over j != i; the diagonal is taken out of a sum that has it.
inline Result item_to_item(Parameters const& p, Sequence const& x) {
    Sequence const w = rows_of(p["weight"]);
    Result y{x, x};
    for (std::size_t t = 0; t < x.size(); ++t)
        for (std::size_t i = 0; i < w.size(); ++i) {
            y.value[t][i] = 0, y.magnitude[t][i] = 2 * std::abs(w[i][i] * x[t][i]);
            for (std::size_t j = 0; j < w.size(); ++j) {
                if (j == i) continue;
                y.value[t][i] += w[i][j] * x[t][j];
                y.magnitude[t][i] += std::abs(w[i][j] * x[t][j]);
            }
        }
    return y;
}

} // namespace reference
