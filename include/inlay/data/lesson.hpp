// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <inlay/data/csv.hpp>
#include <inlay/data/field_code.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace inlay::inline INLAY_ISA {
namespace detail {

/// What one piece of a file teaches of a field: its numbers in order with the
/// targets of their rows, its words in the order of first sight.
/// Taught piece by piece, an encoder learns what it would from the file as a whole, to the bit.
class Lesson {
public:
    struct Word {
        WordKey key;
        std::string text;
        std::size_t line, field; ///< where it was first seen: fields that share ids share a lesson
    };
    void add(double x, float target) { numbers_.push_back({x, target}); }
    void add(std::string_view word, std::size_t line, std::size_t field) {
        WordKey const key{word};
        auto const text = [&](std::int32_t at) -> std::string_view { return words_[std::size_t(at)].text; };
        if (seen_.find(key, word, text) >= 0) return;
        seen_.add(key);
        words_.push_back({key, std::string(word), line, field});
    }
    std::vector<Sample> const& numbers() const noexcept { return numbers_; }
    std::vector<Word> const& words() const noexcept { return words_; }

private:
    std::vector<Sample> numbers_;
    std::vector<Word> words_;
    WordIndex seen_;
};

} // namespace detail
} // namespace inlay::inline INLAY_ISA
