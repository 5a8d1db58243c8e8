// SPDX-License-Identifier: BSD-3-Clause
// The rows of a CSV text, one at a time: quotes, blanks, line ends. What columns mean is in csv.hpp.
#pragma once

#include <inlay/data/row_error.hpp>

#include <algorithm>
#include <cstddef>
#include <deque>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace inlay::inline INLAY_ISA {

namespace detail {
// A function, since GCC 12 breaks down over the list as a default where a template makes a Csv.
inline std::vector<std::string> usual_missing() { return {"?", ""}; }
} // namespace detail

/// How a CSV file is written. Fields are text after blanks around them are trimmed and quotes are taken off.
struct CsvOptions {
    int skip_lines = 0;                    ///< lines to pass over before anything else
    char separator = ',';                  ///< any byte but a quote and a line end
    bool quotes = true;                    ///< false: a quote is a byte like any other
    std::vector<std::string> columns = {}; ///< their names, in order, for a file without a header
    /// Texts that stand for no value: `?` and the empty one. {} makes them values.
    std::vector<std::string> missing = detail::usual_missing();
    bool skip_bad_rows = false;  ///< count bad rows instead of throwing on the first
    std::size_t piece = 1 << 20; ///< bytes parsed at a time, by each worker; no result depends on it
};

/// A CSV file to read: `Csv{"train.csv"}` or `Csv{"train.csv", {.skip_lines = 1}}`.
struct Csv {
    std::string path;
    CsvOptions options = {};
};

/// A file of columns between tabs, without quotes (as text/tab-separated-values has it): what takes a Csv
/// takes `Tsv{"train.tsv"}` or `Tsv{"train.tsv", {.missing = {"NULL"}}}`.
struct Tsv {
    std::string path;
    CsvOptions options = {};
    operator Csv() const {
        Csv csv{path, options};
        csv.options.separator = '\t';
        csv.options.quotes = false;
        return csv;
    }
};

namespace detail {

/// Rows of a text from a mark on.
class CsvReader {
public:
    CsvReader(Csv const& csv, std::string_view text, TextMark from) : csv_(csv), text_(text), next_(from) {}
    CsvReader(CsvReader const&) = delete;
    CsvReader& operator=(CsvReader const&) = delete;

    void skip_line() { take_line(); }
    /// Goes to the next line that is not blank; false if there is none that begins before `stop`. Throws
    /// BadRow for a row that breaks the rules of quotes, after which the next call goes on with the next
    /// line.
    bool next(std::size_t stop = std::string_view::npos) {
        while (next_.at < text_.size() && next_.at < stop) {
            begin_ = next_.at;
            line_ = next_.lines + 1;
            std::size_t at = begin_;
            take_line();
            if (skip_blanks(at); at == end_) continue;
            split();
            return true;
        }
        return false;
    }

    /// Valid until next().
    std::vector<std::string_view> const& fields() const noexcept { return fields_; }
    /// The line on which the row begins, from 1.
    std::size_t line() const noexcept { return line_; }
    /// Where the row begins, and where the next one may.
    TextMark begin() const noexcept { return {begin_, line_ - 1}; }
    TextMark next_mark() const noexcept { return next_; }

private:
    /// The next line becomes the end of the row: [begin_, end_).
    void take_line() {
        std::size_t const end = std::min(text_.find('\n', next_.at), text_.size());
        end_ = end > next_.at && text_[end - 1] == '\r' ? end - 1 : end;
        next_ = {std::min(end + 1, text_.size()), next_.lines + 1};
    }

    bool is_blank(char c) const noexcept { return (c == ' ' || c == '\t') && c != csv_.options.separator; }
    void skip_blanks(std::size_t& at) const noexcept {
        while (at < end_ && is_blank(text_[at])) ++at;
    }

    void split() {
        fields_.clear();
        unescaped_.clear();
        for (std::size_t at = begin_;; ++at) {
            skip_blanks(at);
            bool const quoted = csv_.options.quotes && at < end_ && text_[at] == '"';
            fields_.push_back(quoted ? quoted_cell(at) : plain_cell(at));
            if (at == end_) break;
        }
        if (text_.substr(begin_, end_ - begin_).find('\0') != std::string_view::npos)
            throw BadRow{csv_.path, line_, 0, "text without zero bytes (UTF-8)", "a zero byte"};
    }

    // Both leave `at` on the separator after the cell, or at the end of the row.
    std::string_view plain_cell(std::size_t& at) const {
        char const separator = csv_.options.separator;
        std::size_t const begin = at;
        bool quote = false;
        for (; at < end_ && text_[at] != separator; ++at) quote |= text_[at] == '"';
        std::size_t end = at;
        while (end > begin && is_blank(text_[end - 1])) --end;
        std::string_view const cell = text_.substr(begin, end - begin);
        if (quote && csv_.options.quotes)
            throw BadRow{csv_.path, line_, fields_.size() + 1,
                         "quotes around the whole field and doubled inside", in_quotes(cell)};
        return cell;
    }
    std::string_view quoted_cell(std::size_t& at) {
        std::size_t const begin = ++at;
        bool doubled = false;
        for (;; at += 2, doubled = true) {
            at = text_.find('"', at);
            if (at == std::string_view::npos)
                throw LastRow{csv_.path, line_, fields_.size() + 1, "a closing quote", "the end of the file"};
            if (at + 1 == text_.size() || text_[at + 1] != '"') break;
        }
        std::string_view cell = text_.substr(begin, at - begin);
        while (at >= end_) take_line();
        skip_blanks(++at);
        if (at < end_ && text_[at] != csv_.options.separator)
            throw BadRow{csv_.path, line_, fields_.size() + 1, "a separator after the closing quote",
                         in_quotes(text_.substr(at, end_ - at))};
        if (doubled) {
            std::string& halved = unescaped_.emplace_back();
            for (std::size_t i = 0; i < cell.size(); i += cell[i] == '"' ? 2U : 1U) halved += cell[i];
            cell = halved;
        }
        return cell;
    }

    Csv const& csv_;
    std::string_view text_;
    TextMark next_;
    std::size_t begin_ = 0, end_ = 0, line_ = 0;
    std::vector<std::string_view> fields_;
    std::deque<std::string> unescaped_; // a deque, since the fields point into it
};

} // namespace detail
} // namespace inlay::inline INLAY_ISA
