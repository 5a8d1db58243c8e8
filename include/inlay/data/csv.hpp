// SPDX-License-Identifier: BSD-3-Clause
// CSV files as rows of a record with a label.
#pragma once

#include <inlay/data/csv_reader.hpp>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace inlay::inline INLAY_ISA {

/// Whether a field stands for no value.
inline bool is_missing(CsvOptions const& options, std::string_view text) noexcept {
    return std::ranges::find(options.missing, text) != options.missing.end();
}

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
    double value = 0;
    char const* const end = text.data() + text.size();
    auto const read = std::from_chars(text.data(), end, value);
    if (read.ec != std::errc{} || read.ptr != end) return std::nullopt;
    return value;
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
    /// The field as a number; anything else makes the row bad.
    double number(std::size_t field) const {
        std::optional<double> const value = parse_number(fields[field]);
        if (!value) bad(field, "a number");
        return *value;
    }
};

struct CsvCounts {
    std::size_t rows = 0; ///< handed out and kept
    std::size_t bad = 0;  ///< skipped because of skip_bad_rows
};

namespace detail {

/// Which column of a row is which field; settled by the first row.
struct CsvColumns {
    std::vector<std::size_t> places; // from 0, in the record's order, the label last
    std::size_t width = 0;           // fields of every row; 0 until settled

    /// True if the row is a header. Without one a row must have the fields and the label, no more.
    bool settle(Csv const& csv, CsvReader const& reader, std::span<std::string const> names,
                std::string const& label) {
        auto const& cells = reader.fields();
        auto const absent = [&](std::string const& name) {
            return std::ranges::find(cells, name) == cells.end();
        };
        auto const lacking = std::ranges::find_if(names, absent);
        bool const header = names.empty() ? !absent(label) : lacking == names.end();
        if (header) {
            for (std::string const& name : names) places.push_back(locate(csv, reader, name));
            places.push_back(label.empty() ? cells.size() - 1 : locate(csv, reader, label));
        } else {
            std::string expected = std::to_string(names.size() + 1) + " columns (the fields and the label)";
            bool const nearly = !names.empty() && !std::ranges::all_of(names, absent);
            if (nearly) expected += joined(" or a header with ", in_quotes(*lacking));
            if (cells.size() != names.size() + 1)
                throw BadRow{csv.path, reader.line(), 0, std::move(expected), std::to_string(cells.size())};
            places.resize(cells.size());
            std::iota(places.begin(), places.end(), std::size_t{0});
        }
        width = cells.size();
        return header;
    }

private:
    static std::size_t locate(Csv const& csv, CsvReader const& reader, std::string const& name) {
        auto const& cells = reader.fields();
        auto const times = std::ranges::count(cells, name);
        if (times != 1)
            fail(Error{csv.path, joined("line ", reader.line()), joined("one column named ", in_quotes(name)),
                       std::to_string(times)});
        return static_cast<std::size_t>(std::ranges::find(cells, name) - cells.begin());
    }
};

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
    detail::CsvReader reader{csv};
    detail::CsvColumns columns;
    CsvCounts counts;
    std::vector<std::string_view> fields(names.size() + 1);
    std::vector<std::size_t> numbers;
    for (;;) {
        try {
            if (!reader.next()) return counts;
            auto const& cells = reader.fields();
            if (columns.width == 0) {
                bool const header = columns.settle(csv, reader, names, label);
                for (std::size_t const place : columns.places) numbers.push_back(place + 1);
                if (header) continue;
            }
            if (cells.size() != columns.width)
                throw detail::BadRow{csv.path, reader.line(), 0, std::to_string(columns.width) + " columns",
                                     std::to_string(cells.size())};
            for (std::size_t i = 0; i < fields.size(); ++i) fields[i] = cells[columns.places[i]];
            on_row(CsvRow{csv.path, reader.line(), fields, numbers});
            ++counts.rows;
        } catch (detail::BadRow const&) {
            if (!csv.options.skip_bad_rows) throw;
            ++counts.bad;
        }
    }
}

} // namespace inlay::inline INLAY_ISA
