// SPDX-License-Identifier: BSD-3-Clause
// Sine and cosine of angles in turns: a whole number of turns is no angle at all, and is taken off without
// rounding.
#pragma once

#include <inlay/simd/bits.hpp>

namespace inlay::inline INLAY_ISA {
namespace simd {

/// sin 2 pi t = t (high + low + t^2 (c[0] + c[1] t^2 + ...)) for |t| <= 1/4, with a relative error below
/// 2^-35 and 2^-61.
template <class T> struct turn_series;
template <> struct turn_series<float> {
    static constexpr float high = 6.28318548f, low = -1.74978455e-7f;
    static constexpr float c[] = {-41.3417021f, 81.6052237f, -76.7041703f, 42.0077972f, -14.3813909f};
};
template <> struct turn_series<double> {
    static constexpr double high = 6.28318530717958623, low = 2.43313179974727e-16;
    static constexpr double c[] = {-41.3417022403997562,  81.6052492760734061,  -76.7058597527984957,
                                   42.0586939237851238,   -15.0946416205061036, 3.81992705040518371,
                                   -0.717723579420493898, 0.100856327798020373};
};
template <class T, int W> INLAY_INLINE vec<T, W> sin_of_quarter(vec<T, W> t) noexcept {
    using V = vec<T, W>;
    using C = turn_series<T>;
    V const s = t * t;
    return fma(t, V(C::high), t * fma(s, horner(s, C::c), V(C::low)));
}

/// A point of the unit circle.
template <class T, int W> struct CirclePoint {
    vec<T, W> cos, sin;
};
/// Cosine and sine of 2 pi x within 3 ulp, tested: 2.77 (float), 2.77 (double), for |x| < 2^21; beyond that
/// some number from -1 to 1.
template <class T, int W> INLAY_INLINE CirclePoint<T, W> circle(vec<T, W> x) noexcept {
    using V = vec<T, W>;
    V const r = x - nearest(x), half(T(0.5)), a = lesser(half, abs(r)); // half a turn at most
    // Every subtraction below is exact where its result is small.
    return {sin_of_quarter(V(T(0.25)) - a), with_sign(sin_of_quarter(lesser(a, half - a)), r)};
}

} // namespace simd
} // namespace inlay::inline INLAY_ISA
