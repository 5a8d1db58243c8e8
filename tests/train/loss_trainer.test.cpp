// SPDX-License-Identifier: BSD-3-Clause
// Losses of more than a token, and of several targets, in a Trainer.
#include "executors.hpp"
#include "fixtures.hpp"

#include <doctest/doctest.h>

using namespace inlay;
using namespace fixtures;

namespace {

constexpr int things = 12;
using Pair = Record<Categorical<"user", things>, Categorical<"item", things>>;
using Towers =
    Model<Pair, Concat<Stack<Select<"user">, Embed<8>, Flatten>, Stack<Select<"item">, Embed<8>, Flatten>>>;
using Scorer = Model<Pair, Select<"user">, Embed<8>, Flatten, Dense<things>>;

/// Each user has one item.
int item_of(int user) { return (5 * user + 3) % things; }
Rows<Pair> pairs(int n) {
    auto rows = Rows<Pair>::random(std::size_t(n), Seed{1});
    for (std::size_t i = 0; i < rows.size(); ++i) {
        int const item = item_of(get<0>(rows.row[i]).id);
        get<1>(rows.row[i]).id = item;
        rows.target[i] = float(item);
    }
    return rows;
}
/// How many users' best item is their own.
int right(auto score) {
    int n = 0;
    for (int user = 0; user < things; ++user) {
        int best = 0;
        for (int item = 1; item < things; ++item)
            if (score(user, item) > score(user, best)) best = item;
        n += best == item_of(user);
    }
    return n;
}

} // namespace

TEST_CASE("two towers learn from the items of other rows") {
    auto const rows = pairs(960);
    Network<Towers> net(Seed{1});
    Trainer<Towers, InfoNce, Batch<96>, Adam> trainer(net, {.learning_rate = 0.02});
    CHECK(trainer.fit(rows, {.epochs = 20}).loss < 0.3);
    Workspace<Towers, Batch<1>> ws;
    CHECK(right([&](int user, int item) {
              typename Pair::Row row{};
              get<0>(row).id = user;
              get<1>(row).id = item;
              auto const y = net.infer(row, ws);
              double dot = 0, length = 0;
              for (std::size_t i = 0; i < 8; ++i)
                  dot += double(y[i] * y[8 + i]), length += double(y[8 + i] * y[8 + i]);
              return dot / std::sqrt(length);
          }) == things);
}

TEST_CASE("scores of all items learn from negatives that are drawn") {
    auto const learn = [&](auto loss) {
        Network<Scorer> net(Seed{1});
        Trainer<Scorer, decltype(loss), Batch<64>, Adam>(net, {.learning_rate = 0.02})
            .fit(pairs(960), {.epochs = 20});
        Workspace<Scorer, Batch<1>> ws;
        return right([&](int user, int item) {
            typename Pair::Row row{};
            get<0>(row).id = user;
            return net.infer(row, ws)[std::size_t(item)];
        });
    };
    CHECK(learn(Bpr{}) == things);
    CHECK(learn(BasicGbce<Negatives<4>>{}) == things);
    CHECK(learn(BasicSampledSoftmax<Negatives<4>, LogUniform>{}) == things);
}

TEST_CASE("bits do not depend on the executor, whatever the loss") {
    auto const check = [](auto loss, auto model) {
        using M = decltype(model);
        using L = decltype(loss);
        auto const rows = pairs(150);
        Network<M> expected(Seed{1});
        Trainer<M, L, Batch<64>, Adam>(expected).fit(rows, {.epochs = 2});
        for (int const n : {2, 5}) {
            CAPTURE(n);
            Network<M> threads(Seed{1}), shuffled(Seed{1});
            Trainer<M, L, Batch<64>, Adam, executors::Threads>(threads, {}, {n}).fit(rows, {.epochs = 2});
            Trainer<M, L, Batch<64>, Adam, executors::Shuffled>(shuffled, {}, {n}).fit(rows, {.epochs = 2});
            CHECK(same(expected, threads));
            CHECK(same(expected, shuffled));
        }
    };
    check(BasicInfoNce<Symmetric>{}, Towers{});
    check(BasicSampledSoftmax<Negatives<5>>{}, Scorer{});
}

TEST_CASE("several targets, one of them often missing") {
    using Both = Model<Shape<3>, Dense<4>>;
    auto const classed = classes(200);
    auto rows = classed;
    rows.target.clear();
    for (std::size_t i = 0; i < 200; ++i) {
        int const label = rows.input[3 * i] > 0 ? 1 : rows.input[3 * i + 1] > 0 ? 2 : 0;
        rows.target.push_back(i % 3 ? float(label) : -1.0f);
        rows.target.push_back(rows.input[3 * i] - 2 * rows.input[3 * i + 2]);
    }
    Network<Both> net(Seed{1});
    Trainer<Both, Losses<Columns<3, CrossEntropy>, MeanSquaredError>, Batch<32>, Adam> trainer(
        net, {.learning_rate = 0.03});
    double const before = trainer.loss(rows, first(200));
    auto const report = trainer.fit(rows, {.epochs = 40});
    CHECK(report.loss < before / 4);
    rows.target[0] = 3;
    CHECK(words([&] { trainer.fit(rows, {.shuffle = false}); }) ==
          "inlay: row 0: expected a class from 0 to 2, or a negative one, found 3.000000");
}
