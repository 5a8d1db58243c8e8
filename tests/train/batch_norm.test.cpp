// SPDX-License-Identifier: BSD-3-Clause
// What a Trainer does with buffers: statistics of shards, no optimizer.
#include "../reference/batch_norm.hpp"
#include "../data/file.hpp"
#include "executors.hpp"
#include "fixtures.hpp"

#include <inlay/data.hpp>

#include <doctest/doctest.h>

using namespace inlay;
using namespace fixtures;

namespace {
using Normed = Model<Shape<3>, BatchNorm, Dense<4>, BatchNorm, Dense<3>>::as<double>;

auto& norm_of(Network<Normed>& net) { return get<0>(net.params()); }
} // namespace

TEST_CASE("a step moves running statistics by the mean over its shards, a lone row by nothing") {
    auto const rows = classes(13);
    Network<Normed> net(Seed{1});
    Trainer<Normed, CrossEntropy, Batch<16>, Sgd> trainer(net, {.learning_rate = 0});
    static_assert(decltype(trainer)::shard_rows == 2);
    trainer.step(rows, first(13)); // six shards of two, and one of one
    for (std::size_t i = 0; i < 3; ++i) {
        double mean = 0, variance = 1;
        for (std::size_t k = 0; k < 6; ++k) {
            double const a = double(rows.input[6 * k + i]), b = double(rows.input[6 * k + 3 + i]);
            mean += 0.1 * ((a + b) / 2 - 0) / 7;
            variance += 0.1 * ((a - b) * (a - b) / 2 - 1) / 7; // the unbiased variance of two
        }
        CHECK(norm_of(net).running_mean[0][i] == doctest::Approx(mean).epsilon(1e-13));
        CHECK(norm_of(net).running_var[0][i] == doctest::Approx(variance).epsilon(1e-13));
    }
}

TEST_CASE("running statistics come to those of the data, and serve") {
    auto rows = Rows<Shape<3>>::random(2000, Seed{7});
    for (std::size_t i = 0; i < rows.input.size(); ++i) rows.input[i] = 5 + 3 * rows.input[i];
    for (float& t : rows.target) t = 0;
    Network<Normed> net(Seed{1});
    Trainer<Normed, CrossEntropy, Batch<400>, Sgd> trainer(net, {.learning_rate = 0});
    trainer.fit(rows, {.epochs = 20});
    reference::Sequence all;
    for (std::size_t i = 0; i < rows.size(); ++i) all.emplace_back(rows[i].begin(), rows[i].end());
    auto const truth = reference::columns_of(all);
    for (std::size_t i = 0; i < 3; ++i) {
        CHECK(norm_of(net).running_mean[0][i] == doctest::Approx(truth.mean[i]).epsilon(0.05));
        CHECK(norm_of(net).running_var[0][i] == doctest::Approx(truth.variance[i]).epsilon(0.1));
    }
}

TEST_CASE("no optimizer moves a buffer, and no rule needs to name it") {
    auto rows = classes(1); // one row: the running statistics stay
    rows.weight = {1};
    using Rules = Optimize<OnName<"*.weight", AdamW>, OnName<"*.bias", Adam>>;
    Network<Normed> net(Seed{1});
    AdamW const heavy{.learning_rate = 0.5, .decay = 0.5, .decay_all = true};
    Trainer<Normed, CrossEntropy, Batch<8>, Rules> trainer(net, {.optimizer = {heavy, Adam{}}});
    trainer.step(rows, first(1));
    for (int i = 0; i < 3; ++i) {
        CHECK(norm_of(net).running_mean[0][i] == 0);
        CHECK(norm_of(net).running_var[0][i] == 1);
        CHECK(norm_of(net).weight[0][i] != 1);
    }
    using Lost = Optimize<OnName<"*.running_var", Adam>, Otherwise<Adam>>;
    CHECK(words([&] { Trainer<Normed, CrossEntropy, Batch<8>, Lost>{net}; }).find("rule 1") !=
          std::string::npos);
}

TEST_CASE("statistics do not depend on the executor, and are saved") {
    auto const rows = classes(200);
    auto const trained = [&](auto executor) {
        Network<Normed> net(Seed{1});
        Trainer<Normed, CrossEntropy, Batch<64>, Adam, decltype(executor)> trainer(net, {}, executor);
        trainer.fit(rows, {.epochs = 3});
        return net;
    };
    auto const one = trained(Serial{});
    CHECK(same(one, trained(executors::Threads{3})));
    CHECK(same(one, trained(executors::Threads{16})));
    File const file;
    save(one, file.path);
    CHECK(Safetensors::read(file.path).find("0.running_mean"));
    Network<Normed> other(Seed{2});
    load(other, file.path);
    CHECK(same(one, other));
}
