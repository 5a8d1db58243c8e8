// SPDX-License-Identifier: BSD-3-Clause
// Sine and cosine of angles of any size, in double.
#pragma once

#include <inlay/simd/bits.hpp>

namespace inlay::inline INLAY_ISA {
namespace simd {

template <int W> struct SinCos {
    vec<double, W> sin, cos;
};

/// Sine and cosine within 2 ulp, tested, for |x| < 10^6; up to 10^9 the absolute error stays below 10^-15
/// where fma rounds once. x = n pi/2 + r, with pi/2 in three parts and the polynomials of fdlibm for r.
template <int W> inline SinCos<W> sincos(vec<double, W> x) noexcept {
    using V = vec<double, W>;
    static constexpr double sine[] = {-1.66666666666666324348e-01, 8.33333333332248946124e-03,
                                      -1.98412698298579493134e-04, 2.75573137070700676789e-06,
                                      -2.50507602534068634195e-08, 1.58969099521155010221e-10};
    static constexpr double cosine[] = {4.16666666666666019037e-02, -1.38888888888741095749e-03,
                                        2.48015872894767294178e-05, -2.75573143513906633035e-07,
                                        2.08757232129817482790e-09, -1.13596475577881948265e-11};
    V const n = nearest(x * V(0.636619772367581343));
    V r = opaque(fma(n, V(-1.57079632673412561417e+00), x));
    r = opaque(fma(n, V(-6.07710050630396597660e-11), r));
    r = fma(n, V(-2.02226624879595063154e-21), r);
    V const square = r * r;
    V const s = fma(r * square, horner(square, sine), r);
    V const c = V(1.0) - fma(square, V(0.5), -(square * square * horner(square, cosine)));
    // Quarter turns: odd ones exchange sine and cosine, and two of four turn the sign.
    auto const half_down = [](V a) { return nearest(fma(a, V(0.5), V(-0.25))); };
    V const half = half_down(n), quarter = half_down(half), next = half_down(n + V(1.0));
    V const odd = n - (half + half), zero(0.5);
    V const turned = half - (quarter + quarter), next_half = half_down(next);
    V const turned_next = next - (next_half + next_half);
    V const sin_size = select_greater(odd, zero, c, s), cos_size = select_greater(odd, zero, s, c);
    return {select_greater(turned, zero, -sin_size, sin_size),
            select_greater(turned_next, zero, -cos_size, cos_size)};
}

} // namespace simd
} // namespace inlay::inline INLAY_ISA
