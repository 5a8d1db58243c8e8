// SPDX-License-Identifier: BSD-3-Clause
#include "../laws.hpp"

using reference::sparse_attention;

TEST_CASE("laws: sparse_attn over the best blocks") {
    laws<SparseAttn<Heads<4>, KvHeads<2>, HeadDim<6>, Causal, Rope<10'000>, TopBlocks<2, 2>>,
         Sequence<9, 10>>(
        sparse_attention({.heads = 4, .kv_heads = 2, .rope = {.base = 10'000}}, reference::top_blocks(2, 2)));
}
