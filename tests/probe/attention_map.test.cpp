// SPDX-License-Identifier: BSD-3-Clause
// Maps against what the block gives: y = Wo concat_h sum_j P_tj v_j, and against weights known by hand.
#include <inlay/inlay.hpp>
#include <inlay/probe/attention_map.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

using namespace inlay;

namespace {
constexpr int T = 9, D = 6, n = 7;

template <class M> void shake(Network<M>& net) {
    std::uint64_t k = 0;
    M::Block::visit(net.params(), Path{}, [&](auto, Path const&, Kind, auto w) {
        for (int r = 0; r < w.rows; ++r)
            for (int i = 0; i < w.width; ++i) w(r, i) += float(0.7 * Key{5}.normal(k++));
    });
}
/// What attention read and wrote.
struct Seen {
    std::vector<double> x, y;
    void enter(Path const&) {}
    template <class Block, class C, class P, class X, class Y> void leave(C const&, P const&, X from, Y to) {
        if constexpr (!detail::is_attention<typename Block::Spec>) return;
        else keep(from, to);
    }
    template <class X, class Y> void keep(X from, Y to) {
        for (int t = 0; t < n; ++t)
            for (int i = 0; i < D; ++i) {
                x.push_back(double(from(0, t)[i]));
                y.push_back(double(to(0, t)[i]));
            }
    }
};
/// y of every token out of weights and values by hand, without gates, biases and learned keys.
template <class Spec> void check_spec() {
    using M = Model<Sequence<T, D>, Let<"e", Tanh, Dense<D>, Spec>>;
    constexpr int H = Spec::heads, K = Spec::kv_heads, d = 4;
    Network<M> net(Seed{1});
    shake(net);
    detail::Buffer<Sequence<T, D>, Native, 1> in{};
    std::int32_t const length = n;
    auto const x = in.view(Lengths{&length, 0});
    for (int t = 0; t < n; ++t)
        for (int i = 0; i < D; ++i) x(0, t)[i] = float(Key{6}.normal(std::uint64_t(t * D + i)));

    Seen seen;
    watch(net, x, seen);

    auto const& p = get<1>(get<1>(get<0>(net.params())));
    int calls = 0;
    each_attention_map(net, x, [&](AttentionMap const& map) {
        ++calls;
        CHECK(map.place == "0.1");
        CHECK(map.layer == 0);
        REQUIRE(map.heads == H);
        REQUIRE(map.tokens == n);
        for (int t = 0; t < n; ++t)
            for (int o = 0; o < D; ++o) {
                double y = 0;
                for (int h = 0; h < H; ++h)
                    for (int j = 0; j < n; ++j)
                        for (int i = 0; i < d; ++i) {
                            double v = 0;
                            for (int a = 0; a < D; ++a)
                                v += seen.x[std::size_t(j * D + a)] *
                                     double(p.v.weight.ref()(h / (H / K) * d + i, a));
                            y += double(p.o.weight.ref()(o, h * d + i)) * map.at(h, t, j) * v;
                        }
                CHECK(std::abs(y - seen.y[std::size_t(t * D + o)]) < 1e-4);
            }
    });
    CHECK(calls == 1);
}
template <class... Policies> void check() { check_spec<SoftmaxAttn<HeadDim<4>, Policies...>>(); }
template <class... Policies> void check_sparse() { check_spec<SparseAttn<HeadDim<4>, Policies...>>(); }
} // namespace

TEST_CASE("maps of weights give what the block gives, whatever the policies") {
    check<Heads<3>>();
    check<Heads<4>, KvHeads<2>, Rope<10>, QkNorm>();
    check<Heads<2>, Bidirectional, Softcap<2>>();
    check<Heads<2>, Alibi, Window<3>, Sinks<1>>();
    check<Heads<2>, Forgetting, SinkLogit>();
    check<Heads<2>, Entmax15>();
    check<Heads<4>, KvHeads<2>, ScoredBy<NonApproximate>>();
    check<Heads<2>, ScoredBy<StaticEmbQK<"e">>, Forgetting>();
    check<Heads<3>, Selective>();
}
TEST_CASE("maps of weights over keys that a pattern chose") {
    check_sparse<Heads<2>, Strided<3>, GlobalTokens<1>, SinkLogit>();
    check_sparse<Heads<4>, KvHeads<2>, Rope<10>, TopBlocks<2, 2>>();
    check_sparse<Heads<2>, HardSelect<3>>();
    check_sparse<Heads<4>, KvHeads<2>, Nsa<2, 3, 2>>();
    check_sparse<Heads<4>, KvHeads<2>, SnapKv<5, 2, true, 2, 1, 1>>();
}

TEST_CASE("entropy, the strongest key, and what goes elsewhere") {
    using M = Model<Sequence<T, D>, SoftmaxAttn<Heads<2>, OffByOne>>;
    Network<M> net(Seed{1});
    auto& p = get<0>(net.params());
    for (int r = 0; r < D; ++r)
        for (int i = 0; i < D; ++i) p.q.weight.ref()(r, i) = 0; // head 0 looks evenly
    // Head 1 asks with 40 along its first number, which only the third token answers.
    for (int i = 0; i < D; ++i) p.q.weight.ref()(3, i) = 40;
    for (int r = 0; r < D; ++r)
        for (int i = 0; i < D; ++i) p.k.weight.ref()(r, i) = r == 3 && i == 2 ? 1.0f : 0.0f;
    detail::Buffer<Sequence<T, D>, Native, 1> in{};
    std::int32_t const length = 5;
    auto const x = in.view(Lengths{&length, 0});
    for (int t = 0; t < 5; ++t) x(0, t)[t] = 1;
    each_attention_map(net, x, [](AttentionMap const& map) {
        for (int t = 0; t < 5; ++t) {
            double const even = 1.0 / (t + 2); // one score more, which is 0 too
            for (int j = 0; j < 5; ++j) CHECK(map.at(0, t, j) == doctest::Approx(j <= t ? even : 0));
            CHECK(map.strongest(0, t) == 0);
            CHECK(map.elsewhere(0, t) == doctest::Approx(even));
            CHECK(map.entropy(0, t) == doctest::Approx((t + 1) * even * std::log(t + 2.0)));
            if (t >= 2) {
                CHECK(map.strongest(1, t) == 2);
                CHECK(map.at(1, t, 2) == doctest::Approx(1));
                CHECK(std::abs(map.entropy(1, t)) < 1e-6);
                CHECK(map.elsewhere(1, t) < 1e-6);
            }
        }
    });
}
