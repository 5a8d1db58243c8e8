// SPDX-License-Identifier: BSD-3-Clause
// A model set by hand: head 0 finds what came behind the token it sees and copies it, head 1 rests on the
// first token, head 2 looks evenly.
#include <inlay/inlay.hpp>
#include <inlay/probe.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <vector>

using namespace inlay;

namespace {
constexpr int T = 24, V = 20, first = 0, cue = 1;
// [e(x_t), e(x_{t-1})], attention, and the scores of what head 0 mixed.
using M = Model<Tokens<T, V>, Embed<V>, Concat<Dense<V, NoBias>, TokenShift>,
                Repeat<1, SoftmaxAttn<Heads<3>, HeadDim<V>>>, Dense<V, NoBias>>;

Network<M> retriever() {
    Network<M> net(Seed{1});
    float const sure = 40 * std::sqrt(float(V));
    M::Block::visit(net.params(), Path{}, [&](auto, Path const& at, Kind, auto w) {
        std::string const name = to_string(at);
        auto const diagonal = [&](int row, int column, float x) {
            for (int i = 0; i < V; ++i) w(row + i, column + i) = x;
        };
        for (int r = 0; r < w.rows; ++r)
            for (int i = 0; i < w.width; ++i) w(r, i) = 0;
        if (name == "0.weight" || name == "1.0.weight" || name == "3.weight") diagonal(0, 0, 1);
        if (name == "1.1.mix")
            for (int i = 0; i < V; ++i) w(0, i) = 1;
        if (name == "2.0.0.q.weight") {
            diagonal(0, 0, sure);
            for (int i = 0; i < V; ++i) w(V, i) = sure; // head 1: the same question by every token
        }
        if (name == "2.0.0.k.weight") {
            diagonal(0, V, 1);
            w(V, first) = 1;
        }
        if (name == "2.0.0.v.weight")
            for (int h : {0, 1, 2}) diagonal(h * V, 0, 1);
        if (name == "2.0.0.o.weight") diagonal(0, 0, 1);
    });
    return net;
}
// Fillers, the cue, the needle, fillers, the cue again.
std::vector<std::int32_t> const prompt = {first, 2, 3, cue, 15, 16, 17, 18, 4, 5, 6, cue};
Needle const needle{4, 8};

std::vector<std::int32_t> written_by(Network<M> const& net) {
    auto state = std::make_unique<M::State>();
    auto text = prompt;
    auto const more = generate(net, *state, prompt, {.tokens = 4, .temperature = 0});
    text.insert(text.end(), more.begin(), more.end());
    return text;
}
} // namespace

TEST_CASE("a retrieval head scores exactly 1, a sink head 0") {
    auto const net = retriever();
    auto const text = written_by(net);
    CHECK(std::vector(text.end() - 4, text.end()) == std::vector<std::int32_t>{15, 16, 17, 18});
    RetrievalScores scores;
    scores.add(net, text, needle, int(prompt.size()));
    REQUIRE(scores.layers() == 1);
    REQUIRE(scores.heads(0) == 3);
    CHECK(scores.score(0, 0) == 1.0);
    CHECK(scores.active(0, 0) == 1.0);
    for (int h : {1, 2}) CHECK(scores.score(0, h) == 0.0);

    auto other = text; // a test in which the model wrote half of the needle
    other[14] = 7, other[15] = 7;
    scores.add(net, other, needle, int(prompt.size()));
    CHECK(scores.tests() == 2);
    CHECK(scores.score(0, 0) == 0.75);
    CHECK(scores.active(0, 0) == 1.0);
    CHECK_THROWS_AS(scores.add(net, text, {4, 14}, 12), Error);
}

TEST_CASE("without the retrieval head nothing is found; without another all is") {
    auto net = retriever();
    prune_head(net, 0, 1);
    auto const found = written_by(net);
    CHECK(found[12] == 15);
    CHECK(found[15] == 18);
    prune_head(net, 0, 0);
    auto const text = written_by(net);
    for (std::size_t i = 12; i < 16; ++i) CHECK(text[i] != prompt[i - 8]);
    CHECK_THROWS_AS(prune_head(net, 1, 0), Error);
    CHECK_THROWS_AS(prune_head(net, 0, 3), Error);
    CHECK_THROWS_AS(prune_head(net, -1, 0), Error);
}

TEST_CASE("pruning takes the layer that is meant, in a Repeat too") {
    using Deep = Model<Tokens<T, V>, Embed<8>, Repeat<2, PreNorm<SoftmaxAttn<Heads<2>>>>,
                       Named<"last", SoftmaxAttn<Heads<4>>>, Dense<V>>;
    Network<Deep> net(Seed{1});
    auto const zeros = [&] {
        std::string where;
        Deep::Block::visit(net.params(), Path{}, [&](auto, Path const& at, Kind, auto w) {
            for (int i = 0; i < w.width && to_string(at).ends_with("o.weight"); ++i)
                if (w(0, i) == 0) where += to_string(at) + " " + std::to_string(i) + ", ";
        });
        return where;
    };
    CHECK(zeros() == "");
    prune_head(net, 1, 1);
    CHECK(zeros() == "1.1.0.1.o.weight 4, 1.1.0.1.o.weight 5, 1.1.0.1.o.weight 6, 1.1.0.1.o.weight 7, ");
    prune_head(net, 2, 3);
    CHECK(zeros().ends_with(", last.o.weight 6, last.o.weight 7, "));
}

TEST_CASE("sink mass and entropy tell the heads apart") {
    auto const net = retriever();
    int layers = 0;
    each_attention_map(net, std::span<std::int32_t const>(prompt), [&](AttentionMap const& map) {
        ++layers;
        CHECK(map.place == "2.0.0");
        CHECK(sink_mass(map, 1) == doctest::Approx(1));
        double even = 0, logs = 0;
        for (int t = 0; t < 12; ++t) even += t > 0 ? 1.0 / (t + 1) / 11 : 0, logs += std::log(t + 1.0) / 12;
        CHECK(sink_mass(map, 2) == doctest::Approx(even));
        CHECK(mean_entropy(map, 2) == doctest::Approx(logs));
        CHECK(mean_entropy(map, 1) < 1e-6);
        CHECK(map.strongest(0, 11) == 4);
    });
    CHECK(layers == 1);
}

TEST_CASE("the weight on copies, beside what an even look would give") {
    auto const net = retriever();
    std::vector<std::int32_t> const ids = {first, 5, 5, 6, 5};
    each_attention_map(net, std::span<std::int32_t const>(ids), [&](AttentionMap const& map) {
        auto const even = repetition(map, 2, ids), sink = repetition(map, 1, ids);
        // Tokens seen once: at t = 0: first; 1: first, 5; 2: first; 3: first, 6; 4: first, 6.
        CHECK(even[1].times == 8);
        CHECK(even[1].even == doctest::Approx((1 + 0.5 + 0.5 + 1 / 3.0 + 0.25 + 0.25 + 0.2 + 0.2) / 8));
        CHECK(even[2].times == 2); // 5 at t = 2 and 3
        CHECK(even[2].even == doctest::Approx((2 / 3.0 + 0.5) / 2));
        CHECK(even[3].times == 1);
        for (int c : {1, 2, 3})
            CHECK(even[std::size_t(c)].weight == doctest::Approx(even[std::size_t(c)].even));
        CHECK(sink[1].weight == doctest::Approx(5.0 / 8)); // only `first` has any
        CHECK(std::abs(sink[2].weight) < 1e-6);
    });
}

TEST_CASE("massive activations are counted where they arise") {
    std::vector<float> h(1000, 0.1f);
    CHECK(count_massive(std::span<float const>(h)) == 0);
    h[3] = -150, h[7] = 99;
    CHECK(count_massive(std::span<float const>(h)) == 1);
    h[4] = 100.5f; // 1005 times the median
    CHECK(count_massive(std::span<float const>(h)) == 2);
    CHECK(count_massive(std::span<float const>(h), 100, 1200) == 1);
    CHECK(count_massive(std::span<float const>(), 100, 1000) == 0);

    auto net = retriever();
    get<0>(net.params()).weight.ref()(5, 2) = 400; // of token 5
    std::vector<std::int32_t> const ids = {first, 3, 5, 4};
    auto const seen = activations(net, std::span<std::int32_t const>(ids));
    REQUIRE(!seen.empty());
    CHECK(seen[0].place == "0");
    CHECK(seen[0].block.find("Embed") != std::string::npos);
    CHECK(seen[0].massive == 1);
    CHECK(seen[0].greatest == 400);
    CHECK(seen[0].token == 2);
    CHECK(seen[0].number == 2);
    CHECK(seen.back().place == "3");
}
