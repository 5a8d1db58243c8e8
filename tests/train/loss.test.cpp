// SPDX-License-Identifier: BSD-3-Clause
#include <inlay/io/safetensors.hpp>
#include <inlay/train/loss.hpp>

#include <doctest/doctest.h>
#include <reference/loss.hpp>

#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

using namespace inlay;

namespace {

constexpr float none = std::numeric_limits<float>::quiet_NaN();
using R = Real<double, 4>;

std::vector<double> tensor(std::string const& file, char const* name) {
    auto const read = Safetensors::read("tests/vectors/" + file + ".safetensors");
    auto const* info = read.find(name);
    REQUIRE(info);
    std::vector<double> values(info->count());
    read_scalars(*info, values.data());
    return values;
}

/// The mean loss over a batch and its gradient, through the two functions of the trainer.
template <class Loss, class S> struct Mean {
    double value = 0, total = 0;
    std::vector<std::vector<double>> gradient; // of each token of each row
    bool clean = true;                         // pads and what lies past an end are zero

    Mean(std::vector<double> const& logits, std::vector<float> const& target,
         std::vector<float> const& weight = {}, std::vector<std::int32_t> const& length = {}) {
        int const rows = int(logits.size()) / (S::rows * S::width);
        constexpr int stride = detail::row_stride<R>(S::width);
        std::vector<double> y(std::size_t(rows * S::rows * stride), 3), dy(y.size(), 7);
        Lengths lengths;
        if (!length.empty()) lengths = {length.data(), std::ptrdiff_t(sizeof(std::int32_t))};
        Out<S, R> const out{y.data(), lengths}, dout{dy.data(), lengths};
        for (int b = 0; b < rows; ++b)
            for (int t = 0; t < S::rows; ++t)
                for (int i = 0; i < S::width; ++i)
                    out(b, t)[i] = logits[std::size_t((b * S::rows + t) * S::width + i)];
        Targets const targets{target.data(), int(target.size()) / rows,
                              weight.empty() ? nullptr : weight.data()};
        total = detail::total_weight<Loss>(In<S, R>(out), rows, targets);
        value = detail::loss_of<Loss>(In<S, R>(out), rows, targets, total > 0 ? 1 / total : 0, dout);
        for (int b = 0; b < rows; ++b)
            for (int t = 0; t < S::rows; ++t) {
                gradient.emplace_back(dout(b, t), dout(b, t) + S::width);
                for (int i = t < out.length(b) ? S::width : 0; i < stride; ++i)
                    clean = clean && dout(b, t)[i] == 0;
            }
    }
};

template <class M> void check_gradient(M const& mean, std::vector<double> const& expected) {
    std::size_t at = 0;
    for (auto const& row : mean.gradient)
        for (double const g : row) CHECK(std::abs(g - expected.at(at++)) < 1e-15);
    CHECK(at == expected.size());
    CHECK(mean.clean);
}
template <class M> void check_reference(M const& mean, reference::Loss const& expected) {
    CHECK(std::abs(mean.value - expected.value) <= 8 * 0x1p-52 * expected.magnitude);
    REQUIRE(mean.gradient.size() == expected.gradient.size());
    for (std::size_t i = 0; i < mean.gradient.size(); ++i)
        for (std::size_t c = 0; c < mean.gradient[i].size(); ++c)
            CHECK(std::abs(mean.gradient[i][c] - expected.gradient[i][c]) < 1e-15);
    CHECK(mean.clean);
}
std::vector<float> floats(std::vector<double> const& x) { return {x.begin(), x.end()}; }

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
}
