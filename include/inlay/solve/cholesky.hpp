// SPDX-License-Identifier: BSD-3-Clause
// The inverse of a symmetric positive definite matrix.
#pragma once

#include <inlay/core/shape.hpp>
#include <inlay/kernels/gemm.hpp>

#include <cmath>
#include <vector>

namespace inlay::inline INLAY_ISA {

/// A = L L^T block by block, then the inverse of L, then its product with itself: 2/3 + 2/3 + 1/3 n^3 flops,
/// nearly all of them in products of matrices. Memory: two copies of the matrix.
struct PlainCholesky {
    /// Replaces the n x n matrix by its inverse, reading its lower triangle; false where it is not positive
    /// definite.
    static bool invert(int n, double* matrix) {
        int const whole = (n + side - 1) / side * side;
        std::vector<double> a(std::size_t(whole) * std::size_t(whole)), x(a.size());
        for (int i = 0; i < whole; ++i) {
            if (i < n) std::copy_n(matrix + std::ptrdiff_t(i) * n, i + 1, at(a, whole, i, 0));
            else *at(a, whole, i, i) = 1; // by itself: its inverse is 1, too
        }
        if (!factor(whole, a)) return false;
        invert_factor(whole, a, x);
        for (int j = 0; j < whole; j += side) // P = X^T X, X being zero above its diagonal
            kernels::gemm<W>(side, j + side, whole - j, at(x, whole, j, j), 1, whole, at(x, whole, j, 0),
                             whole, at(a, whole, j, 0), whole, false);
        for (int i = 0; i < n; ++i)
            for (int j = 0; j <= i; ++j)
                matrix[std::ptrdiff_t(i) * n + j] = matrix[std::ptrdiff_t(j) * n + i] = *at(a, whole, i, j);
        return true;
    }

private:
    static constexpr int W = native_lanes<double>, side = 64;
    static_assert(side % W == 0);

    static double* at(std::vector<double>& m, int n, int i, int j) {
        return m.data() + std::ptrdiff_t(i) * n + j;
    }

    static bool factor(int n, std::vector<double>& a) {
        std::vector<double> negated(std::size_t(n) * side);
        for (int k = 0; k < n; k += side) {
            for (int i = k; i < n; ++i) {
                double* const row = at(a, n, i, k);
                for (int j = 0; j < std::min(side, i - k + 1); ++j) {
                    double const* const above = at(a, n, k + j, k);
                    double const rest = row[j] - kernels::dot<W>(j, row, above);
                    if (i > k + j) row[j] = rest / above[j];
                    else if (rest > 0) row[j] = std::sqrt(rest);
                    else return false;
                }
                for (int j = 0; j < side; ++j) negated[std::size_t(i) * side + std::size_t(j)] = -row[j];
            }
            for (int j = k + side; j < n; j += side)
                kernels::gemm_nt<W>(n - j, side, side, side, negated.data() + std::ptrdiff_t(j) * side, side,
                                    at(a, n, j, k), n, at(a, n, j, j), n, true);
        }
        return true;
    }
    /// L X = 1, rows of blocks from above.
    static void invert_factor(int n, std::vector<double>& a, std::vector<double>& x) {
        std::vector<double> negated(std::size_t(n) * side);
        for (int i = 0; i < n; i += side) {
            for (int r = 0; r < side; ++r) {
                for (int j = 0; j < i; ++j)
                    negated[std::size_t(r) * std::size_t(n) + std::size_t(j)] = -*at(a, n, i + r, j);
                *at(x, n, i + r, i + r) = 1;
            }
            if (i > 0)
                kernels::gemm<W>(side, i, i, negated.data(), n, 1, x.data(), n, at(x, n, i, 0), n, false);
            for (int r = 0; r < side; ++r) {
                double* const row = at(x, n, i + r, 0);
                for (int q = 0; q < r; ++q)
                    kernels::axpy<W>(i + side, -*at(a, n, i + r, i + q), at(x, n, i + q, 0), row);
                kernels::scale<W>(i + side, 1 / *at(a, n, i + r, i + r), row, row);
            }
        }
    }
};

} // namespace inlay::inline INLAY_ISA
