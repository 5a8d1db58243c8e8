// SPDX-License-Identifier: BSD-3-Clause
// Numbers of 16 bits to float and back.
#pragma once

#include <inlay/config.hpp>

#include <bit>
#include <cstdint>

namespace inlay::inline INLAY_ISA {
namespace detail {

/// IEEE binary16 to float: exact, subnormals included; a NaN keeps its payload.
inline float from_half(std::uint16_t half) noexcept {
    std::uint32_t const sign = (half & 0x8000U) << 16U, exponent = (half >> 10U) & 31U,
                        fraction = half & 0x3FFU;
    if (exponent == 0) {
        float const size = static_cast<float>(fraction) * 0x1p-24F;
        return sign == 0 ? size : -size;
    }
    std::uint32_t const widened = exponent == 31U ? 255U : exponent + 112U;
    return std::bit_cast<float>(sign | (widened << 23U) | (fraction << 13U));
}

/// The nearest half, ties to even; what is too large becomes infinite.
inline std::uint16_t to_half(float x) noexcept {
    auto const bits = std::bit_cast<std::uint32_t>(x), size = bits & 0x7FFF'FFFFU;
    auto const sign = static_cast<std::uint16_t>((bits >> 16U) & 0x8000U);
    auto const with = [&](std::uint32_t low) { return static_cast<std::uint16_t>(sign | low); };
    if (size > 0x7F80'0000U) return with(0x7E00U | ((size >> 13U) & 0x1FFU));
    if (size >= 0x477F'F000U) return with(0x7C00U); // 65520 and above
    if (size < 0x3880'0000U)                        // below 2^-14 the unit is 2^-24: this sum rounds to it
        return with(std::bit_cast<std::uint32_t>(std::bit_cast<float>(size) + 0.5F) & 0x7FFU);
    std::uint32_t const even = (size >> 13U) & 1U;
    return with((size - 0x3800'0000U + 0xFFFU + even) >> 13U);
}
/// The nearest bfloat16, ties to even.
inline std::uint16_t to_bfloat(float x) noexcept {
    auto const bits = std::bit_cast<std::uint32_t>(x);
    if ((bits & 0x7FFF'FFFFU) > 0x7F80'0000U) return static_cast<std::uint16_t>((bits >> 16U) | 0x40U);
    return static_cast<std::uint16_t>((bits + 0x7FFFU + ((bits >> 16U) & 1U)) >> 16U);
}

inline float from_bfloat(std::uint16_t high) noexcept {
    return std::bit_cast<float>(static_cast<std::uint32_t>(high) << 16U);
}

} // namespace detail
} // namespace inlay::inline INLAY_ISA
