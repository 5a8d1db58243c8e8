// SPDX-License-Identifier: BSD-3-Clause
// What becomes of gradients before the optimizer sees them: accumulated, clipped, frozen.
#include "fixtures.hpp"

#include <doctest/doctest.h>

using namespace inlay;
using namespace fixtures;

namespace {

using Letters = Tokens<5, 70>;
using Scorer = Model<Letters, Embed<3>, Dense<6>, Tanh, Dense<70>>::as<double>;

std::vector<double> copied(auto& net) {
    std::vector<double> all;
    for (double const* w : numbers(net)) all.push_back(*w);
    return all;
}
/// What a step of plain SGD at rate 1 takes away from each weight.
template <class B, class Opt = Sgd>
std::vector<double> taken(auto const& rows, std::vector<std::uint32_t> const& index,
                          TrainOptions<Opt> options, auto model, auto loss) {
    using M = decltype(model);
    Network<M> net(Seed{3});
    Trainer<M, decltype(loss), B, Opt> trainer(net, options);
    auto all = copied(net);
    trainer.step(rows, index);
    auto const after = copied(net);
    for (std::size_t i = 0; i < all.size(); ++i) all[i] -= after[i];
    return all;
}
double norm(std::vector<double> const& g) {
    double squares = 0;
    for (double const x : g) squares += x * x;
    return std::sqrt(squares);
}
void check_equal(std::vector<double> const& a, std::vector<double> const& b, double epsilon) {
    REQUIRE(a.size() == b.size());
    for (std::size_t i = 0; i < a.size(); ++i) CHECK(std::abs(a[i] - b[i]) <= epsilon);
}

} // namespace

TEST_CASE("several batches make the step of one that is as large, whatever counts in each") {
    SUBCASE("dense layers, weighted rows, the last batch smaller") {
        auto const rows = classes(40);
        auto const whole = taken<Batch<64>>(rows, first(37), {.learning_rate = 1}, Small{}, CrossEntropy{});
        auto const parts =
            taken<Batch<10>>(rows, first(37), {.learning_rate = 1, .accumulate = 4}, Small{}, CrossEntropy{});
        check_equal(whole, parts, 1e-15);
        CHECK(norm(whole) > 0.1);
    }
    SUBCASE("rows of a table, in slots") {
        auto const rows = Rows<Letters>::random(12, Seed{2});
        auto const whole = taken<Batch<4>>(rows, first(4), {.learning_rate = 1}, Scorer{}, CrossEntropy{});
        auto const parts =
            taken<Batch<2>>(rows, first(4), {.learning_rate = 1, .accumulate = 6}, Scorer{}, CrossEntropy{});
        check_equal(whole, parts, 1e-15);
    }
    SUBCASE("rows of a table, in slots and dense") {
        auto const rows = Rows<Letters>::random(40, Seed{2});
        auto const whole = taken<Batch<400>>(rows, first(33), {.learning_rate = 1}, Scorer{}, CrossEntropy{});
        auto const parts = taken<Batch<3>>(rows, first(33), {.learning_rate = 1, .accumulate = 11}, Scorer{},
                                           CrossEntropy{});
        check_equal(whole, parts, 1e-15);
    }
}

TEST_CASE("a fit accumulates, and its loss is that of the rows") {
    auto const rows = classes(50);
    Network<Small> net(Seed{3}), other(Seed{3});
    Trainer<Small, CrossEntropy, Batch<8>, Sgd> trainer(net, {.learning_rate = 0, .accumulate = 3});
    Trainer<Small, CrossEntropy, Batch<64>, Sgd> whole(other);
    auto const report = trainer.fit(rows, {.epochs = 2});
    CHECK(report.steps == 2 * 3); // of 24, 24 and 2 rows
    CHECK(report.loss == doctest::Approx(whole.loss(rows, first(50))).epsilon(1e-13));
    CHECK(words([&] { trainer.step(rows, first(25)); }) ==
          "inlay: Trainer::step: expected 1 to 24 rows, as in its Batch, found 25");
}

TEST_CASE("clipping by norm scales all gradients alike, rows of tables once each") {
    auto const check = [](auto const& rows, int n, auto model, auto loss) {
        using M = decltype(model);
        using L = decltype(loss);
        auto const index = first(std::size_t(n));
        auto const g = taken<Batch<16>>(rows, index, {.learning_rate = 1}, M{}, L{});
        for (double const most : {0.01, 0.05, 100.0}) {
            auto expected = g;
            // torch.nn.utils.clip_grad_norm_
            double const factor = std::min(1.0, most / (norm(g) + 1e-6));
            for (double& x : expected) x *= factor;
            CHECK((factor == 1) == (most == 100.0));
            check_equal(taken<Batch<16>>(rows, index, {.learning_rate = 1, .clip = {.norm = most}}, M{}, L{}),
                        expected, 1e-14);
        }
    };
    check(classes(16), 16, Small{}, CrossEntropy{});
    check(Rows<Letters>::random(16, Seed{2}), 3, Scorer{}, CrossEntropy{});
    check(Rows<Letters>::random(16, Seed{2}), 16, Scorer{}, CrossEntropy{});
}

TEST_CASE("clipping by value bounds each number, before the norm") {
    auto const rows = Rows<Letters>::random(16, Seed{2});
    auto const g = taken<Batch<16>>(rows, first(16), {.learning_rate = 1}, Scorer{}, CrossEntropy{});
    auto expected = g;
    for (double& x : expected) x = std::clamp(x, -0.01, 0.01);
    CHECK(norm(expected) < 0.9 * norm(g));
    check_equal(taken<Batch<16>>(rows, first(16), {.learning_rate = 1, .clip = {.value = 0.01}}, Scorer{},
                                 CrossEntropy{}),
                expected, 1e-15);
    double const factor = 0.05 / (norm(expected) + 1e-6);
    REQUIRE(factor < 1);
    for (double& x : expected) x *= factor;
    check_equal(taken<Batch<16>>(rows, first(16), {.learning_rate = 1, .clip = {0.05, 0.01}}, Scorer{},
                                 CrossEntropy{}),
                expected, 1e-15);
}

TEST_CASE("a gradient whose norm is not finite is left out and counted") {
    auto rows = line(64, 1);
    rows.target[40] = 1e38f; // its square is a double, the gradient no float
    rows.input[2 * 40] = 1e3f;
    Network<Line> net(Seed{1});
    Trainer<Line, MeanSquaredError, Batch<16>, Sgd> trainer(net, {.clip = {.norm = 1}});
    auto const report = trainer.fit(rows, {.shuffle = false});
    CHECK(report.steps == 4);
    CHECK(report.skipped == 1);
    for (float const w : get<0>(net.params()).weight.data) CHECK(std::isfinite(w));
}

TEST_CASE("what is frozen stays, the rest moves as before, and the norm is that of the rest") {
    auto const rows = Rows<Letters>::random(16, Seed{2});
    using Rules = Optimize<OnBlock<Embed<3>, Frozen>, OnName<"1.*", Frozen>, Otherwise<Sgd>>;
    auto const g = taken<Batch<16>>(rows, first(16), {.learning_rate = 1}, Scorer{}, CrossEntropy{});
    std::size_t const still = 70 * 3 + 6 * 3 + 6; // the table and the first Dense come first
    auto const part = taken<Batch<16>, Rules>(rows, first(16), {.optimizer = {Frozen{}, Frozen{}, Sgd{1}}},
                                              Scorer{}, CrossEntropy{});
    std::vector<double> rest;
    for (std::size_t i = 0; i < g.size(); ++i) {
        CHECK(part[i] == (i < still ? 0.0 : g[i]));
        if (i >= still) rest.push_back(g[i]);
    }
    CHECK(norm(rest) > 0.1);
    auto const clipped = taken<Batch<16>, Rules>(
        rows, first(16), {.optimizer = {Frozen{}, Frozen{}, Sgd{1}}, .clip = {.norm = 0.05}}, Scorer{},
        CrossEntropy{});
    CHECK(norm(clipped) == doctest::Approx(0.05).epsilon(1e-4));
}

TEST_CASE("options out of their range") {
    using T = Trainer<Line, MeanSquaredError, Batch<16>, Sgd>;
    Network<Line> net(Seed{1});
    CHECK(words([&] { T(net, {.clip = {.norm = -1}}); }) ==
          "inlay: TrainOptions, clip.norm: expected 0 or more, found -1.000000");
    CHECK(words([&] { T(net, {.clip = {.value = -1}}); }).find("clip.value") != std::string::npos);
    CHECK(words([&] { T(net, {.accumulate = 0}); }).find("accumulate") != std::string::npos);
    CHECK(words([&] { T(net, {.average = 1}); }).find("average") != std::string::npos);
}
