// SPDX-License-Identifier: BSD-3-Clause
// Patterns that are the same for every input.
#include "../laws.hpp"

using reference::Pattern;
using reference::Sees;

namespace {
reference::Block in_pattern(Pattern const& p, reference::Attention const& a) {
    return reference::sparse_attention(a, reference::pattern(p));
}
} // namespace

TEST_CASE("laws: sparse_attn with strides") {
    laws<SparseAttn<Heads<2>, KvHeads<1>, Strided<3>, GlobalTokens<2>, Rope<>, Bias>, Sequence<11, 8>>(
        in_pattern({.strided = 3, .global = 2}, {.heads = 2, .kv_heads = 1, .rope = {.base = 10'000}}));
}
TEST_CASE("laws: sparse_attn over columns") {
    laws_in_float<SparseAttn<Heads<2>, Bidirectional, Column<4, 1>, GlobalTokens<1>>, Sequence<11, 8>>(
        in_pattern({.fixed = 4, .columns = 1, .global = 1}, {.heads = 2, .mask = {.sees = Sees::all}}));
}
TEST_CASE("laws: sparse_attn of what is local, and of drawn blocks") {
    laws_in_float<SparseAttn<Heads<2>, Bidirectional, LocalTokens<3>, GlobalTokens<2>>, Sequence<9, 8>>(
        reference::sparse_attention({.heads = 2, .mask = {.sees = Sees::all}},
                                    [](reference::detail::Attending const& a, int) {
                                        return reference::chosen_where(a.size(), [](int i, int j) {
                                            return i < 2 || j < 2 || (i - j < 3 && j - i < 3);
                                        });
                                    }));
    using Random = BigBird<2, 2, 1, 1>;
    laws_in_float<SparseAttn<Heads<2>, Random, OffByOne>, Sequence<13, 6>>(
        in_pattern({.block = 2,
                    .near_blocks = 2,
                    .first_blocks = 1,
                    .random_blocks =
                        [](int h, int block) {
                            std::int32_t drawn[1];
                            Random::draw(0, h, block, drawn);
                            return std::vector<int>(drawn, drawn + 1);
                        }},
                   {.heads = 2, .sink = reference::Sink::off_by_one}));
}
