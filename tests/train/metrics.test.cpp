// SPDX-License-Identifier: BSD-3-Clause
#include <inlay/train/metrics.hpp>

#include <doctest/doctest.h>
#include <reference/metric.hpp>

#include <random>

using namespace inlay;

namespace {

constexpr double none = std::numeric_limits<double>::quiet_NaN();

double logit(double p) { return std::log(p / (1 - p)); }

std::string words(auto f) {
    try {
        f();
        return "no error";
    } catch (Error const& e) { return e.what(); }
}

} // namespace

TEST_CASE("the worked numbers") {
    Predictions const p{
        1, {logit(.9), logit(.8), logit(.8), logit(.3), logit(.3), logit(.1)}, {1, 0, 1, 0, 1, 0}};
    CHECK(Auc::of(p) == doctest::Approx(7.0 / 9).epsilon(1e-15));
    CHECK(std::abs(LogLoss::of(p) - .600658) < 5e-7);
    CHECK(Accuracy::of(p) == doctest::Approx(4.0 / 6));
}

TEST_CASE("random predictions agree with the definitions") {
    std::mt19937 random(3);
    for (int trial = 0; trial < 20; ++trial) {
        Predictions p;
        std::vector<int> labels;
        for (int i = 0; i < 80; ++i) {
            p.logit.push_back(double(int(random() % 21) - 10) / 4); // with ties
            labels.push_back(int(random() % 2));
            p.target.push_back(float(labels.back()));
        }
        CHECK(Auc::of(p) == doctest::Approx(reference::auc(p.logit, labels)).epsilon(1e-14));
        CHECK(LogLoss::of(p) ==
              doctest::Approx(reference::log_loss_of_logits(p.logit, labels)).epsilon(1e-13));
        CHECK(Accuracy::of(p) ==
              doctest::Approx(reference::binary_accuracy(p.logit, labels, 0)).epsilon(1e-14));
    }
}

TEST_CASE("the AUC depends on the order only") {
    Predictions p{1, {1, 2, 2, 3, 5, -1}, {0, 1, 0, 1, 0, 1}};
    double const auc = Auc::of(p);
    for (double& z : p.logit) z = std::exp(3 * z) - 7;
    CHECK(Auc::of(p) == auc);
    for (double& z : p.logit) z = -z;
    CHECK(Auc::of(p) == doctest::Approx(1 - auc).epsilon(1e-15));
}

TEST_CASE("what has no AUC") {
    CHECK(std::isnan(Auc::of({1, {1, 2}, {1, 1}})));
    CHECK(std::isnan(Auc::of({1, {1, 2}, {0, 0}})));
    CHECK(std::isnan(Auc::of({1, {1, none, 3}, {0, 1, 0}})));
    CHECK(std::isnan(Auc::of({1, {}, {}})));
}

TEST_CASE("classes: ties go to the lower one, negative ones and NaN do not count") {
    Predictions const p{3, {1, 1, 0, /**/ 0, 2, 1, /**/ 5, 0, 0, /**/ 0, 0, 9}, {0, 2, -100, float(none)}};
    CHECK(p.size() == 4);
    CHECK(Accuracy::of(p) == 0.5);
    CHECK(Accuracy::of(p) == reference::accuracy({{1, 1, 0}, {0, 2, 1}}, {0, 2}));
    double const first = std::log(2 * std::exp(1) + 1) - 1,
                 second = std::log(1 + std::exp(2) + std::exp(1)) - 1;
    CHECK(LogLoss::of(p) == doctest::Approx((first + second) / 2));
}

TEST_CASE("numbers") {
    CHECK(Rmse::of({2, {1, 2, 3, 4}, {1, 4, 3, 2}, 2}) == doctest::Approx(std::sqrt(2.0)));
    CHECK(Rmse::of({1, {1, 9}, {3, float(none)}}) == 2);
}

TEST_CASE("perplexity and bits are the log loss in other units") {
    Predictions const p{4, {0, 0, 0, 0, 1, 1, 1, 1}, {2, 0}};
    CHECK(Perplexity::of(p) == doctest::Approx(4));
    CHECK(BitsPerByte::of(p) == doctest::Approx(2));
}

TEST_CASE("F1: of label 1, or the mean over the classes that occur") {
    std::mt19937 random(4);
    for (int trial = 0; trial < 20; ++trial) {
        Predictions one, several{4, {}, {}};
        std::vector<int> labels, guesses, classes, chosen;
        for (int i = 0; i < 12; ++i) {
            one.logit.push_back(int(random() % 9) - 4);
            guesses.push_back(one.logit.back() > 0);
            labels.push_back(int(random() % 2));
            one.target.push_back(float(labels.back()));
            classes.push_back(int(random() % 3)); // class 3 has no row, but may be guessed
            several.target.push_back(float(classes.back()));
            std::vector<double> z;
            for (int c = 0; c < 4; ++c) z.push_back(int(random() % 5));
            several.logit.insert(several.logit.end(), z.begin(), z.end());
            chosen.push_back(reference::ranking(z)[0]);
        }
        CHECK(F1::of(one) == doctest::Approx(reference::f1(guesses, labels, 1)).epsilon(1e-14));
        double sum = 0, count = 0;
        for (int c = 0; c < 4; ++c)
            if (std::count(chosen.begin(), chosen.end(), c) + std::count(classes.begin(), classes.end(), c)) {
                sum += reference::f1(chosen, classes, c);
                ++count;
            }
        CHECK(F1::of(several) == doctest::Approx(sum / count).epsilon(1e-14));
    }
    CHECK(std::isnan(F1::of({1, {-1, -2}, {0, 0}})));
    CHECK(F1::of({1, {1, -2}, {0, 0}}) == 0);
}

TEST_CASE("calibration: the worked numbers, the definition, and classes") {
    Predictions p;
    for (double const x : {.05, .15, .15, .55, .95, .92}) p.logit.push_back(logit(x));
    p.target = {0, 0, 1, 1, 1, 0};
    CHECK(BasicEce<10>::of(p) == doctest::Approx(.345).epsilon(1e-12));

    std::mt19937 random(6);
    for (int trial = 0; trial < 10; ++trial) {
        Predictions one;
        std::vector<double> probabilities;
        std::vector<int> labels;
        for (int i = 0; i < 200; ++i) {
            one.logit.push_back(double(int(random() % 4001) - 2000) / 300);
            probabilities.push_back(reference::sigmoid_of(one.logit.back()));
            labels.push_back(int(random() % 2));
            one.target.push_back(float(labels.back()));
        }
        CHECK(Ece::of(one) == doctest::Approx(reference::ece(probabilities, labels, 15)).epsilon(1e-12));
    }
    // Sure to 1 / (1 + e^-2), and right every other time.
    Predictions const two{2, {2, 0, 0, 2}, {0, 0}};
    CHECK(Ece::of(two) == doctest::Approx(reference::sigmoid_of(2) - 0.5).epsilon(1e-14));
    CHECK(Ece::of({1, {1000, -1000}, {1, 0}}) == 0);
    CHECK(Ece::of({1, {1000, 1000}, {1, 0}}) == 0.5); // p = 1 is in the last bin
    CHECK(std::isnan(Ece::of({1, {1, none}, {1, 0}})));
}

TEST_CASE("a part of what several losses read") {
    Predictions const p{3, {1, 2, 3, /**/ 4, 5, 6}, {0, 7, /**/ 1, 8}, 2};
    auto const classes = p.part(1, 2, 0), number = p.part(0, 1, 1);
    CHECK(classes.logit == std::vector<double>{2, 3, 5, 6});
    CHECK(classes.target == std::vector<float>{0, 1});
    CHECK(Accuracy::of(classes) == 0.5);
    CHECK(number.logit == std::vector<double>{1, 4});
    CHECK(number.target == std::vector<float>{7, 8});
    CHECK(words([&] { p.part(2, 2, 0); }) == "inlay: Predictions::part: expected some of 3 logits and 2 "
                                             "targets, found 2 from 2 on and 1 from 0 on");
}

TEST_CASE("metrics that cannot be say why") {
    CHECK(words([] { Auc::of({2, {1, 2}, {1}}); }) ==
          "inlay: Auc: expected one logit and one target a row, found 2 logits and 1 targets");
    CHECK(words([] { LogLoss::of({2, {1, 2}, {1, 0}, 2}); }) ==
          "inlay: LogLoss: expected one target a row, found 2 logits and 2 targets");
    CHECK(words([] { LogLoss::of({2, {1, 2}, {2}}); }) ==
          "inlay: prediction 0: expected a class below 2, found 2.000000");
    CHECK(words([] { LogLoss::of({2, {1, 2}, {0.5}}); }).find("class below 2") != std::string::npos);
    CHECK(words([] { LogLoss::of({1, {1}, {1.5}}); }).find("class below 2") != std::string::npos);
    CHECK(words([] { Perplexity::of({2, {1, 2}, {1, 0}, 2}); }).starts_with("inlay: Perplexity"));
    CHECK(words([] { Rmse::of({2, {1, 2}, {2}}); }) ==
          "inlay: Rmse: expected as many targets as outputs, found 1 for 2");
}

TEST_CASE("scores by type") {
    Scores<Auc, LogLoss> const scores{{0.5, 0.25}};
    CHECK(get<Auc>(scores) == 0.5);
    CHECK(get<LogLoss>(scores) == 0.25);
}
