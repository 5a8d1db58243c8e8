// SPDX-License-Identifier: BSD-3-Clause
// A value of a list with its weight, as text.
#pragma once

#include <inlay/core/record.hpp>
#include <inlay/data/numbers.hpp>

#include <utility>

namespace inlay::inline INLAY_ISA {
namespace detail {

/// The parts of word:weight; without a colon the weight is 1, and none where it is no number.
inline std::pair<std::string_view, std::optional<float>> with_weight(std::string_view word) noexcept {
    std::size_t const colon = word.rfind(':');
    if (colon == word.npos) return {word, 1.0f};
    return {word.substr(0, colon), parse_float(word.substr(colon + 1))};
}
/// The word of a field's value.
template <class Field> std::string_view word_in(std::string_view value) noexcept {
    if constexpr (has_weights<Field>) return with_weight(value).first;
    else return value;
}

} // namespace detail
} // namespace inlay::inline INLAY_ISA
