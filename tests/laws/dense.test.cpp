// SPDX-License-Identifier: BSD-3-Clause
#include "../laws.hpp"

TEST_CASE("laws: dense, dot products") { laws<Dense<3>, Sequence<7, 5>>(reference::dense); }
TEST_CASE("laws: dense, whole vectors") { laws<Dense<17>, Sequence<5, 13>>(reference::dense); }
TEST_CASE("laws: dense without bias") { laws<Dense<5, NoBias>, Vector<9>>(reference::dense); }
TEST_CASE("laws: dense at other sizes") {
    laws_in_float<Dense<1>, Vector<1>>(reference::dense);
    laws_in_float<Dense<16>, Sequence<3, 16>>(reference::dense);
    laws_in_float<Dense<15>, Sequence<2, 17>>(reference::dense);
    laws_in_float<Dense<2>, Vector<1024>>(reference::dense); // a stride with a gap
}
