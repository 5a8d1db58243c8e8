// SPDX-License-Identifier: BSD-3-Clause
// What an Encoder is; its text stands in encoder_json.hpp.
#pragma once

#include <inlay/core/input.hpp>
#include <inlay/core/rows.hpp>
#include <inlay/data/encoded_csv.hpp>
#include <inlay/data/weighted_word.hpp>

#include <array>
#include <limits>

namespace inlay::inline INLAY_ISA {

struct EncoderOptions {
    Overflow overflow = Overflow::error;
    char list_separator = '|'; ///< between the values of a multi-hot or history field
};

/// Turns text into rows of a record: learns vocabularies and numeric scales from one file, applies them to
/// others.
///
/// Categorical values get ids from 1 in the order of first sight; 0 is unseen or missing. Numbers are
/// standardised by mean and population deviation, missing ones become 0; edges apply to the raw number,
/// missing ones get id 0. Quantiles and TargetBins are learned from all rows, which takes 16 bytes a row and
/// field while fitting. Lists are values between separators, a history oldest first; one that is too long
/// keeps the newest, a set its first; of a field that is Weighted they are `word:weight`, or a word of weight
/// 1. Throws Error with file, line, column for what is not a number, for more
/// distinct values than ids (unless Overflow::unseen), for a positive label that never occurs, and for
/// transform before fit.
template <class Rec> class Encoder {
    static_assert(Says<detail::InputProblem<Rec>>{}, "inlay: this record cannot be");

public:
    using Record = Rec;
    using Row = typename Rec::Row;
    static constexpr std::size_t fields = std::size_t(Rec::fields);
    template <std::size_t J>
    static constexpr bool is_number = Rec::template field<J>::kind == FieldKind::numeric;
    template <std::size_t J>
    static constexpr bool learns_edges = [] {
        if constexpr (is_number<J>) return Rec::template field<J>::learned;
        else return false;
    }();
    static constexpr bool needs_targets = [] {
        bool any = false;
        detail::each<fields>([&](auto j) {
            if constexpr (learns_edges<j>) any = any || Rec::template field<j>::Edges::by_target;
        });
        return any;
    }();
    /// The newest form of to_json.
    static constexpr std::uint64_t newest = 1;

    Encoder() = default;
    explicit Encoder(EncoderOptions options) : options_(options) {}

    /// Both; what was learned before stays where either throws.
    template <detail::ExecutorRef Exec = Serial>
    Rows<Rec> fit_transform(Csv const& csv, Label const& label, Exec&& executor = Exec{}) {
        Encoder learned(options_);
        learned.fit(csv, label, executor);
        auto rows = learned.transform(csv, label, executor);
        *this = std::move(learned);
        return rows;
    }
    /// Learns vocabularies and scales instead of what was learned before, which stays where this throws.
    template <detail::ExecutorRef Exec = Serial>
    void fit(Csv const& csv, Label const& label, Exec&& executor = Exec{}) {
        MappedFile const file{csv.path};
        detail::CsvLayout const layout{
            csv, file.text(), names(), {&label.field, 1}, "the fields and the label"};
        fit(csv, detail::CsvStudy<Encoder>{*this, csv, label, layout}, file.text(), layout.begin, executor);
    }
    template <detail::ExecutorRef Exec = Serial>
    Rows<Rec> transform(Csv const& csv, Label const& label, Exec&& executor = Exec{}) const {
        Rows<Rec> rows;
        stream(csv, label, std::numeric_limits<std::size_t>::max()).next(rows, executor);
        return rows;
    }
    /// The rows of a file in chunks of `rows`, for files larger than memory. The encoder must outlive the
    /// stream.
    RowStream<detail::EncodedCsv<Encoder>> stream(Csv const& csv, Label const& label,
                                                  std::size_t rows) const {
        if (!fitted_) detail::fail(Error(csv.path, "Encoder", "fit before transform", "an empty encoder"));
        MappedFile file{csv.path};
        detail::CsvLayout layout{csv, file.text(), names(), {&label.field, 1}, "the fields and the label"};
        auto const begin = layout.begin;
        auto const bad = layout.bad;
        return {{*this, csv, label, std::move(layout)}, std::move(file), begin, rows, bad};
    }

    static std::string field_name(std::size_t field) { return names()[field]; }
    bool fitted() const noexcept { return fitted_; }
    detail::FieldCode const& code(std::size_t field) const noexcept { return codes_[field]; }
    /// The text behind an id of the field named N; for buckets of a number its range, the upper end excluded.
    template <Name N> std::string text(std::int32_t id) const {
        constexpr auto at = std::size_t(Rec::template index<N>);
        return text(at, id);
    }
    std::string text(std::size_t field, std::int32_t id) const {
        std::string all;
        detail::each<fields>([&](auto j) {
            if (std::size_t(j) != field) return;
            std::int32_t ids = Rec::template field<j>::ids;
            if constexpr (!is_number<j>) ids = 1 + std::int32_t(codes_[Rec::template owner<j>()].distinct());
            if constexpr (learns_edges<j>) ids = 1 + std::int32_t(codes_[j].bins().count());
            if (id < 0 || id >= std::max(ids, 1))
                detail::fail(Error("", detail::joined("Encoder::text, field ", field_name(j)),
                                   detail::joined("an id from 0 to ", std::max(ids, 1) - 1),
                                   std::to_string(id)));
            if (id == 0) all = "unseen";
            else if constexpr (is_number<j>) all = bucket_text<j>(id);
            else all = codes_[Rec::template owner<j>()].word(id);
        });
        return all;
    }

    /// What was learned, as JSON text; `from_json` is its inverse. The text says its version, which is to
    /// change with its form: what an older inlay wrote stays readable, and what a newer one wrote is refused
    /// in words.
    std::string to_json() const;
    /// Throws Error naming the file where the text is not what to_json gives for this record.
    static Encoder from_json(std::string_view text, std::string const& file);

    // What follows is for the readers of data/.

    /// Everything that could make the row bad, before anything of it is kept. Words are UTF-8, or they could
    /// not be saved.
    void check(Csv const& csv, CsvRow const& row) const {
        detail::each<fields>([&](auto j) {
            if constexpr (!is_number<j>) {
                if (!detail::is_utf8(row.fields[j])) row.bad(j, "text in UTF-8");
                if constexpr (detail::has_weights<typename Rec::template field<j>>)
                    each_value(text_of(csv, row, j), [&](std::string_view word) {
                        if (!detail::with_weight(word).second)
                            row.bad(j, "values with a colon and a weight, or without");
                    });
            } else if (!is_missing(csv.options, row.fields[j])) row.number(j);
        });
    }
    /// Everything that a row teaches, to the lessons of the fields that own the codes; the target is of use
    /// where `needs_targets`.
    void learn(std::span<detail::Lesson> lessons, Csv const& csv, CsvRow const& row, float target) const {
        detail::each<fields>([&](auto j) {
            using Field = typename Rec::template field<j>;
            std::string_view const text = row.fields[j];
            detail::Lesson& lesson = lessons[Rec::template owner<j>()];
            if (is_missing(csv.options, text)) return;
            if constexpr (is_number<j>) lesson.add(row.number(j), target);
            else if constexpr (detail::is_list_field<Field>)
                each_value(text, [&](std::string_view word) {
                    lesson.add(detail::word_in<Field>(word), row.line, j);
                });
            else lesson.add(text, row.line, j);
        });
    }
    Row encoded(Csv const& csv, CsvRow const& row) const {
        // All places are asked for before the first is needed: a large vocabulary is not in the cache.
        std::array<detail::WordKey, fields> keys;
        detail::each<fields>([&](auto j) {
            if constexpr (is_one_word<j>) codes_[j].prefetch(keys[j] = detail::WordKey{row.fields[j]});
        });
        Row out{};
        detail::each<fields>([&](auto j) { encode<j>(get<j>(out), csv, row.fields[j], keys[j]); });
        return out;
    }
    /// Learns what a study of the pieces of a file finds.
    template <class Study, class E>
    void fit(Csv const& csv, Study const& study, std::string_view text, detail::TextMark mark, E& executor) {
        std::array<detail::FieldCode, fields> codes;
        std::array<std::vector<detail::Sample>, fields> samples;
        while (mark.at < text.size()) {
            auto const error = detail::parse_some(
                study, text, mark, csv.options.piece, executor,
                [&](auto&& part, std::size_t lines) { remember(codes, samples, csv, part.lessons, lines); });
            if (error) std::rethrow_exception(error);
        }
        detail::each<fields>([&](auto j) {
            if constexpr (learns_edges<j>)
                codes[j].set_bins(
                    detail::learn_bins(typename Rec::template field<j>::Edges{}, std::move(samples[j])));
        });
        codes_ = std::move(codes);
        fitted_ = true;
    }

private:
    template <std::size_t J>
    static constexpr bool is_one_word = Rec::template field<J>::kind == FieldKind::categorical;
    template <std::size_t J> static constexpr int capacity = is_number<J> ? 0 : Rec::template vocabulary<J>;

    template <std::size_t J> std::string bucket_text([[maybe_unused]] std::int32_t id) const {
        using Edges = typename Rec::template field<J>::Edges;
        if constexpr (learns_edges<J>) {
            detail::Bins const& bins = codes_[J].bins();
            return detail::range_text(id, bins.count(),
                                      [&](std::int32_t of) { return bins.edges()[std::size_t(of) - 1]; });
        } else if constexpr (Edges::ids > 0) return detail::range_text(id, Edges::ids - 1, Edges::lower);
        else return {};
    }
    static std::vector<std::string> names() {
        std::vector<std::string> all;
        detail::each<fields>([&](auto j) { all.emplace_back(Rec::template field<j>::name.text); });
        return all;
    }
    template <class F> void each_value(std::string_view text, F f) const {
        while (!text.empty()) {
            std::size_t const end = std::min(text.find(options_.list_separator), text.size());
            if (end > 0) f(text.substr(0, end));
            text.remove_prefix(std::min(end + 1, text.size()));
        }
    }
    static std::string_view text_of(Csv const& csv, CsvRow const& row, std::size_t j) {
        return is_missing(csv.options, row.fields[j]) ? std::string_view{} : row.fields[j];
    }
    /// Learns what a piece taught; `lines` of the file are before it. The first row with too many words is
    /// the one to complain of.
    void remember(std::span<detail::FieldCode> codes, std::span<std::vector<detail::Sample>> samples,
                  Csv const& csv, std::span<detail::Lesson const> lessons, std::size_t lines) const {
        detail::Lesson::Word const* over = nullptr;
        std::size_t most = 0;
        detail::each<fields>([&](auto j) {
            auto const& numbers = lessons[j].numbers();
            if constexpr (is_number<j>)
                for (auto const& s : numbers) codes[j].add(Rec::template field<j>::curve(s.x));
            if constexpr (learns_edges<j>)
                samples[j].insert(samples[j].end(), numbers.begin(), numbers.end());
            auto const& words = lessons[j].words();
            for (std::size_t i = 0; i < words.size(); ++i) {
                auto const& word = words[i];
                if (i + 8 < words.size())
                    codes[j].prefetch(words[i + 8].key); // a look is a miss of the cache
                if (codes[j].add(word.key, word.text, capacity<j>) || options_.overflow == Overflow::unseen)
                    continue;
                if (over && std::pair{over->line, over->field} < std::pair{word.line, word.field}) break;
                over = &word;
                most = std::size_t(capacity<j>) - 1;
                break;
            }
        });
        if (over)
            detail::fail(Error(
                csv.path, detail::joined("line ", lines + over->line, ", field ", field_name(over->field)),
                detail::joined("at most ", most, " distinct values (or Overflow::unseen)"),
                detail::joined("one more: ", detail::in_quotes(over->text))));
    }
    template <std::size_t J, class Value>
    void encode(Value& v, Csv const& csv, std::string_view text, [[maybe_unused]] detail::WordKey key) const {
        using Field = typename Rec::template field<J>;
        auto const& code = codes_[Rec::template owner<J>()];
        if (is_missing(csv.options, text)) return;
        if constexpr (is_number<J>) {
            double const x = *parse_number(text);
            v.value = code.scaled(Field::curve(x));
            if constexpr (Field::learned) {
                v.id = code.bins().id(x);
                v.part = float(code.bins().part(x, v.id, Field::curve));
            } else v.id = Field::bucket(x);
        } else if constexpr (Field::kind == FieldKind::history) {
            each_value(text, [&](std::string_view word) {
                if (v.count == Field::capacity) {
                    std::copy(v.id + 1, v.id + Field::capacity, v.id);
                    if constexpr (Field::weighted)
                        std::copy(v.weight + 1, v.weight + Field::capacity, v.weight);
                    --v.count;
                }
                append(v, code, word);
            });
        } else if constexpr (Field::kind == FieldKind::multi_hot) {
            each_value(text, [&](std::string_view word) {
                std::int32_t const id = code.id(detail::word_in<Field>(word));
                if (v.count < Field::capacity && std::find(v.id, v.id + v.count, id) == v.id + v.count)
                    append(v, code, word);
            });
        } else v.id = code.id(key, text);
    }

    template <class Value>
    static void append(Value& v, detail::FieldCode const& code, std::string_view word) {
        if constexpr (requires { v.weight; }) {
            auto const [name, weight] = detail::with_weight(word);
            v.weight[v.count] = *weight;
            v.id[v.count++] = code.id(name);
        } else v.id[v.count++] = code.id(word);
    }

    EncoderOptions options_{};
    std::array<detail::FieldCode, fields> codes_{};
    bool fitted_ = false;
};

} // namespace inlay::inline INLAY_ISA
