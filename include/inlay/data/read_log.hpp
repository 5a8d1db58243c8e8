// SPDX-License-Identifier: BSD-3-Clause
// Logs of events from CSV and TSV files.
#pragma once

#include <inlay/data/encoder.hpp>
#include <inlay/data/event_log.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace inlay::inline INLAY_ISA {

/// What the columns of a log say besides the fields of its record. One that is a field's too is that column.
struct LogColumns {
    std::string user;      ///< whose event it is: any text
    std::string time = {}; ///< when: a number; without it events are in the order of time
    Label label = {};      ///< what came of it; without it every event's target is 1
};

namespace detail {
/// Where the fields of Rec, the user, the time and the label stand in a log.
template <class Rec> struct LogLayout {
    static constexpr std::size_t fields = std::size_t(Rec::fields), nowhere = std::size_t(-1);
    Csv csv;
    LogColumns columns;
    std::array<std::size_t, fields> of_field; // among the columns that are wanted
    std::size_t user, time, label;
    CsvLayout layout;

    LogLayout(Csv const& file, LogColumns const& wanted, std::string_view text)
        : csv(file), columns(wanted), layout(settle(text)) {}

    /// Calls f(row with the record's fields, row as it is): a history that follows from the log is empty.
    template <class F>
    void each_row(std::string_view text, TextMark from, std::size_t stop, Piece& part, F f) const {
        std::array<std::string_view, fields> cells;
        std::array<std::size_t, fields> places{};
        read_rows(csv, layout, text, from, stop, part, [&](CsvRow const& row) {
            for (std::size_t j = 0; j < fields; ++j)
                if (of_field[j] != nowhere)
                    cells[j] = row.fields[of_field[j]], places[j] = row.columns[of_field[j]];
            f(CsvRow{row.file, row.line, cells, places}, row);
        });
    }

private:
    CsvLayout settle(std::string_view text) {
        if (columns.user.empty()) fail(Error(csv.path, "option user", "the name of a column", "none"));
        std::vector<std::string> names, more;
        each<fields>([&](auto j) {
            using Field = typename Rec::template field<j>;
            of_field[j] = is_derived<Field> ? nowhere : names.size();
            if (!is_derived<Field>) names.emplace_back(Field::name.text);
        });
        auto const find = [&](std::string const& name) {
            if (name.empty()) return nowhere;
            auto const among = [&](std::vector<std::string> const& list) {
                return std::size_t(std::ranges::find(list, name) - list.begin());
            };
            if (among(names) < names.size()) return among(names);
            if (among(more) == more.size()) more.push_back(name);
            return names.size() + among(more);
        };
        user = find(columns.user);
        time = find(columns.time);
        label = find(columns.label.field);
        std::string shape = "the fields";
        for (std::string const& name : more) shape += ", " + name;
        return CsvLayout{csv, text, names, more, shape};
    }
};

template <class Encoder> struct LogStudy {
    struct Part : Piece {
        std::array<Lesson, Encoder::fields> lessons;
    };
    Encoder const& encoder;
    LogLayout<typename Encoder::Record> const& layout;

    void parse(std::string_view text, TextMark from, std::size_t stop, Part& part) const {
        layout.each_row(text, from, stop, part, [&](CsvRow const& row, CsvRow const& whole) {
            check(whole);
            encoder.check(layout.csv, row);
            encoder.learn(part.lessons, layout.csv, row, target(whole));
        });
    }
    /// What could make the row bad besides its fields.
    void check(CsvRow const& row) const {
        if (is_missing(layout.csv.options, row.fields[layout.user])) row.bad(layout.user, "a user");
        if (layout.time != layout.nowhere) row.number(layout.time);
        target(row);
    }
    float target(CsvRow const& row) const {
        if (layout.label == layout.nowhere) return 1;
        return target_of(layout.csv, layout.columns.label, row, layout.label);
    }
};

template <class Encoder> struct LogParser {
    using Rec = typename Encoder::Record;
    struct Part : Piece {
        std::vector<std::string> users;
        std::vector<double> times;
        std::vector<typename EventLog<Rec>::Stored> events;
        std::vector<float> targets;
    };
    LogStudy<Encoder> study;

    void parse(std::string_view text, TextMark from, std::size_t stop, Part& part) const {
        auto const& layout = study.layout;
        layout.each_row(text, from, stop, part, [&](CsvRow const& row, CsvRow const& whole) {
            study.check(whole);
            study.encoder.check(layout.csv, row);
            part.users.emplace_back(whole.fields[layout.user]);
            part.times.push_back(layout.time == layout.nowhere ? 0 : whole.number(layout.time));
            part.events.push_back(EventLog<Rec>::stored(study.encoder.encoded(layout.csv, row)));
            part.targets.push_back(study.target(whole));
        });
    }
};
} // namespace detail

/// The events of a CSV or TSV file, encoded by what an encoder learned before. The file has the record's
/// fields but for histories that are SameAs another (which follow from the log), and the columns that are
/// named: found by a header or CsvOptions::columns in any order, otherwise in this one, without those that
/// are fields too. Throws Error as Encoder::transform does, for a row without a user, and for a time that is
/// no number.
template <class Rec, detail::ExecutorRef Exec = Serial>
EventLog<Rec> read_log(Encoder<Rec> const& encoder, Csv const& csv, LogColumns const& columns,
                       Exec&& executor = Exec{}) {
    if (!encoder.fitted())
        detail::fail(Error(csv.path, "Encoder", "fit_log before read_log", "an empty encoder"));
    MappedFile const file{csv.path};
    detail::LogLayout<Rec> const layout{csv, columns, file.text()};
    detail::LogParser<Encoder<Rec>> const parser{{encoder, layout}};
    EventLog<Rec> log;
    std::unordered_map<std::string, std::uint32_t> users;
    bool occurs = columns.label.positive.empty();
    for (detail::TextMark mark = layout.layout.begin; mark.at < file.text().size();) {
        auto const error = detail::parse_some(
            parser, file.text(), mark, csv.options.piece, executor, [&](auto&& part, std::size_t) {
                for (std::size_t i = 0; i < part.users.size(); ++i) {
                    auto const next = std::uint32_t(users.size());
                    auto const user = users.try_emplace(std::move(part.users[i]), next).first->second;
                    bool const timed = layout.time != layout.nowhere;
                    log.add(user, timed ? part.times[i] : double(log.size()), part.events[i],
                            part.targets[i]);
                    occurs = occurs || part.targets[i] == 1;
                }
            });
        if (error) std::rethrow_exception(error);
    }
    if (!occurs) detail::refuse_label(csv, columns.label);
    log.sort();
    return log;
}

/// Learns from a log's events, then reads them. The encoder stays as it was where this throws.
template <class Rec, detail::ExecutorRef Exec = Serial>
EventLog<Rec> fit_log(Encoder<Rec>& encoder, Csv const& csv, LogColumns const& columns,
                      Exec&& executor = Exec{}) {
    Encoder<Rec> learned = encoder;
    {
        MappedFile const file{csv.path};
        detail::LogLayout<Rec> const layout{csv, columns, file.text()};
        if (Encoder<Rec>::needs_targets && layout.label == layout.nowhere)
            detail::fail(Error(csv.path, "option label", "a column for TargetBins to learn by", "none"));
        learned.fit(csv, detail::LogStudy<Encoder<Rec>>{learned, layout}, file.text(), layout.layout.begin,
                    executor);
    }
    auto log = read_log(learned, csv, columns, executor);
    encoder = std::move(learned);
    return log;
}

} // namespace inlay::inline INLAY_ISA
