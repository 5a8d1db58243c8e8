// SPDX-License-Identifier: BSD-3-Clause
// Which column of a CSV file is which field.
#pragma once

#include <inlay/data/csv_reader.hpp>

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace inlay::inline INLAY_ISA {
namespace detail {

/// Where the columns stand that are wanted: first all of `names`, then all of `more`, where "" is the last
/// column.
///
/// A first row that holds every one of `names` is a header (without names, one that holds `more`). Otherwise
/// columns are found by CsvOptions::columns or, without these, a row has what is wanted in that order, and
/// `shape` says so.
struct CsvLayout {
    std::vector<std::size_t> places;  // of each column that is wanted, from 0
    std::vector<std::size_t> columns; // the same from 1, for people
    std::size_t width = 0;            // columns of every row; 0 where there is no row
    TextMark begin;                   // of the first row behind the header
    std::size_t bad = 0;              // rows skipped before it

    CsvLayout(Csv const& csv, std::string_view text, std::span<std::string const> names,
              std::span<std::string const> more, std::string_view shape) {
        char const separator = csv.options.separator;
        if (separator == '"' || separator == '\n' || separator == '\r')
            fail(Error{csv.path, "option separator", "neither a quote nor a line end",
                       in_quotes({&separator, 1})});
        if (csv.options.skip_lines < 0)
            fail(Error{csv.path, "option skip_lines", "0 or more", std::to_string(csv.options.skip_lines)});
        CsvReader reader{csv, text, {text.starts_with("\xEF\xBB\xBF") ? std::size_t{3} : 0, 0}};
        for (int i = 0; i < csv.options.skip_lines; ++i) reader.skip_line();
        begin = reader.next_mark();
        while (width == 0) {
            try {
                bool const header = reader.next() && settle(csv, reader, names, more, shape);
                begin = header || width == 0 ? reader.next_mark() : reader.begin();
                if (width == 0) return;
            } catch (LastRow const&) { throw; } catch (BadRow const&) {
                if (!csv.options.skip_bad_rows) throw;
                ++bad;
            }
        }
    }

private:
    static bool holds(std::span<std::string_view const> cells, std::string_view name) {
        return std::ranges::find(cells, name) != cells.end();
    }

    /// True if the row is a header.
    bool settle(Csv const& csv, CsvReader const& reader, std::span<std::string const> names,
                std::span<std::string const> more, std::string_view shape) {
        std::span<std::string_view const> const cells = reader.fields();
        auto const absent = [&](std::string const& name) { return !holds(cells, name); };
        auto const lacking = std::ranges::find_if(names, absent);
        bool const header = names.empty() ? std::ranges::none_of(more, absent) : lacking == names.end();
        std::vector<std::string_view> const given(csv.options.columns.begin(), csv.options.columns.end());
        std::size_t const wanted = names.size() + more.size();
        std::string expected;
        if (header || !given.empty()) {
            auto const titles = header ? cells : std::span{given};
            std::string const place = header ? joined("line ", reader.line()) : std::string{"option columns"};
            std::vector<std::size_t> found;
            for (auto const* list : {&names, &more})
                for (std::string const& name : *list)
                    found.push_back(list == &more && name.empty() ? titles.size() - 1
                                                                  : locate(csv.path, place, titles, name));
            expected = joined(titles.size(), " columns");
            if (cells.size() == titles.size()) places = std::move(found);
        } else {
            bool const nearly = !names.empty() && !std::ranges::all_of(names, absent);
            expected = joined(wanted, " columns (", shape, ")");
            if (nearly) expected += joined(" or a header with ", in_quotes(*lacking));
            if (cells.size() == wanted) {
                places.resize(wanted);
                std::iota(places.begin(), places.end(), std::size_t{0});
            }
        }
        if (places.empty())
            throw BadRow{csv.path, reader.line(), 0, std::move(expected), std::to_string(cells.size())};
        width = cells.size();
        for (std::size_t const place : places) columns.push_back(place + 1);
        return header;
    }

    static std::size_t locate(std::string const& file, std::string const& place,
                              std::span<std::string_view const> titles, std::string const& name) {
        auto const times = std::ranges::count(titles, name);
        if (times != 1)
            fail(Error{file, place, joined("one column named ", in_quotes(name)), std::to_string(times)});
        return static_cast<std::size_t>(std::ranges::find(titles, name) - titles.begin());
    }
};

} // namespace detail
} // namespace inlay::inline INLAY_ISA
