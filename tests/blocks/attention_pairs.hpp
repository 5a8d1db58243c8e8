// SPDX-License-Identifier: BSD-3-Clause
// The policies of attention, and configurations in which any two that go together are met: against the
// reference, one slope along a random direction through everything, and token by token.
#pragma once

#include "../reference/activation.hpp"
#include "../reference/attention.hpp"
#include "every_four.hpp"
#include "harness.hpp"

namespace pairs {
using namespace inlay;
using test::EveryFour;

using Turned = Rope<100, Interleaved, Rotates<2>>;
using Apart = Documents<"document">;
using Series = ScoredBy<Approximate>;
using Alone = ScoredBy<NonApproximate>;
using Embedded = ScoredBy<StaticEmbQK<"e">>;
using Beside = ScoredBy<FixedSeqQK>;
template <class... P> struct Config {
    template <class Q> static constexpr bool has = (std::is_same_v<P, Q> || ...);
    using Mixer = Let<"document", EveryFour, SoftmaxAttn<Heads<2>, P...>>;
    using Spec = Let<"e", Tanh, std::conditional_t<has<Beside>, FixedStream<"e", Mixer>, Mixer>>;
    static constexpr std::size_t depth = has<Beside> ? 6 : 4; ///< letters of "0.0."
};

/// Every policy, once.
using All = List<KvHeads<1>, Bidirectional, Prefix<3>, Window<4>, BlockWindow<2, 1>, Sinks<2>, Rope<>, Turned,
                 Alibi, LearnedAlibi, QkNorm, QkUnit, Softcap<3>, OffByOne, SinkLogit, SinkKeys<2>,
                 Forgetting, Sparsemax, Entmax15, Differential, Selective, OutputGate<Headwise>,
                 OutputGate<Elementwise>, Bias, QkvBias, Apart, Series, Alone, Embedded, Beside>;
using First =
    List<Config<KvHeads<1>, Window<4>, Alibi, QkNorm, Softcap<3>, Forgetting, Entmax15, Differential,
                OutputGate<Elementwise>, QkvBias, Apart>,
         Config<KvHeads<1>, Prefix<3>, BlockWindow<2, 1>, Sinks<2>, Turned, QkUnit, Softcap<3>, SinkKeys<2>,
                Sparsemax, OutputGate<Headwise>, Bias>,
         Config<KvHeads<1>, Bidirectional, BlockWindow<2, 1>, Rope<>, QkNorm, Softcap<3>, Sparsemax,
                Differential, OutputGate<Elementwise>, Bias, Apart>,
         Config<KvHeads<1>, Window<4>, Sinks<2>, Rope<>, QkUnit, Softcap<3>, OffByOne, Selective,
                OutputGate<Headwise>, QkvBias>,
         Config<KvHeads<1>, BlockWindow<2, 1>, Sinks<2>, LearnedAlibi, QkNorm, Softcap<3>, SinkLogit,
                Forgetting, OutputGate<Headwise>, Bias>,
         Config<Bidirectional, Window<4>, Turned, QkUnit, SinkKeys<2>, Entmax15, OutputGate<Headwise>,
                QkvBias, Apart>,
         Config<Window<4>, Sinks<2>, LearnedAlibi, QkUnit, Forgetting, Sparsemax, Differential,
                OutputGate<Elementwise>, QkvBias>,
         Config<Prefix<3>, Window<4>, Turned, QkNorm, OffByOne, OutputGate<Elementwise>, Bias, Apart>>;
using Second =
    List<Config<Prefix<3>, BlockWindow<2, 1>, Sinks<2>, Rope<>, QkNorm, SinkKeys<2>, Entmax15,
                OutputGate<Elementwise>, QkvBias>,
         Config<BlockWindow<2, 1>, Turned, QkUnit, SinkLogit, Selective, OutputGate<Elementwise>, QkvBias>,
         Config<BlockWindow<2, 1>, Sinks<2>, Alibi, QkUnit, OffByOne, Forgetting, OutputGate<Headwise>, Bias>,
         Config<Window<4>, Rope<>, SinkLogit, Forgetting, Apart>, Config<QkNorm, Entmax15, Selective, Bias>,
         Config<Prefix<3>, Turned, Differential, OutputGate<Headwise>>,
         Config<Bidirectional, Sinks<2>, SinkLogit>, Config<LearnedAlibi, OffByOne, Apart>,
         Config<LearnedAlibi, Entmax15>, Config<Sparsemax, Selective>, Config<Prefix<3>, SinkLogit>,
         Config<Bidirectional, OffByOne>, Config<Alibi, Sparsemax>, Config<Alibi, SinkLogit>,
         Config<Turned, Forgetting>>;

using Third =
    List<Config<Series, KvHeads<1>, Window<4>, Alibi, QkNorm, Softcap<3>, Forgetting, Differential,
                OutputGate<Elementwise>, QkvBias, Apart>,
         Config<Series, Prefix<3>, BlockWindow<2, 1>, Sinks<2>, Turned, QkUnit, SinkKeys<2>,
                OutputGate<Headwise>, Bias>,
         Config<Series, Bidirectional, Rope<>>, Config<Series, LearnedAlibi>, Config<Series, Selective>,
         Config<Embedded, KvHeads<1>, Window<4>, Alibi, QkNorm, Softcap<3>, Forgetting, Entmax15,
                Differential, OutputGate<Elementwise>, QkvBias, Apart>,
         Config<Embedded, Prefix<3>, BlockWindow<2, 1>, Sinks<2>, Turned, QkUnit, SinkKeys<2>, Sparsemax,
                OutputGate<Headwise>, Bias>,
         Config<Embedded, Bidirectional, Rope<>, SinkLogit>, Config<Embedded, LearnedAlibi, OffByOne>,
         Config<Embedded, Selective>, Config<Alone, KvHeads<1>, Bias>, Config<Alone, QkvBias>>;
using Fourth = List<Config<Beside, KvHeads<1>, Window<4>, Alibi, QkNorm, Softcap<3>, Forgetting, Entmax15,
                           Differential, OutputGate<Elementwise>, QkvBias, Apart>,
                    Config<Beside, Prefix<3>, BlockWindow<2, 1>, Sinks<2>, Turned, QkUnit, SinkKeys<2>,
                           Sparsemax, OutputGate<Headwise>, Bias>,
                    Config<Beside, Bidirectional, Rope<>, SinkLogit>, Config<Beside, LearnedAlibi, OffByOne>,
                    Config<Beside, Selective>>;

namespace r = reference;
inline void say(Tag<KvHeads<1>>, r::Attention& a) { a.kv_heads = 1; }
inline void say(Tag<Bidirectional>, r::Attention& a) { a.mask.sees = r::Sees::all; }
inline void say(Tag<Prefix<3>>, r::Attention& a) { a.mask.sees = r::Sees::prefix, a.mask.prefix = 3; }
inline void say(Tag<Window<4>>, r::Attention& a) { a.mask.window = 4; }
inline void say(Tag<BlockWindow<2, 1>>, r::Attention& a) { a.mask.block = 2, a.mask.segments = 1; }
inline void say(Tag<Sinks<2>>, r::Attention& a) { a.mask.sinks = 2; }
inline void say(Tag<Rope<>>, r::Attention& a) { a.rope.base = 10'000; }
inline void say(Tag<Turned>, r::Attention& a) { a.rope = {100, r::Pairs::neighbours, 2}; }
inline void say(Tag<Alibi>, r::Attention& a) { a.alibi = r::Alibi::fixed; }
inline void say(Tag<LearnedAlibi>, r::Attention& a) { a.alibi = r::Alibi::learned; }
inline void say(Tag<QkNorm>, r::Attention& a) { a.qk_norm = r::QkNorm::rms; }
inline void say(Tag<QkUnit>, r::Attention& a) { a.qk_norm = r::QkNorm::l2; }
inline void say(Tag<Softcap<3>>, r::Attention& a) { a.softcap = 3; }
inline void say(Tag<OffByOne>, r::Attention& a) { a.sink = r::Sink::off_by_one; }
inline void say(Tag<SinkLogit>, r::Attention& a) { a.sink = r::Sink::learned; }
inline void say(Tag<SinkKeys<2>>, r::Attention& a) { a.sink_keys = 2; }
inline void say(Tag<Forgetting>, r::Attention& a) { a.forgetting = true; }
inline void say(Tag<Sparsemax>, r::Attention& a) { a.weights = r::RowMap::sparsemax; }
inline void say(Tag<Entmax15>, r::Attention& a) { a.weights = r::RowMap::entmax15; }
inline void say(Tag<Differential>, r::Attention& a) { a.differential.on = true; }
inline void say(Tag<Selective>, r::Attention& a) { a.selective = true; }
inline void say(Tag<OutputGate<Headwise>>, r::Attention& a) { a.gate = r::OutputGate::headwise; }
inline void say(Tag<OutputGate<Elementwise>>, r::Attention& a) { a.gate = r::OutputGate::elementwise; }
inline void say(Tag<Series>, r::Attention& a) { a.weights = r::RowMap::taylor; }
inline void say(Tag<Alone>, r::Attention& a) { a.scores = r::Scores::keys; }
inline void say(Tag<Embedded>, r::Attention&) {} // said below
inline void say(Tag<Beside>, r::Attention&) {}
inline void say(Tag<Bias>, r::Attention&) {}
inline void say(Tag<QkvBias>, r::Attention&) {}
inline void say(Tag<Apart>, r::Attention& a) { a.mask.documents = {0, 0, 0, 0, 1, 1, 1, 1, 2}; }

constexpr int rows = 9, width = 8;

template <class... P> void check(Tag<Config<P...>>) {
    using H =
        test::Harness<typename Config<P...>::Spec, Sequence<rows, width>, double, native_lanes<double>, 1>;
    r::Attention truth{.heads = 2};
    (say(Tag<P>{}, truth), ...);
    auto h = std::make_unique<H>();
    h->randomize();
    r::Parameters own;
    for (auto const& [name, m] : h->parameters().by_name) own.by_name[name.substr(Config<P...>::depth)] = m;
    CAPTURE(own.by_name.size());
    auto const x = H::sequence(h->x(), 0);
    bool const embedded = Config<P...>::template has<Embedded> || Config<P...>::template has<Beside>;
    auto const want = (embedded ? r::attention_of(truth, r::tanh({}, x).value) : r::attention(truth))(own, x);
    auto const agrees = [&](double const* y, int t) {
        for (int i = 0; i < width; ++i) {
            auto const at = std::size_t(t), e = std::size_t(i);
            CHECK(std::abs(y[i] - want.value[at][e]) <= 1e-12 * want.magnitude[at][e]);
        }
    };
    h->forward();
    for (int t = 0; t < rows; ++t) agrees(h->y()(0, t), t);
    h->check_slope();
    if constexpr (std::is_void_v<typename H::Block::Blocker>) {
        auto state = std::make_unique<typename H::State>();
        std::memset(static_cast<void*>(state.get()), 0, sizeof *state);
        std::vector<std::byte> scratch(H::Block::step_scratch() + 64);
        for (std::int64_t t = 0; t < rows; ++t) {
            double out[64];
            Context<> const c{.rows = 1, .capacity = 1, .position = &t};
            H::Block::step(c, h->params, *state, h->x()(0, int(t)), out, Scratch{scratch.data()});
            agrees(out, int(t));
        }
    }
}
template <class... C> void check_all(List<C...>) { (check(Tag<C>{}), ...); }

} // namespace pairs
