// SPDX-License-Identifier: BSD-3-Clause
// Which keys a query of sparse attention asks.
#pragma once

#include <inlay/blocks/attention_policies.hpp>

namespace inlay::inline INLAY_ISA {

namespace detail {
/// What patterns want none of: scores that know distances, or keys without a place.
using NotWithPatterns = List<that_knows_distances, with_keys_of_no_place, that_sees_ahead>;

/// A query sees its own block of N tokens up to itself; the stream keeps whole blocks.
template <int N, int Rows> struct OwnBlock {
    static constexpr int capacity = (Rows + N - 1) / N * N;
    static constexpr bool sees_all = false;
    static constexpr void limit(Sight& s, std::int64_t i) noexcept { s.first = std::max(s.first, i / N * N); }
};
struct MeanKeys;
} // namespace detail

/// A query sees its own block of Block tokens, and of the blocks before it those N - 1 whose mean key has the
/// largest product with it; of equals the earlier (MoBA, arXiv 2502.13189). Each head chooses for itself; the
/// choice has no gradient.
template <int N, int Block> struct TopBlocks {
    using Must = detail::Must<(N > 0 && Block > 0), a_positive_count>;
    using PolicyKind = WhichPattern;
    using Refuses = detail::NotWithPatterns;
    static constexpr bool used = true;
    static constexpr int block = Block, others = N - 1;
    using Summary = detail::MeanKeys;
    template <int Rows> using Over = detail::OwnBlock<Block, Rows>;
};

} // namespace inlay::inline INLAY_ISA
