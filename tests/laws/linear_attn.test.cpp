// SPDX-License-Identifier: BSD-3-Clause
#include "../laws.hpp"

using reference::Decay;
using reference::GateBy;
using reference::HeadNorm;

TEST_CASE("laws: linear_attn with a gated delta rule") {
    laws<LinearAttn<Heads<2>, GatedDelta, Chunk<3>>, Sequence<7, 6>>(
        reference::linear_attention({.heads = 2,
                                     .decay = Decay::softplus,
                                     .beta = true,
                                     .delta = true,
                                     .unit = true,
                                     .conv = 4,
                                     .norm = HeadNorm::rms,
                                     .gate = GateBy::silu}));
}
