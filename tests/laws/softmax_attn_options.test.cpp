// SPDX-License-Identifier: BSD-3-Clause
// What may be done to queries, scores, weights and outputs.
#include "../laws.hpp"

using reference::Alibi;
using reference::attention;
using reference::OutputGate;
using reference::QkNorm;
using reference::Sink;

namespace r = reference;

TEST_CASE("laws: softmax_attn with norms, a cap, slopes and a sink") {
    laws<SoftmaxAttn<Heads<2>, inlay::QkNorm, Softcap<2>, LearnedAlibi, SinkLogit>, Sequence<5, 6>>(
        attention({.heads = 2,
                   .alibi = r::Alibi::learned,
                   .qk_norm = r::QkNorm::rms,
                   .softcap = 2,
                   .sink = Sink::learned}));
}
TEST_CASE("laws: softmax_attn that forgets, with a gate for each head") {
    laws_in_float<SoftmaxAttn<Heads<2>, KvHeads<1>, Forgetting, Window<3>, inlay::OutputGate<Headwise>>,
                  Sequence<5, 6>>(attention({.heads = 2,
                                             .kv_heads = 1,
                                             .mask = {.window = 3},
                                             .gate = r::OutputGate::headwise,
                                             .forgetting = true}));
}
TEST_CASE("laws: softmax_attn with sink keys, unit queries and a gate for each number") {
    laws_in_float<
        SoftmaxAttn<Heads<4>, KvHeads<2>, QkUnit, SinkKeys<2>, inlay::OutputGate<Elementwise>, Rope<>>,
        Sequence<5, 8>>(attention({.heads = 4,
                                   .kv_heads = 2,
                                   .rope = {.base = 10'000},
                                   .qk_norm = r::QkNorm::l2,
                                   .gate = r::OutputGate::elementwise,
                                   .sink_keys = 2}));
}
TEST_CASE("laws: softmax_attn with fixed slopes and one more score") {
    laws_in_float<SoftmaxAttn<Heads<3>, inlay::Alibi, OffByOne, Window<4>, Sinks<1>>, Sequence<9, 6>>(
        attention({.heads = 3,
                   .mask = {.window = 4, .sinks = 1},
                   .alibi = r::Alibi::fixed,
                   .sink = Sink::off_by_one}));
    laws_in_float<SoftmaxAttn<Heads<2>, Forgetting, inlay::Alibi, SinkLogit>, Sequence<6, 4>>(
        attention({.heads = 2, .alibi = r::Alibi::fixed, .sink = Sink::learned, .forgetting = true}));
    laws_in_float<SoftmaxAttn<Heads<2>, Prefix<3>, SinkKeys<1>, Softcap<20>>, Sequence<6, 4>>(attention(
        {.heads = 2, .mask = {.sees = r::Sees::prefix, .prefix = 3}, .softcap = 20, .sink_keys = 1}));
}
TEST_CASE("laws: softmax_attn with weights that are zero for most keys") {
    laws_in_float<SoftmaxAttn<Heads<2>, KvHeads<1>, Sparsemax, Rope<>, Window<5>>, Sequence<9, 8>>(
        attention({.heads = 2,
                   .kv_heads = 1,
                   .mask = {.window = 5},
                   .rope = {.base = 10'000},
                   .weights = r::RowMap::sparsemax}));
    laws<SoftmaxAttn<Heads<2>, Entmax15, LearnedAlibi, Softcap<3>>, Sequence<7, 6>>(
        attention({.heads = 2, .weights = r::RowMap::entmax15, .alibi = r::Alibi::learned, .softcap = 3}));
}
