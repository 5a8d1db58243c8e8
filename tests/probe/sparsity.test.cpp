// SPDX-License-Identifier: BSD-3-Clause
// Pairs counted against patterns by hand.
#include <inlay/inlay.hpp>
#include <inlay/probe/sparsity.hpp>

#include <doctest/doctest.h>

using namespace inlay;

namespace {
template <class F> double pairs(int n, F const& sees) {
    double all = 0;
    for (int i = 0; i < n; ++i)
        for (int j = 0; j < n; ++j) all += sees(i, j);
    return all;
}
template <class... P> std::vector<AttainedSparsity> run(int n) {
    using M = Model<Tokens<20, 9>, Embed<8>, PreNorm<SparseAttn<Heads<2>, P...>>, PreNorm<SoftmaxAttn<>>,
                    SparseAttn<LocalTokens<1>>>;
    Network<M> net(Seed{1});
    std::vector<std::int32_t> ids;
    for (int t = 0; t < n; ++t) ids.push_back(t * 7 % 9);
    return sparsity(net, std::span<std::int32_t const>(ids));
}
} // namespace

TEST_CASE("a probe counts the pairs that sparse attention asks") {
    auto const blocks = run<TopBlocks<2, 4>>(18);
    REQUIRE(blocks.size() == 2);
    CHECK(blocks[0].place == "1.1");
    CHECK(blocks[0].layer == 0);
    CHECK(blocks[0].tokens == 18);
    CHECK(blocks[0].all == 171);
    REQUIRE(blocks[0].pairs.size() == 2);
    CHECK(blocks[0].pairs[1] == pairs(18, [](int i, int j) { return j <= i && i / 4 == j / 4; }) + 14 * 4);
    CHECK(blocks[0].of(1) == doctest::Approx(1 - blocks[0].pairs[1] / 171));
    CHECK(blocks[0].mean() == doctest::Approx(blocks[0].of(0)));
    CHECK(blocks[1].layer == 1);
    CHECK(blocks[1].pairs == std::vector<double>{18});
    CHECK(blocks[1].choosing == 0);
    CHECK(run<TopTokens<3>>(18)[0].choosing == 2 * 2 * 4 * 210); // two heads of 4, all pairs of 20 tokens

    CHECK(run<TopTokens<3>>(18)[0].pairs[0] == 1 + 2 + 16 * 3);
    CHECK(run<Strided<4>, GlobalTokens<2>>(18)[0].pairs[0] ==
          pairs(18, [](int i, int j) { return j <= i && (j < 2 || i - j < 4 || (i - j) % 4 == 0); }));
    auto const both_ways = run<Bidirectional, Column<5, 2>>(18);
    CHECK(both_ways[0].all == 18 * 18);
    CHECK(both_ways[0].pairs[1] == pairs(18, [](int i, int j) { return i / 5 == j / 5 || j % 5 >= 3; }));
    CHECK(run<TopBlocks<5, 4>>(18)[0].mean() == 0);
    // tokens of all five blocks, windows of 2, and blocks that have passed
    CHECK(run<Nsa<4, 5, 2>>(18)[0].pairs[0] ==
          171 + (1 + 17 * 2) + pairs(18, [](int i, int block) { return block < (i + 1) / 4; }));
}
