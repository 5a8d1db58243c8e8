// SPDX-License-Identifier: BSD-3-Clause
#include "../reference/ease.hpp"

#include <inlay/inlay.hpp>
#include <inlay/solve.hpp>
#include <inlay/train.hpp>

#include <doctest/doctest.h>

#include <random>

using namespace inlay;

namespace {
Interactions drawn(int users, int items, unsigned seed) {
    std::mt19937 random(seed);
    Interactions x{.items = items};
    for (int u = 0; u < users; ++u) {
        std::vector<std::int32_t> chosen;
        for (std::int32_t i = 0; i < items; ++i)
            if (random() % 10 < 2u + unsigned(i % 3)) chosen.push_back(i);
        x.add(chosen);
    }
    return x;
}
void same(std::vector<double> const& got, std::vector<double> const& wanted, double tolerance) {
    REQUIRE(got.size() == wanted.size());
    double worst = 0;
    for (std::size_t i = 0; i < got.size(); ++i) worst = std::max(worst, std::abs(got[i] - wanted[i]));
    CHECK(worst <= tolerance);
}
} // namespace

TEST_CASE("worked numbers, negative weights among them") {
    Interactions x{.items = 3};
    for (std::vector<std::int32_t> const& u : {std::vector<std::int32_t>{0, 1}, {0, 1, 2}, {1, 2}, {0}})
        x.add(u);
    CHECK(x.gram() == std::vector<double>{3, 2, 1, 2, 3, 2, 1, 2, 2});
    same(ease_weights(3, x.gram(), 1), {0, 4 / 11., 0, .5, 0, .5, 0, 6 / 11., 0}, 1e-15);
    same(ease_weights(3, {2, 2, 0, 2, 4, 2, 0, 2, 2}, 1),
         {0, 2 / 3., -4 / 11., 6 / 11., 0, 6 / 11., -4 / 11., 2 / 3., 0}, 1e-15);
    float scores[3];
    auto const model = Ease::fit(x, 1);
    model.score(x[1], scores);
    CHECK(scores[0] == doctest::Approx(.5));
    CHECK(scores[1] == doctest::Approx(.909091).epsilon(1e-6));
}

TEST_CASE("the same as by Gauss-Jordan, and what the minimum satisfies, across blocks") {
    for (int n : {1, 63, 64, 130}) {
        auto const g = drawn(400, n, unsigned(n)).gram();
        auto const stride = std::size_t(n);
        reference::Sequence rows;
        for (std::size_t i = 0; i < stride; ++i)
            rows.emplace_back(g.begin() + std::ptrdiff_t(i * stride),
                              g.begin() + std::ptrdiff_t((i + 1) * stride));
        auto const b = ease_weights(n, g, 7);
        std::vector<double> wanted;
        for (auto const& row : reference::ease(rows, 7)) wanted.insert(wanted.end(), row.begin(), row.end());
        same(b, wanted, 1e-12);
        double worst = 0; // ((G + l2) B - G)_ij = 0 for i != j
        for (std::size_t i = 0; i < stride; ++i)
            for (std::size_t j = 0; j < stride; ++j) {
                double sum = 7 * b[i * stride + j] - g[i * stride + j];
                for (std::size_t k = 0; k < stride; ++k) sum += g[i * stride + k] * b[k * stride + j];
                if (i != j) worst = std::max(worst, std::abs(sum));
            }
        CHECK(worst <= 1e-8 * 400);
    }
}

TEST_CASE("invariants: every user twice with twice the l2, items renamed, a large l2") {
    auto const x = drawn(50, 9, 1);
    auto const b = ease_weights(9, x.gram(), 3);
    Interactions twice = x, renamed{.items = 9};
    for (std::size_t u = 0; u < x.users(); ++u) {
        twice.add(x[u]);
        std::vector<std::int32_t> other;
        for (std::int32_t i : x[u]) other.push_back(8 - i);
        renamed.add(other);
    }
    same(ease_weights(9, twice.gram(), 6), b, 1e-13);
    auto turned = ease_weights(9, renamed.gram(), 3);
    std::reverse(turned.begin(), turned.end());
    same(turned, b, 1e-13);
    auto wanted = x.gram();
    for (std::size_t i = 0; i < 9; ++i) wanted[i * 10] = 0;
    auto scaled = ease_weights(9, x.gram(), 1e9);
    for (double& w : scaled) w *= 1e9;
    same(scaled, wanted, 1e-6 * 50);
}

TEST_CASE("slopes of the closed form are its differences") {
    constexpr int n = 7;
    auto const g = drawn(60, n, 3).gram();
    std::vector<double> slopes;
    for (std::uint64_t i = 0; i < n * n; ++i) slopes.push_back(Key{4}.normal(i));
    auto const loss = [&](std::vector<double> const& gram, double l2) {
        reference::Sequence rows;
        for (std::ptrdiff_t i = 0; i < n; ++i)
            rows.emplace_back(gram.begin() + i * n, gram.begin() + (i + 1) * n);
        auto const b = reference::ease(rows, l2);
        double sum = 0;
        for (std::size_t i = 0; i < n * n; ++i) sum += slopes[i] * b[i / n][i % n];
        return sum;
    };
    auto const got = ease_slopes(n, g, 2, slopes);
    double const h = 1e-4;
    CHECK(got.l2 == doctest::Approx((loss(g, 2 + h) - loss(g, 2 - h)) / (2 * h)).epsilon(1e-7));
    for (std::size_t i = 0; i < n * n; ++i) {
        auto more = g, less = g;
        more[i] += h, less[i] -= h;
        CHECK(std::abs(got.gram[i] - (loss(more, 2) - loss(less, 2)) / (2 * h)) < 1e-7);
    }
    CHECK_THROWS_AS(ease_slopes(n, g, 2, {1, 2}), Error);
}

TEST_CASE("in a stack it is ItemToItem, which never learns of an item from itself") {
    constexpr int n = 9;
    auto const x = drawn(30, n, 2);
    auto const model = Ease::fit(x, 2);
    using M = Model<Vector<n>, ItemToItem>;
    auto net = Network<M>(Seed{1});
    model.write_to(get<0>(net.params()).weight.ref());
    Rows<Vector<n>> rows;
    for (std::size_t u = 0; u < x.users(); ++u) {
        std::vector<float> chosen(n);
        for (std::int32_t i : x[u]) chosen[std::size_t(i)] = 1;
        rows.input.insert(rows.input.end(), chosen.begin(), chosen.end());
        rows.target.insert(rows.target.end(), chosen.begin(), chosen.end());
    }
    auto ws = Workspace<M, Batch<1>>{};
    float scores[n];
    for (std::size_t u = 0; u < x.users(); ++u) {
        model.score(x[u], scores);
        auto const y = net.infer(rows[u], ws);
        for (int i = 0; i < n; ++i)
            CHECK(double(y(0)[i]) == doctest::Approx(double(scores[i])).epsilon(1e-5));
    }
    Trainer<M, MeanSquaredError, Batch<8>, Adam>(net).fit(rows, {.epochs = 2});
    auto const w = get<0>(net.params()).weight.ref();
    for (int i = 0; i < n; ++i) CHECK(w(i, i) == 0);
    CHECK(w(0, 1) != model.weight[n]);
}

TEST_CASE("in a model it is Embed over a bag") {
    constexpr int n = 9;
    auto const x = drawn(30, n, 2);
    auto const model = Ease::fit(x, 2);
    using M = Model<Record<MultiHot<"chosen", n, n>>, Select<"chosen">, Embed<n, BagSum>, Flatten>;
    auto net = Network<M>(Seed{1});
    std::copy(model.weight.begin(), model.weight.end(), get<1>(net.params()).weight.data);
    M::Input::Row row{};
    auto const history = x[3];
    get<0>(row).count = std::int32_t(history.size());
    std::copy(history.begin(), history.end(), get<0>(row).id);
    auto ws = Workspace<M, Batch<1>>{};
    float scores[n];
    model.score(history, scores);
    auto const y = net.infer(row, ws);
    for (std::size_t i = 0; i < n; ++i)
        CHECK(double(y[i]) == doctest::Approx(double(scores[i])).epsilon(1e-6));
}

TEST_CASE("mistakes are told") {
    Interactions x{.items = 3};
    std::vector<std::int32_t> const chosen{1, 3};
    CHECK_THROWS_WITH_AS(x.add(chosen), doctest::Contains("items 0 to 2"), Error);
    CHECK_THROWS_AS(ease_weights(2, {1, 2, 2, 1}, 0), Error);
}
