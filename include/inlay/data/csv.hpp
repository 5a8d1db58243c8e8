// SPDX-License-Identifier: BSD-3-Clause
// CSV files as rows of a record with a label.
#pragma once

#include <inlay/data/csv_layout.hpp>
#include <inlay/data/numbers.hpp>
#include <inlay/data/pieces.hpp>
#include <inlay/io/mapped_file.hpp>

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace inlay::inline INLAY_ISA {

/// Whether a field stands for no value.
inline bool is_missing(CsvOptions const& options, std::string_view text) noexcept {
    return std::ranges::any_of(options.missing, [&](std::string_view other) {
        return other.size() == text.size() && (text.empty() || (other[0] == text[0] && other == text));
    });
}

/// One row as read_csv hands it out; its texts are valid during the call only.
struct CsvRow {
    std::string const& file;
    std::size_t line;                         ///< where the row begins, from 1
    std::span<std::string_view const> fields; ///< in the record's order, the label last
    std::span<std::size_t const> columns;     ///< of each field, from 1: its place among the row's fields

    /// Throws the error of a bad row: "FILE: line L, column C: expected EXPECTED, found THE FIELD".
    [[noreturn]] void bad(std::size_t field, std::string expected) const {
        throw detail::BadRow{file, line, columns[field], std::move(expected),
                             detail::in_quotes(fields[field])};
    }
    /// The field as a number that float can hold; anything else makes the row bad.
    double number(std::size_t field) const {
        std::optional<double> const value = parse_number(fields[field]);
        if (!value) bad(field, "a number");
        if (!detail::fits_float(*value)) bad(field, "a number that float can hold");
        return *value;
    }
};

struct CsvCounts {
    std::size_t rows = 0; ///< handed out and kept
    std::size_t bad = 0;  ///< skipped because of skip_bad_rows
};

namespace detail {
/// Calls on_row(CsvRow) for the rows that begin in [from, stop) of a text.
template <class F>
void read_rows(Csv const& csv, CsvLayout const& layout, std::string_view text, TextMark from,
               std::size_t stop, Piece& piece, F&& on_row) {
    CsvReader reader{csv, text, from};
    std::vector<std::string_view> fields(layout.places.size());
    for (bool more = true; more;) {
        try {
            more = reader.next(stop);
            if (!more) break;
            auto const& cells = reader.fields();
            if (cells.size() != layout.width)
                throw BadRow{csv.path, reader.line(), 0, std::to_string(layout.width) + " columns",
                             std::to_string(cells.size())};
            for (std::size_t i = 0; i < fields.size(); ++i) fields[i] = cells[layout.places[i]];
            on_row(CsvRow{csv.path, reader.line(), fields, layout.columns});
        } catch (LastRow const&) { throw; } catch (BadRow const&) {
            if (!csv.options.skip_bad_rows) throw;
            ++piece.bad;
        }
    }
    piece.end = reader.next_mark();
}
} // namespace detail

/// Reads a CSV file row by row: `on_row(CsvRow const&)` for each, in order. Lines that are empty or blank are
/// no rows. If the first row holds every name it is a header: columns are then found by name, others are
/// ignored, and the label is the column `label` (the last one if `label` is empty). Otherwise a row is the
/// fields in order and then the label.
///
/// A bad row is an Error with "line L, column C" (both from 1, C counts fields): broken quotes, another
/// number of fields than the first row, or whatever on_row calls CsvRow::bad or CsvRow::number for. With
/// skip_bad_rows it is counted instead, so on_row must check a row before it keeps any of it. A file that
/// cannot be read, a header without the label or with a name twice, and a quote open at the end of the file
/// are errors in any case. Rows handed out before an error are the caller's to discard.
template <class F>
CsvCounts read_csv(Csv const& csv, std::span<std::string const> names, std::string const& label, F&& on_row) {
    MappedFile const file{csv.path};
    detail::CsvLayout const layout{csv, file.text(), names, std::span{&label, 1}, "the fields and the label"};
    detail::Piece piece;
    CsvCounts counts;
    detail::read_rows(csv, layout, file.text(), layout.begin, file.text().size(), piece,
                      [&](CsvRow const& row) {
                          on_row(row);
                          ++counts.rows;
                      });
    counts.bad = layout.bad + piece.bad;
    return counts;
}

} // namespace inlay::inline INLAY_ISA
