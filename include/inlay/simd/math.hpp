// SPDX-License-Identifier: BSD-3-Clause
// Elementary functions on lanes. One lane runs what sixteen run, so every width gives the same digits but for
// the roundings that a machine without fma adds.
#pragma once

#include <inlay/simd/erf.hpp>
#include <inlay/simd/exp.hpp>
#include <inlay/simd/log.hpp>
#include <inlay/simd/tanh.hpp>
#include <inlay/simd/turns.hpp>

namespace inlay::inline INLAY_ISA {

/// 1 / (1 + e^-x).
template <class T>
    requires std::is_floating_point_v<T>
inline T sigmoid(T x) noexcept {
    T const e = std::exp(-std::abs(x));
    return (x < 0 ? e : T(1)) / (1 + e);
}

} // namespace inlay::inline INLAY_ISA
