// SPDX-License-Identifier: BSD-3-Clause
// A deep memory, and what policies add to it.
#include "../laws.hpp"

TEST_CASE("laws: memory of two layers, with what policies add") {
    laws_in_float<Memory<Heads<2>, Chunk<4>, Depth<2>, Inner<Gelu>, InnerNorm, Pre, NoMomentum, StepSize<.4>,
                         LossScale<1.5>, GradientLimit<2>, NormHeads, SigmoidGate, ShortConv<2>>,
                  Sequence<9, 6>>(reference::memory({.heads = 2,
                                                     .layers = 2,
                                                     .chunk = 4,
                                                     .read = reference::Read::pre,
                                                     .activation = reference::Inner::gelu,
                                                     .layer_norm = true,
                                                     .loss_scale = 1.5,
                                                     .limit = 2,
                                                     .theta_max = .4,
                                                     .momentum = false,
                                                     .conv = 2,
                                                     .norm = reference::HeadNorm::rms,
                                                     .gate = reference::GateBy::sigmoid}));
}
