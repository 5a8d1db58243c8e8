// SPDX-License-Identifier: BSD-3-Clause
#include "../laws.hpp"

using reference::causal_conv;
using reference::causal_depthwise_conv;
using reference::Taps;

TEST_CASE("laws: causal_conv1d") {
    laws<CausalConv1d<4>, Sequence<7, 17>>(causal_depthwise_conv(Taps::torch));
    laws_in_float<CausalConv1d<3, Dilation<2>, Bias>, Sequence<9, 5>>(causal_depthwise_conv(Taps::torch, 2));
}
TEST_CASE("laws: causal_conv1d of all channels") {
    laws_in_float<CausalConv1d<3, Channels<6>, Bias>, Sequence<7, 5>>(causal_conv(3));
    laws_in_float<CausalConv1d<2, Channels<17>, Dilation<3>>, Sequence<8, 33>>(causal_conv(2, 3));
    laws_in_float<CausalConv1d<1, Channels<3>>, Sequence<4, 4>>(causal_conv(1));
}
