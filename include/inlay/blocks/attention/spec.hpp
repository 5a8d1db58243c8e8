// SPDX-License-Identifier: BSD-3-Clause
// What specs of attention read off their policies, and what they ask of an input.
#pragma once

#include <inlay/blocks/attention/parts.hpp>

namespace inlay::inline INLAY_ISA {

/// Words of a misfit.
template <class Heads> struct a_width_for;
template <class Heads> struct what_divides;
struct pairs_to_turn;

namespace detail {

/// The first tokens that a pattern shows to all.
template <class Pattern> struct FirstTokensOf {
    using type = NoSinks;
};
template <class Pattern>
    requires(Pattern::first_tokens > 0)
struct FirstTokensOf<Pattern> {
    using type = Sinks<Pattern::first_tokens>;
};

/// A token sees itself and what came before, all of which are there at once.
struct Prompt {
    static constexpr bool streams = false;
    static constexpr void limit(Sight& s, std::int64_t i) noexcept { s.last = i + 1; }
};
template <class Pattern, class Keys> struct KeysOf {
    using type = Keys;
};
template <class Pattern, class Keys>
    requires Pattern::of_prompts
struct KeysOf<Pattern, Keys> {
    using type = Prompt;
};

/// `Named` is the spec in a message: its policies would fill it. It says which kinds are `Allowed`.
template <class Named, class... Policies> struct AttentionSpec {
    template <class Kind, class Default> using policy = typename PolicyOr<Kind, Default, Policies...>::type;
    using Wanted = a_sequence;
    static constexpr int layers = 1;
    static constexpr int heads = policy<HowManyHeads, Heads<1>>::value;
    static constexpr int kv_heads = policy<HowManyKvHeads, KvHeads<heads>>::value;
    using Pattern = policy<WhichPattern, NoPattern>;
    using Keys = typename KeysOf<Pattern, policy<WhichKeys, Causal>>::type;
    using Win = policy<WhichWindow, std::conditional_t<Pattern::used, Pattern, NoWindow>>;
    using Sink = policy<WhichSinks, policy<WhichGlobals, typename FirstTokensOf<Pattern>::type>>;
    using Places = policy<WhichPlaces, NoPlaces>;
    using Biases = policy<WhichBias, NoBiases>;
    using Norm = policy<WhichNorm, NoNorm>;
    using Cap = policy<WhichCap, NoCap>;
    using Gate = policy<WhichGate, NoGate>;
    using ScoreSink = policy<WhichScoreSink, NoScoreSink>;
    using Forget = policy<WhichForgetting, NoForgetting>;
    using Asks = policy<WhichScores, ScoredBy<Standard>>;
    using Weights = policy<WhichWeights,
                           std::conditional_t<std::is_same_v<Asks, ScoredBy<Approximate>>, Asks, NoWeights>>;
    using Diff = policy<WhichDifference, NoDifference>;
    using Select = policy<WhichSelection, NoSelection>;
    using Docs = policy<WhichDocuments, NoDocuments>;
    template <int D> static constexpr int head_dim = head_width<D, heads * Diff::sets, Policies...>;

    template <class I> static consteval auto problem() {
        using P = PolicyProblem<Named, I, typename Named::Allowed, Policies...>;
        if constexpr (!fits<P>) return Tag<P>{};
        else if constexpr (heads < 1 || kv_heads < 1 || heads % std::max(kv_heads, 1) != 0)
            return Tag<Misfit<Named, Place<>, Got<KvHeads<kv_heads>>, Wants<what_divides<Heads<heads>>>>>{};
        else {
            constexpr int d = head_dim<I::width>;
            if constexpr (d < 1)
                return Tag<Misfit<Named, Place<>, Got<I>, Wants<a_width_for<Heads<heads>>>>>{};
            else if constexpr (!Rotation<Native, Places, d>::fits)
                return Tag<Misfit<Named, Place<>, Got<HeadDim<d>>, Wants<pairs_to_turn>>>{};
            else return Tag<Fits>{};
        }
    }
    template <class I> using Problem = typename decltype(problem<I>())::type;
    template <int T, int D> static Tag<Shape<T, D>> out(Tag<Shape<T, D>>);
};

} // namespace detail
} // namespace inlay::inline INLAY_ISA
