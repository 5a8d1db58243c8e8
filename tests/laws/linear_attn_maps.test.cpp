// SPDX-License-Identifier: BSD-3-Clause
// Linear attention with each of its features.
#include "../laws.hpp"

using reference::FeatureMap;
using reference::HeadNorm;
using reference::linear_attention;

TEST_CASE("laws: linear_attn over squared positive parts, their sum normed") {
    laws_in_float<LinearAttn<Heads<2>, SquaredReluMap, Unnormalised, NormHeads>, Sequence<5, 6>>(
        linear_attention({.heads = 2, .map = FeatureMap::relu2, .norm = HeadNorm::rms}));
}
TEST_CASE("laws: linear_attn over Hedgehog's features") {
    laws_in_float<LinearAttn<Heads<2>, HedgehogMap, Chunk<3>>, Sequence<5, 6>>(
        linear_attention({.heads = 2, .map = FeatureMap::hedgehog, .normalise = true}));
}
TEST_CASE("laws: linear_attn over Taylor's features") {
    laws_in_float<LinearAttn<Heads<2>, TaylorMap, ValueDim<16>>, Sequence<5, 10>>(
        linear_attention({.heads = 2, .map = FeatureMap::taylor, .normalise = true, .scale = 1}));
}
TEST_CASE("laws: linear_attn over cosines") {
    laws_in_float<LinearAttn<CosineMap<9>, Unnormalised, Chunk<3>>, Sequence<5, 6>>(
        [](reference::Parameters const& p, reference::Sequence const& x) {
            return linear_attention({.map = FeatureMap::cosformer, .cosine_end = 9})(p, x);
        });
}
