// SPDX-License-Identifier: BSD-3-Clause
// Numbers that stand in files of text.
#pragma once

#include <inlay/config.hpp>

#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>
#include <system_error>

namespace inlay::inline INLAY_ISA {

/// A decimal number that fills the text: "3", "-.5", "+1e-3". None for anything else: words such as inf and
/// nan, hexadecimal, blanks, trailing text, a decimal comma, a size that double cannot hold.
inline std::optional<double> parse_number(std::string_view text) noexcept {
    if (text.starts_with('+')) {
        text.remove_prefix(1);
        if (text.starts_with('-')) return std::nullopt;
    }
    std::size_t const sign = text.starts_with('-') ? 1 : 0;
    if (text.size() <= sign || !((text[sign] >= '0' && text[sign] <= '9') || text[sign] == '.'))
        return std::nullopt;
    if (text.size() <= 15) { // a whole number that double holds exactly: most of what stands in files
        std::int64_t whole = 0;
        std::size_t i = sign;
        while (i < text.size() && text[i] >= '0' && text[i] <= '9') whole = 10 * whole + (text[i++] - '0');
        if (i == text.size()) return sign ? -double(whole) : double(whole);
    }
    double value = 0;
    char const* const end = text.data() + text.size();
    auto const read = std::from_chars(text.data(), end, value);
    if (read.ec != std::errc{} || read.ptr != end) return std::nullopt;
    return value;
}

namespace detail {
inline bool fits_float(double x) noexcept { return std::abs(x) <= double(std::numeric_limits<float>::max()); }

inline std::optional<float> parse_float(std::string_view text) noexcept {
    auto const x = parse_number(text);
    if (!x || !fits_float(*x)) return std::nullopt;
    return float(*x);
}
/// Digits and nothing else.
inline std::optional<std::uint64_t> parse_index(std::string_view text) noexcept {
    std::uint64_t value = 0;
    char const* const end = text.data() + text.size();
    auto const read = std::from_chars(text.data(), end, value);
    if (read.ec != std::errc{} || read.ptr != end) return std::nullopt;
    return value;
}
} // namespace detail

} // namespace inlay::inline INLAY_ISA
