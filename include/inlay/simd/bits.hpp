// SPDX-License-Identifier: BSD-3-Clause
// Lanes as patterns of bits, and the rounding and scaling that the elementary functions are built on.
#pragma once

#include <inlay/simd/vec.hpp>

#include <bit>
#include <cstdint>
#include <limits>

namespace inlay::inline INLAY_ISA {
namespace simd {

/// The layout of an IEEE number.
template <class T> struct format;
template <> struct format<float> {
    using bits = std::uint32_t;
    static constexpr int mantissa = 23, bias = 127;
};
template <> struct format<double> {
    using bits = std::uint64_t;
    static constexpr int mantissa = 52, bias = 1023;
};
template <class T> using bits_of = typename format<T>::bits;

template <class T, int W> INLAY_INLINE vec<bits_of<T>, W> to_bits(vec<T, W> x) noexcept {
    using U = bits_of<T>;
    if constexpr (vec<T, W>::is_register) return {xsimd::bitwise_cast<U>(x.v)};
    else {
        vec<U, W> r;
        for (int i = 0; i < W; ++i) r.v.lane[i] = std::bit_cast<U>(x.v.lane[i]);
        return r;
    }
}
template <class T, int W> INLAY_INLINE vec<T, W> from_bits(vec<bits_of<T>, W> x) noexcept {
    if constexpr (vec<T, W>::is_register) return {xsimd::bitwise_cast<T>(x.v)};
    else {
        vec<T, W> r;
        for (int i = 0; i < W; ++i) r.v.lane[i] = std::bit_cast<T>(x.v.lane[i]);
        return r;
    }
}

#define INLAY_BITWISE(name, op)                                                                              \
    template <class U, int W> INLAY_INLINE vec<U, W> name(vec<U, W> a, vec<U, W> b) noexcept {               \
        if constexpr (vec<U, W>::is_register) return {a.v op b.v};                                           \
        else {                                                                                               \
            vec<U, W> r;                                                                                     \
            for (int i = 0; i < W; ++i) r.v.lane[i] = a.v.lane[i] op b.v.lane[i];                            \
            return r;                                                                                        \
        }                                                                                                    \
    }
INLAY_BITWISE(bit_and, &)
INLAY_BITWISE(bit_or, |)
#undef INLAY_BITWISE

#if defined(__AVX512F__)
#define INLAY_SHIFT_512(name)                                                                                \
    if constexpr (vec<U, W>::is_register && sizeof a == 64) return {avx512::name<By>(a.v, U())};             \
    else
#else
#define INLAY_SHIFT_512(name)
#endif
#define INLAY_SHIFT(name, op)                                                                                \
    template <int By, class U, int W> INLAY_INLINE vec<U, W> name(vec<U, W> a) noexcept {                    \
        INLAY_SHIFT_512(name)                                                                                \
        if constexpr (vec<U, W>::is_register) return {a.v op By};                                            \
        else {                                                                                               \
            for (auto& l : a.v.lane) l = l op By;                                                            \
            return a;                                                                                        \
        }                                                                                                    \
    }
INLAY_SHIFT(shift_left, <<)
INLAY_SHIFT(shift_right, >>)
#undef INLAY_SHIFT
#undef INLAY_SHIFT_512

/// The sign alone.
template <class T> inline constexpr bits_of<T> sign_bit = bits_of<T>(1) << (8 * sizeof(T) - 1);

/// |x|, exact.
template <class T, int W> INLAY_INLINE vec<T, W> abs(vec<T, W> x) noexcept {
    return from_bits<T>(bit_and(to_bits(x), vec<bits_of<T>, W>(bits_of<T>(~sign_bit<T>))));
}
/// x >= 0 (or NaN) with the sign of `of`.
template <class T, int W> INLAY_INLINE vec<T, W> with_sign(vec<T, W> x, vec<T, W> of) noexcept {
    return from_bits<T>(bit_or(to_bits(x), bit_and(to_bits(of), vec<bits_of<T>, W>(sign_bit<T>))));
}
/// x without the lower half of its digits, so that its square is exact.
template <class T, int W> INLAY_INLINE vec<T, W> upper_half(vec<T, W> x) noexcept {
    constexpr int drop = format<T>::mantissa / 2 + 1;
    return from_bits<T>(bit_and(to_bits(x), vec<bits_of<T>, W>(bits_of<T>(~((bits_of<T>(1) << drop) - 1)))));
}

/// x, of which -ffast-math knows nothing any more: keeps (a + b) - b from becoming a.
template <class T, int W> INLAY_INLINE vec<T, W> opaque(vec<T, W> x) noexcept {
#if defined(__FAST_MATH__) && defined(__GNUC__)
#if defined(__SSE2__)
#define INLAY_ANY_REGISTER "+x"
#else
#define INLAY_ANY_REGISTER "+m"
#endif
    if constexpr (vec<T, W>::is_register) __asm__("" : INLAY_ANY_REGISTER(x.v.data));
    else
        for (auto& l : x.v.lane) __asm__("" : INLAY_ANY_REGISTER(l));
#undef INLAY_ANY_REGISTER
#endif
    return x;
}

/// The nearest whole number, halves to even, for |x| < 2^21.
template <class T, int W> INLAY_INLINE vec<T, W> nearest(vec<T, W> x) noexcept {
    if constexpr (!vec<T, W>::is_register) return by_lane(x, [](T l) { return std::nearbyint(l); });
#if defined(__AVX512F__)
    else if constexpr (sizeof x == 64) return {avx512::nearest(x.v)};
#endif
    else {
#if defined(__SSE2__) && !defined(__SSE4_1__)
        vec<T, W> const shift(T(1.5) * T(bits_of<T>(1) << format<T>::mantissa));
        return opaque(opaque(x + shift) - shift);
#else
        return {xsimd::nearbyint(x.v)};
#endif
    }
}

/// 2^n for a whole n that a normal number can hold.
template <class T, int W> INLAY_INLINE vec<T, W> power_of_two(vec<T, W> n) noexcept {
    using F = format<T>;
    // The last digits of a number of this size are whole ones: they become the exponent.
    vec<T, W> const shift(T(1.5) * T(bits_of<T>(1) << F::mantissa) + T(F::bias));
    return from_bits<T>(shift_left<F::mantissa>(to_bits(n + shift)));
}

/// x 2^n for a whole n of up to twice the range of normal numbers: rounded once, gradually down to 0 and up
/// to infinity; x is normal and not far from 1.
template <class T, int W> INLAY_INLINE vec<T, W> scale_by_power(vec<T, W> x, vec<T, W> n) noexcept {
#if defined(__AVX512F__)
    if constexpr (vec<T, W>::is_register && sizeof x == 64) return {avx512::scale(x.v, n.v)};
    else
#endif
    {
        vec<T, W> const half = nearest(n * vec<T, W>(T(0.5)));
        return opaque(x) * power_of_two(half) * power_of_two(n - half);
    }
}

/// The square root, correctly rounded.
template <class T, int W> INLAY_INLINE vec<T, W> sqrt(vec<T, W> x) noexcept {
    if constexpr (!vec<T, W>::is_register) return by_lane(x, [](T l) { return std::sqrt(l); });
#if defined(__AVX512F__)
    else if constexpr (sizeof x == 64) return {avx512::sqrt(x.v)};
#endif
    else return {xsimd::sqrt(x.v)};
}

/// The polynomial c[0] + c[1] x + ... with the lowest coefficient first.
template <class T, int W, std::size_t N>
INLAY_INLINE vec<T, W> horner(vec<T, W> x, T const (&c)[N]) noexcept {
    using V = vec<T, W>;
    V p(c[N - 1]);
    for (std::size_t i = N - 1; i-- > 0;) p = fma(p, x, V(c[i]));
    return p;
}

} // namespace simd
} // namespace inlay::inline INLAY_ISA
