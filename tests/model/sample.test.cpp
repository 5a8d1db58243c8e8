// SPDX-License-Identifier: BSD-3-Clause
// Draws against probabilities that are computed here by hand.
#include <inlay/inlay.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

using namespace inlay;

namespace {
using Chances = std::vector<double>;
std::vector<float> const scores = {1.5f, -2.0f, 0.25f, 1.0f, 1.0f, -0.5f, 2.0f};

Chances normalised(Chances p) {
    double sum = 0;
    for (double v : p) sum += v;
    for (double& v : p) v /= sum;
    return p;
}
Chances softmax(double temperature) {
    Chances p;
    for (float s : scores) p.push_back(std::exp(double(s) / temperature));
    return normalised(p);
}
Chances only(Chances p, std::vector<int> const& ids) {
    Chances kept(p.size(), 0.0);
    for (int i : ids) kept[std::size_t(i)] = p[std::size_t(i)];
    return normalised(kept);
}
/// Pearson's statistic of 40,000 draws stays below its 0.9999 quantile for up to 6 degrees of freedom.
void check_draws(SampleOptions const& o, Chances const& wanted) {
    Sampler sampler(int(scores.size()));
    int const draws = 40'000;
    std::vector<int> count(scores.size());
    for (int n = 0; n < draws; ++n)
        ++count[std::size_t(sampler.draw<float>(scores, o, Key{9}.uniform(std::uint64_t(n))))];
    double statistic = 0;
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        double const mean = draws * wanted[i];
        if (mean > 0) statistic += (count[i] - mean) * (count[i] - mean) / mean;
        else CHECK(count[i] == 0);
    }
    CHECK(statistic < 27.9);
}
/// The share of [0, 1) that gives each id, by points on a grid.
void check_shares(SampleOptions const& o, Chances const& wanted) {
    Sampler sampler(int(scores.size()));
    int const points = 100'000;
    Chances share(scores.size(), 0.0);
    for (int n = 0; n < points; ++n)
        share[std::size_t(sampler.draw<float>(scores, o, (n + 0.5) / points))] += 1.0 / points;
    for (std::size_t i = 0; i < wanted.size(); ++i) CHECK(std::abs(share[i] - wanted[i]) < 3.0 / points);
}
void check(SampleOptions const& o, Chances const& wanted) {
    check_draws(o, wanted);
    check_shares(o, wanted);
}
} // namespace

TEST_CASE("draws follow softmax(scores / temperature)") {
    check({}, softmax(1));
    check({.temperature = 0.5f}, softmax(0.5));
    check({.temperature = 3}, softmax(3));
}
TEST_CASE("top_k keeps the k greatest, of equals the lower id") {
    check({.top_k = 2}, only(softmax(1), {6, 0}));
    check({.top_k = 3}, only(softmax(1), {6, 0, 3}));
    check({.top_k = 100}, softmax(1));
}
TEST_CASE("top_p keeps the fewest that have the probability together, at least one") {
    auto const p = softmax(1); // 6: .385, 0: .233, 3 and 4: .142, 2: .067, 5: .032, 1: .007
    check({.top_p = float(p[6] + p[0] - 1e-3)}, only(p, {6, 0}));
    check({.top_p = float(p[6] + p[0] + 1e-3)}, only(p, {6, 0, 3}));
    check({.top_p = 1e-6f}, only(p, {6}));
}
TEST_CASE("min_p keeps those at least so many times as probable as the first") {
    auto const p = softmax(2);
    check({.temperature = 2, .min_p = float(p[2] / p[6] - 1e-3)}, only(p, {6, 0, 3, 4, 2}));
    check({.temperature = 2, .min_p = float(p[2] / p[6] + 1e-3)}, only(p, {6, 0, 3, 4}));
    check({.min_p = 1}, only(p, {6}));
}
TEST_CASE("filters apply one behind the other, each to what sums to 1") {
    auto const p = softmax(1);
    auto const three = only(p, {6, 0, 3}); // .507, .307, .186
    check({.top_k = 3, .top_p = 0.6f}, only(three, {6, 0}));
    check({.top_k = 3, .top_p = 0.5f}, only(three, {6}));
    check({.top_k = 3, .top_p = 0.9f, .min_p = 0.5f}, only(three, {6, 0}));
}
TEST_CASE("temperature 0 takes the greatest; what is no number is never drawn") {
    float const nan = std::nanf(""), infinite = INFINITY;
    auto const draw = [](std::vector<float> const& s, SampleOptions const& o) {
        Sampler sampler(int(s.size()));
        for (int n = 0; n < 50; ++n)
            CHECK(sampler.draw<float>(s, o, n / 50.0) == sampler.draw<float>(s, o, 0));
        return sampler.draw<float>(s, o, 0.999);
    };
    CHECK(draw({1, 3, 2, 3}, {.temperature = 0}) == 1);
    CHECK(draw({nan, -infinite, 7, nan}, {}) == 2);
    CHECK(draw({nan, nan}, {}) == 0);
    CHECK(draw({1, infinite, 2}, {}) == 1);
    CHECK(draw({1e4f, -1e4f, 0}, {.temperature = 0.1f, .top_p = 0.9f}) == 0);
}
TEST_CASE("options out of range are an Error that names the option") {
    Sampler sampler(int(scores.size()));
    auto const told = [&](SampleOptions const& o) {
        try {
            sampler.draw<float>(scores, o, 0);
        } catch (Error const& e) { return e.place(); }
        return std::string();
    };
    CHECK(told({.temperature = -1}) == "temperature");
    CHECK(told({.temperature = std::nanf("")}) == "temperature");
    CHECK(told({.top_k = -1}) == "top_k");
    CHECK(told({.top_p = 0}) == "top_p");
    CHECK(told({.min_p = 1.5f}) == "min_p");
    CHECK_THROWS_AS(Sampler(3).draw<float>(scores, {}, 0), Error);
}
