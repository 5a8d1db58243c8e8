// SPDX-License-Identifier: BSD-3-Clause
// Losses over a positive and negatives. Values and gradients are PyTorch's, for all that is not drawn.
#include "losses.hpp"

#include <doctest/doctest.h>

#include <map>

using namespace inlay;

namespace {

using namespace losses;

template <class Loss, class S> void check_against_torch(char const* file, std::vector<float> const& target) {
    CAPTURE(file);
    Mean<Loss, S> const mean(tensor(file, "x"), target);
    CHECK(std::abs(mean.value - tensor(file, "y")[0]) < 1e-14);
    check_gradient(mean, tensor(file, "dx"), 1e-14);
}
template <class Loss, class S> void check_against_torch(char const* file) {
    check_against_torch<Loss, S>(file, floats(tensor(file, "target")));
}
/// A batch in the given step of a training.
Context<> training(std::uint64_t step, std::int64_t first_row = 0) {
    Context<> c;
    c.training = true;
    c.key = Key{7};
    c.step = step;
    c.first_row = first_row;
    return c;
}
/// How often each of N items is drawn beside the positive p, as a share of all draws.
template <class Distribution, int N> std::vector<double> frequencies(int p, int draws) {
    std::vector<double> share(N);
    for (int i = 0; i < draws; ++i)
        share[std::size_t(detail::draw_item(Distribution{}, Key{3}.uniform(std::uint64_t(i)), p, N).item)] +=
            1.0 / draws;
    return share;
}
std::vector<double> const masses{std::log(2.0) / std::log(6.0), std::log(3.0 / 2) / std::log(6.0),
                                 std::log(4.0 / 3) / std::log(6.0), std::log(5.0 / 4) / std::log(6.0),
                                 std::log(6.0 / 5) / std::log(6.0)}; // of five items

} // namespace

TEST_CASE("given candidates, losses are PyTorch's") {
    std::vector<float> const counts(5, 0);
    check_against_torch<BasicBpr<Listed>, Shape<4>>("bpr", counts);
    check_against_torch<BasicSampledSoftmax<Listed>, Shape<4>>("sampled_softmax");
    check_against_torch<BasicGbce<Listed, Items<30>>, Shape<4>>("gbce", counts);
}

TEST_CASE("among the rows of a batch, losses are PyTorch's, rows of one item being no negatives") {
    check_against_torch<InfoNce, Shape<6>>("info_nce");
    check_against_torch<BasicInfoNce<Symmetric, Temperature<0.25>>, Shape<6>>("info_nce_symmetric");
    check_against_torch<BasicSampledSoftmax<InBatch, Temperature<0.5>>, Shape<6>>("in_batch_softmax");
}

TEST_CASE("gradients are derivatives") {
    auto const x = draw(24, 1);
    std::vector<float> const weight{1, .5f, 2, 0}, item{3, 0, 5, 5}, counts{0, none, 0, 0};
    std::vector<float> const log_q{-1, -2, none, -1, -.5f, -3,   none, 0, 0, 0, 0,  0, //
                                   -1, -1, -1,   -1, -1,   -.5f, 0,    0, 0, 0, -4, 0};
    check_derivative<BasicBpr<Listed>, Shape<6>>(x, counts, weight);
    check_derivative<BasicSampledSoftmax<Listed, Temperature<0.5>>, Shape<6>>(x, log_q, weight);
    check_derivative<BasicGbce<Listed, Items<20>>, Shape<6>>(x, counts, weight);

    check_derivative<BasicBpr<Negatives<3>>, Shape<6>>(x, item, weight, training(4));
    check_derivative<BasicSampledSoftmax<Negatives<9>, LogUniform>, Shape<6>>(x, item, weight, training(5));
    check_derivative<BasicSampledSoftmax<Negatives<9>>, Shape<6>>(x, item, weight);
    check_derivative<BasicGbce<Negatives<3>, Calibration<1.0>>, Shape<6>>(x, item, weight, training(6));

    std::vector<float> const rows{3, 0, -1, 3}, with_q{3, -1, 0, -2, none, none, 3, -3};
    check_derivative<InfoNce, Shape<6>>(x, rows, weight);
    check_derivative<BasicInfoNce<Symmetric, DotProduct, Temperature<0.5>>, Shape<6>>(x, rows, {1, 2, 3, 4});
    check_derivative<BasicSampledSoftmax<InBatch, CosineSimilarity>, Shape<6>>(x, with_q, weight);
    check_derivative<BasicBpr<InBatch>, Shape<6>>(x, rows, weight);
    check_derivative<BasicGbce<InBatch, Items<20>>, Shape<6>>(x, rows, weight);
}

TEST_CASE("tokens that do not count get no gradient, and rows left out are no negatives") {
    auto const x = draw(24, 2);
    Mean<BasicBpr<Negatives<2>>, Shape<2, 6>> const tokens(x, {3, 1, -1, 2}, {}, {1, 2});
    CHECK(tokens.total == 2);
    CHECK(tokens.clean);
    CHECK(tokens.gradient[2] == std::vector<double>(6));

    std::vector<double> without(x.begin(), x.begin() + 12);
    without.insert(without.end(), x.begin() + 18, x.end());
    Mean<InfoNce, Shape<6>> const all(x, {1, 2, none, 4}), three(without, {1, 2, 4});
    CHECK(all.total == 3);
    CHECK(all.value == three.value);
    CHECK(all.gradient[2] == std::vector<double>(6));
    CHECK(all.gradient[3] == three.gradient[2]);
}

TEST_CASE("one row has no negatives: nothing is lost, nothing is learned") {
    Mean<InfoNce, Shape<6>> const alone(draw(6, 3), {1});
    CHECK(alone.value == 0);
    CHECK(alone.gradient[0] == std::vector<double>(6));
    Mean<BasicBpr<InBatch>, Shape<6>> const pair(draw(12, 3), {1, 1});
    CHECK(pair.value == 0);
    CHECK(pair.gradient[0] == std::vector<double>(6));
}

TEST_CASE("InfoNCE is log n where nothing is known, and 0 where all is aligned") {
    std::vector<double> same, aligned;
    for (int b = 0; b < 4; ++b)
        for (int i = 0; i < 8; ++i) {
            same.push_back(1);
            aligned.push_back(i % 4 == b ? 3 : 0);
        }
    CHECK(Mean<InfoNce, Shape<8>>(same, {0, 1, 2, 3}).value == doctest::Approx(std::log(4.0)));
    CHECK(Mean<BasicInfoNce<Temperature<0.05>>, Shape<8>>(aligned, {0, 1, 2, 3}).value < 1e-8);
    std::vector<double> const zeros(32);
    Mean<InfoNce, Shape<8>> const nothing(zeros, {0, 1, 2, 3}); // vectors without a direction
    CHECK(nothing.value == doctest::Approx(std::log(4.0)));
    for (double const g : nothing.gradient[0]) CHECK(std::isfinite(g));
}

TEST_CASE("the same logQ for all changes nothing, and all items once are the softmax") {
    auto const x = draw(15, 4);
    Mean<CrossEntropy, Shape<5>> const full(x, {0, 0, 0});
    for (float const log_q : {0.0f, -3.5f}) {
        Mean<BasicSampledSoftmax<Listed>, Shape<5>> const sampled(x, std::vector<float>(15, log_q));
        CHECK(sampled.value == doctest::Approx(full.value).epsilon(1e-14));
        for (std::size_t b = 0; b < 3; ++b)
            for (std::size_t i = 0; i < 5; ++i)
                CHECK(std::abs(sampled.gradient[b][i] - full.gradient[b][i]) < 1e-14);
    }
}

TEST_CASE(
    "gBCE: t = 0 is binary cross-entropy over the candidates, t = 1 weighs the positive by k / (n - 1)") {
    auto const x = draw(15, 5);
    std::vector<float> labels(15);
    for (std::size_t b = 0; b < 3; ++b) labels[5 * b] = 1;
    Mean<BinaryCrossEntropy, Shape<5>> const plain(x, labels);
    Mean<BasicGbce<Listed, Items<41>, Calibration<0.0>>, Shape<5>> const zero(x, {0, 0, 0});
    Mean<BasicGbce<Listed, Items<41>, Calibration<1.0>>, Shape<5>> const one(x, {0, 0, 0});
    CHECK(zero.value == doctest::Approx(plain.value / 5).epsilon(1e-14));
    for (std::size_t b = 0; b < 3; ++b)
        for (std::size_t i = 0; i < 5; ++i) {
            CHECK(std::abs(zero.gradient[b][i] - plain.gradient[b][i] / 5) < 1e-15);
            CHECK(std::abs(one.gradient[b][i] - zero.gradient[b][i] * (i ? 1 : 0.1)) < 1e-15);
        }
}

TEST_CASE("negatives are drawn as they should be, and never the positive") {
    int const draws = 200000;
    for (int p = 0; p < 5; ++p) {
        CAPTURE(p);
        auto const even = frequencies<Uniform, 5>(p, draws), log = frequencies<LogUniform, 5>(p, draws);
        for (int j = 0; j < 5; ++j) {
            double const rest = 1 - masses[std::size_t(p)],
                         of_log = j == p ? 0 : masses[std::size_t(j)] / rest;
            CHECK(std::abs(even[std::size_t(j)] - (j == p ? 0 : 0.25)) < 5 * std::sqrt(0.25 / draws));
            CHECK(std::abs(log[std::size_t(j)] - of_log) < 5 * std::sqrt(0.25 / draws));
        }
        CHECK(even[std::size_t(p)] == 0);
        CHECK(log[std::size_t(p)] == 0);
    }
    for (double const u : {0.0, 1 - 0x1p-53})
        for (int p : {0, 2, 4}) {
            auto const a = detail::draw_item(Uniform{}, u, p, 5),
                       b = detail::draw_item(LogUniform{}, u, p, 5);
            for (auto const drawn : {a, b}) CHECK((drawn.item >= 0 && drawn.item < 5 && drawn.item != p));
            CHECK(a.log_probability == doctest::Approx(std::log(0.25)));
            CHECK(b.log_probability ==
                  doctest::Approx(std::log(masses[std::size_t(b.item)] / (1 - masses[std::size_t(p)]))));
        }
}

TEST_CASE("draws follow the row and the step, not the place in the batch; out of training they stay") {
    auto const x = draw(40, 6);
    using M = Mean<BasicBpr<Negatives<4>>, Shape<20>>;
    std::vector<double> const twice = [&] {
        std::vector<double> v(x.begin(), x.begin() + 20);
        v.insert(v.end(), x.begin(), x.begin() + 20);
        return v;
    }();
    auto const gradient = [&](Context<> const& c, std::size_t row) {
        return M(twice, {3, 3}, {}, {}, c).gradient[row];
    };
    CHECK(gradient(training(1, 8), 1) == gradient(training(1, 9), 0));
    CHECK(gradient(training(1, 8), 0) != gradient(training(1, 8), 1));
    CHECK(gradient(training(1, 8), 0) != gradient(training(2, 8), 0));
    Context<> still = training(1);
    still.training = false;
    Context<> later = training(9, 100);
    later.training = false;
    CHECK(gradient(still, 0) == gradient(later, 0));
}

TEST_CASE("the mean gradient of the sampled softmax is that of the softmax, the more exactly the larger K") {
    constexpr int n = 20, draws = 5000;
    auto const x = draw(n, 7);
    Mean<CrossEntropy, Shape<n>> const full(x, {3});
    auto const error = [&](auto loss) {
        std::vector<double> sum(n);
        for (std::uint64_t s = 0; s < draws; ++s) {
            Mean<decltype(loss), Shape<n>> const one(x, {3}, {}, {}, training(s));
            for (std::size_t i = 0; i < n; ++i) sum[i] += one.gradient[0][i] / draws;
        }
        double worst = 0;
        for (std::size_t i = 0; i < n; ++i) worst = std::max(worst, std::abs(sum[i] - full.gradient[0][i]));
        return worst;
    };
    auto const check = [&](auto distribution) {
        using D = decltype(distribution);
        double const few = error(BasicSampledSoftmax<Negatives<4>, D>{}),
                     some = error(BasicSampledSoftmax<Negatives<32>, D>{}),
                     many = error(BasicSampledSoftmax<Negatives<256>, D>{});
        CAPTURE(few);
        CAPTURE(some);
        CAPTURE(many);
        CHECK(some < few / 2);
        CHECK(many < some / 2);
        CHECK(many < 1e-2); // a bias of order 1 / K, a noise of order (draws K)^-1/2
    };
    check(Uniform{});
    check(LogUniform{});
}

TEST_CASE("targets that no loss can use are found") {
    float const id[] = {2.5f, -1, none, 6, 20'000'000};
    CHECK(detail::impossible_target<Bpr>(id + 1, 4, 6) == 2);
    CHECK(detail::impossible_target<Bpr>(id, 1, 6) == 0);
    CHECK(detail::impossible_target<InfoNce>(id + 1, 4, 6) == 3);
    float const pair[] = {1, -2, -1, none, 1, none};
    CHECK(detail::impossible_target<BasicSampledSoftmax<InBatch>>(pair, 6, 6) == 5);
    CHECK(detail::wanted_target<BasicSampledSoftmax<InBatch>>(5, 6) == "the logarithm of a probability");
}
