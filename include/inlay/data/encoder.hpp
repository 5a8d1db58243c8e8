// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <inlay/core/input.hpp>
#include <inlay/core/rows.hpp>
#include <inlay/data/csv.hpp>
#include <inlay/data/field_code.hpp>

#include <array>

namespace inlay::inline INLAY_ISA {

/// The column that is to be predicted: 1 where its text is `positive`, else 0; without `positive` it is a
/// number.
struct Label {
    std::string field;
    std::string positive = {};
};

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
/// keeps the newest, a set its first. Throws Error with file, line, column for what is not a number, for more
/// distinct values than ids (unless Overflow::unseen), for a positive label that never occurs, and for
/// transform before fit.
template <class Rec> class Encoder {
    static_assert(Says<detail::InputProblem<Rec>>{}, "inlay: this record cannot be");

public:
    using Row = typename Rec::Row;
    static constexpr std::size_t fields = std::size_t(Rec::fields);

    Encoder() = default;
    explicit Encoder(EncoderOptions options) : options_(options) {}

    Rows<Rec> fit_transform(Csv const& csv, Label const& label) {
        fit(csv, label);
        return transform(csv, label);
    }
    /// Learns vocabularies and scales; what was learned before is forgotten, also when this throws.
    void fit(Csv const& csv, Label const& label) {
        codes_ = {};
        fitted_ = false;
        std::array<detail::FieldCode, fields> codes;
        std::array<std::vector<detail::Sample>, fields> samples;
        read_csv(csv, names(), label.field, [&](CsvRow const& row) {
            check(csv, row);
            float const target = needs_targets ? target_of(csv, label, row) : 0;
            detail::each<fields>([&](auto j) {
                learn<j>(codes, csv, row);
                if constexpr (learns_edges<j>)
                    if (!is_missing(csv.options, row.fields[j]))
                        samples[j].push_back({row.number(j), target});
            });
        });
        detail::each<fields>([&](auto j) {
            if constexpr (learns_edges<j>)
                codes[j].set_bins(
                    detail::learn_bins(typename Rec::template field<j>::Edges{}, std::move(samples[j])));
        });
        codes_ = std::move(codes);
        fitted_ = true;
    }
    Rows<Rec> transform(Csv const& csv, Label const& label) const {
        if (!fitted_) detail::fail(Error(csv.path, "Encoder", "fit before transform", "an empty encoder"));
        Rows<Rec> rows;
        bool occurs = label.positive.empty();
        read_csv(csv, names(), label.field, [&](CsvRow const& row) {
            check(csv, row);
            float const target = target_of(csv, label, row);
            Row encoded{};
            detail::each<fields>([&](auto j) { encode<j>(get<j>(encoded), csv, row.fields[j]); });
            rows.row.push_back(encoded);
            rows.target.push_back(target);
            occurs = occurs || target > 0;
        });
        if (!occurs)
            detail::fail(Error(csv.path, detail::joined("label ", label.field),
                               detail::joined("a row with ", detail::in_quotes(label.positive)), "none"));
        return rows;
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
            if (id == 0) all = "unseen";
            else if constexpr (is_number<j>) all = bucket_text<j>(id);
            else all = codes_[Rec::template owner<j>()].word(id);
        });
        return all;
    }

    /// What was learned, as JSON text; `from_json` is its inverse.
    std::string to_json() const {
        detail::Json::Array all;
        detail::each<fields>([&](auto j) {
            using Field = typename Rec::template field<j>;
            all.push_back(
                {detail::Json::Object{{"field", {std::string(Field::name.text)}}, {"code", code_json<j>()}}});
        });
        return detail::to_json(
            detail::Json{detail::Json::Object{{"version", {std::uint64_t(1)}},
                                              {"separator", {std::string(1, options_.list_separator)}},
                                              {"fields", {all}}}});
    }
    /// Throws Error naming the file where the text is not what to_json gives for this record.
    static Encoder from_json(std::string_view text, std::string const& file) {
        Encoder e;
        auto const json = detail::parse_json(text, file, "encoder");
        auto const* version = json.find("version");
        auto const* number = version ? version->template get<std::uint64_t>() : nullptr;
        if (!number || *number != 1) detail::fail(Error(file, "encoder", "version 1", "another"));
        auto const* separator = json.find("separator");
        auto const* text_of = separator ? separator->template get<std::string>() : nullptr;
        if (!text_of || text_of->size() != 1)
            detail::fail(Error(file, "encoder, separator", "one character", "another form"));
        e.options_.list_separator = text_of->front();
        auto const* all = json.find("fields");
        auto const* list = all ? all->template get<detail::Json::Array>() : nullptr;
        if (!list || list->size() != fields)
            detail::fail(Error(file, "encoder", detail::joined(fields, " fields"),
                               list ? std::to_string(list->size()) : "none"));
        detail::each<fields>([&](auto j) {
            using Field = typename Rec::template field<j>;
            auto const *name = (*list)[j].find("field"), *code = (*list)[j].find("code");
            auto const* found = name ? name->template get<std::string>() : nullptr;
            std::string const place = detail::joined("encoder, field ", j + 1);
            if (!found || *found != Field::name.text)
                detail::fail(Error(file, place, Field::name.text, found ? *found : "no name"));
            if (!code || !e.template read_code<j>(*code))
                detail::fail(Error(file, place,
                                   learns_edges<j> ? "a scale and rising edges"
                                   : is_number<j>  ? "a scale"
                                                   : "a vocabulary that fits its ids",
                                   "another form"));
        });
        e.fitted_ = true;
        return e;
    }

private:
    template <std::size_t J>
    static constexpr bool is_number = Rec::template field<J>::kind == FieldKind::numeric;
    template <std::size_t J> static constexpr int capacity = is_number<J> ? 0 : Rec::template vocabulary<J>;

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

    static float target_of(Csv const& csv, Label const& label, CsvRow const& row) {
        if (is_missing(csv.options, row.fields[fields])) row.bad(fields, "a label");
        if (label.positive.empty()) return float(row.number(fields));
        return row.fields[fields] == label.positive ? 1.0f : 0.0f;
    }

    template <std::size_t J> detail::Json code_json() const {
        if constexpr (is_number<J>) return codes_[J].template number_json<typename Rec::template field<J>>();
        else return codes_[J].words_json();
    }
    template <std::size_t J> bool read_code(detail::Json const& json) {
        if constexpr (is_number<J>)
            return codes_[J].template read_number<typename Rec::template field<J>>(json);
        else return codes_[J].read_words(json, capacity<J>);
    }
    /// The range behind an id of a number.
    template <std::size_t J> std::string bucket_text(std::int32_t id) const {
        using Edges = typename Rec::template field<J>::Edges;
        auto const range = [&](int buckets, auto lower) {
            auto const number = [&](std::int32_t of) { return detail::to_json(detail::Json{lower(of)}); };
            if (buckets == 1) return std::string("any");
            if (id == 1) return detail::joined("below ", number(2));
            if (id == buckets) return detail::joined("from ", number(id));
            return detail::joined(number(id), " to ", number(id + 1));
        };
        if constexpr (learns_edges<J>) {
            detail::Bins const& bins = codes_[J].bins();
            return range(bins.count(), [&](std::int32_t of) { return bins.edges()[std::size_t(of) - 1]; });
        } else if constexpr (Edges::ids > 0)
            return range(Edges::ids - 1, [](std::int32_t of) { return double(Edges::lower(of)); });
        else return {};
    }
    static std::vector<std::string> names() {
        std::vector<std::string> all;
        detail::each<fields>([&](auto j) { all.emplace_back(Rec::template field<j>::name.text); });
        return all;
    }
    /// Everything that could make the row bad, before anything of it is kept.
    static void check(Csv const& csv, CsvRow const& row) {
        detail::each<fields>([&](auto j) {
            if constexpr (is_number<j>)
                if (!is_missing(csv.options, row.fields[j])) row.number(j);
        });
    }
    template <class F> void each_value(std::string_view text, F f) const {
        while (!text.empty()) {
            std::size_t const end = std::min(text.find(options_.list_separator), text.size());
            if (end > 0) f(text.substr(0, end));
            text.remove_prefix(std::min(end + 1, text.size()));
        }
    }
    template <std::size_t J>
    void learn(std::array<detail::FieldCode, fields>& codes, Csv const& csv, CsvRow const& row) const {
        std::string_view const text = row.fields[J];
        if (is_missing(csv.options, text)) return;
        if constexpr (is_number<J>) codes[J].add(Rec::template field<J>::curve(row.number(J)));
        else {
            auto& code = codes[Rec::template owner<J>()];
            auto const take = [&](std::string_view word) {
                if (!code.add(word, capacity<J>) && options_.overflow == Overflow::error)
                    detail::fail(Error(
                        csv.path,
                        detail::joined("line ", row.line, ", field ", Rec::template field<J>::name.text),
                        detail::joined("at most ", capacity<J> - 1, " distinct values (or Overflow::unseen)"),
                        detail::joined("one more: ", detail::in_quotes(word))));
            };
            if constexpr (detail::is_list_field<typename Rec::template field<J>>) each_value(text, take);
            else take(text);
        }
    }
    template <std::size_t J, class Value> void encode(Value& v, Csv const& csv, std::string_view text) const {
        using Field = typename Rec::template field<J>;
        auto const& code = codes_[Rec::template owner<J>()];
        if (is_missing(csv.options, text)) return;
        if constexpr (is_number<J>) {
            double const x = *parse_number(text);
            v.value = code.scaled(Field::curve(x));
            if constexpr (Field::learned) {
                v.id = code.bins().id(x);
                v.part = float(code.bins().part(x, v.id, Field::curve));
            } else if constexpr (Field::ids > 0) v.id = Field::Edges::id(x);
        } else if constexpr (Field::kind == FieldKind::history) {
            each_value(text, [&](std::string_view word) {
                if (v.count == Field::capacity) {
                    std::copy(v.id + 1, v.id + Field::capacity, v.id);
                    --v.count;
                }
                v.id[v.count++] = code.id(word);
            });
        } else if constexpr (Field::kind == FieldKind::multi_hot) {
            each_value(text, [&](std::string_view word) {
                std::int32_t const id = code.id(word);
                if (v.count < Field::capacity && std::find(v.id, v.id + v.count, id) == v.id + v.count)
                    v.id[v.count++] = id;
            });
        } else v.id = code.id(text);
    }

    EncoderOptions options_{};
    std::array<detail::FieldCode, fields> codes_{};
    bool fitted_ = false;
};

} // namespace inlay::inline INLAY_ISA
