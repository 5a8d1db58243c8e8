// SPDX-License-Identifier: BSD-3-Clause
// UTF-8 and how text from a file is shown in a message.
#pragma once

#include <inlay/core/joined.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

namespace inlay::inline INLAY_ISA {
namespace detail {

/// Bytes of the UTF-8 sequence that begins at `at`; 0 where the bytes are not UTF-8 (overlong forms,
/// surrogates and values past U+10FFFF are not).
inline std::size_t utf8_length(std::string_view text, std::size_t at) noexcept {
    auto const byte = [&](std::size_t i) -> unsigned {
        return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
    };
    auto const continues = [&](std::size_t i) { return (byte(i) & 0xC0U) == 0x80U; };
    unsigned const first = byte(at), second = byte(at + 1);
    if (first < 0x80U) return 1;
    if (first < 0xC2U || first > 0xF4U || !continues(at + 1)) return 0;
    if (first < 0xE0U) return 2;
    if (!continues(at + 2)) return 0;
    if (first < 0xF0U) {
        bool const overlong = first == 0xE0U && second < 0xA0U, surrogate = first == 0xEDU && second > 0x9FU;
        return overlong || surrogate ? 0 : 3;
    }
    bool const overlong = first == 0xF0U && second < 0x90U, too_large = first == 0xF4U && second > 0x8FU;
    return overlong || too_large || !continues(at + 3) ? 0 : 4;
}

inline bool is_utf8(std::string_view text) noexcept {
    for (std::size_t at = 0; at < text.size();) {
        if (static_cast<unsigned char>(text[at]) < 0x80U) {
            ++at;
            continue;
        }
        std::size_t const length = utf8_length(text, at);
        if (length == 0) return false;
        at += length;
    }
    return true;
}

/// Appends the UTF-8 of a code point, which must not be a surrogate.
inline void append_utf8(std::string& out, unsigned code) {
    auto const put = [&](unsigned byte) { out += static_cast<char>(static_cast<unsigned char>(byte)); };
    if (code < 0x80U) {
        put(code);
    } else if (code < 0x800U) {
        put(0xC0U | (code >> 6U)), put(0x80U | (code & 0x3FU));
    } else if (code < 0x10000U) {
        put(0xE0U | (code >> 12U)), put(0x80U | ((code >> 6U) & 0x3FU)), put(0x80U | (code & 0x3FU));
    } else {
        put(0xF0U | (code >> 18U)), put(0x80U | ((code >> 12U) & 0x3FU));
        put(0x80U | ((code >> 6U) & 0x3FU)), put(0x80U | (code & 0x3FU));
    }
}

/// Text in quotes for a message: on one line, control and foreign bytes as \xNN, cut after `limit` bytes.
inline std::string in_quotes(std::string_view text, std::size_t limit = 60) {
    constexpr char const* digits = "0123456789ABCDEF";
    std::string out = "\"";
    std::size_t at = 0;
    while (at < std::min(text.size(), limit)) {
        auto const byte = static_cast<unsigned char>(text[at]);
        std::size_t const length = utf8_length(text, at);
        if (length == 0 || byte < 0x20U || byte == 0x7FU) {
            out += "\\x";
            out += digits[byte >> 4U];
            out += digits[byte & 15U];
            ++at;
            continue;
        }
        if (byte == '"' || byte == '\\') out += '\\';
        out += text.substr(at, length);
        at += length;
    }
    return out += at < text.size() ? "\"..." : "\"";
}

} // namespace detail
} // namespace inlay::inline INLAY_ISA
