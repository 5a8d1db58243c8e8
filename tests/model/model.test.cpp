// SPDX-License-Identifier: BSD-3-Clause
#include <inlay/inlay.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <sstream>
#include <utility>
#include <vector>

using namespace inlay;

namespace {
using Row = Record<Categorical<"user", 64>, Categorical<"item", 128>, Numeric<"age">, MultiHot<"tags", 9, 4>>;
using Ranker =
    Model<Row, Sum<Cross<Indexed, Each, Of<"user", "item">>, Stack<Embed<8>, Flatten, Mlp<16, 1>>>>;
using Stream = Model<Sequence<9, 5>, Dense<7>, PreNorm<Dense<7>, Gelu>, MeanPool, Dense<3>>;
using Text = Model<Tokens<6, 11>, Tied<Embed<5>, Repeat<2, PreNorm<SwiGlu<4>>>>>;

static_assert(std::is_trivially_copyable_v<Ranker::Params> && std::is_trivially_copyable_v<Stream::State>);
static_assert(std::is_trivially_copyable_v<Text::Params>);
static_assert(Stream::parameters == 5 * 7 + 7 + 7 + 7 * 7 + 7 + 7 * 3 + 3);
static_assert(Ranker::parameters ==
              (1 + 64 + 128 + 9 + 64 * 128) + (64 + 128 + 1 + 9) * 8 + 32 * 16 + 16 + 16 + 1);
static_assert(Text::parameters == 11 * 5 + 2 * (5 + 3 * 4 * 5));
} // namespace

TEST_CASE("a step on a record or a vector is the inference of one row") {
    auto const rows = Rows<Row>::random(5, Seed{6});
    auto const net = Network<Ranker>(Seed{5});
    auto ws = Workspace<Ranker, Batch<1>>{};
    static Ranker::State state;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        float y[1];
        Ranker::step(net.params(), state, rows[i], y);
        CHECK(y[0] == net.infer(rows[i], ws)[0]);
    }
    CHECK(state.position == 5);

    using Pair = Model<Vector<1>, Embed<3>, Flatten, Dense<2>>; // Flatten alone would not stream
    auto const pair = Network<Pair>(Seed{1});
    auto room = Workspace<Pair, Batch<1>>{};
    Pair::State pair_state{};
    float const x[1] = {0.5f};
    float y[2];
    Pair::step(pair.params(), pair_state, x, y);
    auto const wanted = pair.infer(x, room);
    CHECK(y[0] == wanted(0)[0]);
    CHECK(y[1] == wanted(0)[1]);
}

TEST_CASE("a stream's last step is the parallel form, and a copied state goes on as the original") {
    auto const net = Network<Stream>(Seed{3});
    auto ws = Workspace<Stream, Batch<2>>{};
    std::vector<float> x(9 * 5);
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = float(Key{9}.normal(i));
    constexpr int stride = In<Sequence<9, 5>, Native>::stride;
    std::vector<float> padded(2 * 9 * stride);
    for (std::size_t t = 0; t < 9; ++t) std::memcpy(&padded[t * stride], &x[t * 5], 5 * sizeof(float));
    std::int32_t const lengths[2] = {9, 0};
    auto const y = net.infer({padded.data(), {lengths, 4}}, 2, ws);
    Stream::State state{}, copy{};
    float out[3], again[3];
    for (std::size_t t = 0; t < 9; ++t) {
        if (t == 4) copy = state;
        Stream::step(net.params(), state, std::span<float const, 5>(&x[t * 5], 5), out);
        if (t >= 4) Stream::step(net.params(), copy, std::span<float const, 5>(&x[t * 5], 5), again);
    }
    for (int i = 0; i < 3; ++i) {
        CHECK(std::abs(out[i] - y(0)[i]) <= 1e-6f);
        CHECK(out[i] == again[i]);
    }
    reset<Stream>(state);
    CHECK(state.position == 0);
    for (std::size_t t = 0; t < 9; ++t)
        Stream::step(net.params(), state, std::span<float const, 5>(&x[t * 5], 5), again);
    for (int i = 0; i < 3; ++i) CHECK(out[i] == again[i]);
}

TEST_CASE("rows are read as they lie in an array, and nothing past a sequence's end") {
    auto const net = Network<Stream>(Seed{3});
    Workspace<Stream, Batch<3>> ws, again;
    constexpr int T = 9, D = 5, stride = In<Sequence<T, D>, Native>::stride;
    std::array<std::int32_t, 3> const lengths = {9, 0, 4};
    std::vector<float> x(3 * T * D, std::numeric_limits<float>::quiet_NaN()), padded(3 * T * stride);
    for (std::size_t b = 0; b < 3; ++b)
        for (std::size_t i = 0; i < std::size_t(lengths[b]) * D; ++i)
            padded[(b * T + i / D) * stride + i % D] = x[b * T * D + i] = float(Key{9}.normal(b, i));
    auto const wanted = net.infer({padded.data(), {lengths.data(), 4}}, 3, again);
    for (int twice = 0; twice < 2; ++twice) {
        auto const y = net.infer(x, ws, lengths);
        for (int b = 0; b < 3; ++b)
            for (int i = 0; i < 3; ++i) CHECK(y(b)[i] == wanted(b)[i]);
    }
    std::vector<float> full(x.begin(), x.begin() + T * D);
    CHECK(std::abs(net.infer(full, ws)(0)[1] - wanted(0)[1]) <= 1e-6f); // another count of rows

    auto const text = Network<Text>(Seed{4});
    Workspace<Text, Batch<2>> room;
    std::int32_t const ids[2][6] = {{1, 2, 3, 4, 5, 6}, {10, 0, 9, 9, 9, 9}}, two[2] = {6, 2};
    auto const y = text.infer(std::span(&ids[0][0], 12), room, two);
    Text::State state{};
    for (int t = 0; t < 2; ++t) {
        float out[11];
        Text::step(text.params(), state, ids[1][t], out);
        for (int i = 0; i < 11; ++i) CHECK(std::abs(out[i] - y(1, t)[i]) <= 1e-5f);
    }
}

TEST_CASE("a row of a batch does not depend on the others, nor on the workspace's capacity") {
    auto const rows = Rows<Row>::random(7, Seed{2});
    auto const net = Network<Ranker>(Seed{5});
    auto one = Workspace<Ranker, Batch<1>>{};
    auto many = Workspace<Ranker, Batch<16>>{};
    auto const y = net.infer(std::span(rows.row), many);
    for (int i = 0; i < 7; ++i) {
        float const alone = net.infer(rows[std::size_t(i)], one)[0];
        CHECK(std::abs(y(i)[0] - alone) <= 1e-5f * (1 + std::abs(alone)));
    }
    std::vector<float> first;
    for (int i = 0; i < 7; ++i) first.push_back(y(i)[0]);
    std::vector<Row::Row> others = rows.row;
    std::swap(others[0], others[6]);
    auto const turned = net.infer(std::span<Row::Row const>(others), many);
    for (int i = 1; i < 6; ++i) CHECK(turned(i)[0] == first[std::size_t(i)]);
    CHECK(turned(0)[0] == first[6]);
}

TEST_CASE("a network moves with its parameters; the same seed draws the same, another others") {
    auto net = Network<Stream>(Seed{1});
    auto const* at = &net.params();
    auto const moved = std::move(net);
    CHECK(&moved.params() == at);
    auto const same = Network<Stream>(Seed{1}), other = Network<Stream>(Seed{2});
    CHECK(std::memcmp(&moved.params(), &same.params(), sizeof(Stream::Params)) == 0);
    CHECK(std::memcmp(&moved.params(), &other.params(), sizeof(Stream::Params)) != 0);
    CHECK(reinterpret_cast<std::uintptr_t>(at) % 64 == 0);
}

TEST_CASE("summary names every block, its place, shape and count, and the instruction set") {
    std::ostringstream text;
    summary<Ranker>(text);
    for (char const* words : {"record of 4", "0.1.0", "Embed<8>", "[4, 8]", "Flatten", "[32]", "0.1.2.0",
                              "Dense<16>", INLAY_ISA_NAME})
        CHECK_MESSAGE(text.str().find(words) != std::string::npos, words);
    CHECK(text.str().find(std::to_string(Ranker::parameters)) != std::string::npos);
}
TEST_CASE("a large block begins on a line and is zero to its end") {
    std::size_t const n = detail::large_block + 12'345;
    auto const block = detail::aligned_bytes(n);
    CHECK(reinterpret_cast<std::uintptr_t>(block.get()) % 64 == 0);
    CHECK(std::all_of(block.get(), block.get() + n, [](std::byte b) { return b == std::byte{}; }));
    block[n - 1] = std::byte{1};
}
