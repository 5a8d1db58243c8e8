// SPDX-License-Identifier: BSD-3-Clause
#include "../laws.hpp"

TEST_CASE("laws: bilinear pairs") {
    laws_in_float<Cross<Bilinear>, Sequence<4, 5>>(reference::bilinear(4, 5));
    laws_in_float<Cross<Bilinear, PerField>, Sequence<4, 5>>(reference::bilinear(4, 5));
    laws_in_float<Cross<Bilinear, PerPair>, Sequence<3, 17>>(reference::bilinear(3, 17));
}
TEST_CASE("laws: compressed interactions") {
    laws<Cross<Cin<3, 4>>, Sequence<3, 5>>(reference::cin(2, 3, 5));
}
TEST_CASE("laws: squeeze and excitation") { laws_in_float<Senet<2>, Sequence<5, 3>>(reference::senet(5, 3)); }
TEST_CASE("laws: fusion of two vectors") {
    laws_in_float<Cross<Fusion<2>>, Vector<12>>(reference::fusion(2));
}
TEST_CASE("laws: product of branches") {
    using Masked = Product<Mlp<3, 4>, Stack<LayerNorm, Dense<4, NoBias>>, Identity>;
    laws_in_float<Masked, Sequence<3, 4>>(reference::product(
        {reference::mlp({"0", "2"}, reference::relu),
         reference::stack({reference::layer_norm, reference::dense}),
         [](auto const&, auto const& x) { return reference::Result{x, reference::absolute(x)}; }}));
}
