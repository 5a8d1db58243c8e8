// SPDX-License-Identifier: BSD-3-Clause
#include "../laws.hpp"

TEST_CASE("laws: learned positions") { laws<LearnedPositions, Sequence<7, 5>>(reference::learned_positions); }
TEST_CASE("laws: sinusoidal positions") {
    laws<SinusoidalPositions, Sequence<7, 18>>(reference::sinusoidal_positions);
}
TEST_CASE("laws: token shift") { laws<TokenShift, Sequence<7, 17>>(reference::token_shift); }
TEST_CASE("a stream of learned positions stays at the last one") {
    using M = Model<Sequence<3, 2>, LearnedPositions>;
    auto const net = Network<M>(Seed{1});
    M::State state{};
    float const zero[2] = {};
    float y[2];
    for (int t = 0; t < 7; ++t) {
        M::step(net.params(), state, zero, y);
        for (int i : {0, 1}) CHECK(y[i] == get<0>(net.params()).weight[t < 3 ? t : 2][i]);
    }
}
