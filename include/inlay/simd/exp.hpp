// SPDX-License-Identifier: BSD-3-Clause
// Powers of e and of two.
#pragma once

#include <inlay/simd/bits.hpp>

namespace inlay::inline INLAY_ISA {
namespace simd {

/// What exp needs to know about a scalar. ln 2 = high + low, and n * high is exact for every exponent n;
/// e^r = 1 + r + r^2 (tail[0] + tail[1] r + ...) and 2^f = 1 + f ln 2 + f^2 (power[0] + ...) with relative
/// errors below 2^-28 (float) and 2^-57 (double) for |r| <= ln 2 / 2 and |f| <= 1/2.
template <class T> struct exp_constants;
template <> struct exp_constants<float> {
    static constexpr float ln2 = 0.69314718056f;
    static constexpr float high = 0.693145752f, low = 1.42860677e-6f;
    static constexpr float least = -104, most = 89, least_power = -151, most_power = 129;
    static constexpr float tail[] = {0.499999934f, 0.166665195f, 0.0416684011f, 0.00836885105f,
                                     0.00138143216f};
    static constexpr float power[] = {0.240226475f, 0.0555036206f, 0.00961852788f, 0.00133902744f,
                                      0.000153209935f};
};
template <> struct exp_constants<double> {
    static constexpr double ln2 = 0.693147180559945309;
    static constexpr double high = 6.93147180369123816490e-01, low = 1.90821492927058770002e-10;
    static constexpr double least = -746, most = 710, least_power = -1076, most_power = 1025;
    static constexpr double tail[] = {0.500000000000001083,   0.166666666666664076,   0.0416666666665281043,
                                      0.00833333333349693554, 0.00138888889442490915, 1.98412695027181942e-4,
                                      2.48014923883678158e-5, 2.75575884394424797e-6, 2.76305234460722972e-7,
                                      2.49998530523263666e-8};
    static constexpr double power[] = {0.240226506959101227,   0.0555041086648207259,  0.00961812910759674247,
                                       0.0013333558146688131,  1.54035304544169542e-4, 1.52527335453594188e-5,
                                       1.32154364153200578e-6, 1.01781850430322564e-7, 7.07361545434927844e-9,
                                       4.43628452626212788e-10};
};

/// (1 + rest) 2^exponent: adding the 1 last saves a rounding.
template <class V> struct Power {
    V rest, exponent;
    /// times a factor that is normal and not far from 1
    INLAY_INLINE V of(V factor) const noexcept { return scale_by_power(fma(rest, factor, factor), exponent); }
    INLAY_INLINE V value() const noexcept { return scale_by_power(rest + V(1), exponent); }
};
/// e^(x + low) for x within [least, most] and a low part of less than 0.01.
template <class T, int W, class... Low>
INLAY_INLINE Power<vec<T, W>> exp_power(vec<T, W> x, Low... low) noexcept {
    using V = vec<T, W>;
    using C = exp_constants<T>;
    V const n = nearest(x * V(T(1.4426950408889634)));
    V r = fma(n, V(-C::low), opaque(fma(n, V(-C::high), x)));
    ((r += low), ...);
    return {fma(r * r, horner(r, C::tail), r), n};
}

/// e^x within 1 ulp, tested: 0.99 (float; 16 lanes 0.76), 0.98 (double). It overflows to infinity and
/// underflows through the subnormal numbers to 0 where e^x itself does.
template <class T, int W> INLAY_INLINE vec<T, W> exp(vec<T, W> x) noexcept {
    using V = vec<T, W>;
    using C = exp_constants<T>;
#if defined(__AVX512F__)
    if constexpr (V::is_masked && sizeof(T) == 4) return {avx512::exp(x.v)};
    else
#endif
        return exp_power(greater(V(C::least), lesser(V(C::most), x))).value();
}

/// 2^x within 1 ulp, tested: 0.99 (float), 0.97 (double), without fma 1.05 and 1.06; and exact for a whole x;
/// overflow and underflow as exp.
template <class T, int W> INLAY_INLINE vec<T, W> exp2(vec<T, W> x) noexcept {
    using V = vec<T, W>;
    using C = exp_constants<T>;
#if defined(__AVX512F__)
    if constexpr (V::is_masked && sizeof(T) == 4) return {avx512::exp2(x.v)};
#endif
    x = greater(V(C::least_power), lesser(V(C::most_power), x));
    V const n = nearest(x), f = x - n;
    return Power<V>{fma(V(C::ln2), f, f * f * horner(f, C::power)), n}.value();
}

/// 1 / (1 + e^-x), from e^-|x| so that nothing overflows; within 2.5 ulp, tested: 2.29 (float), 1.87
/// (double).
template <class T, int W> INLAY_INLINE vec<T, W> sigmoid(vec<T, W> x) noexcept {
    using V = vec<T, W>;
    V const e = exp(-abs(x)), one(T(1));
    return select_greater(V(T(0)), x, e, one) / (one + e);
}

} // namespace simd
} // namespace inlay::inline INLAY_ISA
