// SPDX-License-Identifier: BSD-3-Clause
#include "../laws.hpp"

using reference::attention;

TEST_CASE("laws: softmax_attn that selects") {
    laws<SoftmaxAttn<Heads<2>, KvHeads<1>, Selective, Rope<>>, Sequence<6, 8>>(
        attention({.heads = 2, .kv_heads = 1, .rope = {.base = 10'000}, .selective = true}));
    laws_in_float<SoftmaxAttn<Heads<2>, Selective, Softcap<3>, Window<4>, Sinks<2>>, Sequence<9, 8>>(
        attention({.heads = 2, .mask = {.window = 4, .sinks = 2}, .softcap = 3, .selective = true}));
}
