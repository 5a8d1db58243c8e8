// SPDX-License-Identifier: BSD-3-Clause
// Where in a text of rows something stands, and how it is said that a row is bad.
#pragma once

#include <inlay/core/error.hpp>
#include <inlay/core/joined.hpp>
#include <inlay/io/text.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace inlay::inline INLAY_ISA {
namespace detail {

/// Between two rows of a text: the byte, and the lines before it.
struct TextMark {
    std::size_t at = 0, lines = 0;
};

/// A row that cannot be used, as opposed to a file that cannot: only this may be skipped and counted.
class BadRow : public Error {
public:
    /// Line and column from 1; column 0 for what is wrong with the row as a whole.
    BadRow(std::string const& file, std::size_t line, std::size_t column, std::string expected,
           std::string found)
        : Error(file, place(line, column), std::move(expected), std::move(found)), line_(line),
          column_(column) {}

    /// The same error where the file has so many lines before the piece that was parsed.
    BadRow after(std::size_t lines) const { return {file(), line_ + lines, column_, expected(), found()}; }

private:
    static std::string place(std::size_t line, std::size_t column) {
        return column == 0 ? joined("line ", line) : joined("line ", line, ", column ", column);
    }
    std::size_t line_, column_;
};

/// A row after which the file makes no sense: it cannot be skipped.
class LastRow : public BadRow {
public:
    using BadRow::BadRow;
};

} // namespace detail
} // namespace inlay::inline INLAY_ISA
