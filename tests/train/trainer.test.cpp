// SPDX-License-Identifier: BSD-3-Clause
#include "executors.hpp"
#include "fixtures.hpp"

#include <doctest/doctest.h>

using namespace inlay;

using namespace fixtures;

TEST_CASE("one step is the naive step: the gradient of the weighted mean, by central differences") {
    auto const rows = classes(20);
    auto const index = first(20);
    Network<Small> net(Seed{1});
    Trainer<Small, CrossEntropy, Batch<20>, Sgd> trainer(net, {.learning_rate = 1});
    auto const p = numbers(net);
    std::vector<double> expected;
    for (double* w : p) {
        double const was = *w, h = 1e-5;
        *w = was + h;
        double const above = trainer.loss(rows, index);
        *w = was - h;
        double const below = trainer.loss(rows, index);
        *w = was;
        expected.push_back(was - (above - below) / (2 * h));
    }
    double const before = trainer.loss(rows, index);
    CHECK(trainer.step(rows, index) == doctest::Approx(before).epsilon(1e-14));
    for (std::size_t i = 0; i < p.size(); ++i) CHECK(std::abs(*p[i] - expected[i]) < 1e-9);
}

TEST_CASE("a batch in shards is the mean over its valid weighted rows, never a mean of means") {
    auto const rows = classes(128);
    Network<Small> net(Seed{2});
    Trainer<Small, CrossEntropy, Batch<128>, Sgd> all(net, {.learning_rate = 1});
    static_assert(decltype(all)::shards == 8);
    auto const start = [&] {
        std::vector<double> w;
        for (double* x : numbers(net)) w.push_back(*x);
        return w;
    }();
    double total = 0, loss = 0;
    std::vector<double> sum(start.size());
    for (std::uint32_t i = 0; i < 128; ++i) {
        Network<Small> one(Seed{2});
        double const weight = rows.target[i] < 0 ? 0 : double(rows.weight[i]);
        if (weight == 0) continue;
        Trainer<Small, CrossEntropy, Batch<1>, Sgd> trainer(one, {.learning_rate = 1});
        loss += weight * trainer.step(rows, std::span(&i, 1));
        auto const p = numbers(one);
        for (std::size_t k = 0; k < p.size(); ++k) sum[k] += weight * (*p[k] - start[k]);
        total += weight;
    }
    CHECK(all.step(rows, first(128)) == doctest::Approx(loss / total).epsilon(1e-13));
    auto const p = numbers(net);
    for (std::size_t k = 0; k < p.size(); ++k) CHECK(std::abs(*p[k] - start[k] - sum[k] / total) < 1e-13);
}

TEST_CASE("the loss of an epoch and of validation rows weighs batches by what counts in them") {
    auto const rows = classes(50);
    Network<Small> net(Seed{3});
    Trainer<Small, CrossEntropy, Batch<8>, Sgd> small(net, {.learning_rate = 0});
    Trainer<Small, CrossEntropy, Batch<64>, Sgd> whole(net);
    double const loss = whole.loss(rows, first(50));
    CHECK(small.loss(rows, first(50)) == doctest::Approx(loss).epsilon(1e-13));
    auto const report = small.fit(rows, {.validate = &rows});
    CHECK(report.loss == doctest::Approx(loss).epsilon(1e-13));
    CHECK(report.validation == doctest::Approx(loss).epsilon(1e-13));
    CHECK(report.steps == 7); // the last one of two rows
}

TEST_CASE("bits depend on the seed and not on the executor") {
    auto const check = [](auto model, auto loss, auto opt, auto const& rows, auto batch) {
        using M = decltype(model);
        using L = decltype(loss);
        using O = decltype(opt);
        using B = decltype(batch);
        TrainOptions<O> const options{.seed = Seed{9}};
        Network<M> expected(Seed{1}), again(Seed{1}), other(Seed{1});
        Trainer<M, L, B, O>(expected, options).fit(rows, {.epochs = 2});
        Trainer<M, L, B, O>(again, options).fit(rows, {.epochs = 2});
        Trainer<M, L, B, O>(other, {.seed = Seed{10}}).fit(rows, {.epochs = 2});
        CHECK(same(expected, again));
        CHECK(!same(expected, other));
        for (int const n : {1, 2, 3, 5, 16}) {
            CAPTURE(n);
            Network<M> threads(Seed{1}), shuffled(Seed{1});
            Trainer<M, L, B, O, executors::Threads>(threads, options, {n}).fit(rows, {.epochs = 2});
            CHECK(same(expected, threads));
            Trainer<M, L, B, O, executors::Shuffled>(shuffled, options, {n}).fit(rows, {.epochs = 2});
            CHECK(same(expected, shuffled));
        }
    };
    SUBCASE("a record") {
        check(Ranker{}, BinaryCrossEntropy{}, Mixed{}, Rows<Visit>::random(150, Seed{5}), Batch<20>{});
        check(Ranker{}, BinaryCrossEntropy{}, Mixed{}, Rows<Visit>::random(150, Seed{5}), Batch<128>{});
    }
    SUBCASE("a text") {
        check(Reader{}, CrossEntropy{}, AdamW{}, Rows<Tokens<8, 11>>::random(50, Seed{6}), Batch<16>{});
    }
}

TEST_CASE("tables: slots and marks give the same bits, rows that did not occur keep theirs") {
    using Table = Model<Tokens<4, 40>, Embed<5>, Dense<40>>;
    Rows<Tokens<4, 40>> text;
    text.id = {7, 3, 7, 7, 9, 7, 3, 1};
    auto const check = [&](auto opt) {
        using O = decltype(opt);
        Network<Table> start(Seed{1}), slots(Seed{1}), marks(Seed{1});
        Trainer<Table, CrossEntropy, Batch<2>, O> with_slots(slots);
        Trainer<Table, CrossEntropy, Batch<160>, O> with_marks(marks);
        for (int s = 0; s < 5; ++s) {
            with_slots.step(text, first(1));
            with_marks.step(text, first(1));
        }
        CHECK(same(slots, marks));
        auto const &before = get<0>(start.params()).weight, &after = get<0>(slots.params()).weight;
        for (int r = 0; r < 40; ++r)
            CHECK((std::memcmp(before[r], after[r], 5 * sizeof(float)) != 0) == (r == 7 || r == 3));
    };
    check(Sgd{});
    check(AdaGrad{});
    check(Adam{});
    check(AdamW{});
    check(Lion{});
}

TEST_CASE("a fit learns, numbers and texts") {
    auto const rows = line(300, 1);
    Network<Line> net(Seed{1});
    Trainer<Line, MeanSquaredError, Batch<32>, Adam> trainer(net, {.learning_rate = 0.05f});
    auto const report = trainer.fit(rows, {.epochs = 40, .validation = 0.2});
    CHECK(report.epochs == 40);
    CHECK(report.steps == 40 * 8); // 240 rows
    CHECK(report.loss < 1e-3);
    CHECK(report.validation < 1e-3);
    CHECK(get<Rmse>(evaluate<Rmse>(net, rows)) < 0.03);

    Rows<Tokens<8, 11>> text; // after 0 comes 1, after 1 comes 2, ...
    for (int i = 0; i < 500; ++i) text.id.push_back(i % 11);
    Network<Reader> reader(Seed{1});
    Trainer<Reader, CrossEntropy, Batch<16>, AdamW>(
        reader, {.learning_rate = 0.01f, .schedule = Cosine{.warmup = 10}})
        .fit(text, {.steps = 300, .validate = &text});
    auto const scores = evaluate<LogLoss, Accuracy>(reader, text);
    CHECK(get<Accuracy>(scores) == 1);
    CHECK(get<LogLoss>(scores) < 0.2);
    CHECK(predict(reader, text).size() == 499);
}

TEST_CASE("sequences of numbers, with their lengths") {
    using Sum2 = Model<Sequence<5, 2>, Dense<1>>;
    auto rows = Rows<Shape<5, 2>>::random(100, Seed{3}, 5);
    for (std::size_t i = 0; i < 500; ++i) rows.target[i] = rows.input[2 * i] + rows.input[2 * i + 1];
    for (std::size_t i = 0; i < 100; ++i) // what lies past the end is not read
        for (int t = rows.length_of(i); t < 5; ++t) rows.input[2 * (5 * i + std::size_t(t))] = 1e30f;
    Network<Sum2> net(Seed{1});
    auto const report = Trainer<Sum2, MeanSquaredError, Batch<16>, Adam>(net, {.learning_rate = 0.05f})
                            .fit(rows, {.epochs = 40});
    CHECK(report.loss < 1e-3);
    std::size_t tokens = 0;
    for (std::int32_t const n : rows.length) tokens += std::size_t(n);
    CHECK(predict(net, rows).size() == tokens);
    CHECK(get<Rmse>(evaluate<Rmse>(net, rows)) < 0.03);
}

TEST_CASE("a second fit starts afresh, or goes on where the first ended") {
    auto const rows = Rows<Visit>::random(90, Seed{7});
    using T = Trainer<Ranker, BinaryCrossEntropy, Batch<16>, Mixed>;
    TrainOptions<Mixed> const options{.schedule = Cosine{.warmup = 3, .total = 40}};
    Network<Ranker> once(Seed{1}), resumed(Seed{1}), twice(Seed{1}), fresh(Seed{1});
    T(once, options).fit(rows, {.epochs = 4});

    T a(resumed, options);
    a.fit(rows, {.epochs = 1});
    a.fit(rows, {.epochs = 3, .resume = true});
    CHECK(same(once, resumed));
    CHECK(a.steps() == 4 * 6);

    T b(twice, options);
    b.fit(rows, {.epochs = 2});
    b.fit(rows, {.epochs = 2});
    T(fresh, options).fit(rows, {.epochs = 2});
    T(fresh, options).fit(rows, {.epochs = 2});
    CHECK(same(twice, fresh));
    CHECK(!same(twice, once));
    CHECK(b.steps() == 2 * 6);
}

TEST_CASE("patience keeps the weights that were best on the validation rows") {
    auto const rows = line(200, 1), opposite = line(50, 2, -1);
    Network<Line> net(Seed{1}), best(Seed{1});
    using T = Trainer<Line, MeanSquaredError, Batch<16>, Sgd>;
    auto const report = T(net).fit(rows, {.epochs = 30, .validate = &opposite, .patience = 3});
    CHECK(report.epochs < 30);
    int const kept = report.epochs - 3;
    REQUIRE(kept > 0);
    auto const alone = T(best).fit(rows, {.epochs = kept, .validate = &opposite});
    CHECK(same(net, best));
    CHECK(report.validation == alone.validation);
}

TEST_CASE("rows held out are not trained on") {
    auto rows = line(100, 1);
    Network<Line> net(Seed{1});
    Trainer<Line, MeanSquaredError, Batch<100>, Sgd> trainer(net, {.learning_rate = 0});
    auto const held = trainer.fit(rows, {.validation = 0.3});
    double const all = trainer.loss(rows, first(100));
    CHECK(held.loss * 0.7 + held.validation * 0.3 == doctest::Approx(all).epsilon(1e-6));
    CHECK(held.steps == 1);
}

TEST_CASE("a step where no target counts leaves everything as it was") {
    auto rows = classes(4);
    for (float& t : rows.target) t = -1;
    Network<Small> net(Seed{1}), before(Seed{1});
    Trainer<Small, CrossEntropy, Batch<4>, AdamW> trainer(net);
    CHECK(trainer.step(rows, first(4)) == 0);
    CHECK(same(net, before));
}

TEST_CASE("the network may be moved while its trainer lives") {
    auto const rows = line(50, 1);
    Network<Line> net(Seed{1}), still(Seed{1});
    Trainer<Line, MeanSquaredError, Batch<16>, Sgd> trainer(net), other(still);
    Network<Line> const moved = std::move(net);
    trainer.fit(rows);
    other.fit(rows);
    CHECK(same(moved, still));
}
