// SPDX-License-Identifier: BSD-3-Clause
// Products of one row with a function of another.
#pragma once

#include <inlay/kernels/map.hpp>

namespace inlay::inline INLAY_ISA {
namespace kernels {

/// h = silu(gate) up over n elements, n a multiple of W; h may be either of them.
template <int W, class T>
INLAY_NOINLINE inline void swiglu(std::ptrdiff_t n, T const* gate, T const* up, T* h) noexcept {
    zip<W>(n, gate, up, h, [](auto g, auto u) { return g * simd::sigmoid(g) * u; });
}
/// The way back of swiglu: dgate = dh up silu'(gate), dup = dh silu(gate); dup may be dh.
template <int W, class T>
INLAY_NOINLINE inline void swiglu_backward(std::ptrdiff_t n, T const* gate, T const* up, T const* dh,
                                           T* dgate, T* dup) noexcept {
    using V = simd::vec<T, W>;
    for (std::ptrdiff_t i = 0; i < n; i += W) {
        V const g = V::load(gate + i), d = V::load(dh + i), s = simd::sigmoid(g), one(T(1));
        (d * V::load(up + i) * s * (one + g * (one - s))).store(dgate + i);
        (d * g * s).store(dup + i);
    }
}

} // namespace kernels
} // namespace inlay::inline INLAY_ISA
