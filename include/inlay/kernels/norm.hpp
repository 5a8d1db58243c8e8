// SPDX-License-Identifier: BSD-3-Clause
// Normalisation of rows that are padded to whole vectors with zeros.
#pragma once

#include <inlay/kernels/map.hpp>
#include <inlay/simd/transpose.hpp>

#include <algorithm>

namespace inlay::inline INLAY_ISA {
namespace kernels {

/// Ones in the first n lanes of W, zeros in the others.
template <int W, class T> inline simd::vec<T, W> first_lanes(int n) noexcept {
    T room[std::size_t(W)];
    for (int i = 0; i < W; ++i) room[i] = i < n ? T(1) : T(0);
    return simd::vec<T, W>::load(room);
}

/// y = weight x / sqrt(mean(x^2) + eps) for m rows of n numbers. Roots and quotients of W rows are taken at
/// once, and are what each row by itself would give.
template <int W, class T>
INLAY_NOINLINE inline void rms_norm(int m, int n, T eps, T const* x, T const* weight, T* y,
                                    std::ptrdiff_t stride) noexcept {
    using V = simd::vec<T, W>;
    int const whole = (n + W - 1) / W * W;
    auto const squares = [&](T const* row) {
        V sum(T(0));
        for (int i = 0; i < whole; i += W) {
            V const v = V::load(row + i);
            sum = simd::fma(v, v, sum);
        }
        return sum;
    };
    T scale[std::size_t(W)];
    for (int r = 0; r < m; r += W, x += W * stride, y += W * stride) {
        int const rows = std::min(W, m - r);
        if (rows == W) {
            V square[std::size_t(W)];
            for (int i = 0; i < W; ++i) square[i] = squares(x + i * stride);
            (V(T(1)) / simd::sqrt(simd::row_sums(square) / V(T(n)) + V(eps))).store(scale);
        } else
            for (int i = 0; i < rows; ++i)
                scale[i] = T(1) / std::sqrt(simd::sum(squares(x + i * stride)) / T(n) + eps);
        for (int q = 0; q < rows; ++q) {
            T const* const from = x + q * stride;
            T* const to = y + q * stride;
            V const factor(scale[q]);
            for (int i = 0; i < whole; i += W)
                (V::load(from + i) * factor * V::load(weight + i)).store(to + i);
            clear_pads(to, whole, int(stride));
        }
    }
}

/// The way back of rms_norm: writes dx where it is not null, adds to dweight. With z = x s, s = 1 / rms and
/// g = weight dy: dx = s (g - z mean(g z)), dweight += dy z. Both sums come from one walk along the row.
template <int W, class T>
INLAY_NOINLINE inline void rms_norm_backward(int m, int n, T eps, T const* x, T const* weight, T const* dy,
                                             T* dx, T* dweight, std::ptrdiff_t stride) noexcept {
    using V = simd::vec<T, W>;
    int const whole = (n + W - 1) / W * W;
    for (int r = 0; r < m; ++r, x += stride, dy += stride) {
        V squares(T(0)), products(T(0));
        for (int i = 0; i < whole; i += W) {
            V const v = V::load(x + i);
            squares = simd::fma(v, v, squares);
            products = simd::fma(V::load(dy + i) * V::load(weight + i), v, products);
        }
        T const s = T(1) / std::sqrt(simd::sum(squares) / T(n) + eps);
        V const scale(s), slope(s * simd::sum(products) / T(n));
        for (int i = 0; i < whole; i += W) {
            V const z = V::load(x + i) * scale, d = V::load(dy + i);
            simd::fma(d, z, V::load(dweight + i)).store(dweight + i);
            if (dx) (scale * (d * V::load(weight + i) - z * slope)).store(dx + i);
        }
        if (dx) {
            clear_pads(dx, whole, int(stride));
            dx += stride;
        }
    }
}

/// y = weight (x - mean) / sqrt(variance + eps) + bias for m rows of n numbers. The variance is that of the
/// centred row: mean(x^2) - mean^2 would cancel.
template <int W, class T>
INLAY_NOINLINE inline void layer_norm(int m, int n, T eps, T const* x, T const* weight, T const* bias, T* y,
                                      std::ptrdiff_t stride) noexcept {
    using V = simd::vec<T, W>;
    int const whole = (n + W - 1) / W * W;
    V const last = first_lanes<W, T>(n - (whole - W)); // pads are not part of the variance
    for (int r = 0; r < m; ++r, x += stride, y += stride) {
        V total(T(0)), squares(T(0));
        for (int i = 0; i < whole; i += W) total += V::load(x + i);
        V const mean(simd::sum(total) / T(n));
        for (int i = 0; i < whole; i += W) {
            V v = V::load(x + i) - mean;
            if (i + W > n) v *= last;
            squares = simd::fma(v, v, squares);
        }
        V const scale(T(1) / std::sqrt(simd::sum(squares) / T(n) + eps));
        for (int i = 0; i < whole; i += W) // pads of weight and bias are zero
            simd::fma((V::load(x + i) - mean) * scale, V::load(weight + i), V::load(bias + i)).store(y + i);
        clear_pads(y, whole, int(stride));
    }
}

/// The way back of layer_norm: writes dx where it is not null, adds to dweight and dbias. With
/// z = (x - mean) s, s = 1 / deviation and g = weight dy: dx = s (g - mean(g) - z mean(g z)),
/// dweight += dy z, dbias += dy.
template <int W, class T>
INLAY_NOINLINE inline void layer_norm_backward(int m, int n, T eps, T const* x, T const* weight, T const* dy,
                                               T* dx, T* dweight, T* dbias, std::ptrdiff_t stride) noexcept {
    using V = simd::vec<T, W>;
    int const whole = (n + W - 1) / W * W;
    V const last = first_lanes<W, T>(n - (whole - W));
    for (int r = 0; r < m; ++r, x += stride, dy += stride) {
        V total(T(0)), squares(T(0)), sums(T(0)), products(T(0));
        for (int i = 0; i < whole; i += W) total += V::load(x + i);
        V const mean(simd::sum(total) / T(n));
        for (int i = 0; i < whole; i += W) {
            V v = V::load(x + i) - mean;
            if (i + W > n) v *= last;
            V const g = V::load(dy + i) * V::load(weight + i);
            squares = simd::fma(v, v, squares);
            sums += g;
            products = simd::fma(g, v, products);
        }
        T const s = T(1) / std::sqrt(simd::sum(squares) / T(n) + eps);
        V const scale(s), level(simd::sum(sums) / T(n)), slope(s * simd::sum(products) / T(n));
        for (int i = 0; i < whole; i += W) {
            V const z = (V::load(x + i) - mean) * scale, d = V::load(dy + i);
            simd::fma(d, z, V::load(dweight + i)).store(dweight + i); // pads of dy are zero
            (V::load(dbias + i) + d).store(dbias + i);
            if (!dx) continue;
            V v = scale * (d * V::load(weight + i) - level - z * slope);
            if (i + W > n) v *= last;
            v.store(dx + i);
        }
        if (dx) {
            clear_pads(dx, whole, int(stride));
            dx += stride;
        }
    }
}

} // namespace kernels
} // namespace inlay::inline INLAY_ISA
