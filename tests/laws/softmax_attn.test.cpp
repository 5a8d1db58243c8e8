// SPDX-License-Identifier: BSD-3-Clause
#include "../laws.hpp"

using Grouped = SoftmaxAttn<Heads<4>, KvHeads<2>, HeadDim<6>, Causal, Rope<10'000>>;

TEST_CASE("laws: softmax_attn") {
    laws<Grouped, Sequence<7, 10>>(
        reference::attention({.heads = 4, .kv_heads = 2, .rope = {.base = 10'000}}));
}
