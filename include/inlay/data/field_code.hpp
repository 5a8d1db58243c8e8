// SPDX-License-Identifier: BSD-3-Clause
// What an Encoder learns of one field.
#pragma once

#include <inlay/core/error.hpp>
#include <inlay/data/bins.hpp>
#include <inlay/data/word_index.hpp>
#include <inlay/io/json.hpp>

#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace inlay::inline INLAY_ISA {

/// What happens to values beyond a field's ids while an Encoder fits.
enum class Overflow { error, unseen };

namespace detail {
/// The range of numbers behind an id, one of so many buckets; `lower(id)` is where one above the first
/// begins.
template <class Lower> std::string range_text(std::int32_t id, int buckets, Lower lower) {
    auto const number = [&](std::int32_t of) { return to_json(Json{double(lower(of))}); };
    if (buckets == 1) return "any";
    if (id == 1) return joined("below ", number(2));
    if (id == buckets) return joined("from ", number(id));
    return joined(number(id), " to ", number(id + 1));
}

/// A vocabulary in the order of first sight (ids from 1), or the scale of a number.
class FieldCode {
public:
    std::int32_t id(std::string_view word) const { return id(WordKey{word}, word); }
    std::int32_t id(WordKey key, std::string_view word) const {
        return 1 + ids_.find(key, word,
                             [&](std::int32_t at) -> std::string_view { return words_[std::size_t(at)]; });
    }
    void prefetch(WordKey key) const noexcept { ids_.prefetch(key); }
    bool add(std::string_view word, int capacity) { return add(WordKey{word}, word, capacity); }
    bool add(WordKey key, std::string_view word, int capacity) {
        if (id(key, word)) return true;
        if (int(words_.size()) + 1 >= capacity) return false;
        words_.emplace_back(word);
        ids_.add(key);
        return true;
    }
    std::string const& word(std::int32_t id) const { return words_[std::size_t(id) - 1]; }
    std::size_t distinct() const noexcept { return words_.size(); }

    /// Welford's running mean and squared deviations.
    void add(double x) noexcept {
        ++count_;
        double const d = x - mean_;
        mean_ += d / double(count_);
        squares_ += d * (x - mean_);
    }
    double mean() const noexcept { return mean_; }
    /// The population's standard deviation; 1 for a constant.
    double deviation() const noexcept {
        double const s = count_ ? std::sqrt(squares_ / double(count_)) : 0;
        return s < 1e-12 ? 1 : s;
    }
    float scaled(double x) const noexcept { return float((x - mean()) / deviation()); }
    Bins const& bins() const noexcept { return bins_; }
    void set_bins(Bins bins) noexcept { bins_ = std::move(bins); }

    /// What was learned of a field.
    template <class Field> Json json() const {
        if constexpr (Field::kind == FieldKind::numeric) return number_json<Field>();
        else return words_json();
    }
    /// Reads what `json` gave; false where it does not have that form or that of another Numeric, or has more
    /// words than ids.
    template <class Field> bool read(Json const& json, int capacity) {
        *this = {};
        if constexpr (Field::kind == FieldKind::numeric) return read_number<Field>(json);
        else return read_words(json, capacity);
    }

private:
    template <class Field> Json number_json() const {
        Json::Object all{{"count", {count_}}, {"mean", {mean_}}, {"squares", {squares_}}};
        if (Field::logs > 0) all.push_back({"log", {true}});
        if (Field::learned) {
            Json::Array edges;
            for (double const e : bins_.edges()) edges.push_back({e});
            all.push_back({"edges", {std::move(edges)}});
        }
        return {std::move(all)};
    }
    Json words_json() const {
        Json::Array words;
        for (auto const& w : words_) words.push_back({w});
        return {Json::Object{{"words", {std::move(words)}}}};
    }
    template <class Field> bool read_number(Json const& json) {
        auto const *count = json.find("count"), *mean = json.find("mean"), *squares = json.find("squares"),
                   *log = json.find("log"), *edges = json.find("edges");
        if (!count || !mean || !squares || !count->get<std::uint64_t>() || !mean->number() ||
            !squares->number() || bool(log) != (Field::logs > 0) || bool(edges) != Field::learned)
            return false;
        count_ = *count->get<std::uint64_t>();
        mean_ = *mean->number();
        squares_ = *squares->number();
        return squares_ >= 0 && (!edges || read_edges(*edges, Field::ids));
    }
    bool read_words(Json const& json, int capacity) {
        auto const* words = json.find("words");
        auto const* list = words ? words->get<Json::Array>() : nullptr;
        if (!list) return false;
        for (auto const& w : *list) {
            auto const* text = w.get<std::string>();
            if (!text || id(*text) || !add(*text, capacity)) return false;
        }
        return true;
    }
    /// Two or more rising numbers, at most as many as there are ids.
    bool read_edges(Json const& json, int ids) {
        auto const* list = json.get<Json::Array>();
        if (!list || list->size() < 2 || list->size() > std::size_t(ids)) return false;
        std::vector<double> edges;
        for (auto const& e : *list) {
            if (!e.number() || (!edges.empty() && !(*e.number() > edges.back()))) return false;
            edges.push_back(*e.number());
        }
        bins_ = Bins{std::move(edges)};
        return true;
    }

    std::vector<std::string> words_;
    WordIndex ids_;
    std::uint64_t count_ = 0;
    double mean_ = 0, squares_ = 0;
    Bins bins_;
};
} // namespace detail

} // namespace inlay::inline INLAY_ISA
