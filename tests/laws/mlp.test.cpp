// SPDX-License-Identifier: BSD-3-Clause
#include "../laws.hpp"

TEST_CASE("laws: mlp") { laws<Mlp<9, 3>, Vector<6>>(reference::mlp({"0", "2"}, reference::relu)); }
TEST_CASE("laws: swiglu") { laws<SwiGlu<9>, Sequence<5, 6>>(reference::swiglu); }
TEST_CASE("laws: swiglu at another size") { laws_in_float<SwiGlu<17>, Vector<16>>(reference::swiglu); }
