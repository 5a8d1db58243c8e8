// SPDX-License-Identifier: BSD-3-Clause
// Policies that blocks of attention share: how many heads, which keys a query sees, what it knows of places.
#pragma once

#include <inlay/core/policy.hpp>
#include <inlay/kernels/scores.hpp>

#include <algorithm>
#include <cstdint>
#include <limits>

namespace inlay::inline INLAY_ISA {

/// The families of policies.
struct HowManyHeads;
struct HowManyKvHeads;
struct HowWideHeads;
struct WhichKeys;
struct WhichWindow;
struct WhichSinks;
struct WhichPlaces;
struct WhichBias;
struct WhichNorm;
struct WhichCap;
struct WhichGate;
struct WhichScoreSink;
struct WhichForgetting;
struct WhichDocuments;
struct WhichWeights;
struct WhichDifference;
struct WhichSelection;
struct WhichScores;
struct WhichPattern;
struct WhichGlobals;

/// What some policies are, and others want none of beside them.
struct that_sees_ahead;
struct with_keys_of_no_place;
struct that_outlives_documents;
struct with_a_score_of_no_key;
struct that_knows_distances;
struct that_knows_documents;
struct that_subtracts;
struct that_chooses_weights;

/// N heads of queries.
template <int N> struct Heads {
    using PolicyKind = HowManyHeads;
    static constexpr int value = N;
};
/// N heads of keys and values, each read by as many heads of queries (arXiv 2305.13245); as many as Heads
/// unless said.
template <int N> struct KvHeads {
    using PolicyKind = HowManyKvHeads;
    static constexpr int value = N;
};
/// Numbers of a query, a key and a value of one head; the width of the input divided by Heads unless said.
template <int N> struct HeadDim {
    using PolicyKind = HowWideHeads;
    static constexpr int value = N;
};
namespace detail {
/// What HeadDim says, or an even share of D for each of so many heads; 0 where there is none.
template <int D, int Heads, class... Policies>
inline constexpr int head_width =
    PolicyOr<HowWideHeads, HeadDim<(Heads > 0 && D % Heads == 0 ? D / Heads : 0)>, Policies...>::type::value;
} // namespace detail
/// Adds a bias to all four projections.
struct Bias {
    using PolicyKind = WhichBias;
    static constexpr bool inputs = true, output = true;
};
/// Adds a bias to the projections of queries, keys and values.
struct QkvBias {
    using PolicyKind = WhichBias;
    static constexpr bool inputs = true, output = false;
};

namespace detail {
/// What a token sees: keys before `always`, and keys in [first, last), by their places in the stream.
struct Sight {
    std::int64_t always = 0, first = 0, last = std::numeric_limits<std::int64_t>::max();
};
struct NoBiases {
    static constexpr bool inputs = false, output = false;
};
struct NoWindow {};
struct NoSinks {
    static constexpr int value = 0;
    static constexpr bool sees_all = false;
};
struct NoPlaces {};
struct NoCap {
    template <class T> static kernels::Uncapped of() noexcept { return {}; }
};
struct NoNorm {};
struct NoGate {};
struct NoScoreSink {
    static constexpr int keys = 0;
};
struct NoForgetting {};
struct NoDocuments {};
struct NoSelection {};
struct NoPattern {
    static constexpr bool used = false;
};
struct NoDifference {
    static constexpr int sets = 1;
};
} // namespace detail

/// A token sees itself and what came before.
struct Causal {
    using PolicyKind = WhichKeys;
    static constexpr bool streams = true;
    static constexpr void limit(detail::Sight& s, std::int64_t i) noexcept { s.last = i + 1; }
};
/// Every token sees every other; a block that does has no `step`.
struct Bidirectional {
    using PolicyKind = WhichKeys;
    using Is = List<that_sees_ahead>;
    static constexpr bool streams = false;
    static constexpr void limit(detail::Sight&, std::int64_t) noexcept {}
};
/// The first N tokens are seen by all, later ones by those behind them; a block that does has no `step`.
template <int N> struct Prefix {
    static_assert(N > 0, "inlay: Prefix needs a positive length");
    using PolicyKind = WhichKeys;
    using Is = List<that_sees_ahead>;
    static constexpr bool streams = false;
    static constexpr void limit(detail::Sight& s, std::int64_t i) noexcept {
        s.last = std::max<std::int64_t>(i + 1, N);
    }
};
/// A token sees the last N, itself included; with Bidirectional those nearer than N on both sides.
template <int N> struct Window {
    static_assert(N > 0, "inlay: Window needs a positive length");
    using PolicyKind = WhichWindow;
    static constexpr int capacity = N;     ///< keys to store
    static constexpr bool sees_all = true; ///< of what is stored
    static constexpr void limit(detail::Sight& s, std::int64_t i) noexcept {
        s.first = std::max(s.first, i + 1 - N);
        s.last = std::min(s.last, i + N);
    }
};
/// A token sees its own block of N tokens and the Segments blocks before it (arXiv 2404.09173).
template <int N, int Segments> struct BlockWindow {
    static_assert(N > 0 && Segments >= 0, "inlay: BlockWindow needs a positive length");
    using PolicyKind = WhichWindow;
    static constexpr int capacity = N * (Segments + 1);
    static constexpr bool sees_all = false;
    static constexpr void limit(detail::Sight& s, std::int64_t i) noexcept {
        s.first = std::max(s.first, (i / N - Segments) * N);
    }
};
/// The first N tokens are seen whatever the window (arXiv 2309.17453).
template <int N> struct Sinks {
    static_assert(N > 0, "inlay: Sinks needs a positive count");
    using PolicyKind = WhichSinks;
    using Is = List<that_outlives_documents>;
    static constexpr int value = N;
    static constexpr bool sees_all = false; ///< what the window hides
};

/// One more score, 0, whose value is zero: P_ij = e^z_ij / (1 + sum e^z).
struct OffByOne {
    using PolicyKind = WhichScoreSink;
    using Is = List<with_a_score_of_no_key>;
    static constexpr int keys = 0;
};
/// One more score for each head, learned, whose value is zero: `sink [H]`, 0 at first.
struct SinkLogit {
    using PolicyKind = WhichScoreSink;
    using Is = List<with_a_score_of_no_key>;
    static constexpr int keys = 0;
};
/// N keys with their values for each head, learned, that every token sees, whatever its place (arXiv
/// 2402.17762): `sink_key [H N, d]` and `sink_value [H N, d]` from N(0, 0.02^2).
template <int N> struct SinkKeys {
    static_assert(N > 0, "inlay: SinkKeys needs a positive count");
    using PolicyKind = WhichScoreSink;
    using Is = List<with_keys_of_no_place>;
    static constexpr int keys = N;
};

/// Scores are bounded: C tanh(score / C), before biases and masks (arXiv 2408.00118).
template <auto C> struct Softcap {
    static_assert(C > 0, "inlay: Softcap needs a positive bound");
    using PolicyKind = WhichCap;
    template <class T> static kernels::Capped<T> of() noexcept { return {T(C)}; }
};

/// Rotary positions: pairs (2 m, 2 m + 1) turn, not (m, m + half).
struct Interleaved;
/// Rotary positions: the first N numbers of a head turn, the others stay.
template <int N> struct Rotates {
    static constexpr int value = N;
};
namespace detail {
template <class How> inline constexpr int how_many_turn = 0;
template <int N> inline constexpr int how_many_turn<Rotates<N>> = N;
} // namespace detail
/// Rotary positions (arXiv 2104.09864): pair m of a query and of a key turns by position Base^(-2 m / d).
template <auto Base = 10'000, class... How> struct Rope {
    using PolicyKind = WhichPlaces;
    static constexpr double base = double(Base);
    static constexpr bool interleaved = (std::is_same_v<How, Interleaved> || ...);
    /// Numbers that turn, of `width`.
    static constexpr int turning(int width) {
        int const some = (detail::how_many_turn<How> + ... + 0);
        return some > 0 ? some : width;
    }
};

namespace detail {
/// What a token at place i sees. Windows narrow; sinks are exempt from them.
template <class Keys, class Win, class Sink> constexpr Sight sight_of(std::int64_t i) noexcept {
    Sight s;
    Keys::limit(s, i);
    if constexpr (Sink::value > 0) s.always = std::min<std::int64_t>(Sink::value, s.last);
    if constexpr (Sink::sees_all)
        if (i < Sink::value) return s;
    if constexpr (!std::is_same_v<Win, NoWindow>) Win::limit(s, i);
    return s;
}
} // namespace detail

} // namespace inlay::inline INLAY_ISA
