// SPDX-License-Identifier: BSD-3-Clause
// Natural logarithms.
#pragma once

#include <inlay/simd/exp.hpp>

namespace inlay::inline INLAY_ISA {
namespace simd {

/// log(1 + f) - f for 1 + f within [sqrt 1/2, sqrt 2].
template <class T> struct log_series;
template <> struct log_series<float> {
    /// log(1 + f) = f - f^2 / 2 + f^3 (c[0] + c[1] f + ...), relative error below 2^-30.
    static constexpr float c[] = {0.333333059f,  -0.24999973f, 0.200025535f,  -0.166704065f, 0.142125851f,
                                  -0.123574876f, 0.11891609f,  -0.119727894f, 0.0710550126f};
    /// `low` is added where it keeps its digits.
    template <class V> INLAY_INLINE static V tail(V f, V low) noexcept {
        V const s = f * f;
        return fma(V(-0.5f), s, fma(f * s, horner(f, c), low));
    }
};
template <> struct log_series<double> {
    /// With s = f / (2 + f): log(1 + f) = 2 s + s (c[0] s^2 + c[1] s^4 + ...), relative error below 2^-59.
    static constexpr double c[] = {0.66666666666667361,  0.399999999994019562, 0.285714287455303788,
                                   0.222221982207284424, 0.181835841080078845, 0.153135089469228,
                                   0.148017071177371222};
    template <class V> INLAY_INLINE static V tail(V f, V low) noexcept {
        V const s = f / (V(2) + f), z = s * s, half = V(0.5) * f * f;
        // 2 s = f - s f, and s f = f^2 / 2 - s f^2 / 2
        return fma(s, fma(z, horner(z, c), half), low) - half;
    }
};

/// A positive number as (1 + fraction) 2^exponent, 1 + fraction within [sqrt 1/2, sqrt 2].
template <class V> struct Split {
    V fraction, exponent;
};
template <class T, int W> INLAY_INLINE Split<vec<T, W>> split(vec<T, W> x) noexcept {
    using V = vec<T, W>;
    using F = format<T>;
    using U = bits_of<T>;
    using B = vec<U, W>;
    constexpr U one = U(F::bias) << F::mantissa, root = std::bit_cast<U>(T(0.70710678118654752));
    constexpr U digits = (U(1) << F::mantissa) - 1;
    constexpr T unit = T(U(1) << F::mantissa);
    B const b = to_bits(x) + B(U(one - root));
    V const m = from_bits<T>(bit_and(b, B(digits)) + B(root));
    // The biased exponent becomes the last digits of a number of the size of 2^mantissa.
    V const e = from_bits<T>(bit_or(shift_right<F::mantissa>(b), B(std::bit_cast<U>(unit))));
    return {m - V(T(1)), opaque(e - V(unit + T(F::bias)))};
}

/// Puts right what a logarithm of x is where x is not within (0, infinity).
template <class T, int W> INLAY_INLINE vec<T, W> log_specials(vec<T, W> x, vec<T, W> y) noexcept {
#if defined(__FAST_MATH__)
    static_cast<void>(x); // there are none: naming infinity would let the compiler make anything of the rest
    return y;
#else
    using V = vec<T, W>;
    using L = std::numeric_limits<T>;
    V const infinite(L::infinity());
    y = select_greater(x, V(L::max()), infinite, y);
    // 0 - infinity, or NaN - infinity
    return select_greater(x, V(T(0)), y, select_greater(V(T(0)), x, V(L::quiet_NaN()), x - infinite));
#endif
}

/// log x within 1 ulp, tested: 0.82 (float), 0.73 (double); subnormal numbers included; log 0 is -infinity,
/// and that of less NaN.
template <class T, int W> INLAY_INLINE vec<T, W> log(vec<T, W> x) noexcept {
    using V = vec<T, W>;
    using C = exp_constants<T>;
    constexpr int up = format<T>::mantissa + 2;
    V const tiny(std::numeric_limits<T>::min());
    auto const [f, k0] = split(select_greater(tiny, x, x * V(T(bits_of<T>(1) << up)), x));
    V const k = k0 - select_greater(tiny, x, V(T(up)), V(T(0)));
    return log_specials(x, fma(k, V(C::high), f + log_series<T>::tail(f, k * V(C::low))));
}

/// log(1 + x) within 1 ulp, tested: 0.81 (float), 0.74 (double), however small x is.
template <class T, int W> INLAY_INLINE vec<T, W> log1p(vec<T, W> x) noexcept {
    using V = vec<T, W>;
    using C = exp_constants<T>;
    V const one(T(1)), u = opaque(one + x);
    // u + lost = 1 + x exactly, whichever of the two is the larger.
    V const back = opaque(u - x), rest = opaque(u - back);
    V const lost = (one - back) + (x - rest);
    auto const [m, k] = split(u);
    // log((1 + m) 2^k + lost) = k ln 2 + log(1 + m) + lost 2^-k / (1 + m). A large u makes nothing of it.
    V const tiny = lost * power_of_two(-lesser(V(T(100)), k));
    V const low = fma(k, V(C::low), tiny * (one - m * (one - m * (one - m))));
    V const octave = abs(k), half(T(0.5)), zero(T(0)); // within the first one the fraction is x itself
    V const f = select_greater(octave, half, m, x);
    V y = f + log_series<T>::tail(f, select_greater(octave, half, low, zero));
    y = log_specials(u, fma(k, V(C::high), y));
    return select_greater(V(std::numeric_limits<T>::epsilon() / 4), abs(x), x, y);
}

/// log(1 + e^x) = max(x, 0) + log1p(e^-|x|), within 2 ulp, tested: 1.52 (float), 1.41 (double).
template <class T, int W> INLAY_INLINE vec<T, W> softplus(vec<T, W> x) noexcept {
    using V = vec<T, W>;
    return select_greater(V(T(0)), x, V(T(0)), x) + log1p(exp(-abs(x)));
}

} // namespace simd
} // namespace inlay::inline INLAY_ISA
