// SPDX-License-Identifier: BSD-3-Clause
#include "../laws.hpp"

TEST_CASE("laws: hstu") { laws<Hstu<Heads<2>>, Sequence<5, 6>>(reference::hstu(2, 3, 5)); }
TEST_CASE("laws: hstu of one head") { laws_in_float<Hstu<>, Sequence<19, 17>>(reference::hstu(1, 17, 19)); }
