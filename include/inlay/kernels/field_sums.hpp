// SPDX-License-Identifier: BSD-3-Clause
// Elementary symmetric sums of rows: e_k is the sum over all sets of k rows of their product, element by
// element.
#pragma once

#include <inlay/kernels/map.hpp>

namespace inlay::inline INLAY_ISA {
namespace kernels {

/// e_2 ... e_N of n rows, to y and the rows behind it; width is a multiple of W. Row by row e_k += x e_(k-1),
/// which cancels nothing, at the cost of sums of powers.
template <int W, int N, class T>
INLAY_NOINLINE inline void symmetric_sums(int n, int width, T const* x, std::ptrdiff_t x_row, T* y,
                                          std::ptrdiff_t y_row) noexcept {
    using V = simd::vec<T, W>;
    for (int j = 0; j < width; j += W) {
        V e[std::size_t(N)];
        INLAY_UNROLL for (int k = 0; k < N; ++k) e[k] = V(T(0));
        for (int i = 0; i < n; ++i) {
            V const v = V::load(x + i * x_row + j);
            INLAY_UNROLL for (int k = N - 1; k > 0; --k) e[k] = simd::fma(v, e[k - 1], e[k]);
            e[0] += v;
        }
        INLAY_UNROLL for (int k = 1; k < N; ++k) e[k].store(y + (k - 1) * y_row + j);
    }
}
/// The way back: dx_i = sum over k of dy_k times e_(k-1) of the other rows.
template <int W, int N, class T>
INLAY_NOINLINE inline void symmetric_slopes(int n, int width, T const* x, std::ptrdiff_t x_row, T const* dy,
                                            std::ptrdiff_t dy_row, T* dx) noexcept {
    using V = simd::vec<T, W>;
    for (int j = 0; j < width; j += W) {
        V e[std::size_t(N)];
        e[0] = V(T(1));
        INLAY_UNROLL for (int k = 1; k < N; ++k) e[k] = V(T(0));
        for (int i = 0; i < n; ++i) {
            V const v = V::load(x + i * x_row + j);
            INLAY_UNROLL for (int k = N - 1; k > 0; --k) e[k] = simd::fma(v, e[k - 1], e[k]);
        }
        for (int i = 0; i < n; ++i) {
            V const v = V::load(x + i * x_row + j);
            V others(T(1)), d(T(0));
            INLAY_UNROLL for (int k = 1; k < N; ++k) {
                others = e[k] - v * others;
                d = simd::fma(V::load(dy + (k - 1) * dy_row + j), others, d);
            }
            d.store(dx + i * x_row + j);
        }
    }
}

} // namespace kernels
} // namespace inlay::inline INLAY_ISA
