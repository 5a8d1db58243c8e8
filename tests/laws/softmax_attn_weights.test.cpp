// SPDX-License-Identifier: BSD-3-Clause
// Weights that are no softmax of one set of scores.
#include "../laws.hpp"

using reference::Alibi;
using reference::attention;
using reference::OutputGate;
using reference::QkNorm;
using reference::Sink;

namespace r = reference;

TEST_CASE("laws: softmax_attn with weights that are zero for most keys") {
    laws_in_float<SoftmaxAttn<Heads<2>, KvHeads<1>, Sparsemax, Rope<>, Window<5>>, Sequence<9, 8>>(
        attention({.heads = 2,
                   .kv_heads = 1,
                   .mask = {.window = 5},
                   .rope = {.base = 10'000},
                   .weights = r::RowMap::sparsemax}));
    laws_in_float<SoftmaxAttn<Heads<2>, Entmax15, LearnedAlibi, Softcap<3>>, Sequence<7, 6>>(
        attention({.heads = 2, .weights = r::RowMap::entmax15, .alibi = r::Alibi::learned, .softcap = 3}));
}
TEST_CASE("laws: softmax_attn whose heads subtract") {
    laws<SoftmaxAttn<Heads<2>, KvHeads<1>, inlay::Differential, Rope<>>, Sequence<6, 16>>(
        attention({.heads = 2, .kv_heads = 1, .rope = {.base = 10'000}, .differential = {.on = true}}));
    laws_in_float<SoftmaxAttn<Heads<2>, inlay::Differential, inlay::QkNorm, Forgetting, Window<4>,
                              inlay::OutputGate<Elementwise>>,
                  Sequence<7, 8>>(attention({.heads = 2,
                                             .mask = {.window = 4},
                                             .qk_norm = r::QkNorm::rms,
                                             .gate = r::OutputGate::elementwise,
                                             .forgetting = true,
                                             .differential = {.on = true}}));
}
