// SPDX-License-Identifier: BSD-3-Clause
// What an Encoder learns of one field.
#pragma once

#include <inlay/core/error.hpp>
#include <inlay/io/json.hpp>

#include <cmath>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace inlay::inline INLAY_ISA {

/// What happens to values beyond a field's ids while an Encoder fits.
enum class Overflow { error, unseen };

namespace detail {
/// Lets texts be looked for without a copy.
struct TextHash : std::hash<std::string_view> {
    using is_transparent = void;
};

/// A vocabulary in the order of first sight (ids from 1), or the scale of a number.
class FieldCode {
public:
    std::int32_t id(std::string_view word) const {
        auto const found = ids_.find(word);
        return found == ids_.end() ? 0 : found->second;
    }
    bool add(std::string_view word, int capacity) {
        if (id(word)) return true;
        if (int(words_.size()) + 1 >= capacity) return false;
        words_.emplace_back(word);
        ids_.emplace(words_.back(), std::int32_t(words_.size()));
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

    Json json(bool number) const {
        if (number) return {Json::Object{{"count", {count_}}, {"mean", {mean_}}, {"squares", {squares_}}}};
        Json::Array words;
        for (auto const& w : words_) words.push_back({w});
        return {Json::Object{{"words", {std::move(words)}}}};
    }
    /// Reads what `json` gave; false where it does not have that form or has more words than ids.
    bool read(Json const& json, bool number, int capacity) {
        *this = {};
        if (number) {
            auto const *count = json.find("count"), *mean = json.find("mean"),
                       *squares = json.find("squares");
            if (!count || !mean || !squares || !count->get<std::uint64_t>() || !mean->number() ||
                !squares->number())
                return false;
            count_ = *count->get<std::uint64_t>();
            mean_ = *mean->number();
            squares_ = *squares->number();
            return squares_ >= 0;
        }
        auto const* words = json.find("words");
        auto const* list = words ? words->get<Json::Array>() : nullptr;
        if (!list) return false;
        for (auto const& w : *list) {
            auto const* text = w.get<std::string>();
            if (!text || id(*text) || !add(*text, capacity)) return false;
        }
        return true;
    }

private:
    std::vector<std::string> words_;
    std::unordered_map<std::string, std::int32_t, TextHash, std::equal_to<>> ids_;
    std::uint64_t count_ = 0;
    double mean_ = 0, squares_ = 0;
};
} // namespace detail

} // namespace inlay::inline INLAY_ISA
