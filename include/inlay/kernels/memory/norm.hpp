// SPDX-License-Identifier: BSD-3-Clause
// Through the gradient of a loss behind a LayerNorm: what a memory M(k) = k + LN(f(k)) learns from, and back.
#pragma once

#include <inlay/kernels/norm.hpp>

namespace inlay::inline INLAY_ISA {
namespace kernels {

/// With x = (z - mean(z)) r, r = 1 / sqrt(variance + eps), g = weight w and c = mean(g x), the gradient of
/// |w|^2 / 2 in z is e = r (g - mean(g) - x c), for a w that is weight x + bias and something. From the
/// gradient u of e: writes those of z and of w, adds to those of weight and bias. m rows of n numbers.
template <int W, class T>
INLAY_NOINLINE inline void norm_error_backward(int m, int n, T eps, T const* z, T const* weight, T const* w,
                                               T const* u, T* dz, T* dw, T* dweight, T* dbias,
                                               std::ptrdiff_t stride) noexcept {
    using V = simd::vec<T, W>;
    int const whole = (n + W - 1) / W * W;
    V const last = first_lanes<W, T>(n - (whole - W));
    for (int t = 0; t < m; ++t, z += stride, w += stride, u += stride, dz += stride, dw += stride) {
        V total(T(0)), squares(T(0));
        for (int i = 0; i < whole; i += W) total += V::load(z + i);
        V const mean(simd::sum(total) / T(n));
        auto const inside = [=](int i, V v) INLAY_INLINE_LAMBDA { return i + W > n ? v * last : v; };
        auto const centred = [=](int i) INLAY_INLINE_LAMBDA { return inside(i, V::load(z + i) - mean); };
        for (int i = 0; i < whole; i += W) squares = simd::fma(centred(i), centred(i), squares);
        T const root = T(1) / std::sqrt(simd::sum(squares) / T(n) + eps);
        V const r(root);
        V gs(T(0)), gx(T(0)), us(T(0)), ux(T(0));
        for (int i = 0; i < whole; i += W) {
            V const g = V::load(weight + i) * V::load(w + i), x = centred(i) * r, v = V::load(u + i);
            gs += g, gx = simd::fma(g, x, gx);
            us += v, ux = simd::fma(v, x, ux);
        }
        V const level(simd::sum(gs) / T(n)), c(simd::sum(gx) / T(n));
        V const push(root * simd::sum(us) / T(n)), dc(-root * simd::sum(ux) / T(n));
        V dr(T(0)), xs(T(0)), xx(T(0));
        for (int i = 0; i < whole; i += W) {
            V const scale = V::load(weight + i), off = V::load(w + i), g = scale * off, x = centred(i) * r,
                    dh = r * V::load(u + i), dg = inside(i, dh - push + dc * x), dv = scale * dg,
                    dx = dc * g - c * dh + scale * dv;
            dr = simd::fma(V::load(u + i), inside(i, g - level - x * c), dr);
            simd::fma(dg, off, simd::fma(dv, x, V::load(dweight + i))).store(dweight + i);
            (V::load(dbias + i) + dv).store(dbias + i);
            dv.store(dw + i), dx.store(dz + i);
            xs += dx, xx = simd::fma(dx, x, xx);
        }
        V const s(simd::sum(xs) / T(n)), slope((simd::sum(xx) + root * simd::sum(dr)) / T(n));
        for (int i = 0; i < whole; i += W)
            inside(i, r * (V::load(dz + i) - s - centred(i) * r * slope)).store(dz + i);
        clear_pads(dz, whole, int(stride)), clear_pads(dw, whole, int(stride));
    }
}

} // namespace kernels
} // namespace inlay::inline INLAY_ISA
