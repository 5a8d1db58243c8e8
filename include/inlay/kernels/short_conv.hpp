// SPDX-License-Identifier: BSD-3-Clause
// A convolution over the last few tokens, channel by channel, and SiLU.
#pragma once

#include <inlay/kernels/map.hpp>

namespace inlay::inline INLAY_ISA {
namespace kernels {

/// y_t = silu(sum over i < taps of c_i x_(t - (taps - 1 - i))) for n rows of `width` numbers (whole vectors);
/// taps - 1 rows lie before x.
template <int W, class T>
INLAY_NOINLINE inline void short_conv(int n, int width, int taps, T const* c, std::ptrdiff_t c_row,
                                      T const* x, T* y, std::ptrdiff_t row) noexcept {
    using V = simd::vec<T, W>;
    for (int t = 0; t < n; ++t)
        for (int j = 0; j < width; j += W) {
            V z(T(0));
            for (int i = 0; i < taps; ++i)
                z = simd::fma(V::load(c + i * c_row + j), V::load(x + (t - taps + 1 + i) * row + j), z);
            (z * simd::sigmoid(z)).store(y + t * row + j);
        }
}
/// Adds to dc and to dx, before which lie taps - 1 rows as well.
template <int W, class T>
INLAY_NOINLINE inline void short_conv_backward(int n, int width, int taps, T const* c, std::ptrdiff_t c_row,
                                               T const* x, T const* dy, T* dc, T* dx,
                                               std::ptrdiff_t row) noexcept {
    using V = simd::vec<T, W>;
    V const one(T(1));
    for (int t = 0; t < n; ++t)
        for (int j = 0; j < width; j += W) {
            V z(T(0));
            for (int i = 0; i < taps; ++i)
                z = simd::fma(V::load(c + i * c_row + j), V::load(x + (t - taps + 1 + i) * row + j), z);
            V const s = simd::sigmoid(z), dz = V::load(dy + t * row + j) * s * simd::fma(z, one - s, one);
            for (int i = 0; i < taps; ++i) {
                std::ptrdiff_t const at = (t - taps + 1 + i) * row + j;
                simd::fma(V::load(c + i * c_row + j), dz, V::load(dx + at)).store(dx + at);
                T* const to = dc + i * c_row + j;
                simd::fma(dz, V::load(x + at), V::load(to)).store(to);
            }
        }
}

} // namespace kernels
} // namespace inlay::inline INLAY_ISA
