// SPDX-License-Identifier: BSD-3-Clause
// How the pieces of a CSV file become lessons for an Encoder, or rows.
#pragma once

#include <inlay/data/lesson.hpp>
#include <inlay/data/row_stream.hpp>

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace inlay::inline INLAY_ISA {

/// The column that is to be predicted: 1 where its text is `positive`, else 0; without `positive` it is a
/// number.
struct Label {
    std::string field;
    std::string positive = {};
};

namespace detail {
/// The target of a row whose label is its field number `at`.
inline float target_of(Csv const& csv, Label const& label, CsvRow const& row, std::size_t at) {
    if (is_missing(csv.options, row.fields[at])) row.bad(at, "a label");
    if (label.positive.empty()) return float(row.number(at));
    return row.fields[at] == label.positive ? 1.0f : 0.0f;
}
inline void refuse_label(Csv const& csv, Label const& label) {
    fail(Error(csv.path, joined("label ", label.field), joined("a row with ", in_quotes(label.positive)),
               "none"));
}

template <class Encoder> struct CsvStudy {
    struct Part : Piece {
        std::array<Lesson, Encoder::fields> lessons;
    };
    Encoder const& encoder;
    Csv const& csv;
    Label const& label;
    CsvLayout const& layout;

    void parse(std::string_view text, TextMark from, std::size_t stop, Part& part) const {
        read_rows(csv, layout, text, from, stop, part, [&](CsvRow const& row) {
            encoder.check(csv, row);
            float const target = Encoder::needs_targets ? target_of(csv, label, row, Encoder::fields) : 0;
            encoder.learn(part.lessons, csv, row, target);
        });
    }
};

template <class Encoder> struct EncodedCsv {
    using Data = Rows<typename Encoder::Record>;
    struct Part : Piece {
        Data rows{};
    };
    Encoder const& encoder;
    Csv csv;
    Label label;
    CsvLayout layout;
    bool occurs = label.positive.empty();

    std::size_t piece() const noexcept { return csv.options.piece; }
    void parse(std::string_view text, TextMark from, std::size_t stop, Part& part) const {
        read_rows(csv, layout, text, from, stop, part, [&](CsvRow const& row) {
            encoder.check(csv, row);
            float const target = target_of(csv, label, row, Encoder::fields);
            part.rows.row.push_back(encoder.encoded(csv, row));
            part.rows.target.push_back(target);
        });
    }
    void take(Part const& part) {
        occurs = occurs || std::ranges::find(part.rows.target, 1.0f) != part.rows.target.end();
    }
    void finish() const {
        if (!occurs) refuse_label(csv, label);
    }
};
} // namespace detail

} // namespace inlay::inline INLAY_ISA
