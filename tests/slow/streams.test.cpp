// SPDX-License-Identifier: BSD-3-Clause
// Millions of tokens through one state: what float gives stays as close to double as it was at the beginning,
// does not grow, and nothing is allocated.
#include "../allocation.hpp"

#include <inlay/inlay.hpp>
#include <inlay/io/weights.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <memory>

using namespace inlay;

namespace {
template <class Mixer> void stays_close(std::int64_t tokens = 10'000'000, double bound = 1e-5) {
    constexpr int D = 8;
    constexpr std::int64_t part = 10'000;
    using Narrow = Model<Sequence<16, D>, Mixer>;
    using Wide = typename Narrow::template as<double>;
    auto net = Network<Narrow>(Seed{1});
    auto wide = Network<Wide>(Seed{2});
    auto const from = detail::named_tensors<Narrow>(net.params());
    auto const to = detail::named_tensors<Wide>(wide.params());
    REQUIRE(from.size() == to.size());
    for (std::size_t i = 0; i < to.size(); ++i)
        for (int r = 0; r < to[i].ref.rows; ++r)
            for (int c = 0; c < to[i].ref.width; ++c) to[i].ref(r, c) = double(from[i].ref(r, c));

    auto const state = std::make_unique<typename Narrow::State>();
    auto const wide_state = std::make_unique<typename Wide::State>();
    std::uint32_t draw = 1;
    struct Part {
        double off = 0, largest = 0;
        void see(double narrow, double wide) {
            double const o = std::abs(narrow - wide), l = std::abs(wide);
            if (!(o <= off) && !std::isnan(off)) off = o; // NaN stays
            if (!(l <= largest) && !std::isnan(largest)) largest = l;
        }
    } first, last;
#if INLAY_TESTS_OWN_NEW
    auto const allocations = tests::allocation_count();
#endif
    for (std::int64_t t = 0; t < tokens; ++t) {
        float x[D], y[D];
        double wide_x[D], wide_y[D];
        for (int i = 0; i < D; ++i) {
            draw = draw * 1664525u + 1013904223u;
            x[i] = float(draw >> 8) / float(1 << 23) - 1;
            wide_x[i] = double(x[i]);
        }
        Narrow::step(net.params(), *state, x, y);
        Wide::step(wide.params(), *wide_state, wide_x, wide_y);
        if (t >= part && t < tokens - part) continue;
        for (int i = 0; i < D; ++i) (t < part ? first : last).see(double(y[i]), wide_y[i]);
    }
#if INLAY_TESTS_OWN_NEW
    CHECK(tests::allocation_count() == allocations);
#endif
    CHECK(first.largest > 0.1);
    CHECK(first.largest < 100);
    CHECK(last.largest < 2 * first.largest);
    CHECK(first.off < bound * first.largest);
    CHECK(last.off < bound * first.largest);
}
} // namespace

TEST_CASE("a stream of gated delta") { stays_close<LinearAttn<Heads<2>, GatedDelta>>(); }
TEST_CASE("a stream of the delta rule, which forgets nothing by itself") {
    stays_close<LinearAttn<Heads<2>, DeltaNet>>();
}
TEST_CASE("a stream of gates for each channel") { stays_close<LinearAttn<Heads<2>, Gla, LogisticGate<2>>>(); }
TEST_CASE("a stream of a GRU and an LSTM") { stays_close<Stack<Gru<8>, Lstm<8>>>(); }

TEST_CASE("streams of memories") {
    constexpr std::int64_t tokens = 2'000'000;
    stays_close<Memory<Heads<2>, Chunk<1>, Depth<1>>>(tokens);
    stays_close<Memory<Heads<2>, Chunk<8>>>(tokens);
    stays_close<Memory<Heads<2>, Chunk<8>, Depth<1>, NeverForgets>>(tokens);
}
TEST_CASE("streams of memories with attention") {
    constexpr std::int64_t tokens = 2'000'000;
    using Learning = Memory<Heads<2>, Chunk<8>>;
    using Near = SoftmaxAttn<Heads<2>, Window<16>, Sinks<4>, Rope<10'000>>;
    stays_close<Persistent<4, MemoryAsGate<Near, Learning>>>(tokens);
    stays_close<MemoryAsLayer<Near, Learning>>(tokens);
    stays_close<MemoryAsContext<16, 4, SoftmaxAttn<Heads<2>>, Learning>>(tokens);
}
TEST_CASE("a stream of feedback memory, which each block adds to") {
    // Where nothing fades them, each block's addition rounds the sum, by half an epsilon of it.
    constexpr std::int64_t tokens = 2'000'000, block = 16;
    stays_close<FeedbackMemory<BlockWindow<block, 1>, FeedbackRows<4>, Heads<2>, Rope<10'000>>>(
        tokens, double(tokens / block) * double(std::numeric_limits<float>::epsilon()) / 2);
    stays_close<FeedbackMemory<BlockWindow<block, 1>, FeedbackRows<4>, NormRows, Heads<2>, Rope<10'000>>>(
        tokens);
}
