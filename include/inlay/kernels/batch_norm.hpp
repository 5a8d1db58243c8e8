// SPDX-License-Identifier: BSD-3-Clause
// Normalisation of columns: m rows of n numbers, n a multiple of W, each column with numbers of its own.
#pragma once

#include <inlay/kernels/map.hpp>

namespace inlay::inline INLAY_ISA {
namespace kernels {

/// total += the sum of the rows.
template <int W, class T>
INLAY_NOINLINE inline void add_rows(int m, int n, T const* x, std::ptrdiff_t stride, T* total) noexcept {
    for (int r = 0; r < m; ++r, x += stride) add<W>(n, x, total);
}

/// total += the sum of (x - mean)^2.
template <int W, class T>
INLAY_NOINLINE inline void add_squares(int m, int n, T const* x, std::ptrdiff_t stride, T const* mean,
                                       T* total) noexcept {
    using V = simd::vec<T, W>;
    for (int r = 0; r < m; ++r, x += stride)
        for (int i = 0; i < n; i += W) {
            V const d = V::load(x + i) - V::load(mean + i);
            simd::fma(d, d, V::load(total + i)).store(total + i);
        }
}

/// y = (x - mean) scale + bias; pads are cleared.
template <int W, class T>
INLAY_NOINLINE inline void centre_and_scale(int m, int n, T const* x, T const* mean, T const* scale,
                                            T const* bias, T* y, std::ptrdiff_t stride) noexcept {
    using V = simd::vec<T, W>;
    for (int r = 0; r < m; ++r, x += stride, y += stride) {
        for (int i = 0; i < n; i += W)
            simd::fma(V::load(x + i) - V::load(mean + i), V::load(scale + i), V::load(bias + i)).store(y + i);
        clear_pads(y, n, int(stride));
    }
}

/// sums += the sum of dy, products += that of dy (x - mean).
template <int W, class T>
INLAY_NOINLINE inline void add_slopes(int m, int n, T const* x, T const* mean, T const* dy,
                                      std::ptrdiff_t stride, T* sums, T* products) noexcept {
    using V = simd::vec<T, W>;
    for (int r = 0; r < m; ++r, x += stride, dy += stride)
        for (int i = 0; i < n; i += W) {
            V const d = V::load(dy + i);
            (V::load(sums + i) + d).store(sums + i);
            simd::fma(V::load(x + i) - V::load(mean + i), d, V::load(products + i)).store(products + i);
        }
}

/// dx = scale (dy - level - (x - mean) slope); pads are cleared.
template <int W, class T>
INLAY_NOINLINE inline void batch_norm_backward(int m, int n, T const* x, T const* mean, T const* scale,
                                               T const* level, T const* slope, T const* dy, T* dx,
                                               std::ptrdiff_t stride) noexcept {
    using V = simd::vec<T, W>;
    for (int r = 0; r < m; ++r, x += stride, dy += stride, dx += stride) {
        for (int i = 0; i < n; i += W) {
            V const centred = V::load(x + i) - V::load(mean + i);
            V const rest = V::load(dy + i) - V::load(level + i) - centred * V::load(slope + i);
            (V::load(scale + i) * rest).store(dx + i);
        }
        clear_pads(dx, n, int(stride));
    }
}

} // namespace kernels
} // namespace inlay::inline INLAY_ISA
