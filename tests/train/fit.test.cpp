// SPDX-License-Identifier: BSD-3-Clause
// What a fit tells on the way, what it measures, and how it stops and goes on.
#include "fixtures.hpp"

#include <doctest/doctest.h>

using namespace inlay;
using namespace fixtures;

namespace {
using Learner = Trainer<Line, MeanSquaredError, Batch<16>, Adam>;
} // namespace

TEST_CASE("callbacks hear of every step and every epoch") {
    auto const rows = line(100, 1);
    Network<Line> net(Seed{1}), plain(Seed{1});
    TrainOptions<Adam> const options{.schedule = Cosine{.warmup = 3}, .clip = {.norm = 1e9}};
    Learner trainer(net, options), other(plain, options);
    std::vector<StepEvent> steps;
    std::vector<EpochEvent> epochs;
    auto const report = trainer.fit(rows, {.epochs = 3,
                                           .validation = 0.2,
                                           .on_step = [&](StepEvent const& e) { steps.push_back(e); },
                                           .on_epoch = [&](EpochEvent const& e) { epochs.push_back(e); }});
    other.fit(rows, {.epochs = 3, .validation = 0.2});
    CHECK(same(net, plain)); // listening changes nothing
    REQUIRE(steps.size() == 15);
    REQUIRE(epochs.size() == 3);
    double sum = 0;
    for (std::size_t i = 0; i < 15; ++i) {
        auto const& e = steps[i];
        CHECK(e.epoch == int(i / 5) + 1);
        CHECK(e.step == i + 1);
        CHECK(e.steps == 15);
        CHECK(e.rows == 80 * (i / 5) + 16 * (i % 5 + 1));
        CHECK(e.rate == Cosine{.warmup = 3}.factor(i, 15));
        CHECK(e.norm > 0);
        CHECK(e.seconds >= (i ? steps[i - 1].seconds : 0));
        sum = (i % 5 ? sum : 0) + e.loss;
        CHECK(e.epoch_loss == doctest::Approx(sum / double(i % 5 + 1)).epsilon(1e-12));
    }
    for (std::size_t k = 0; k < 3; ++k) {
        CHECK(epochs[k].epoch == int(k) + 1);
        CHECK(epochs[k].step == 5 * (k + 1));
        CHECK(epochs[k].loss == steps[5 * k + 4].epoch_loss);
        CHECK(epochs[k].best == (k == 0 || epochs[k].validation < epochs[k - 1].validation));
    }
    CHECK(report.loss == epochs[2].loss);
    CHECK(report.validation == epochs[2].validation);
    CHECK(!report.stopped);
}

TEST_CASE("a fit that a callback stops anywhere goes on as if it had not") {
    auto const rows = Rows<Visit>::random(90, Seed{7});
    using T = Trainer<Ranker, BinaryCrossEntropy, Batch<16>, Mixed>;
    TrainOptions<Mixed> const options{.schedule = Cosine{.warmup = 3}};
    Network<Ranker> whole(Seed{1});
    auto const expected = T(whole, options).fit(rows, {.epochs = 4, .validation = 0.2, .patience = 9});
    for (std::uint64_t const at : {1u, 4u, 5u, 7u, 20u}) {
        CAPTURE(at);
        Network<Ranker> net(Seed{1});
        T trainer(net, options);
        FitOptions<Rows<Visit>> fit{.epochs = 4, .validation = 0.2, .patience = 9};
        fit.on_step = [&](StepEvent& e) { e.stop = e.step == at; };
        auto const first_part = trainer.fit(rows, fit);
        CHECK(first_part.stopped);
        CHECK(first_part.steps == at);
        CHECK(trainer.steps() == at);
        fit.on_step = {};
        fit.resume = true;
        auto const report = trainer.fit(rows, fit);
        CHECK(same(whole, net));
        CHECK(report.steps == 20);
        CHECK(report.epochs == 4);
        CHECK(report.loss == expected.loss);
        CHECK(report.validation == expected.validation);
        CHECK(!report.stopped);
    }
}

TEST_CASE("a fit that is stopped by its epochs, and one that meets other rows") {
    auto const rows = line(64, 1);
    Network<Line> net(Seed{1});
    Learner trainer(net);
    auto const report =
        trainer.fit(rows, {.epochs = 9, .on_epoch = [](EpochEvent& e) { e.stop = e.epoch == 2; }});
    CHECK(report.stopped);
    CHECK(report.epochs == 2);
    CHECK(words([&] { trainer.fit(line(63, 1), {.epochs = 9, .resume = true}); }) ==
          "inlay: fit that resumes: expected 64 rows to train on, as before, found 63");
    CHECK(trainer.fit(rows, {.epochs = 9, .resume = true}).steps == 36);
}

TEST_CASE("validation within an epoch") {
    auto const rows = line(100, 1), held = line(40, 2);
    Network<Line> net(Seed{1}), plain(Seed{1});
    Learner trainer(net), other(plain);
    std::vector<EpochEvent> heard;
    auto const report = trainer.fit(
        rows, {.epochs = 2, .validate = &held, .validate_every = 3, .on_epoch = [&](EpochEvent const& e) {
                   heard.push_back(e);
                   CHECK(e.validation == trainer.loss(held, first(40)));
               }});
    std::vector<double> losses;
    other.fit(rows, {.epochs = 2, .on_step = [&](StepEvent const& e) { losses.push_back(e.epoch_loss); }});
    CHECK(same(net, plain)); // looking changes nothing
    CHECK(report.epochs == 2);
    REQUIRE(heard.size() == 6); // of seven steps an epoch
    std::uint64_t const step[] = {3, 6, 7, 9, 12, 14};
    for (std::size_t i = 0; i < 6; ++i) {
        CHECK(heard[i].step == step[i]);
        CHECK(heard[i].whole == (step[i] % 7 == 0));
        CHECK(heard[i].epoch == (step[i] > 7 ? 2 : 1));
        CHECK(heard[i].loss == losses[std::size_t(step[i] - 1)]);
    }
    // Patience counts validations.
    auto const opposite = line(50, 2, -1);
    Network<Line> worse(Seed{1});
    auto const impatient = Trainer<Line, MeanSquaredError, Batch<2>, Sgd>(worse).fit(
        line(400, 1), {.epochs = 3, .validate = &opposite, .validate_every = 10, .patience = 2});
    CHECK(impatient.epochs == 0);
    CHECK(impatient.steps % 10 == 0);
    CHECK(impatient.steps < 200);
    CHECK(words([&] { trainer.fit(rows, {.validate_every = 3}); }).find("validate_every") !=
          std::string::npos);
}

TEST_CASE("metrics of the validation rows, by name") {
    auto const [rows, held] = Rows<Visit>::random(200, Seed{7}).split(0.4, Seed{3});
    using T = Trainer<Ranker, BinaryCrossEntropy, Batch<16>, Mixed>;
    static constexpr NamedMetric own[] = {{"rows", [](Predictions const& p) { return double(p.size()); }},
                                          metrics<Auc>[0]};
    Network<Ranker> net(Seed{1});
    T trainer(net);
    std::vector<double> heard;
    auto const report = trainer.fit(
        rows,
        {.epochs = 2, .validate = &held, .metrics = metrics<Auc, LogLoss>, .on_epoch = [&](EpochEvent& e) {
             REQUIRE(e.metrics.size() == 2);
             CHECK(e.metrics[1].name == "LogLoss");
             heard.push_back(e.metrics[1].value);
         }});
    auto const scores = evaluate<Auc, LogLoss>(net, held); // in other batches, so equal to rounding
    CHECK(report.metric("Auc") == doctest::Approx(get<Auc>(scores)).epsilon(1e-6));
    CHECK(report.metric("LogLoss") == doctest::Approx(get<LogLoss>(scores)).epsilon(1e-6));
    CHECK(heard.size() == 2);
    CHECK(heard[1] == report.metric("LogLoss"));
    CHECK(report.validation == doctest::Approx(report.metric("LogLoss")).epsilon(1e-12));
    CHECK(words([&] { report.metric("Accuracy"); }) ==
          "inlay: FitReport::metric: expected one of Auc, LogLoss, found Accuracy");
    auto const again = trainer.fit(rows, {.validate = &held, .metrics = own});
    CHECK(again.metric("rows") == double(held.size()));
    CHECK(again.metric("Auc") == doctest::Approx(get<Auc>(evaluate<Auc>(net, held))).epsilon(1e-6));

    // A sequence has predictions for each of its tokens.
    auto const text = Rows<Tokens<8, 11>>::random(20, Seed{6});
    Network<Reader> reader(Seed{1});
    auto const read = Trainer<Reader, CrossEntropy, Batch<16>, AdamW>(reader).fit(
        text, {.validate = &text, .metrics = metrics<LogLoss>});
    CHECK(read.metric("LogLoss") ==
          doctest::Approx(get<LogLoss>(evaluate<LogLoss>(reader, text))).epsilon(1e-6));
}

TEST_CASE("with patience the metrics are those of the weights that are kept") {
    auto const rows = line(200, 1), opposite = line(50, 2, -1);
    Network<Line> net(Seed{1});
    auto const report = Trainer<Line, MeanSquaredError, Batch<16>, Sgd>(net).fit(
        rows, {.epochs = 30, .validate = &opposite, .metrics = metrics<Rmse>, .patience = 3});
    CHECK(report.epochs < 30);
    CHECK(report.metric("Rmse") == doctest::Approx(get<Rmse>(evaluate<Rmse>(net, opposite))).epsilon(1e-6));
    CHECK(report.metric("Rmse") == doctest::Approx(std::sqrt(report.validation)).epsilon(1e-12));
}

TEST_CASE("options that contradict each other") {
    auto const rows = line(20, 1);
    Network<Line> net(Seed{1});
    Learner trainer(net);
    CHECK(words([&] { trainer.fit(rows, {.metrics = metrics<Rmse>}); }) ==
          "inlay: FitOptions, metrics: expected validation rows to measure, found none");
    CHECK(words([&] { trainer.fit(rows, {.validation = 1}); }) ==
          "inlay: FitOptions, validation: expected a share from 0 to below 1, found 1.000000");
    CHECK(words([&] { trainer.fit(rows, {.validation = 0.1, .validate = &rows}); }).find("both") !=
          std::string::npos);
}
