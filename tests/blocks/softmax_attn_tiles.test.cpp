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
    // Everything moves by so much; a slope is the sum of what each gradient says of that.
    h->backward();
    std::vector<double*> places;
    std::vector<double> moves;
    double slope = 0;
    auto const take = [&](double& at, double gradient) {
        places.push_back(&at);
        moves.push_back(h->normal());
        slope += gradient * moves.back();
    };
    std::vector<TensorRef<double>> p, g;
    h->each_parameter(h->params, [&](std::string const&, auto ref) { p.push_back(ref); });
    h->each_parameter(h->grads, [&](std::string const&, auto ref) { g.push_back(ref); });
    for (std::size_t k = 0; k < p.size(); ++k)
        for (int r = 0; r < p[k].rows; ++r)
            for (int i = 0; i < p[k].width; ++i) take(p[k](r, i), g[k](r, i));
    for (int b = 0; b < H::B; ++b)
        for (int t = 0; t < h->length[b]; ++t)
            for (int i = 0; i < D; ++i) take(h->x()(b, t)[i], h->dx()(b, t)[i]);
    auto const at = [&](double by) {
        for (std::size_t k = 0; k < places.size(); ++k) *places[k] += by * moves[k];
        double const loss = h->loss();
        for (std::size_t k = 0; k < places.size(); ++k) *places[k] -= by * moves[k];
        return loss;
    };
    double const step = 1e-6, wanted = (at(step) - at(-step)) / (2 * step);
    CHECK(std::abs(slope - wanted) <= 1e-6 * (1 + std::abs(wanted)));
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
