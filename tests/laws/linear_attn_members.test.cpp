// SPDX-License-Identifier: BSD-3-Clause
// The members of the gated linear family that have names, each with another option or two.
#include "../laws.hpp"

using reference::Decay;
using reference::FeatureMap;
using reference::GateBy;
using reference::HeadNorm;
using reference::linear_attention;

TEST_CASE("laws: linear_attn with features and a divisor") {
    laws_in_float<LinearAttn<Heads<2>, Chunk<4>>, Sequence<9, 8>>(
        linear_attention({.heads = 2, .map = FeatureMap::elu, .normalise = true}));
}
TEST_CASE("laws: linear_attn with a constant decay, turned, its keys and values of different width") {
    laws_in_float<LinearAttn<Heads<2>, KeyDim<6>, ValueDim<3>, RetNet, Rope<>, SiluGate>, Sequence<7, 5>>(
        linear_attention({.heads = 2,
                          .decay = Decay::retention,
                          .rope = {.base = 10'000},
                          .norm = HeadNorm::rms,
                          .gate = GateBy::silu}));
}
TEST_CASE("laws: linear_attn with a gate for each channel") {
    laws_in_float<LinearAttn<Heads<2>, Gla, LogisticGate<3>, Chunk<20>>, Sequence<21, 6>>(linear_attention(
        {.heads = 2, .decay = Decay::logistic, .norm = HeadNorm::rms, .gate = GateBy::silu}));
}
TEST_CASE("laws: linear_attn with a delta rule whose gate has a low rank, and whose sign may turn") {
    laws_in_float<LinearAttn<Heads<2>, Kda, VectorGate<2>, NegativeEigenvalues, ShortConv<2>, Chunk<3>>,
                  Sequence<7, 6>>(linear_attention({.heads = 2,
                                                    .decay = Decay::softplus,
                                                    .beta = true,
                                                    .beta_times = 2,
                                                    .delta = true,
                                                    .unit = true,
                                                    .conv = 2,
                                                    .norm = HeadNorm::rms,
                                                    .gate = GateBy::sigmoid}));
}
TEST_CASE("laws: linear_attn with a state-space model's steps") {
    laws_in_float<LinearAttn<Heads<2>, Ssd, ShortConv<3>, Chunk<3>>, Sequence<7, 6>>(
        linear_attention({.heads = 2,
                          .scale = 1,
                          .decay = Decay::ssd,
                          .conv = 3,
                          .norm = HeadNorm::rms,
                          .gate = GateBy::silu}));
}
TEST_CASE("laws: linear_attn with the delta rule alone, from one token to the next") {
    laws_in_float<LinearAttn<Heads<2>, DeltaNet, ShortConv<0>, NoReadGate, Chunk<20>>, Sequence<21, 6>>(
        linear_attention({.heads = 2, .beta = true, .delta = true, .unit = true, .norm = HeadNorm::rms}));
}
