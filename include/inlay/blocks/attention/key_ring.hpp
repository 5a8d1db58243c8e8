// SPDX-License-Identifier: BSD-3-Clause
// Keys and values that a stream of attention keeps, and where they lie among those of a longer sequence.
#pragma once

#include <inlay/core/tensor.hpp>

#include <algorithm>

namespace inlay::inline INLAY_ISA {
namespace detail {

/// The first `Kept` tokens of a stream and the last `Slots` behind them, for each of so many heads of keys
/// and of values. Rows are
/// padded to whole vectors with zeros.
template <class R, int Keys, int Values, int Kept, int Slots, int Width, int ValueWidth> struct KeyRing {
    using T = typename R::type;
    static constexpr int keys = Keys, values = Values, capacity = Kept + Slots;
    static constexpr int key_row = padded(Width, R::lanes), value_row = padded(ValueWidth, R::lanes);

    alignas(64) T key[std::size_t(Keys)][std::size_t(capacity)][std::size_t(key_row)];
    alignas(64) T value[std::size_t(Values)][std::size_t(capacity)][std::size_t(value_row)];
    std::int64_t count; ///< of tokens that the stream has had

    int stored() const noexcept { return int(std::min<std::int64_t>(count, capacity)); }

    static int slot(std::int64_t place) noexcept {
        return place < Kept ? int(place) : Kept + int((place - Kept) % Slots);
    }
    /// The place of what is stored in a slot.
    std::int64_t place(int slot) const noexcept {
        return slot < Kept ? slot : count - 1 - (count - 1 - slot) % Slots;
    }
    /// Whether a place is still stored after `tokens` tokens.
    static bool survives(std::int64_t place, std::int64_t tokens) noexcept {
        return place < Kept || place >= tokens - Slots;
    }
};

/// The order of keys for a part of a stream: what a ring had stored after `before` tokens, oldest first, then
/// what is new. For what has no ring, nothing comes before.
template <class Ring, int Kept> struct KeyOrder {
    std::int64_t before = 0;

    int stored() const noexcept { return int(std::min<std::int64_t>(before, Ring::capacity)); }
    std::int64_t place(int row) const noexcept { return row < Kept ? row : row + forgotten(); }
    /// The row of a place, or the first row behind it where it is forgotten.
    std::int32_t row(std::int64_t place) const noexcept {
        if (place <= Kept) return std::int32_t(std::max<std::int64_t>(place, 0));
        return std::int32_t(std::max<std::int64_t>(Kept, place - forgotten()));
    }

private:
    /// Places between the kept ones and the others.
    std::int64_t forgotten() const noexcept { return std::max<std::int64_t>(0, before - Ring::capacity); }
};

} // namespace detail
} // namespace inlay::inline INLAY_ISA
