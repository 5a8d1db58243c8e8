// SPDX-License-Identifier: BSD-3-Clause
// What the forms of Cross share.
#pragma once

#include <inlay/core/policy.hpp>

namespace inlay::inline INLAY_ISA {

/// The family of the forms of Cross: what is multiplied by what.
struct CrossForm;

/// Matrices of a block are products of two of rank N.
template <int N> struct Rank {
    using Must = detail::Must<(N > 0), a_positive_number>;
    using PolicyKind = struct HighestRank;
    static constexpr int value = N;
};
/// N experts under one gate.
template <int N> struct Experts {
    using Must = detail::Must<(N > 0), a_positive_count>;
    using PolicyKind = struct HowManyExperts;
    static constexpr int value = N;
};

} // namespace inlay::inline INLAY_ISA
