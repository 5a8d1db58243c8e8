// SPDX-License-Identifier: BSD-3-Clause
// Embed from fewer rows than there are ids.
#pragma once

#include <inlay/blocks/embed/ids.hpp>
#include <inlay/core/hash.hpp>
#include <inlay/core/policy.hpp>

namespace inlay::inline INLAY_ISA {

namespace detail {
/// Ids share N rows by their hash.
template <int N> struct RowOfHash {
    static std::int32_t row(std::int32_t id) noexcept {
        auto const word = std::uint64_t(id);
        return std::int32_t(mulhi64(xxh64_words(&word, 1), std::uint64_t(N)));
    }
};
} // namespace detail

/// Policy of Embed over tokens: N rows for any number of ids, `weight [N, D]`. The row of id i is the high
/// word of XXH64(i) times N, so that each shares its row with V / N others on average; `QuotientRemainder`
/// keeps all apart.
template <int N> struct HashedRows {
    using Must = detail::Must<(N > 0), a_positive_number>;
    using PolicyKind = struct TableForm;
    template <class Spec, int D, class I, class R>
    using Block = detail::EmbedTokens<Spec, N, D, I, R, detail::RowOfHash<N>>;
};

} // namespace inlay::inline INLAY_ISA
