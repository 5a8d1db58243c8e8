// SPDX-License-Identifier: BSD-3-Clause
// What has parameters of its own: three branches with gates, a score that keeps.
#include "../laws.hpp"

TEST_CASE("laws: sparse_attn with three branches") {
    laws<SparseAttn<Heads<4>, KvHeads<2>, HeadDim<4>, Rope<>, Nsa<2, 4, 3>>, Sequence<13, 6>>(reference::nsa(
        {.block = 2, .blocks = 4, .window = 3}, {.heads = 4, .kv_heads = 2, .rope = {.base = 10'000}}));
}
TEST_CASE("laws: sparse_attn over tokens that a score keeps") {
    laws<SparseAttn<Heads<2>, KvHeads<1>, HardSelect<3>>, Sequence<7, 6>>(
        reference::hard_select({.heads = 2, .kv_heads = 1}, 3));
}
