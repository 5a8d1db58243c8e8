// SPDX-License-Identifier: BSD-3-Clause
// Matrices in poisoned memory, and products in double to compare with.
#pragma once

#include <doctest/doctest.h>

#include <inlay/kernels/gemm.hpp>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <set>
#include <vector>

namespace matrices {

/// A few bits each, so that cancellation happens and nothing is special.
inline double draw() {
    static std::uint64_t state = 1;
    state = state * 6364136223846793005u + 1442695040888963407u;
    return double(std::int64_t(state >> 40)) / double(1 << 23) - 1;
}

/// rows x width numbers, then zeros up to `padded`, off every alignment; NaN before, behind and between.
template <class T> struct Matrix {
    int rows, width, padded, stride;
    std::vector<T> memory;

    Matrix(int r, int w, int p, int gap = 3)
        : rows(r), width(w), padded(p), stride(p + gap),
          memory(std::size_t(r * (p + gap) + 40), std::numeric_limits<T>::quiet_NaN()) {}
    static Matrix random(int r, int w, int p, int gap = 3) {
        Matrix m(r, w, p, gap);
        for (int i = 0; i < r; ++i)
            for (int j = 0; j < p; ++j) m(i, j) = j < w ? T(draw()) : T(0);
        return m;
    }
    T* data() { return memory.data() + 17; }
    T const* data() const { return memory.data() + 17; }
    T& operator()(int i, int j) { return data()[i * stride + j]; }
    T operator()(int i, int j) const { return data()[i * stride + j]; }

    /// Nothing outside the padded rows was written.
    bool keeps_poison() const {
        for (std::size_t at = 0; at < memory.size(); ++at) {
            std::ptrdiff_t const in = std::ptrdiff_t(at) - 17;
            bool const inside = in >= 0 && in / stride < rows && in % stride < padded;
            if (!inside && !std::isnan(memory[at])) return false;
        }
        return true;
    }
};

constexpr int padded(int n, int W) { return (n + W - 1) / W * W; }

/// Counts with every kind of tail.
inline std::vector<int> tails(int W) {
    std::set<int> s{1, 2, 3, 4, 5, W - 1, W, W + 1, 2 * W + 3, 33, 100};
    s.erase(0);
    return {s.begin(), s.end()};
}

/// |got - wanted| within a small constant of rounding of the magnitudes that were added.
template <class T> bool near(T got, double wanted, double magnitude) {
    return std::abs(double(got) - wanted) <=
           8 * double(std::numeric_limits<T>::epsilon()) * magnitude + double(std::numeric_limits<T>::min());
}

/// Whether C = onto + A B, its pads zero. a(i, p) and b(p, j) are functions, `onto` likewise.
template <class T, class A, class B, class O> bool is_product(Matrix<T> const& c, int k, A a, B b, O onto) {
    for (int i = 0; i < c.rows; ++i)
        for (int j = 0; j < c.padded; ++j) {
            if (j >= c.width) {
                if (c(i, j) != T(0)) return false;
                continue;
            }
            double sum = onto(i, j), magnitude = std::abs(sum);
            for (int p = 0; p < k; ++p) {
                double const x = double(a(i, p)) * double(b(p, j));
                sum += x;
                magnitude += std::abs(x);
            }
            if (!near(c(i, j), sum, magnitude)) return false;
        }
    return c.keeps_poison();
}

} // namespace matrices

#define INLAY_EVERY_WIDTH(X)                                                                                 \
    X(float, 1) X(float, 4) X(float, 8) X(float, 16) X(double, 2) X(double, 4) X(double, 8)
