// SPDX-License-Identifier: BSD-3-Clause
// Choices that are made once for a prompt.
#include "../laws.hpp"

using reference::sparse_attention;

TEST_CASE("laws: sparse_attn over blocks that a block of queries chose") {
    laws_in_float<SparseAttn<Heads<4>, KvHeads<2>, MeanBlocks<4, 2>>, Sequence<13, 8>>(
        sparse_attention({.heads = 4, .kv_heads = 2}, reference::mean_blocks(4, 2)));
}
TEST_CASE("laws: sparse_attn over columns and diagonals") {
    laws_in_float<SparseAttn<Heads<2>, VerticalSlash<6, 70, 9>>, Sequence<79, 4>>(sparse_attention(
        {.heads = 2}, reference::vertical_slash({.columns = 6, .diagonals = 70, .queries = 9})));
}
