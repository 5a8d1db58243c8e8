// SPDX-License-Identifier: BSD-3-Clause
// The rows of a CSV file, one at a time: quotes, blanks, line ends. What columns mean is in csv.hpp.
#pragma once

#include <inlay/core/error.hpp>
#include <inlay/io/text.hpp>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <fstream>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace inlay::inline INLAY_ISA {

/// How a CSV file is written. Fields are text after blanks around them are trimmed and quotes are taken off.
struct CsvOptions {
    int skip_lines = 0;                           ///< lines to pass over before anything else
    char separator = ',';                         ///< any byte but a quote and a line end
    std::vector<std::string> missing = {"?", ""}; ///< texts that stand for no value; {} makes them values
    bool skip_bad_rows = false;                   ///< count bad rows instead of throwing on the first
};

/// A CSV file to read: `Csv{"train.csv"}` or `Csv{"train.csv", {.skip_lines = 1}}`.
struct Csv {
    std::string path;
    CsvOptions options = {};
};

namespace detail {

/// A row that cannot be used, as opposed to a file that cannot: only this may be skipped and counted.
class BadRow : public Error {
public:
    BadRow(std::string const& file, std::size_t line, std::size_t column, std::string expected,
           std::string found)
        : Error(file, place(line, column), std::move(expected), std::move(found)) {}

private:
    static std::string place(std::size_t line, std::size_t column) {
        return column == 0 ? joined("line ", line) : joined("line ", line, ", column ", column);
    }
};

class CsvReader {
public:
    explicit CsvReader(Csv const& csv) : csv_(csv) {
        char const separator = csv.options.separator;
        if (separator == '"' || separator == '\n' || separator == '\r')
            fail(Error{csv.path, "option separator", "neither a quote nor a line end",
                       in_quotes({&separator, 1})});
        if (csv.options.skip_lines < 0)
            fail(Error{csv.path, "option skip_lines", "0 or more", std::to_string(csv.options.skip_lines)});
        errno = 0;
        stream_.open(csv.path, std::ios::binary);
        if (!stream_) unreadable();
        for (int i = 0; i < csv.options.skip_lines && get_line(); ++i) {}
    }
    CsvReader(CsvReader const&) = delete;
    CsvReader& operator=(CsvReader const&) = delete;

    /// Goes to the next line that is not empty; false at the end of the file. Throws BadRow for a row that
    /// breaks the rules of quotes, after which the next call goes on with the next line.
    bool next() {
        while (get_line()) {
            if (skip_blanks(0) == text_.size()) continue;
            line_ = lines_;
            split();
            return true;
        }
        return false;
    }

    /// Valid until next().
    std::vector<std::string_view> const& fields() const noexcept { return fields_; }
    /// The line on which the row begins, from 1.
    std::size_t line() const noexcept { return line_; }

private:
    struct Cell {
        std::size_t begin, end;
    };

    [[noreturn]] void bad(std::string expected, std::string_view found) const {
        throw BadRow{csv_.path, line_, cells_.size() + 1, std::move(expected), in_quotes(found)};
    }
    [[noreturn]] void unreadable() const {
        fail(Error{csv_.path, "", "a file to read",
                   std::generic_category().message(errno == 0 ? EIO : errno)});
    }

    bool get_line() {
        errno = 0;
        if (!std::getline(stream_, text_)) {
            if (stream_.bad()) unreadable();
            return false;
        }
        ++lines_;
        if (lines_ == 1 && text_.starts_with("\xEF\xBB\xBF")) text_.erase(0, 3); // the mark of UTF-8
        strip_return();
        return true;
    }
    void strip_return() {
        return_ = text_.ends_with('\r');
        if (return_) text_.pop_back();
    }

    /// Appends the next line, for a quote that goes on there.
    void continue_line() {
        std::string more;
        errno = 0;
        if (!std::getline(stream_, more)) {
            if (stream_.bad()) unreadable();
            // No bad row: nobody can say how many rows the open quote has swallowed.
            fail(Error{csv_.path, joined("line ", line_, ", column ", cells_.size() + 1), "a closing quote",
                       "the end of the file"});
        }
        ++lines_;
        text_ += return_ ? "\r\n" : "\n";
        text_ += more;
        strip_return();
    }

    bool is_blank(char c) const noexcept { return (c == ' ' || c == '\t') && c != csv_.options.separator; }
    std::size_t skip_blanks(std::size_t at) const noexcept {
        while (at < text_.size() && is_blank(text_[at])) ++at;
        return at;
    }

    void split() {
        cells_.clear();
        for (std::size_t at = 0;; ++at) {
            at = skip_blanks(at);
            cells_.push_back(at < text_.size() && text_[at] == '"' ? quoted_cell(at) : plain_cell(at));
            if (at == text_.size()) break;
        }
        if (auto const zero = text_.find('\0'); zero != std::string::npos)
            throw BadRow{csv_.path, line_, 0, "text without zero bytes (UTF-8)", "a zero byte"};
        fields_.clear();
        for (Cell const& cell : cells_)
            fields_.push_back(std::string_view{text_}.substr(cell.begin, cell.end - cell.begin));
    }

    // Both leave `at` on the separator after the cell, or at the end of the row.
    Cell plain_cell(std::size_t& at) const {
        std::size_t const begin = at;
        at = std::min(text_.find(csv_.options.separator, begin), text_.size());
        std::size_t end = at;
        while (end > begin && is_blank(text_[end - 1])) --end;
        std::string_view const cell = std::string_view{text_}.substr(begin, end - begin);
        if (cell.find('"') != std::string_view::npos)
            bad("quotes around the whole field and doubled inside", cell);
        return {begin, end};
    }

    Cell quoted_cell(std::size_t& at) {
        std::size_t const begin = ++at;
        std::size_t end = begin; // doubled quotes are halved in place
        for (;;) {
            if (at == text_.size()) {
                continue_line();
            } else if (text_[at] == '"') {
                ++at;
                if (at == text_.size() || text_[at] != '"') break;
            }
            if (at < text_.size()) text_[end++] = text_[at++];
        }
        at = skip_blanks(at);
        if (at < text_.size() && text_[at] != csv_.options.separator)
            bad("a separator after the closing quote", std::string_view{text_}.substr(at));
        return {begin, end};
    }

    Csv const& csv_;
    std::ifstream stream_;
    std::string text_;
    std::vector<Cell> cells_;
    std::vector<std::string_view> fields_;
    std::size_t lines_ = 0, line_ = 0;
    bool return_ = false; // the last line ended in CR LF
};

} // namespace detail
} // namespace inlay::inline INLAY_ISA
