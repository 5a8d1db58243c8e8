// SPDX-License-Identifier: BSD-3-Clause
// Products element by element.
#pragma once

#include <inlay/kernels/map.hpp>

namespace inlay::inline INLAY_ISA {
namespace kernels {

/// z = x y over n elements, n a multiple of W; z may be either of them.
template <int W, class T>
INLAY_NOINLINE inline void multiply(std::ptrdiff_t n, T const* x, T const* y, T* z) noexcept {
    zip<W>(n, x, y, z, [](auto a, auto b) { return a * b; });
}
/// z = x y + add over n elements, n a multiple of W; z may be any of them.
template <int W, class T>
INLAY_NOINLINE inline void multiply_add(std::ptrdiff_t n, T const* x, T const* y, T const* add,
                                        T* z) noexcept {
    using V = simd::vec<T, W>;
    for (std::ptrdiff_t i = 0; i < n; i += W)
        simd::fma(V::load(x + i), V::load(y + i), V::load(add + i)).store(z + i);
}

} // namespace kernels
} // namespace inlay::inline INLAY_ISA
