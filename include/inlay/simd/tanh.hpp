// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <inlay/simd/exp.hpp>

#include <cstddef>

namespace inlay::inline INLAY_ISA {
namespace simd {

/// tanh x = x + x^3 (c[0] + c[1] x^2 + ...) for |x| <= 0.625, with a relative error below 2^-27 and 2^-56.
template <class T> inline constexpr std::nullptr_t tanh_constants = nullptr;
template <>
inline constexpr float tanh_constants<float>[] = {-0.333332812f, 0.133314204f, -0.0537377985f, 0.0206325479f,
                                                  -0.00569738586f};
template <>
inline constexpr double tanh_constants<double>[] = {
    -0.333333333333328395,   0.133333333332599789,   -0.0539682539302917134,  0.0218694875538744571,
    -0.00886322071320721688, 0.00359198685111932374, -0.00145494700329194701, 5.86277775660741433e-4,
    -2.28486004838133285e-4, 7.70555492682396993e-5, -1.60291541377510768e-5};

/// tanh x within 1.5 ulp, tested: 1.31 (float), 1.19 (double). A polynomial near 0, and 1 - 2 / (e^2|x| + 1)
/// where that loses no digits.
template <class T, int W> INLAY_INLINE vec<T, W> tanh(vec<T, W> x) noexcept {
    using V = vec<T, W>;
    V const a = abs(x), s = a * a, one(T(1));
    V const inner = fma(a * s, horner(s, tanh_constants<T>), a);
    V const tail = one - V(T(2)) / (exp(a + a) + one);
    return with_sign(select_greater(a, V(T(0.625)), tail, inner), x);
}

} // namespace simd
} // namespace inlay::inline INLAY_ISA
