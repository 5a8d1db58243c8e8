// SPDX-License-Identifier: BSD-3-Clause
// Ten million tokens through one state: what float gives stays as close to double as it was at the beginning.
#include <inlay/inlay.hpp>
#include <inlay/io/weights.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <memory>

using namespace inlay;

namespace {
template <class Mixer> void stays_close() {
    constexpr int D = 8;
    constexpr std::int64_t tokens = 10'000'000, window = 1000;
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
    double first = 0, last = 0, largest = 0; // differences within the first tokens and the last
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
        double& worst = t < 10 * window ? first : last;
        if (t >= 10 * window && t < tokens - 10 * window) continue;
        for (int i = 0; i < D; ++i) {
            double const off = std::abs(double(y[i]) - wide_y[i]);
            worst = off <= worst ? worst : off; // NaN stays
            largest = std::max(largest, std::abs(wide_y[i]));
        }
    }
    CHECK(largest > 0.1);
    CHECK(largest < 100);
    CHECK(first < 1e-5 * largest);
    CHECK(last < 1e-5 * largest);
}
} // namespace

TEST_CASE("a stream of gated delta") { stays_close<LinearAttn<Heads<2>, GatedDelta>>(); }
TEST_CASE("a stream of the delta rule, which forgets nothing by itself") {
    stays_close<LinearAttn<Heads<2>, DeltaNet>>();
}
TEST_CASE("a stream of gates for each channel") { stays_close<LinearAttn<Heads<2>, Gla, LogisticGate<2>>>(); }
TEST_CASE("a stream of a GRU and an LSTM") { stays_close<Stack<Gru<8>, Lstm<8>>>(); }
