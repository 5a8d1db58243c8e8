// SPDX-License-Identifier: BSD-3-Clause
// Where tokens and their keys are: stretches of blocks, and slots of a ring.
#pragma once

#include <inlay/config.hpp>

#include <algorithm>
#include <cstdint>

namespace inlay::inline INLAY_ISA {
namespace detail {

/// A stretch of at most 64 tokens that lies in one block of B, of a call's n from the t-th on, after `before`
/// in other calls, of which `front` have rows before the call's own.
template <int B, int Segments> struct FeedbackStretch {
    std::int64_t at, block; ///< places of its first token, and of its block's
    int m, t;
    FeedbackStretch(std::int64_t before, int front, int t_, int n) noexcept
        : at(before + t_), block(at / B * B), t(t_), shift(before - front) {
        m = std::min({std::min(B, 64), B - int(at - block), n - t_});
    }
    bool ends_block() const noexcept { return at + m == block + B; }
    /// The row where a place is.
    int row_of(std::int64_t place) const noexcept { return int(place - shift); }
    std::int64_t first_seen() const noexcept {
        return std::max<std::int64_t>(0, block - std::int64_t(Segments) * B);
    }

private:
    std::int64_t shift;
};

/// f(slot, row) for what a ring of Capacity slots holds after `count` tokens, or the last `most` of it, where
/// the last token is in row `end - 1` of a list.
template <int Capacity, class F>
void ring(std::int64_t count, int end, F const& f, int most = Capacity) noexcept {
    int const held = int(std::min<std::int64_t>(count, std::min(most, Capacity)));
    for (int i = 1; i <= held; ++i) f(int((count - i) % Capacity), end - i);
}

} // namespace detail
} // namespace inlay::inline INLAY_ISA
