// SPDX-License-Identifier: BSD-3-Clause
// Numbers of a file to numbers of the machine and back. Bytes are put together by shifts, so neither the
// alignment of the file nor the byte order of the machine matters; compilers make one load of it.
#pragma once

#include <inlay/io/dtype.hpp>
#include <inlay/kernels/halves.hpp>

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace inlay::inline INLAY_ISA {
namespace detail {

template <std::unsigned_integral U> U load_little(std::byte const* bytes) noexcept {
    std::uint64_t bits = 0;
    for (std::size_t i = 0; i < sizeof(U); ++i) bits |= std::to_integer<std::uint64_t>(bytes[i]) << (8 * i);
    return static_cast<U>(bits);
}

template <std::unsigned_integral U> void store_little(U value, std::byte* bytes) noexcept {
    std::uint64_t const bits = value;
    for (std::size_t i = 0; i < sizeof(U); ++i) bytes[i] = static_cast<std::byte>((bits >> (8 * i)) & 0xFFU);
}

/// The dtype of whole numbers of 32 and 64 bits.
template <std::integral N>
    requires(sizeof(N) == 4 || sizeof(N) == 8)
inline constexpr DType whole_dtype = sizeof(N) == 8 ? (std::signed_integral<N> ? DType::I64 : DType::U64)
                                                    : (std::signed_integral<N> ? DType::I32 : DType::U32);
/// `count` whole numbers as packed elements, and back.
template <std::integral N> void store_whole(N const* from, std::size_t count, std::byte* to) noexcept {
    for (std::size_t i = 0; i < count; ++i)
        store_little(static_cast<std::make_unsigned_t<N>>(from[i]), to + i * sizeof(N));
}
template <std::integral N> void load_whole(std::byte const* bytes, std::size_t count, N* out) noexcept {
    for (std::size_t i = 0; i < count; ++i)
        out[i] = static_cast<N>(load_little<std::make_unsigned_t<N>>(bytes + i * sizeof(N)));
}
} // namespace detail

/// Whether read_scalars takes this type: F64, F32, F16 and BF16.
constexpr bool is_real(DType dtype) noexcept {
    return dtype == DType::F64 || dtype == DType::F32 || dtype == DType::F16 || dtype == DType::BF16;
}

namespace detail {

/// Converts `count` packed elements of a real dtype. Only F64 to float rounds.
template <std::floating_point T>
void load_scalars(DType dtype, std::byte const* bytes, std::size_t count, T* out) noexcept {
    auto const each = [&](std::size_t width, auto element) {
        for (std::size_t i = 0; i < count; ++i) out[i] = static_cast<T>(element(bytes + i * width));
    };
    using Bytes = std::byte const*;
    if (dtype == DType::F64)
        each(8, [](Bytes b) { return std::bit_cast<double>(load_little<std::uint64_t>(b)); });
    if (dtype == DType::F32)
        each(4, [](Bytes b) { return std::bit_cast<float>(load_little<std::uint32_t>(b)); });
    if (dtype == DType::F16) each(2, [](Bytes b) { return from_half(load_little<std::uint16_t>(b)); });
    if (dtype == DType::BF16) each(2, [](Bytes b) { return from_bfloat(load_little<std::uint16_t>(b)); });
}

} // namespace detail

/// The dtype that holds T exactly.
template <std::floating_point T>
inline constexpr DType real_dtype = std::same_as<T, double> ? DType::F64 : DType::F32;

/// Writes `count` numbers as packed F32 or F64, for the fill function of a TensorSource.
template <std::floating_point T>
void write_scalars(T const* from, std::size_t count, std::byte* to) noexcept {
    using Bits = std::conditional_t<std::same_as<T, double>, std::uint64_t, std::uint32_t>;
    static_assert(sizeof(T) == sizeof(Bits), "inlay: write_scalars takes float and double");
    for (std::size_t i = 0; i < count; ++i)
        detail::store_little(std::bit_cast<Bits>(from[i]), to + i * sizeof(T));
}

namespace detail {
/// Writes `count` numbers as packed elements of a real dtype. A double becomes a float before it becomes
/// less.
template <std::floating_point T>
void store_scalars(DType dtype, T const* from, std::size_t count, std::byte* to) noexcept {
    for (std::size_t i = 0; i < count; ++i) {
        auto const x = static_cast<float>(from[i]);
        if (dtype == DType::F64) {
            auto const wide = static_cast<double>(from[i]);
            write_scalars(&wide, 1, to + 8 * i);
        }
        if (dtype == DType::F32) write_scalars(&x, 1, to + 4 * i);
        if (dtype == DType::F16) store_little(to_half(x), to + 2 * i);
        if (dtype == DType::BF16) store_little(to_bfloat(x), to + 2 * i);
    }
}
} // namespace detail

} // namespace inlay::inline INLAY_ISA
