// SPDX-License-Identifier: BSD-3-Clause
// Which keys are seen, one policy of each kind at a time, and what a stream keeps of them.
#include "../laws.hpp"

using reference::attention;
using reference::Pairs;
using reference::Sees;

TEST_CASE("laws: softmax_attn over a window, with sinks, and biases") {
    laws_in_float<SoftmaxAttn<Heads<2>, Window<3>, Sinks<2>, Bias, Rope<100, Interleaved, Rotates<4>>>,
                  Sequence<9, 12>>(attention({.heads = 2,
                                              .mask = {.window = 3, .sinks = 2},
                                              .rope = {.base = 100, .pairs = Pairs::neighbours, .dims = 4}}));
}
TEST_CASE("laws: softmax_attn over blocks") {
    laws_in_float<SoftmaxAttn<Heads<2>, KvHeads<1>, BlockWindow<2, 1>, QkvBias>, Sequence<9, 8>>(
        attention({.heads = 2, .kv_heads = 1, .mask = {.block = 2, .segments = 1}}));
}
TEST_CASE("laws: softmax_attn in both directions") {
    laws_in_float<SoftmaxAttn<Heads<2>, Bidirectional>, Sequence<6, 32>>(
        attention({.heads = 2, .mask = {.sees = Sees::all}}));
    laws_in_float<SoftmaxAttn<Bidirectional, Window<2>>, Sequence<6, 5>>(
        attention({.mask = {.sees = Sees::all, .window = 2}}));
    laws_in_float<SoftmaxAttn<Heads<3>, Prefix<3>, Rope<>>, Sequence<6, 12>>(
        attention({.heads = 3, .mask = {.sees = Sees::prefix, .prefix = 3}, .rope = {.base = 10'000}}));
}
