// SPDX-License-Identifier: BSD-3-Clause
#include "../allocation.hpp"

#include <inlay/inlay.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <memory>
#include <vector>

using namespace inlay;

namespace {
constexpr int T = 8, V = 32, D = 16;
using Mixed = Stack<PreNorm<TokenShift, SoftmaxAttn<Heads<2>, Rope<100>>>, PreNorm<SwiGlu<24>>>;
using Recent = PreNorm<SoftmaxAttn<Heads<4>, KvHeads<2>, Window<3>, Forgetting>>;
using Talk = Model<Tokens<T, V>, Tied<Embed<D>, LearnedPosition, Repeat<2, Mixed>, Recent, RmsNorm>>;

template <class M = Talk> struct Talker {
    Network<M> net{Seed{3}};
    std::unique_ptr<typename M::State> state = std::make_unique<typename M::State>();
    Talker() { // louder than at first, so that scores differ
        M::Block::visit(net.params(), Path{}, [](auto, Path const&, Kind kind, auto w) {
            for (int r = 0; r < w.rows; ++r)
                for (int i = 0; i < w.width; ++i) w(r, i) *= kind == Kind::table ? 40 : 2;
        });
    }
};
std::vector<std::int32_t> some_ids(int n) {
    std::vector<std::int32_t> ids;
    for (int i = 0; i < n; ++i) ids.push_back(std::int32_t(Key{4}.below(V, std::uint64_t(i))));
    return ids;
}
} // namespace

TEST_CASE("a prompt read at once leaves what stepping leaves, whatever its length") {
    for (int n : {1, 2, 3, T - 1, T, T + 1, 2 * T, 2 * T + 1, 3 * T + 5}) {
        CAPTURE(n);
        using Exact = Talk::as<double>; // so that what differs is no rounding
        Talker<Exact> talker;
        auto const ids = some_ids(n + 6);
        auto const prompt = std::span<std::int32_t const>(ids).first(std::size_t(n));
        Generator<Exact> generator(talker.net);
        generator.read(*talker.state, prompt);
        auto stepped = std::make_unique<Exact::State>();
        double y[V], z[V];
        for (int id : prompt) Exact::step(talker.net.params(), *stepped, id, y);
        CHECK(talker.state->position == n);
        double largest = 0;
        for (int i = 0; i < V; ++i) {
            largest = std::max(largest, std::abs(y[i]));
            CHECK(std::abs(generator.scores()[std::size_t(i)] - y[i]) < 1e-11);
        }
        CHECK(largest > 1);
        for (int k = 0; k < 6; ++k) { // and the states go on alike
            Exact::step(talker.net.params(), *talker.state, ids[std::size_t(n + k)], y);
            Exact::step(talker.net.params(), *stepped, ids[std::size_t(n + k)], z);
            for (int i = 0; i < V; ++i) CHECK(std::abs(y[i] - z[i]) < 1e-11);
        }
    }
}

TEST_CASE("what is generated greedily is what steps and the greatest score give") {
    Talker<> talker;
    auto const prompt = some_ids(11);
    auto const ids = generate(talker.net, *talker.state, prompt, {.tokens = 30, .temperature = 0});
    REQUIRE(ids.size() == 30);
    auto state = std::make_unique<Talk::State>();
    float y[V];
    for (int id : prompt) Talk::step(talker.net.params(), *state, id, y);
    int changes = 0;
    for (std::size_t n = 0; n < ids.size(); ++n) {
        CHECK(ids[n] == int(std::max_element(y, y + V) - y));
        changes += n > 0 && ids[n] != ids[n - 1];
        Talk::step(talker.net.params(), *state, ids[n], y);
    }
    CHECK(changes > 1);
    CHECK(talker.state->position == 41);
}

TEST_CASE("a seed gives the same tokens, another others, and a call goes on where one ended") {
    auto const prompt = some_ids(5);
    auto const write = [&](GenerateOptions const& o) {
        Talker<> talker;
        return generate(talker.net, *talker.state, prompt, o);
    };
    auto const all = write({.tokens = 40, .temperature = 2, .seed = 3});
    CHECK(all == write({.tokens = 40, .temperature = 2, .seed = 3}));
    CHECK(all != write({.tokens = 40, .temperature = 2, .seed = 4}));
    CHECK(all == write({.tokens = 40, .temperature = 2, .top_k = V, .min_p = 1e-30f, .seed = 3}));

    Talker<> talker; // the first half, whose last token is the prompt of the second
    std::vector<std::int32_t> first(all.begin(), all.begin() + 20);
    std::vector<std::int32_t> seen = prompt;
    seen.insert(seen.end(), first.begin(), first.end());
    auto const rest = generate(talker.net, *talker.state, seen, {.tokens = 20, .temperature = 2, .seed = 3});
    CHECK(std::equal(rest.begin(), rest.end(), all.begin() + 20));
}

TEST_CASE("a stop token ends it, and is not given back") {
    Talker<> talker;
    auto const all = generate(talker.net, *talker.state, some_ids(5), {.tokens = 40, .temperature = 2});
    std::int32_t const stop = all[17];
    auto const end = std::size_t(std::find(all.begin(), all.end(), stop) - all.begin());
    Talker<> other;
    auto const cut =
        generate(other.net, *other.state, some_ids(5), {.tokens = 40, .temperature = 2, .stop = stop});
    REQUIRE(cut.size() == end);
    CHECK(std::equal(cut.begin(), cut.end(), all.begin()));
    CHECK(other.state->position == std::int64_t(5 + end));
}

TEST_CASE("a Generator allocates when it is made, and never again") {
    Talker<> talker;
    Generator<Talk> generator(talker.net);
    auto const prompt = some_ids(3 * T + 2);
    std::int32_t out[50];
    int n = 0;
#if INLAY_TESTS_OWN_NEW
    auto const before = tests::allocation_count();
#endif
    int const written =
        generator(*talker.state, prompt, {.tokens = 50, .top_k = 12, .top_p = 0.9f, .min_p = 0.01f},
                  [&](std::int32_t id) { out[n++] = id; });
#if INLAY_TESTS_OWN_NEW
    CHECK(tests::allocation_count() == before);
#endif
    CHECK(written == 50);
    CHECK(n == 50);
}

TEST_CASE("ids that a model does not have, and a prompt of nothing, are an Error; the state stays") {
    Talker<> talker;
    auto const told = [&](std::vector<std::int32_t> const& prompt, GenerateOptions const& o) {
        try {
            generate(talker.net, *talker.state, prompt, o);
        } catch (Error const& e) { return std::string(e.what()); }
        return std::string();
    };
    CHECK(told({1, 2, V}, {}) == "inlay: prompt, token 2: expected an id from 0 to 31, found 32");
    CHECK(told({-1}, {}) == "inlay: prompt, token 0: expected an id from 0 to 31, found -1");
    CHECK(told({}, {}) == "inlay: prompt: expected at least one token, found none");
    CHECK(told({1}, {.temperature = -1}).find("temperature") != std::string::npos);
    CHECK(talker.state->position == 0);
}

TEST_CASE("text of bytes") {
    using Bytes = Model<Tokens<16, 256>, Tied<Embed<8>, PreNorm<SoftmaxAttn<>>, RmsNorm>>;
    auto const net = Network<Bytes>(Seed{1});
    auto a = std::make_unique<Bytes::State>(), b = std::make_unique<Bytes::State>();
    std::string const text = generate(net, *a, "ROMEO:\xff", {.tokens = 20, .temperature = 0.8f, .seed = 3});
    std::vector<std::int32_t> const prompt = {'R', 'O', 'M', 'E', 'O', ':', 255};
    auto const ids = generate(net, *b, prompt, {.tokens = 20, .temperature = 0.8f, .seed = 3});
    REQUIRE(text.size() == 20);
    for (std::size_t i = 0; i < 20; ++i) CHECK(static_cast<unsigned char>(text[i]) == ids[i]);
}
