// SPDX-License-Identifier: BSD-3-Clause
// A JSON value, and how it is written as text.
#pragma once

#include <inlay/core/error.hpp>
#include <inlay/io/text.hpp>

#include <charconv>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

namespace inlay::inline INLAY_ISA {
namespace detail {

struct JsonMember;

/// One JSON value. Parsing makes a number without dot and exponent an uint64_t, or an int64_t if it is
/// negative; one that fits in neither, `-0` and every other number become a double.
struct Json {
    using Array = std::vector<Json>;
    using Object = std::vector<JsonMember>; ///< in the order of the text
    std::variant<std::nullptr_t, bool, std::uint64_t, std::int64_t, double, std::string, Array, Object> value;

    /// The value if it is exactly a T, else null.
    template <class T> T const* get() const noexcept { return std::get_if<T>(&value); }
    /// Any kind of number, rounded to double.
    std::optional<double> number() const noexcept {
        if (auto const* real = get<double>()) return *real;
        if (auto const* whole = get<std::uint64_t>()) return static_cast<double>(*whole);
        if (auto const* negative = get<std::int64_t>()) return static_cast<double>(*negative);
        return std::nullopt;
    }
    /// The member of that name; null if there is none or if this is no object.
    inline Json const* find(std::string_view name) const noexcept;
};

struct JsonMember {
    std::string name;
    Json value;
};

inline Json const* Json::find(std::string_view name) const noexcept {
    if (auto const* object = get<Object>())
        for (JsonMember const& member : *object)
            if (member.name == name) return &member.value;
    return nullptr;
}

/// Appends text in quotes. Text that is not UTF-8 cannot be JSON and is an error.
inline void append_json(std::string& out, std::string_view text) {
    constexpr char const* digits = "0123456789abcdef";
    if (!is_utf8(text)) fail(Error{"", "JSON text", "UTF-8", in_quotes(text)});
    out += '"';
    for (char const c : text) {
        auto const byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            (out += '\\') += c;
        } else if (byte < 0x20U) {
            ((out += "\\u00") += digits[byte >> 4U]) += digits[byte & 15U];
        } else {
            out += c;
        }
    }
    out += '"';
}

/// Appends a number. A double gets the fewest digits that parse back to the same bits; one that is not finite
/// is an error.
template <class T>
    requires((std::integral<T> || std::floating_point<T>) && !std::same_as<T, bool> && !std::same_as<T, char>)
void append_json(std::string& out, T number) {
    if constexpr (std::floating_point<T>)
        if (!std::isfinite(number)) fail(Error{"", "JSON number", "a finite number", std::to_string(number)});
    char digits[40];
    auto const end = std::to_chars(digits, digits + sizeof digits, number).ptr;
    out.append(digits, end);
}

/// Appends any value, without blanks between the tokens.
inline void append_json(std::string& out, Json const& json) {
    char const* comma = "";
    if (auto const* array = json.get<Json::Array>()) {
        out += '[';
        for (Json const& item : *array) {
            out += comma, comma = ",";
            append_json(out, item);
        }
        out += ']';
    } else if (auto const* object = json.get<Json::Object>()) {
        out += '{';
        for (JsonMember const& member : *object) {
            out += comma, comma = ",";
            append_json(out, std::string_view{member.name});
            out += ':';
            append_json(out, member.value);
        }
        out += '}';
    } else {
        std::visit(
            [&](auto const& leaf) {
                using T = std::remove_cvref_t<decltype(leaf)>;
                if constexpr (std::same_as<T, std::nullptr_t>) {
                    out += "null";
                } else if constexpr (std::same_as<T, bool>) {
                    out += leaf ? "true" : "false";
                } else if constexpr (std::same_as<T, std::string>) {
                    append_json(out, std::string_view{leaf});
                } else if constexpr (std::is_arithmetic_v<T>) {
                    append_json(out, leaf);
                }
            },
            json.value);
    }
}

inline std::string to_json(Json const& json) {
    std::string out;
    append_json(out, json);
    return out;
}

} // namespace detail
} // namespace inlay::inline INLAY_ISA
