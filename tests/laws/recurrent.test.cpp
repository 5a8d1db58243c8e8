// SPDX-License-Identifier: BSD-3-Clause
#include "../laws.hpp"

TEST_CASE("laws: gru") { laws<Gru<5>, Sequence<6, 3>>(reference::gru); }
TEST_CASE("laws: lstm") { laws<Lstm<5>, Sequence<6, 3>>(reference::lstm); }
TEST_CASE("laws: recurrences at other sizes") {
    laws_in_float<Gru<17>, Sequence<37, 2>>(reference::gru);
    laws_in_float<Lstm<16, NoBias>, Sequence<4, 18>>(reference::lstm);
}
