// SPDX-License-Identifier: BSD-3-Clause
#include "large_table.hpp"

using namespace inlay;
using namespace fixtures;

TEST_CASE("a step with tables of a million rows works on those that occur and reads no other") {
    large::only_touched_rows<1'000'000, 2>([](auto&, auto&) {});
}

TEST_CASE("the average of a table's rows is that of every step, however rarely they move") {
    using M = Model<Record<Categorical<"id", 400>>, Embed<2>, Flatten, Dense<1>>::as<double>;
    using T = Trainer<M, MeanSquaredError, Batch<2>, Adam>;
    auto const rows = Rows<M::Input>::random(60, Seed{5});
    Network<M> net(Seed{1});
    T trainer(net, {.learning_rate = 0.1, .average = 0.95});
    std::vector<double> expected;
    auto const weights = numbers(net);
    for (std::uint32_t n = 0; n < 60; ++n) {
        trainer.step(rows, std::vector{n < 20 ? n : 20 + n % 8});
        if (n == 0)
            for (auto const* w : weights) expected.push_back(*w);
        else
            for (std::size_t i = 0; i < weights.size(); ++i)
                expected[i] = 0.95 * expected[i] + (1 - 0.95) * *weights[i];
        if (n % 25 != 24 && n != 59) continue; // reading it in between changes nothing
        auto const swapped = trainer.averaged();
        double off = 0;
        for (std::size_t i = 0; i < weights.size(); ++i)
            off = std::max(off, std::abs(*weights[i] - expected[i]));
        CHECK(off < 1e-14);
    }
}
