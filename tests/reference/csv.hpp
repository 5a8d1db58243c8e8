// SPDX-License-Identifier: BSD-3-Clause
// A CSV text read one byte at a time, by the rules that docs/data.md states. One pass, no pieces, copies of
// all.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace reference {

struct CsvLine {
    std::size_t line; // of its beginning, from 1
    std::vector<std::string> cells;
    bool broken = false; // breaks the rules of quotes, or has a zero byte
    bool operator==(CsvLine const&) const = default;
};

struct CsvText {
    std::vector<CsvLine> lines; // those that are not blank
    bool open = false;          // the last one has a quote that nothing closes
};

inline CsvText read_csv(std::string_view text, char separator, bool quotes) {
    CsvText all;
    std::size_t line = 1;
    auto const blank = [&](char c) { return (c == ' ' || c == '\t') && c != separator; };
    for (std::size_t i = 0; i < text.size();) {
        CsvLine row{line, {}};
        std::string cell;
        bool quoted = false, closed = false, quote = false, only_blanks = true, zero = false;
        auto const end_cell = [&] {
            while (!quoted && !cell.empty() && blank(cell.back())) cell.pop_back();
            row.broken = row.broken || (quote && !quoted);
            row.cells.push_back(cell);
            cell.clear();
            quoted = closed = quote = false;
        };
        for (;; ++i) {
            bool const end = i == text.size();
            char const c = end ? '\n' : text[i];
            zero = zero || c == '\0';
            if (quoted && !closed) { // inside of quotes
                if (end) {
                    all.open = true;
                    return all;
                }
                if (c == '\n') ++line;
                if (c != '"') cell += c;
                else if (i + 1 < text.size() && text[i + 1] == '"') cell += text[++i];
                else closed = true;
                continue;
            }
            bool const before_end = c == '\r' && (i + 1 == text.size() || text[i + 1] == '\n');
            if (before_end) continue;
            if (c == '\n') {
                end_cell();
                ++line;
                ++i;
                break;
            }
            only_blanks = only_blanks && blank(c);
            if (c == separator) end_cell();
            else if (closed && !blank(c)) row.broken = true;
            if (row.broken) { // the rest of the line says nothing
                while (i < text.size() && text[i++] != '\n') {}
                ++line;
                break;
            }
            if (c == separator || closed) continue;
            if (quotes && c == '"') {
                quoted = cell.empty();
                quote = true;
                if (!quoted) cell += c;
            } else if (!cell.empty() || !blank(c)) {
                cell += c;
            }
        }
        row.broken = row.broken || zero;
        if (row.broken || !only_blanks) all.lines.push_back(row);
    }
    return all;
}

} // namespace reference
