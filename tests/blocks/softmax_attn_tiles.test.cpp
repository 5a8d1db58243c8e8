// SPDX-License-Identifier: BSD-3-Clause
// Sequences of several tiles of keys and blocks of queries: against the reference, and one slope along a
// random direction through everything at once.
#include "../reference/attention.hpp"
#include "harness.hpp"

using namespace inlay;

namespace {
template <class... P> void tiles(reference::Attention const& truth) {
    constexpr int T = 131, D = 8;
    using H = test::Harness<SoftmaxAttn<P...>, Sequence<T, D>, double, native_lanes<double>, 2>;
    auto h = std::make_unique<H>();
    h->length[1] = 70;
    h->randomize();
    h->forward();
    for (int b = 0; b < H::B; ++b) {
        reference::Sequence x;
        for (int t = 0; t < h->length[b]; ++t) x.emplace_back(h->x()(b, t), h->x()(b, t) + D);
        reference::ValuesOnly const guard;
        auto const want = reference::attention(truth)(h->parameters(), x);
        for (int t = 0; t < h->length[b]; ++t)
            for (int i = 0; i < D; ++i) {
                CAPTURE(t);
                double const wanted = want.value[std::size_t(t)][std::size_t(i)];
                CHECK(std::abs(h->y()(b, t)[i] - wanted) <= 1e-12 * (1 + std::abs(wanted)));
            }
    }
    h->check_slope();
}
} // namespace

TEST_CASE("several tiles of plain attention") {
    tiles<Heads<2>, KvHeads<1>, Rope<>>({.heads = 2, .kv_heads = 1, .rope = {.base = 10'000}});
    tiles<Heads<2>, Window<37>, Sinks<3>>({.heads = 2, .mask = {.window = 37, .sinks = 3}});
}
TEST_CASE("several tiles of attention with options") {
    tiles<Heads<2>, Forgetting, LearnedAlibi, Softcap<5>, SinkLogit>({.heads = 2,
                                                                      .alibi = reference::Alibi::learned,
                                                                      .softcap = 5,
                                                                      .sink = reference::Sink::learned,
                                                                      .forgetting = true});
    tiles<Heads<2>, Bidirectional, SinkKeys<2>, Entmax15>({.heads = 2,
                                                           .mask = {.sees = reference::Sees::all},
                                                           .weights = reference::RowMap::entmax15,
                                                           .sink_keys = 2});
}
TEST_CASE("several tiles of attention that selects") {
    tiles<Heads<2>, Selective, Window<90>>({.heads = 2, .mask = {.window = 90}, .selective = true});
    tiles<Heads<2>, KvHeads<1>, Selective, Sparsemax, Softcap<5>>({.heads = 2,
                                                                   .kv_heads = 1,
                                                                   .weights = reference::RowMap::sparsemax,
                                                                   .softcap = 5,
                                                                   .selective = true});
}
TEST_CASE("several tiles of attention that subtracts") {
    tiles<Heads<2>, Differential>({.heads = 2, .differential = {.on = true}});
}
