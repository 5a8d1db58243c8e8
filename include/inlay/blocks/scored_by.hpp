// SPDX-License-Identifier: BSD-3-Clause
// What attention may leave out and still be attention (arXiv 2510.11602).
#pragma once

#include <inlay/blocks/attention_policies.hpp>
#include <inlay/core/context.hpp>
#include <inlay/kernels/attention_taylor.hpp>

namespace inlay::inline INLAY_ISA {

/// Exact: softmax of products of queries and keys.
struct Standard {
    using Is = List<>;
    using Refuses = List<>;
};
/// The exponential by its series up to the square, with one sum for all.
struct Approximate {
    using Is = List<that_chooses_weights>;
    using Refuses = List<with_a_score_of_no_key, that_chooses_weights>;
};
/// Scores of keys alone, silu(q_j) k_j / sqrt(d), whoever asks: a running mean of values, in linear time. A
/// stream carries one mean for each head, and no keys.
struct NonApproximate;
/// Queries and keys, and what is forgotten, are of the side tensor Side, which has the shape of the input:
/// the embeddings of the tokens.
template <Name Side> struct StaticEmbQK {
    using Is = List<>;
    using Refuses = List<>;
};
/// Which scores a SoftmaxAttn takes: Standard, Approximate, NonApproximate or StaticEmbQK<"e">.
template <class Which> struct ScoredBy {
    using PolicyKind = WhichScores;
    using Is = typename Which::Is;
    using Refuses = typename Which::Refuses;
};
template <> struct ScoredBy<NonApproximate> {
    using PolicyKind = WhichScores;
    using Admits = List<HowManyHeads, HowManyKvHeads, HowWideHeads, WhichBias>;
};

namespace detail {
/// Rows of which queries and keys are made, and where their gradient goes: those of the block's input.
template <class Which> struct AskedFrom {
    static constexpr bool elsewhere = false;
};
template <Name Side> struct AskedFrom<ScoredBy<StaticEmbQK<Side>>> {
    static constexpr bool elsewhere = true;
    template <class C> static auto const& of(C const& c) noexcept {
        static_assert(HasSide<Side, decltype(c.extras)>,
                      "inlay: StaticEmbQK names a side tensor that no Let or Keep around it makes");
        return side<Side>(c.extras);
    }
};
} // namespace detail

} // namespace inlay::inline INLAY_ISA
