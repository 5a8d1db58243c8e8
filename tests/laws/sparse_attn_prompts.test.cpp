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
TEST_CASE("laws: sparse_attn over as many columns and diagonals as hold a share") {
    laws_in_float<SparseAttn<Heads<4>, KvHeads<2>, FlexPrefill<0.4, 2, 6>>, Sequence<13, 8>>(
        sparse_attention({.heads = 4, .kv_heads = 2}, reference::flex_prefill(0.4, 2, 6)));
}
TEST_CASE("laws: sparse_attn behind a prompt of which some tokens stay") {
    auto const behind = [](reference::SnapKv const& s) {
        return [s](reference::detail::Attending const& a, int h) {
            if (a.size() > std::size_t(s.prompt)) return reference::snap_kv(s)(a, h);
            return reference::chosen_where(a.size(), [](int, int) { return true; });
        };
    };
    reference::Attention const a{.heads = 4, .kv_heads = 2};
    reference::SnapKv s{.prompt = 14, .capacity = 8, .window = 5, .pool = 3, .last = 2};
    laws_in_float<SparseAttn<Heads<4>, KvHeads<2>, SnapKv<14, 8, false, 5, 3, 2>>, Sequence<17, 8>>(
        sparse_attention(a, behind(s)));
    s.capacity = 10, s.adaptive = true;
    laws_in_float<SparseAttn<Heads<4>, KvHeads<2>, SnapKv<14, 10, true, 5, 3, 2>>, Sequence<17, 8>>(
        sparse_attention(a, behind(s)));
}
