// SPDX-License-Identifier: BSD-3-Clause
// The element types of a safetensors file and the size of a tensor.
#pragma once

#include <inlay/core/error.hpp>
#include <inlay/io/text.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace inlay::inline INLAY_ISA {

/// Element types by the names that the format gives them.
enum class DType {
    BOOL,
    F4,
    F6_E2M3,
    F6_E3M2,
    U8,
    I8,
    F8_E5M2,
    F8_E4M3,
    F8_E8M0,
    F8_E4M3FNUZ,
    F8_E5M2FNUZ,
    I16,
    U16,
    F16,
    BF16,
    I32,
    U32,
    F32,
    C64,
    F64,
    I64,
    U64
};

namespace detail {

struct DTypeRow {
    std::string_view name;
    unsigned bits;
};
inline constexpr std::array<DTypeRow, 22> dtype_rows{{
    {"BOOL", 8},    {"F4", 4},      {"F6_E2M3", 6}, {"F6_E3M2", 6},     {"U8", 8},          {"I8", 8},
    {"F8_E5M2", 8}, {"F8_E4M3", 8}, {"F8_E8M0", 8}, {"F8_E4M3FNUZ", 8}, {"F8_E5M2FNUZ", 8}, {"I16", 16},
    {"U16", 16},    {"F16", 16},    {"BF16", 16},   {"I32", 32},        {"U32", 32},        {"F32", 32},
    {"C64", 64},    {"F64", 64},    {"I64", 64},    {"U64", 64},
}};
static_assert(dtype_rows[static_cast<std::size_t>(DType::U64)].name == "U64");

inline constexpr std::size_t max_rank = 16;

} // namespace detail

/// The name that stands in a file, such as "F32".
constexpr std::string_view dtype_name(DType dtype) noexcept {
    return detail::dtype_rows[static_cast<std::size_t>(dtype)].name;
}

/// Bits of one element: 4 and 6 occur, so bytes would not do.
constexpr unsigned dtype_bits(DType dtype) noexcept {
    return detail::dtype_rows[static_cast<std::size_t>(dtype)].bits;
}

/// The type of that name, if there is one.
constexpr std::optional<DType> find_dtype(std::string_view name) noexcept {
    for (std::size_t i = 0; i < detail::dtype_rows.size(); ++i)
        if (detail::dtype_rows[i].name == name) return static_cast<DType>(i);
    return std::nullopt;
}

namespace detail {

inline std::string shape_text(std::span<std::uint64_t const> shape) {
    std::string out = "[";
    for (std::size_t i = 0; i < shape.size(); ++i) out += joined(i == 0 ? "" : ", ", shape[i]);
    return out + "]";
}

/// Bytes of a packed tensor. An error naming file and place: a rank past 16, a product past 64 bits (leaving
/// out zeros, so that no size hides behind an empty extent), bits that fill no whole byte.
inline std::uint64_t tensor_bytes(DType dtype, std::span<std::uint64_t const> shape, std::string const& file,
                                  std::string const& place) {
    if (shape.size() > max_rank)
        fail(Error{file, place, "a shape of at most 16 extents", std::to_string(shape.size())});
    std::uint64_t bits = dtype_bits(dtype);
    bool empty = false;
    for (std::uint64_t const extent : shape) {
        if (extent == 0) {
            empty = true;
        } else if (bits > std::numeric_limits<std::uint64_t>::max() / extent) {
            fail(Error{file, place, "a size in bits below 2^64",
                       joined(dtype_name(dtype), " ", shape_text(shape))});
        } else {
            bits *= extent;
        }
    }
    if (empty) return 0;
    if (bits % 8 != 0)
        fail(Error{file, place, "elements that fill whole bytes",
                   joined(dtype_name(dtype), " ", shape_text(shape))});
    return bits / 8;
}

} // namespace detail
} // namespace inlay::inline INLAY_ISA
