// SPDX-License-Identifier: BSD-3-Clause
// Convolutions channel by channel.
#pragma once

#include <inlay/kernels/map.hpp>

namespace inlay::inline INLAY_ISA {
namespace kernels {

/// y = onto + sum_i c_i * x_i over n numbers, a multiple of W; tap i is row i of `taps`. Rows of x that are
/// null are zero; so is a null `onto`.
template <int W, class T>
INLAY_INLINE void weigh_rows(int n, int rows, T const* const* x, T const* taps, std::ptrdiff_t tap_row,
                             T const* onto, T* y) noexcept {
    using V = simd::vec<T, W>;
    for (int j = 0; j < n; j += W) {
        V sum = onto ? V::load(onto + j) : V(T(0));
        for (int i = 0; i < rows; ++i)
            if (x[i]) sum = simd::fma(V::load(taps + i * tap_row + j), V::load(x[i] + j), sum);
        sum.store(y + j);
    }
}
/// z += x * y over n numbers, a multiple of W.
template <int W, class T> INLAY_INLINE void add_product(int n, T const* x, T const* y, T* z) noexcept {
    using V = simd::vec<T, W>;
    for (int j = 0; j < n; j += W) simd::fma(V::load(x + j), V::load(y + j), V::load(z + j)).store(z + j);
}

} // namespace kernels
} // namespace inlay::inline INLAY_ISA
