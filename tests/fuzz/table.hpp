// SPDX-License-Identifier: BSD-3-Clause
// Tables of text: rows in pieces against a plain reader, and an Encoder that learns from them.
#pragma once

#include "fuzz.hpp"
#include "reference/csv.hpp"
#include "train/executors.hpp"

#include <inlay/data/encoder.hpp>

#include <cmath>
#include <cstring>
#include <vector>

namespace fuzz {
using namespace inlay;

template <class Edges, class... Weights>
using Row = Record<Numeric<"x", Edges>, Categorical<"job", 4>, MultiHot<"tags", 5, 2, Weights...>,
                   History<"seen", 3, SameAs<"job">, Weights...>>;

/// Rows, line by line, as read_csv has them.
inline std::string rows_of(Csv const& csv, std::vector<reference::CsvLine>& rows, std::size_t& bad) {
    std::vector<std::string> const names{"a", "b"};
    return refusal([&] {
        bad = read_csv(csv, names, "c", [&](CsvRow const& row) {
                  rows.push_back({row.line, {row.fields.begin(), row.fields.end()}});
              }).bad;
    });
}

/// Where no header changes the columns, rows are those of the plain reader with three cells.
inline void check_rows(std::string_view text, Csv const& csv) {
    std::vector<reference::CsvLine> rows;
    std::size_t bad = 0;
    std::string const why = rows_of(csv, rows, bad);
    if (text.substr(0, 3) == "\xEF\xBB\xBF") text.remove_prefix(3);
    auto const plain = reference::read_csv(text, csv.options.separator, csv.options.quotes);
    std::size_t at = 0, refused = 0;
    for (auto const& line : plain.lines) {
        bool const good = !line.broken && line.cells.size() == 3;
        auto const has = [&](char const* name) {
            return std::ranges::find(line.cells, name) != line.cells.end();
        };
        if (at == 0 && has("a") && has("b")) return; // a header
        if (good) FUZZ_CHECK(at < rows.size() && rows[at++] == line);
        else if (!csv.options.skip_bad_rows) {
            FUZZ_CHECK(!why.empty());
            return;
        } else ++refused;
    }
    FUZZ_CHECK(at == rows.size());
    FUZZ_CHECK(why.empty() == !plain.open);
    FUZZ_CHECK(plain.open || bad == refused);
}

/// Edges: those of the numbers, given or learned. Weights: Weighted, where words of lists have weights.
template <class Edges = Buckets<0>, class... Weights> void check_encoder(Csv csv) {
    using Visit = Row<Edges, Weights...>;
    Label const label{"y", csv.options.piece % 2 ? "yes" : ""};
    Encoder<Visit> whole({.overflow = csv.options.piece % 3 ? Overflow::unseen : Overflow::error});
    csv.options.piece += 1000;
    Rows<Visit> rows;
    std::string const learned = refusal([&] { whole.fit(csv, label); });
    FUZZ_CHECK(whole.fitted() == learned.empty());
    std::string const why = learned.empty() ? refusal([&] { rows = whole.transform(csv, label); }) : learned;
    csv.options.piece -= 1000;

    Encoder<Visit> other({.overflow = csv.options.piece % 3 ? Overflow::unseen : Overflow::error});
    executors::Shuffled order{3};
    FUZZ_CHECK(refusal([&] { other.fit(csv, label, order); }) == learned);
    if (!learned.empty()) return;
    std::string const text = whole.to_json();
    FUZZ_CHECK(other.to_json() == text);
    FUZZ_CHECK(Encoder<Visit>::from_json(text, "text").to_json() == text);
    Rows<Visit> same;
    FUZZ_CHECK(refusal([&] { same = other.transform(csv, label, order); }) == why);
    FUZZ_CHECK(same.target == rows.target);
    rows.check();
    FUZZ_CHECK(rows.size() == same.size());
    FUZZ_CHECK(rows.size() == 0 ||
               std::memcmp(rows.row.data(), same.row.data(), rows.size() * sizeof rows.row[0]) == 0);
    for (std::size_t i = 0; i < rows.size(); ++i) {
        FUZZ_CHECK(std::isfinite(get<0>(rows[i]).value));
        if constexpr (sizeof...(Weights) > 0)
            for (float const w : get<2>(rows[i]).weight) FUZZ_CHECK(std::isfinite(w));
    }
    Rows<Visit> chunk;
    std::size_t count = 0;
    std::string const streamed = refusal([&] {
        auto stream = other.stream(csv, label, 3);
        while (stream.next(chunk, order)) count += chunk.size();
    });
    FUZZ_CHECK(streamed == why);
    FUZZ_CHECK(!why.empty() || count == rows.size());
}

} // namespace fuzz
