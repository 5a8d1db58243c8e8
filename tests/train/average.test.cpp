// SPDX-License-Identifier: BSD-3-Clause
#include "fixtures.hpp"

#include <doctest/doctest.h>

using namespace inlay;
using namespace fixtures;

namespace {
std::vector<double> copied(Network<Small>& net) {
    std::vector<double> all;
    for (double const* w : numbers(net)) all.push_back(*w);
    return all;
}
} // namespace

TEST_CASE("the average of the weights is a = d a + (1 - d) w, from the first step's weights on") {
    auto const rows = classes(30);
    Network<Small> net(Seed{1}), plain(Seed{1});
    Trainer<Small, CrossEntropy, Batch<10>, Adam> trainer(net, {.learning_rate = 0.1, .average = 0.8});
    Trainer<Small, CrossEntropy, Batch<10>, Adam> other(plain, {.learning_rate = 0.1});
    auto const begin = copied(net);
    {
        auto const swapped = trainer.averaged();
        CHECK(copied(net) == begin);
    }
    std::vector<double> expected;
    for (int step = 0; step < 7; ++step) {
        trainer.step(rows, first(10));
        other.step(rows, first(10));
        auto const w = copied(net);
        if (step == 0) expected = w;
        else
            for (std::size_t i = 0; i < w.size(); ++i) expected[i] = 0.8 * expected[i] + 0.2 * w[i];
    }
    CHECK(same(net, plain));
    auto const last = copied(net);
    {
        auto const swapped = trainer.averaged();
        auto const average = copied(net);
        for (std::size_t i = 0; i < average.size(); ++i) CHECK(std::abs(average[i] - expected[i]) < 1e-14);
        CHECK(average != last);
    }
    CHECK(copied(net) == last);
    CHECK(words([&] { static_cast<void>(other.averaged()); }) ==
          "inlay: Trainer::averaged: expected a decay as TrainOptions::average, found none");
}

TEST_CASE("validation sees the average, and patience keeps it") {
    auto const rows = line(200, 1), opposite = line(50, 2, -1);
    using T = Trainer<Line, MeanSquaredError, Batch<16>, Sgd>;
    TrainOptions<Sgd> const options{.learning_rate = 0.02, .average = 0.9};
    Network<Line> net(Seed{1}), again(Seed{1});
    T trainer(net, options);
    auto const report = trainer.fit(rows, {.epochs = 40, .validate = &opposite, .patience = 3});
    REQUIRE(report.epochs < 40);
    REQUIRE(report.epochs > 3);
    T alone(again, options);
    auto const short_report = alone.fit(rows, {.epochs = report.epochs - 3, .validate = &opposite});
    CHECK(report.validation == short_report.validation);
    CHECK(alone.loss(opposite, first(50)) != report.validation);
    {
        auto const swapped = alone.averaged();
        CHECK(alone.loss(opposite, first(50)) == report.validation);
        CHECK(same(net, again));
        auto const best = trainer.averaged(); // also where the average is asked for
        CHECK(same(net, again));
    }
    CHECK(!same(net, again));
}

TEST_CASE("a fit that starts afresh starts a new average") {
    auto const rows = line(40, 1);
    using T = Trainer<Line, MeanSquaredError, Batch<40>, Sgd>;
    Network<Line> net(Seed{1});
    T trainer(net, {.average = 0.5});
    trainer.fit(rows);
    trainer.fit(rows);
    Network<Line> last(Seed{1});
    std::memcpy(&last.params(), &net.params(), sizeof(Line::Params));
    auto const swapped = trainer.averaged();
    CHECK(same(net, last)); // one step, so the average is its weights
}
