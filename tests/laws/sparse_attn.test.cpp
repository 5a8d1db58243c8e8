// SPDX-License-Identifier: BSD-3-Clause
// What queries choose by themselves.
#include "../laws.hpp"

using reference::sparse_attention;

TEST_CASE("laws: sparse_attn over the best blocks") {
    laws<SparseAttn<Heads<4>, KvHeads<2>, HeadDim<6>, Causal, Rope<10'000>, TopBlocks<2, 2>>,
         Sequence<9, 10>>(
        sparse_attention({.heads = 4, .kv_heads = 2, .rope = {.base = 10'000}}, reference::top_blocks(2, 2)));
}
TEST_CASE("laws: sparse_attn over pages that could hold the best key") {
    laws_in_float<SparseAttn<Heads<2>, KvHeads<1>, Quest<2, 2>, SinkLogit>, Sequence<11, 8>>(sparse_attention(
        {.heads = 2, .kv_heads = 1, .sink = reference::Sink::learned}, reference::quest(2, 2)));
}
TEST_CASE("laws: sparse_attn over the best tokens") {
    laws_in_float<SparseAttn<Heads<2>, KvHeads<1>, TopTokens<3>, Rope<>, OffByOne>, Sequence<9, 8>>(
        sparse_attention(
            {.heads = 2, .kv_heads = 1, .rope = {.base = 10'000}, .sink = reference::Sink::off_by_one},
            reference::top_tokens(3)));
    laws_in_float<SparseAttn<Heads<2>, Bidirectional, TopTokens<4>, Softcap<3>>, Sequence<9, 8>>(
        sparse_attention({.heads = 2, .mask = {.sees = reference::Sees::all}, .softcap = 3},
                         reference::top_tokens(4)));
}
