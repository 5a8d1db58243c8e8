// SPDX-License-Identifier: BSD-3-Clause
// Texts of ids: bytes, packed numbers, or numbers between blanks.
#pragma once

#include <inlay/core/joined.hpp>
#include <inlay/core/rows_tokens.hpp>
#include <inlay/data/numbers.hpp>
#include <inlay/io/mapped_file.hpp>
#include <inlay/io/scalars.hpp>
#include <inlay/io/text.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace inlay::inline INLAY_ISA {

/// How a text is parted: its last share is for validation.
struct Split {
    double validation = 0.1;
};

/// A text in two parts.
template <class Input> struct Text {
    Rows<Input> train, validation;
};

/// How the ids of a text stand in its file.
enum class TokenFormat {
    bytes,  ///< each byte is one
    uint16, ///< two bytes each, the low one first
    uint32, ///< four bytes each, the low one first
    text    ///< decimal numbers between blanks and line ends
};

namespace detail {
template <std::unsigned_integral U, int V>
void append_packed(std::vector<std::int32_t>& ids, std::string const& path, std::string_view bytes) {
    if (bytes.size() % sizeof(U) != 0)
        fail(Error(path, "", joined("a multiple of ", sizeof(U), " bytes"), std::to_string(bytes.size())));
    auto const* const data = reinterpret_cast<std::byte const*>(bytes.data());
    ids.reserve(bytes.size() / sizeof(U));
    for (std::size_t at = 0; at < bytes.size(); at += sizeof(U)) {
        auto const id = load_little<U>(data + at);
        if (id >= std::uint64_t(V))
            fail(Error(path, joined("byte ", at),
                       joined(sizeof(U) == 1 ? "a byte below " : "an id below ", V), std::to_string(id)));
        ids.push_back(std::int32_t(id));
    }
}
template <int V>
void append_words(std::vector<std::int32_t>& ids, std::string const& path, std::string_view text) {
    std::size_t line = 1, column = 0;
    for (std::size_t at = 0; at < text.size();) {
        char const c = text[at];
        if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
            if (c == '\n') ++line, column = 0;
            ++at;
            continue;
        }
        ++column;
        auto const word = text.substr(at, text.find_first_of(" \t\r\n", at) - at);
        auto const id = parse_index(word);
        if (!id || *id >= std::uint64_t(V))
            fail(Error(path, joined("line ", line, ", column ", column), joined("an id from 0 to ", V - 1),
                       in_quotes(word)));
        ids.push_back(std::int32_t(*id));
        at += word.size();
    }
}
} // namespace detail

/// A file as a text of ids. Throws Error for a file that cannot be read or has fewer than two ids, for packed
/// ids with bytes left over, for what is no id below V (with its byte from 0, or line and column from 1,
/// where columns count ids), and for a share outside [0, 1).
template <class Input>
Text<Input> read_tokens(std::string const& path, TokenFormat format, Split split = {}) {
    static_assert(is_ids<Input>, "inlay: read_tokens wants Tokens<T, V>");
    if (!(split.validation >= 0 && split.validation < 1))
        detail::fail(
            Error(path, "option validation", "a share from 0 to below 1", std::to_string(split.validation)));
    constexpr int V = Input::vocabulary;
    MappedFile const file{path};
    Rows<Input> all;
    switch (format) {
    case TokenFormat::bytes:
        detail::append_packed<std::uint8_t, V>(all.id, path, file.text());
        break;
    case TokenFormat::uint16:
        detail::append_packed<std::uint16_t, V>(all.id, path, file.text());
        break;
    case TokenFormat::uint32:
        detail::append_packed<std::uint32_t, V>(all.id, path, file.text());
        break;
    case TokenFormat::text:
        detail::append_words<V>(all.id, path, file.text());
        break;
    }
    if (all.id.size() < 2)
        detail::fail(Error(path, "", format == TokenFormat::bytes ? "at least two bytes" : "at least two ids",
                           std::to_string(all.id.size())));
    auto parts = all.split(split.validation);
    return {std::move(parts.first), std::move(parts.second)};
}

/// A file as a text of bytes: every byte is an id.
template <class Input> Text<Input> read_bytes(std::string const& path, Split split = {}) {
    static_assert(is_ids<Input>, "inlay: read_bytes wants Tokens<T, V>");
    return read_tokens<Input>(path, TokenFormat::bytes, split);
}

} // namespace inlay::inline INLAY_ISA
