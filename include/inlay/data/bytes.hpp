// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <inlay/core/joined.hpp>
#include <inlay/core/rows_tokens.hpp>
#include <inlay/io/mapped_file.hpp>

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

/// A file as a text of bytes: every byte is an id. Throws Error for a file that cannot be read or has fewer
/// than two bytes, for a byte that is not below V (with its offset, from 0), and for a share outside [0, 1).
template <class Input> Text<Input> read_bytes(std::string const& path, Split split = {}) {
    static_assert(is_ids<Input>, "inlay: read_bytes wants Tokens<T, V>");
    if (!(split.validation >= 0 && split.validation < 1))
        detail::fail(
            Error(path, "option validation", "a share from 0 to below 1", std::to_string(split.validation)));
    MappedFile const file{path};
    std::string_view const bytes = file.text();
    if (bytes.size() < 2) detail::fail(Error(path, "", "at least two bytes", std::to_string(bytes.size())));
    Rows<Input> all;
    all.id.reserve(bytes.size());
    for (char const byte : bytes) {
        auto const id = std::int32_t(static_cast<unsigned char>(byte));
        if (id >= Input::vocabulary)
            detail::fail(Error(path, detail::joined("byte ", all.id.size()),
                               detail::joined("a byte below ", Input::vocabulary), std::to_string(id)));
        all.id.push_back(id);
    }
    auto parts = all.split(split.validation);
    return {std::move(parts.first), std::move(parts.second)};
}

} // namespace inlay::inline INLAY_ISA
