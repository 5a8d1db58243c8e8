// SPDX-License-Identifier: BSD-3-Clause
// Learning event by event.
#include "fixtures.hpp"

#include <doctest/doctest.h>

using namespace inlay;
using namespace fixtures;

TEST_CASE("an update is the step on a batch of one row") {
    auto const rows = Rows<Visit>::random(60, Seed{5});
    auto const check = [&](auto batch) {
        using T = Trainer<Ranker, BinaryCrossEntropy, decltype(batch), Mixed>;
        Network<Ranker> net(Seed{1}), other(Seed{1});
        T by_event(net, {.clip = {.norm = 1}, .average = 0.9}),
            by_step(other, {.clip = {.norm = 1}, .average = 0.9});
        for (std::uint32_t i = 0; i < 60; ++i)
            CHECK(by_event.update(rows.row[i], rows.target[i]) == by_step.step(rows, std::span(&i, 1)));
        CHECK(same(net, other));
        CHECK(by_event.steps() == 60);
        auto const a = by_event.averaged(), b = by_step.averaged();
        CHECK(same(net, other));
    };
    check(Batch<1>{});
    check(Batch<32>{});
}

TEST_CASE("updates of vectors and sequences, with weights and several targets") {
    auto rows = classes(30);
    using T = Trainer<Small, CrossEntropy, Batch<4>, AdamW>;
    Network<Small> net(Seed{1}), other(Seed{1});
    T by_event(net), by_step(other, {.accumulate = 2});
    for (std::uint32_t i = 0; i < 30; ++i)
        CHECK(by_event.update(rows[i].first<3>(), rows.target[i], rows.weight[i]) ==
              by_step.step(rows, std::span(&i, 1)));
    CHECK(same(net, other)); // ignored classes and rows without weight among them

    using Pairs = Model<Sequence<4, 2>, Dense<2>>;
    auto sequences = Rows<Shape<4, 2>>::random(10, Seed{2}, 8);
    sequences.length.clear();
    Network<Pairs> pairs(Seed{1}), others(Seed{1});
    Trainer<Pairs, MeanSquaredError, Batch<1>, Sgd> learner(pairs), stepper(others);
    for (std::uint32_t i = 0; i < 10; ++i) {
        std::span<float const, 8> const targets(sequences.target.data() + 8 * i, 8);
        CHECK(learner.update(sequences[i].first<8>(), targets) == stepper.step(sequences, std::span(&i, 1)));
    }
    CHECK(same(pairs, others));
}

TEST_CASE("what is no event says so and changes nothing") {
    auto rows = Rows<Visit>::random(2, Seed{5});
    Network<Ranker> net(Seed{1}), before(Seed{1});
    Trainer<Ranker, BinaryCrossEntropy, Batch<1>, Mixed> trainer(net);
    get<2>(rows.row[1]).id = 200;
    CHECK(words([&] { trainer.update(rows.row[1], 1); }) ==
          "inlay: row 0, field b: expected an id from 0 to 199, found 200");
    CHECK(words([&] { trainer.update(rows.row[0], 1, -1); }) ==
          "inlay: Trainer::update, weight: expected 0 or more, found -1.000000");
    CHECK(same(net, before));
    Network<Small> classifier(Seed{1});
    Trainer<Small, CrossEntropy, Batch<1>, Sgd> other(classifier);
    float const x[3] = {};
    CHECK(words([&] { other.update(x, 3); }) ==
          "inlay: target: expected a class from 0 to 2, or a negative one, found 3.000000");
}
