// SPDX-License-Identifier: BSD-3-Clause
#include "../laws.hpp"

TEST_CASE("laws: mean_pool") { laws<MeanPool, Sequence<6, 17>>(reference::mean_pool(17)); }
TEST_CASE("laws: max_pool") { laws<MaxPool, Sequence<6, 17>>(reference::max_pool(17)); }
TEST_CASE("laws: last") { laws<Last, Sequence<6, 17>>(reference::last(17)); }
TEST_CASE("laws: pools at other sizes") {
    laws_in_float<MeanPool, Sequence<1, 1>>(reference::mean_pool(1));
    laws_in_float<MaxPool, Sequence<3, 16>>(reference::max_pool(16));
    laws_in_float<Last, Sequence<2, 5>>(reference::last(5));
}
