// SPDX-License-Identifier: BSD-3-Clause
// What attention may leave out and still be attention (arXiv 2510.11602).
#pragma once

#include <inlay/blocks/attention/policies.hpp>
#include <inlay/core/context.hpp>
#include <inlay/kernels/attention/taylor.hpp>

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
/// Queries and keys, and what is forgotten, are of the stream beside, in a FixedStream: the same whatever the
/// input. That stream asks itself.
struct FixedQK {
    using Is = List<>;
    using Refuses = List<>;
};
/// Where it begins with random rows: Let<"x", RandomRows<D>, ...FixedStream<"x", ...>>.
using RndEmbQK = FixedQK;
/// Where it begins with the embeddings of a text: Let<"x", Stack<FixedText<ids>, Embed<D>>, ...>.
using FixedSeqQK = FixedQK;
/// Which scores a SoftmaxAttn takes: Standard, Approximate, NonApproximate, StaticEmbQK<"e">, RndEmbQK or
/// FixedSeqQK.
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
/// Rows of which queries and keys are made: those of the block's input, unless they are in a side tensor
/// (`elsewhere`) or in the rows of the batch behind (`behind`).
template <class Which> struct AskedFrom {
    static constexpr bool elsewhere = false, behind = false;
    template <class T, int Row> struct Memory {};
};
template <Name Side> struct AskedFrom<ScoredBy<StaticEmbQK<Side>>> : AskedFrom<void> {
    static constexpr bool elsewhere = true;
    template <class C> static auto const& of(C const& c) noexcept {
        static_assert(HasSide<Side, decltype(c.extras)>,
                      "inlay: StaticEmbQK names a side tensor that no Let or Keep around it makes");
        return side<Side>(c.extras);
    }
};
template <> struct AskedFrom<ScoredBy<FixedQK>> : AskedFrom<void> {
    static constexpr bool behind = true;
    /// What a step of the stream beside leaves for that of the other.
    template <class T, int Row> struct Memory {
        alignas(64) T token[std::size_t(Row)];
    };
    /// The row that row b asks by: the batch's first half by the second, which asks by itself.
    template <class C> static int row(C const& c, int b) noexcept {
        check(c);
        return b < c.rows / 2 ? b + c.rows / 2 : b;
    }
    /// Bytes from a state to that of the stream beside, 0 in that stream.
    template <class C> static std::size_t to_beside(C const& c) noexcept {
        check(c);
        if constexpr (HasSide<"stream beside", decltype(c.extras)>)
            return side<"stream beside">(c.extras).value;
        else return 0;
    }

private:
    template <class C> static void check(C const& c) noexcept {
        static_assert(HasSide<"stream beside", decltype(c.extras)>,
                      "inlay: RndEmbQK and FixedSeqQK want a FixedStream around them");
    }
};
} // namespace detail

} // namespace inlay::inline INLAY_ISA
