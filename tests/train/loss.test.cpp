// SPDX-License-Identifier: BSD-3-Clause
#include "losses.hpp"

#include <doctest/doctest.h>
#include <reference/loss.hpp>

#include <random>

using namespace inlay;

namespace {

using namespace losses;

template <class M> void check_reference(M const& mean, reference::Loss const& expected) {
    CHECK(std::abs(mean.value - expected.value) <= 8 * 0x1p-52 * expected.magnitude);
    REQUIRE(mean.gradient.size() == expected.gradient.size());
    for (std::size_t i = 0; i < mean.gradient.size(); ++i)
        for (std::size_t c = 0; c < mean.gradient[i].size(); ++c)
            CHECK(std::abs(mean.gradient[i][c] - expected.gradient[i][c]) < 1e-15);
    CHECK(mean.clean);
}

} // namespace

TEST_CASE("binary cross-entropy is PyTorch's") {
    Mean<BinaryCrossEntropy, Shape<1>> const mean(tensor("bce_with_logits", "x"),
                                                  floats(tensor("bce_with_logits", "target")));
    CHECK(std::abs(mean.value - tensor("bce_with_logits", "y")[0]) < 1e-14);
    check_gradient(mean, tensor("bce_with_logits", "dx"));
}

TEST_CASE("cross-entropy is PyTorch's, with rows that are ignored") {
    std::vector<float> const target{4, -100, 0, 2, 2, -100, 1};
    auto const x = tensor("cross_entropy", "x");
    Mean<CrossEntropy, Shape<5>> const mean(x, target);
    CHECK(mean.total == 5);
    CHECK(std::abs(mean.value - tensor("cross_entropy", "y")[0]) < 1e-14);
    check_gradient(mean, tensor("cross_entropy", "dx"));

    std::vector<float> const with_nan{4, none, 0, 2, 2, -1, 1};
    CHECK(Mean<CrossEntropy, Shape<5>>(x, with_nan).value == mean.value);
}

TEST_CASE("mean squared error is PyTorch's") {
    // Targets are floats: the vector's have two decimals, so the rounding shows.
    auto const target = tensor("mse", "target");
    Mean<MeanSquaredError, Shape<3>> const mean(tensor("mse", "x"), floats(target));
    CHECK(std::abs(mean.value - tensor("mse", "y")[0]) < 1e-6);
    auto const expected = tensor("mse", "dx");
    for (std::size_t i = 0; i < expected.size(); ++i)
        CHECK(std::abs(mean.gradient[i / 3][i % 3] - expected[i]) < 1e-7);
}

TEST_CASE("smoothing, class weights, positive weights and Huber are PyTorch's") {
    auto const check = [](auto mean, char const* file, double off) {
        CAPTURE(file);
        CHECK(std::abs(mean.value - tensor(file, "y")[0]) < 10 * off);
        check_gradient(mean, tensor(file, "dx"), off);
    };
    check(Mean<BasicBinaryCrossEntropy<PositiveWeights<0.5, 2.0, 3.25>, LabelSmoothing<0.25>>, Shape<3>>(
              tensor("bce_positive_weights", "x"), floats(tensor("bce_positive_weights", "target"))),
          "bce_positive_weights", 1e-15);
    check(Mean<BasicCrossEntropy<LabelSmoothing<0.125>, ClassWeights<0.5, 1.0, 2.0, 0.25, 3.0>>, Shape<5>>(
              tensor("cross_entropy_smooth", "x"), floats(tensor("cross_entropy_smooth", "target"))),
          "cross_entropy_smooth", 1e-15);
    check(
        Mean<BasicHuber<HuberDelta<0.75>>, Shape<3>>(tensor("huber", "x"), floats(tensor("huber", "target"))),
        "huber", 1e-15);
}

TEST_CASE("gradients are derivatives") {
    std::vector<float> const weight{1, .5f, 2, 0}, classes{2, -1, 0, 1};
    std::vector<float> const labels{0, 1, .25f, none, .5f, 1, none, none, none, 1, 1, 0};
    std::vector<float> const numbers{.5f, -1, 2, none, 0, 3, none, none, none, -2, 1, 1};
    auto const x = draw(12, 1);
    check_derivative<BinaryCrossEntropy, Shape<3>>(x, labels, weight);
    check_derivative<BasicBinaryCrossEntropy<LabelSmoothing<0.1>, PositiveWeights<3.0>>, Shape<3>>(x, labels);
    check_derivative<CrossEntropy, Shape<3>>(x, classes, weight);
    check_derivative<BasicCrossEntropy<LabelSmoothing<0.1>, ClassWeights<1.0, 2.0, 0.5>>, Shape<3>>(
        x, classes, weight);
    check_derivative<MeanSquaredError, Shape<3>>(x, numbers, weight);
    check_derivative<Huber, Shape<3>>(x, numbers, weight);
}

TEST_CASE("labels to be ignored are") {
    std::vector<double> const x = draw(12, 2);
    Mean<BasicCrossEntropy<IgnoreLabels<0, 2>>, Shape<3>> const some(x, {2, 1, 0, 1});
    Mean<CrossEntropy, Shape<3>> const same(x, {-1, 1, none, 1});
    CHECK(some.total == 2);
    CHECK(some.value == same.value);
    CHECK(some.gradient == same.gradient);
}

TEST_CASE("a missing number among several does not count, but for the width that divides") {
    std::vector<double> const x = draw(3, 3);
    double const y[] = {.5, 1};
    auto const mean = Mean<MeanSquaredError, Shape<3>>(x, {.5f, none, 1});
    CHECK(
        mean.value ==
        doctest::Approx(((x[0] - y[0]) * (x[0] - y[0]) + (x[2] - y[1]) * (x[2] - y[1])) / 3).epsilon(1e-14));
    CHECK(mean.gradient[0][1] == 0);
    CHECK(Mean<MeanSquaredError, Shape<3>>(x, {none, none, none}).total == 0);
    CHECK(Mean<BinaryCrossEntropy, Shape<3>>(x, {0, none, 1}).gradient[0][1] == 0);
}

TEST_CASE("logits that are masked have no weight, and a token of nothing else no loss") {
    double const masked = -std::numeric_limits<double>::infinity();
    Mean<CrossEntropy, Shape<3>> const mean({1, masked, 2, masked, masked, masked}, {0, 1});
    CHECK(mean.value == doctest::Approx((std::log(std::exp(1) + std::exp(2)) - 1) / 2).epsilon(1e-14));
    CHECK(mean.gradient[0][1] == 0);
    CHECK(mean.gradient[1] == std::vector<double>{0, 0, 0});
}

TEST_CASE("several losses read columns and targets of their own") {
    using Smooth = BasicCrossEntropy<LabelSmoothing<0.1>>;
    using All = Losses<BinaryCrossEntropy, Columns<3, Smooth>, Columns<2, MeanSquaredError, 0.25>>;
    static_assert(All::targets(6) == 4);
    auto const x = draw(4 * 6, 4);
    std::vector<float> const target{1,    2,  .5f,  -1,   /**/ none, 0,  1,    1, //
                                    none, -1, none, none, /**/ 0,    -1, none, 2};
    std::vector<float> const weight{1, 2, 4, .5f};
    check_derivative<All, Shape<6>>(x, target, weight);

    Mean<All, Shape<6>> const all(x, target, weight);
    CHECK(all.total == 3.5); // the third row has no target
    auto const part = [&](auto loss, int column, auto shape, int first, std::size_t targets) {
        using S = decltype(shape);
        std::vector<double> z;
        std::vector<float> y;
        for (int b = 0; b < 4; ++b)
            for (int i = 0; i < S::width; ++i) z.push_back(x[std::size_t(6 * b + column + i)]);
        for (std::size_t b = 0; b < 4; ++b)
            for (std::size_t i = 0; i < targets; ++i) y.push_back(target[4 * b + std::size_t(first) + i]);
        Mean<decltype(loss), S> const mean(z, y, weight);
        return mean.value * mean.total;
    };
    double const expected = part(BinaryCrossEntropy{}, 0, Shape<1>{}, 0, 1) +
                            part(Smooth{}, 1, Shape<3>{}, 1, 1) +
                            0.25 * part(MeanSquaredError{}, 4, Shape<2>{}, 2, 2);
    CHECK(all.value == doctest::Approx(expected / 3.5).epsilon(1e-14));

    float const wrong[] = {1, 3, 0, 0, /**/ 2, 0, 0, 0};
    CHECK(detail::impossible_target<All>(wrong, 8, 6) == 1);
    CHECK(detail::impossible_target<All>(wrong + 4, 4, 6) == 0);
    CHECK(detail::wanted_target<All>(1, 6) == "a class from 0 to 2, or a negative one");
    CHECK(detail::wanted_target<All>(4, 6) == "a label from 0 to 1, or NaN for none");
}

TEST_CASE("weighted means are the reference's") {
    std::mt19937 random(5);
    auto const draw = [&] { return double(int(random() % 4096) - 2048) / 256; };
    std::vector<double> logits;
    for (int i = 0; i < 60; ++i) logits.push_back(draw());
    std::vector<float> const weight{.5f, 2, 0, 1, 3, .25f, 1, 1, 0, 4, 1, 1};
    std::vector<double> const w(weight.begin(), weight.end());
    reference::Sequence rows;
    for (int i = 0; i < 12; ++i) rows.emplace_back(logits.begin() + i * 5, logits.begin() + i * 5 + 5);

    SUBCASE("classes") {
        std::vector<int> labels{0, 1, 2, 3, 4, -1, 0, 1, -7, 3, 4, 4};
        check_reference(Mean<CrossEntropy, Shape<5>>(logits, {labels.begin(), labels.end()}, weight),
                        reference::softmax_cross_entropy(rows, labels, w));
    }
    SUBCASE("numbers") {
        std::vector<double> target;
        for (int i = 0; i < 60; ++i) target.push_back(draw());
        reference::Sequence wanted;
        for (int i = 0; i < 12; ++i) wanted.emplace_back(target.begin() + i * 5, target.begin() + i * 5 + 5);
        check_reference(Mean<MeanSquaredError, Shape<5>>(logits, floats(target), weight),
                        reference::mse(rows, wanted, w));
    }
    SUBCASE("labels") {
        std::vector<double> const z(logits.begin(), logits.begin() + 12),
            y{0, 1, 1, 0, 1, .5, 0, 0, 1, 1, 1, 0};
        check_reference(Mean<BinaryCrossEntropy, Shape<1>>(z, floats(y), weight),
                        reference::bce_with_logits(z, y, w));
    }
}

TEST_CASE("tokens past a row's end neither count nor get a gradient") {
    std::vector<double> logits;
    for (int i = 0; i < 3 * 4 * 2; ++i) logits.push_back(i % 7 - 3);
    std::vector<float> const target{0, 1, 1, 0, 1, -1, 0, 0, 1, 1, 1, 1};
    std::vector<std::int32_t> const length{4, 2, 0};
    Mean<CrossEntropy, Shape<4, 2>> const mean(logits, target, {}, length);
    CHECK(mean.total == 5);
    CHECK(mean.clean);

    reference::Sequence rows;
    for (int i = 0; i < 12; ++i) rows.push_back({logits[std::size_t(2 * i)], logits[std::size_t(2 * i + 1)]});
    std::vector<int> const labels{0, 1, 1, 0, 1, -1, -1, -1, -1, -1, -1, -1};
    check_reference(mean, reference::softmax_cross_entropy(rows, labels));
}

TEST_CASE("large logits stay finite") {
    CHECK(Mean<BinaryCrossEntropy, Shape<1>>({1e4, -1e4}, {0, 1}).value == doctest::Approx(1e4));
    CHECK(Mean<CrossEntropy, Shape<2>>({1e4, -1e4}, {1}).value == doctest::Approx(2e4));
}

TEST_CASE("where nothing counts, the loss is zero") {
    Mean<CrossEntropy, Shape<2>> const mean({1, 2, 3, 4}, {-1, -1});
    CHECK(mean.total == 0);
    CHECK(mean.value == 0);
    check_gradient(mean, {0, 0, 0, 0});
}

TEST_CASE("a class that has no logit is found") {
    float const target[] = {0, -1, none, 4, 5, 1};
    CHECK(detail::impossible_target<CrossEntropy>(target, 6, 5) == 4);
    CHECK(detail::impossible_target<CrossEntropy>(target, 4, 5) == -1);
    float const half = 1.5f, infinite = std::numeric_limits<float>::infinity();
    CHECK(detail::impossible_target<CrossEntropy>(&half, 1, 5) == 0);
    CHECK(detail::impossible_target<CrossEntropy>(&infinite, 1, 5) == 0);
    CHECK(detail::impossible_target<MeanSquaredError>(target, 6, 5) == -1);
    float const beyond = 1.5f, below = -1;
    CHECK(detail::impossible_target<BinaryCrossEntropy>(&beyond, 1, 1) == 0);
    CHECK(detail::impossible_target<BinaryCrossEntropy>(&below, 1, 1) == 0);
    CHECK(detail::impossible_target<BinaryCrossEntropy>(&none, 1, 1) == -1);
}
