// SPDX-License-Identifier: BSD-3-Clause
#include "../laws.hpp"

TEST_CASE("laws: positions") {
    laws_in_float<Sinusoidal, Sequence<7, 17>>(reference::sinusoidal(10'000));
    laws_in_float<BasicSinusoidal<100>, Sequence<3, 4>>(reference::sinusoidal(100));
    laws_in_float<LearnedPosition, Sequence<7, 17>>(reference::learned_position);
}
TEST_CASE("laws: token_shift") { laws<TokenShift, Sequence<6, 17>>(reference::token_shift); }
