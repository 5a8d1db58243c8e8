// SPDX-License-Identifier: BSD-3-Clause
// Which keys a query of sparse attention asks.
#pragma once

#include <inlay/blocks/attention/policies.hpp>
#include <inlay/core/random.hpp>

namespace inlay::inline INLAY_ISA {

/// What some patterns are, and others want none of beside them.
struct that_chooses_blocks;
struct counts_of_blocks;
struct three_blocks_and_a_window;

namespace detail {
/// What patterns want none of: scores that know distances, keys without a place, what comes later.
using NotWithPatterns = List<that_knows_distances, with_keys_of_no_place>;
using OnlyOfThePast = List<that_knows_distances, with_keys_of_no_place, that_sees_ahead>;

/// A query sees its own block of N tokens up to itself, and M - 1 blocks before; the stream keeps whole
/// blocks.
template <int N, int M, int Rows> struct OwnBlocks {
    static constexpr int blocks = M;
    static constexpr int capacity = (std::max(Rows, N* M) + N - 1) / N * N;
    static constexpr bool sees_all = false;
    static constexpr void limit(Sight& s, std::int64_t i) noexcept {
        s.first = std::max(s.first, (i / N + 1 - M) * N);
    }
};
/// A query sees tokens from `Pattern::near_from(i)` on, itself included, of the last Rows.
template <class Pattern, int Rows> struct NearTokens {
    static constexpr int capacity = Rows;
    static constexpr bool sees_all = false;
    static constexpr void limit(Sight& s, std::int64_t i) noexcept {
        s.first = std::max({s.first, i + 1 - Rows, Pattern::near_from(i)});
        s.last = std::min(s.last, Pattern::near_end(i));
    }
};
struct MeanKeys;
struct KeyBounds;

/// What all patterns say, and those whose keys depend on queries, on no options but a few, on a whole prompt.
struct AnyPattern {
    using PolicyKind = WhichPattern;
    static constexpr bool used = true;
};
struct ChoosingPattern : AnyPattern {
    using Is = List<that_chooses_blocks>;
    using Refuses = OnlyOfThePast;
};
struct BarePattern : ChoosingPattern {
    using Admits =
        List<HowManyHeads, HowManyKvHeads, HowWideHeads, WhichKeys, WhichPlaces, WhichBias, WhichGate>;
};
template <class Base> struct OfPrompts : Base {
    static constexpr bool of_prompts = true;
};
} // namespace detail

/// The last N tokens, itself included: Window<N> as a pattern. With Bidirectional those nearer than N on both
/// sides.
template <int N> struct LocalTokens : detail::AnyPattern {
    using Must = detail::Must<(N > 0), a_positive_count>;
    using Refuses = detail::NotWithPatterns;
    template <int> using Over = Window<N>;
};
/// The last S tokens, itself included, and those a multiple of S away (arXiv 1904.10509).
template <int S> struct Strided : detail::AnyPattern {
    using Must = detail::Must<(S > 0), a_positive_count>;
    using Refuses = detail::OnlyOfThePast;
    static constexpr bool spread = true;
    static constexpr int classes = S;
    template <int Rows> using Over = detail::NearTokens<Strided, Rows>;

    static constexpr std::int64_t near_from(std::int64_t i) noexcept { return i + 1 - S; }
    static constexpr std::int64_t near_end(std::int64_t i) noexcept { return i + 1; }
    static constexpr std::int64_t distant_from(std::int64_t) noexcept { return 0; }
    static constexpr std::int64_t distant_end(std::int64_t i) noexcept { return i - S + 1; }
    /// The class of keys that a query sees from afar, and their places.
    static constexpr int class_of(std::int64_t i) noexcept { return int(i % S); }
    static constexpr std::int64_t member(int of, std::int64_t m) noexcept { return of + m * S; }
    static constexpr std::int64_t members_before(int of, std::int64_t place) noexcept {
        return place > of ? (place - of + S - 1) / S : 0;
    }
};
/// N tokens, each R from the next, the last of them itself (arXiv 2004.05150).
template <int N, int R> struct Dilated : detail::AnyPattern {
    using Must = detail::Must<(N > 0 && R > 0), a_positive_count>;
    using Refuses = detail::OnlyOfThePast;
    static constexpr bool spread = true;
    static constexpr int classes = R;
    template <int> using Over = detail::NearTokens<Dilated, (N - 1) * R + 1>;

    static constexpr std::int64_t near_from(std::int64_t i) noexcept { return i; }
    static constexpr std::int64_t near_end(std::int64_t i) noexcept { return i + 1; }
    static constexpr std::int64_t distant_from(std::int64_t i) noexcept { return i - (N - 1) * R; }
    static constexpr std::int64_t distant_end(std::int64_t i) noexcept { return i; }
    static constexpr int class_of(std::int64_t i) noexcept { return Strided<R>::class_of(i); }
    static constexpr std::int64_t member(int of, std::int64_t m) noexcept {
        return Strided<R>::member(of, m);
    }
    static constexpr std::int64_t members_before(int of, std::int64_t place) noexcept {
        return Strided<R>::members_before(of, place);
    }
};
/// Its own stretch of S tokens, and the last C of every stretch: the fixed pattern of arXiv 1904.10509. With
/// Bidirectional those of later stretches too.
template <int S, int C> struct Column : detail::AnyPattern {
    using Must = detail::Must<(S > 0 && C > 0 && C <= S), a_positive_count>;
    using Refuses = detail::NotWithPatterns;
    static constexpr bool spread = true;
    static constexpr int classes = 1;
    template <int Rows> using Over = detail::NearTokens<Column, Rows>;

    static constexpr std::int64_t near_from(std::int64_t i) noexcept { return i / S * S; }
    static constexpr std::int64_t near_end(std::int64_t i) noexcept { return near_from(i) + S; }
    static constexpr std::int64_t distant_from(std::int64_t) noexcept { return 0; }
    static constexpr std::int64_t distant_end(std::int64_t i) noexcept { return near_from(i); }
    static constexpr int class_of(std::int64_t) noexcept { return 0; }
    static constexpr std::int64_t member(int, std::int64_t m) noexcept { return m / C * S + S - C + m % C; }
    static constexpr std::int64_t members_before(int, std::int64_t place) noexcept {
        return place / S * C + std::max<std::int64_t>(0, place % S - (S - C));
    }
};
/// Beside a pattern: the first N tokens are seen by all behind them, whatever the pattern, and see all that
/// Causal or Bidirectional lets them (arXiv 2004.05150). A stream keeps them.
template <int N> struct GlobalTokens {
    using Must = detail::Must<(N > 0), a_positive_count>;
    using PolicyKind = WhichGlobals;
    using Refuses = List<that_chooses_blocks>;
    static constexpr int value = N;
    static constexpr bool sees_all = true;
};

/// A query sees its own block of Block tokens, and of the blocks before it those N - 1 whose mean key has the
/// largest product with it; of equals the earlier (MoBA, arXiv 2502.13189). Each head chooses for itself; the
/// choice has no gradient.
template <int N, int Block> struct TopBlocks : detail::ChoosingPattern {
    using Must = detail::Must<(N > 0 && Block > 0), a_positive_count>;
    static constexpr int block = Block, others = N - 1;
    using Summary = detail::MeanKeys;
    template <int Rows> using Over = detail::OwnBlocks<Block, 1, Rows>;
};

/// A query sees its own page of Page tokens, and those N of the pages before it that could hold the key with
/// the largest product, by the least and the largest of each of its numbers: sum_d max(q_d min_d, q_d max_d)
/// is at least the product of any key of the page (Quest, arXiv 2406.10774). Each head chooses for itself.
/// Made for models that were trained with all keys: parameters are theirs.
template <int N, int Page> struct Quest : detail::ChoosingPattern {
    using Must = detail::Must<(N > 0 && Page > 0), a_positive_count>;
    static constexpr int block = Page, others = N;
    using Summary = detail::KeyBounds;
    template <int Rows> using Over = detail::OwnBlocks<Page, 1, Rows>;
};
/// The N keys with the largest products, of equals the earliest. All products are computed, so that only what
/// comes behind them is saved. Each head chooses for itself; the choice has no gradient.
template <int N> struct TopTokens : detail::ChoosingPattern {
    using Must = detail::Must<(N > 0), a_positive_count>;
    using Refuses = detail::NotWithPatterns;
    static constexpr int tokens = N;
    template <int Rows> using Over = Window<Rows>;
};
/// The N tokens with the largest scores of their own, r = Ws x, whoever asks; of equals the earliest. What is
/// left out has no weight at all, and the weights of what is kept are multiplied by sigmoid(r), through which
/// Ws learns. Parameters: `select.weight [1, D]` from Xavier's U(-a, a). A hard choice where soft weights are
/// drawn to distractors (after System 2 attention, arXiv 2311.11829).
template <int N> struct HardSelect : detail::ChoosingPattern {
    using Must = detail::Must<(N > 0), a_positive_count>;
    using Refuses = detail::NotWithPatterns;
    static constexpr int kept_tokens = N;
    template <int Rows> using Over = Window<Rows>;
};
/// Three attentions with the same queries, keys and values, added with gates sigmoid(Wg x) of each head
/// (Native Sparse Attention, arXiv 2502.11089): over the mean key and value of each block of Block tokens
/// that has passed; over N blocks, which are the first, the query's own, the one before it and those with the
/// largest mean weight in the first attention, over the heads that read the same keys; and over the last
/// Window tokens. Parameters: `nsa_gate.weight [3 H, D]`, zeros at first: three gates a head, side by side.
/// The choice has no gradient.
template <int Block, int N, int Near> struct Nsa : detail::BarePattern {
    using Must = detail::Must<(Block > 0 && N >= 3 && Near > 0), three_blocks_and_a_window>;
    static constexpr int first_tokens = Block, window = Near;
    struct Blocks {
        static constexpr int block = Block, others = N - 3;
    };
    template <int Rows> using Over = detail::OwnBlocks<Block, 2, Rows>;
};
/// For a prompt as a whole: all queries of a block of Block tokens see N blocks, which are the first, their
/// own, the one before, and those whose mean key has the largest product with their mean query (Block-Sparse
/// of arXiv 2504.17768). What comes later in its block takes part in the choice, so that there is no `step`;
/// made for models that were trained with all keys.
template <int N, int Block> struct MeanBlocks : detail::OfPrompts<detail::ChoosingPattern> {
    using Must = detail::Must<(Block > 0 && N >= 3), three_blocks_and_a_window>;
    static constexpr int block = Block, others = N - 3, first_tokens = Block;
    template <int Rows> using Over = detail::OwnBlocks<Block, 2, Rows>;
};
/// For a prompt as a whole: all queries see the same Columns keys and the same Diagonals distances, those to
/// which its last Queries queries give most; the first four keys and the 64 nearest distances come before all
/// (Vertical-Slash, arXiv 2407.02490). There is no `step`; made for models that were trained with all keys.
template <int Columns, int Diagonals, int Queries = 256>
struct VerticalSlash : detail::OfPrompts<detail::BarePattern> {
    using Must = detail::Must<(Columns > 0 && Diagonals > 0 && Queries > 0), a_positive_count>;
    static constexpr int columns = Columns, diagonals = Diagonals, queries = Queries, first_columns = 4,
                         nearest_diagonals = 64;
    static constexpr double share = 0;
    template <int Rows> using Over = Window<Rows>;
};
/// For a prompt as a whole: all queries see the same keys and the same distances, of each the fewest that
/// hold more than Share of what its last Queries queries give, and at least Least (FlexPrefill, arXiv
/// 2502.20766, as arXiv 2504.17768 does it: Share .65, Least 512). How many that are is known when it runs:
/// `flops` says at most, and lists have room for T keys a query. There is no `step`; made for models that
/// were trained with all keys.
template <double Share, int Least, int Queries = 256>
struct FlexPrefill : detail::OfPrompts<detail::BarePattern> {
    using Must = std::conditional_t<(Least > 0 && Queries > 0),
                                    detail::Must<(Share > 0 && Share < 1), a_probability_below_1>,
                                    detail::Must<false, a_positive_count>>;
    static constexpr int columns = Least, diagonals = Least, queries = Queries, first_columns = 0,
                         nearest_diagonals = 0;
    static constexpr double share = Share;
    template <int Rows> using Over = Window<Rows>;
};
/// What decoding from a smaller cache would give: tokens behind a prompt of Length tokens see each other and,
/// of the prompt, Capacity tokens for each head of keys (SnapKV, arXiv 2404.14469): the first 4, the last
/// Last, and those to which the last Queries queries of the prompt give most, in the mean over the heads that
/// read the keys, and over Pool neighbours. With Adaptive (Ada-SnapKV, arXiv 2407.11550) the largest weight
/// counts, each head of keys has a fifth of Capacity, and all heads compete for the rest. In `forward` only;
/// there is no `step`; made for models that were trained with all keys.
template <int Length, int Capacity, bool Adaptive = false, int Queries = 256, int Pool = 21, int Last = 128>
struct SnapKv : detail::OfPrompts<detail::BarePattern> {
    using Must = detail::Must<(Length > 0 && Capacity > 0 && Queries > 0 && Pool > 0), a_positive_count>;
    static constexpr bool adaptive = Adaptive;
    static constexpr int prompt = Length, capacity = Capacity, queries = Queries, pool = Pool, last = Last;
    template <int Rows> using Over = detail::NearTokens<SnapKv, Rows>;

    static constexpr std::int64_t near_from(std::int64_t i) noexcept { return i < Length ? 0 : Length; }
    static constexpr std::int64_t near_end(std::int64_t i) noexcept { return i + 1; }
};
/// By blocks of Block tokens: its own and the Near - 1 before it, the first First, and Drawn of those
/// between, drawn once for each layer, head and block of queries (arXiv 2007.14062, which is not causal).
template <int Block, int Near = 3, int Drawn = 3, int First = 2> struct BigBird : detail::ChoosingPattern {
    using Must = detail::Must<(Block > 0 && Near > 0 && Drawn >= 0 && First >= 0), counts_of_blocks>;
    static constexpr int block = Block, others = Drawn, first_tokens = First * Block;
    template <int Rows> using Over = detail::OwnBlocks<Block, Near, Rows>;

    /// The blocks that a block of queries draws, -1 where there are fewer to draw from (Floyd's way: all sets
    /// are equally likely).
    static constexpr void draw(int layer, int head, std::int64_t query_block, std::int32_t* to) noexcept {
        std::int64_t const n = query_block + 1 - Near - First;
        Key const key = Key{0x62696762697264}.fold(std::uint64_t(layer)).fold(std::uint64_t(head));
        int count = 0;
        for (std::int64_t last = std::max<std::int64_t>(0, n - Drawn); last < n; ++last) {
            auto const at = std::int32_t(key.below(std::uint64_t(last + 1), std::uint64_t(query_block),
                                                   std::uint64_t(count))) +
                            First;
            bool const taken = std::find(to, to + count, at) != to + count;
            to[count++] = taken ? std::int32_t(last) + First : at;
        }
        std::fill(to + count, to + Drawn, -1);
    }
};

} // namespace inlay::inline INLAY_ISA
