// SPDX-License-Identifier: BSD-3-Clause
// What has parameters of its own: three branches with gates, a score that keeps.
#include "../laws.hpp"

TEST_CASE("laws: sparse_attn with three branches") {
    laws<SparseAttn<Heads<4>, KvHeads<2>, HeadDim<4>, Rope<>, Nsa<2, 4, 3>>, Sequence<13, 6>>(reference::nsa(
        {.block = 2, .blocks = 4, .window = 3}, {.heads = 4, .kv_heads = 2, .rope = {.base = 10'000}}));
}
TEST_CASE("laws: sparse_attn over tokens that a score keeps") { // in double for what flows through the state
    using Spec = SparseAttn<Heads<2>, KvHeads<1>, HardSelect<3>>;
    using Input = Sequence<7, 6>;
    auto const reference = reference::hard_select({.heads = 2, .kv_heads = 1}, 3);
    tests::check_one(tests::l::bind<Spec, Input, tests::l::NativeDouble>({}), nullptr,
                     tests::row_reference<Input>(reference));
    laws_in_float<Spec, Input>(reference);
}
