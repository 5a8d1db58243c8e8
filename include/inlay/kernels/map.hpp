// SPDX-License-Identifier: BSD-3-Clause
// Elementwise loops over rows of whole vectors.
#pragma once

#include <inlay/simd/math.hpp>

namespace inlay::inline INLAY_ISA {
namespace kernels {

/// Clears what lies between a row's width and its stride.
template <class T> inline void clear_pads(T* row, int width, int stride) noexcept {
    for (int i = width; i < stride; ++i) row[i] = T(0);
}
template <class T> inline void clear(T* x, std::ptrdiff_t n) noexcept {
    for (std::ptrdiff_t i = 0; i < n; ++i) x[i] = T(0);
}

/// y = f(x) over n elements, n a multiple of W.
template <int W, class T, class F> inline void map(std::ptrdiff_t n, T const* x, T* y, F f) noexcept {
    using V = simd::vec<T, W>;
    for (std::ptrdiff_t i = 0; i < n; i += W) f(V::load(x + i)).store(y + i);
}
/// z = f(x, y) over n elements, n a multiple of W.
template <int W, class T, class F>
inline void zip(std::ptrdiff_t n, T const* x, T const* y, T* z, F f) noexcept {
    using V = simd::vec<T, W>;
    for (std::ptrdiff_t i = 0; i < n; i += W) f(V::load(x + i), V::load(y + i)).store(z + i);
}
/// y += x over n elements, n a multiple of W.
template <int W, class T> inline void add(std::ptrdiff_t n, T const* x, T* y) noexcept {
    zip<W>(n, x, y, y, [](auto a, auto b) { return a + b; });
}

/// y += a * x for any n and any alignment.
template <int W, class T> inline void axpy(int n, T a, T const* x, T* y) noexcept {
    using V = simd::vec<T, W>;
    V const va(a);
    int i = 0;
    for (; i + W <= n; i += W) simd::fma(va, V::load(x + i), V::load(y + i)).store(y + i);
    for (; i < n; ++i) y[i] += a * x[i];
}
/// y = a * x for any n and any alignment.
template <int W, class T> inline void scale(int n, T a, T const* x, T* y) noexcept {
    using V = simd::vec<T, W>;
    V const va(a);
    int i = 0;
    for (; i + W <= n; i += W) (va * V::load(x + i)).store(y + i);
    for (; i < n; ++i) y[i] = a * x[i];
}
/// The sum of x * y for any n and any alignment.
template <int W, class T> inline T dot(int n, T const* x, T const* y) noexcept {
    using V = simd::vec<T, W>;
    V s(T(0));
    int i = 0;
    for (; i + W <= n; i += W) s = simd::fma(V::load(x + i), V::load(y + i), s);
    T r = simd::sum(s);
    for (; i < n; ++i) r += x[i] * y[i];
    return r;
}

} // namespace kernels
} // namespace inlay::inline INLAY_ISA
