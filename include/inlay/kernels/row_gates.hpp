// SPDX-License-Identifier: BSD-3-Clause
// Gates of a few crosses from their scores, one row at a time.
#pragma once

#include <inlay/kernels/softmax.hpp>

#include <algorithm>

namespace inlay::inline INLAY_ISA {
namespace kernels {

/// g = z - clamp(z, -1/2, 1/2): of either sign, and exactly zero in between.
struct ThresholdGates {
    template <int W, class T> static void forward(int n, T const* z, T* g) noexcept {
        for (int i = 0; i < n; ++i) g[i] = z[i] - std::clamp(z[i], T(-0.5), T(0.5));
    }
    /// dg becomes dz; g are the gates of the same n scores.
    template <int W, class T> static void backward(int n, T const* g, T* dg) noexcept {
        for (int i = 0; i < n; ++i)
            if (g[i] == 0) dg[i] = T(0);
    }
};
/// g = n softmax(z).
struct SoftmaxGates {
    template <int W, class T> static void forward(int n, T const* z, T* g) noexcept {
        if (n == 0) return;
        softmax<W>(1, n, z, 0, g, 0);
        scale<W>(n, T(n), g, g);
    }
    template <int W, class T> static void backward(int n, T const* g, T* dg) noexcept {
        T const mean = n > 0 ? dot<W>(n, g, dg) / T(n) : T(0);
        for (int i = 0; i < n; ++i) dg[i] = g[i] * (dg[i] - mean);
    }
};
/// g = n max(z - t, 0) with n t chosen so that they sum to n. The threshold is found from below: the scores
/// that are above it can only get fewer.
struct SparsemaxGates {
    template <int W, class T> static void forward(int n, T const* z, T* g) noexcept {
        T threshold = -std::numeric_limits<T>::infinity();
        for (int left = n + 1; left > 0;) {
            T sum(0);
            int count = 0;
            for (int i = 0; i < n; ++i)
                if (z[i] > threshold) sum += z[i], ++count;
            if (count == left || count == 0) break;
            left = count;
            threshold = (sum - 1) / T(count);
        }
        for (int i = 0; i < n; ++i) g[i] = T(n) * std::max(z[i] - threshold, T(0));
    }
    template <int W, class T> static void backward(int n, T const* g, T* dg) noexcept {
        T sum(0);
        int count = 0;
        for (int i = 0; i < n; ++i)
            if (g[i] > 0) sum += dg[i], ++count;
        for (int i = 0; i < n; ++i) dg[i] = g[i] > 0 ? T(n) * (dg[i] - sum / T(count)) : T(0);
    }
};

} // namespace kernels
} // namespace inlay::inline INLAY_ISA
