// SPDX-License-Identifier: BSD-3-Clause
// The orthogonal matrix that is nearest to a given one.
#pragma once

#include <inlay/kernels/map.hpp>

#include <cmath>
#include <utility>
#include <vector>

namespace inlay::inline INLAY_ISA {
namespace detail {

/// A C^T of the singular value decomposition A S C^T of an n x n matrix, rows one behind the other: the
/// orthogonal R with the greatest trace of R^T M. By one-sided Jacobi rotations; directions that M does not
/// have are filled in.
inline std::vector<double> nearest_orthogonal(int n, std::vector<double> const& m) {
    auto const size = std::size_t(n);
    // Columns of M and of C as rows.
    std::vector<double> u(size * size), c(size * size);
    for (std::size_t i = 0; i < size; ++i) {
        c[i * size + i] = 1;
        for (std::size_t j = 0; j < size; ++j) u[j * size + i] = m[i * size + j];
    }
    auto const dot = [&](std::vector<double> const& x, std::size_t i, std::size_t j) {
        double sum = 0;
        for (std::size_t k = 0; k < size; ++k) sum += x[i * size + k] * x[j * size + k];
        return sum;
    };
    auto const rotate = [&](std::vector<double>& x, std::size_t i, std::size_t j, double cosine,
                            double sine) {
        for (std::size_t k = 0; k < size; ++k) {
            double const a = x[i * size + k], b = x[j * size + k];
            x[i * size + k] = cosine * a - sine * b;
            x[j * size + k] = sine * a + cosine * b;
        }
    };
    for (int sweep = 0, turned = 1; sweep < 60 && turned; ++sweep) {
        turned = 0;
        for (std::size_t i = 0; i < size; ++i)
            for (std::size_t j = i + 1; j < size; ++j) {
                double const a = dot(u, i, i), b = dot(u, j, j), p = dot(u, i, j);
                if (std::abs(p) <= 1e-15 * std::sqrt(a * b) || p == 0) continue;
                turned = 1;
                double const zeta = (b - a) / (2 * p);
                double const t = std::copysign(1 / (std::abs(zeta) + std::sqrt(1 + zeta * zeta)), zeta);
                double const cosine = 1 / std::sqrt(1 + t * t);
                rotate(u, i, j, cosine, cosine * t);
                rotate(c, i, j, cosine, cosine * t);
            }
    }
    double largest = 0;
    for (std::size_t i = 0; i < size; ++i) largest = std::max(largest, std::sqrt(dot(u, i, i)));
    std::vector<std::size_t> missing;
    for (std::size_t i = 0; i < size; ++i) {
        double const norm = std::sqrt(dot(u, i, i));
        bool const is_there = norm > 1e-12 * largest && norm > 0;
        if (!is_there) missing.push_back(i);
        for (std::size_t k = 0; k < size; ++k) u[i * size + k] = is_there ? u[i * size + k] / norm : 0;
    }
    std::size_t axis = 0;
    for (std::size_t const i : missing)
        for (bool found = false; !found; ++axis) { // an axis, less what the others have of it
            for (std::size_t k = 0; k < size; ++k) u[i * size + k] = k == axis;
            for (int twice = 0; twice < 2; ++twice)
                for (std::size_t j = 0; j < size; ++j) {
                    if (j == i) continue;
                    double const part = dot(u, i, j);
                    for (std::size_t k = 0; k < size; ++k) u[i * size + k] -= part * u[j * size + k];
                }
            double const norm = std::sqrt(dot(u, i, i));
            found = norm > 1e-6;
            for (std::size_t k = 0; k < size; ++k) u[i * size + k] = found ? u[i * size + k] / norm : 0;
        }
    std::vector<double> r(size * size);
    for (std::size_t s = 0; s < size; ++s)
        for (std::size_t i = 0; i < size; ++i)
            for (std::size_t j = 0; j < size; ++j) r[i * size + j] += u[s * size + i] * c[s * size + j];
    return r;
}

} // namespace detail
} // namespace inlay::inline INLAY_ISA
