// SPDX-License-Identifier: BSD-3-Clause
// Elementary functions on lanes.
#pragma once

#include <inlay/simd/vec.hpp>

namespace inlay::inline INLAY_ISA {
namespace simd {

#define INLAY_UNARY(name)                                                                                    \
    template <class T, int W> INLAY_INLINE vec<T, W> name(vec<T, W> x) noexcept {                            \
        if constexpr (vec<T, W>::is_register) return {xsimd::name(x.v)};                                     \
        else return by_lane(x, [](T l) { return std::name(l); });                                            \
    }
INLAY_UNARY(exp)
INLAY_UNARY(tanh)
INLAY_UNARY(sqrt)
INLAY_UNARY(log1p)
#undef INLAY_UNARY

/// xsimd's erfc is off by thousands of ulp in double, so each lane asks the C library.
template <class T, int W> INLAY_INLINE vec<T, W> erfc(vec<T, W> x) noexcept {
    return by_lane(x, [](T l) { return std::erfc(l); });
}

template <class T, int W> INLAY_INLINE vec<T, W> abs(vec<T, W> x) noexcept {
    return select_greater(vec<T, W>(T(0)), x, -x, x);
}

/// 1 / (1 + e^-x), from e^-|x| so that nothing overflows.
template <class T, int W> INLAY_INLINE vec<T, W> sigmoid(vec<T, W> x) noexcept {
    using V = vec<T, W>;
    V const e = exp(-abs(x)), one(T(1));
    return select_greater(V(T(0)), x, e, one) / (one + e);
}

/// log(1 + e^x) = max(x, 0) + log1p(e^-|x|).
template <class T, int W> INLAY_INLINE vec<T, W> softplus(vec<T, W> x) noexcept {
    using V = vec<T, W>;
    return select_greater(V(T(0)), x, V(T(0)), x) + log1p(exp(-abs(x)));
}

} // namespace simd

/// 1 / (1 + e^-x).
template <class T>
    requires std::is_floating_point_v<T>
inline T sigmoid(T x) noexcept {
    T const e = std::exp(-std::abs(x));
    return (x < 0 ? e : T(1)) / (1 + e);
}

} // namespace inlay::inline INLAY_ISA
