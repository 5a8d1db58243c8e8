// SPDX-License-Identifier: BSD-3-Clause
// The references against the worked numbers of the mathematics pages and against second formulas.
#include "all.hpp"
#include "checks.hpp"

#include <doctest/doctest.h>

using namespace reference;

namespace {

doctest::Approx near(double expected, double tolerance = 1e-9) {
    return doctest::Approx(expected).epsilon(tolerance);
}

// The slope is the derivative of the value.
void check_pointwise(ValueAndSlope (*f)(double)) {
    for (double x : {-20.0, -5.5, -1.3, -0.2, 0.1, 0.7, 2.4, 9.0}) {
        double const slope = (f(x + 1e-6).value - f(x - 1e-6).value) / 2e-6;
        CHECK(std::abs(slope - f(x).slope) < 1e-8);
    }
}

template <class Optimizer>
void check_steps(Optimizer optimizer, std::vector<double> const& expected, double tolerance = 6e-10) {
    double w = 1;
    double const gradients[] = {0.5, -0.25, 1};
    for (std::size_t s = 0; s < 3; ++s) {
        w = optimizer.step(w, gradients[s]);
        CHECK(std::abs(w - expected[s]) < tolerance);
    }
}

void check_ftrl(Ftrl ftrl, std::vector<double> const& expected) {
    double const gradients[] = {0.5, -0.25, 1};
    for (std::size_t s = 0; s < 3; ++s) CHECK(std::abs(ftrl.step(gradients[s]) - expected[s]) < 6e-10);
}

} // namespace

TEST_CASE("reference: XXH64 vectors") {
    struct Vector {
        std::string text;
        std::uint64_t seed0, seed1;
    };
    Vector const vectors[] = {
        {"", 0xEF46DB3751D8E999U, 0xD5AFBA1336A3BE4BU},
        {"a", 0xD24EC4F1A98C6E5BU, 0xDEC2BC81C3CD46C6U},
        {"abc", 0x44BC2CF5AD770999U, 0xBEA9CA8199328908U},
        {"workclass=Private", 0x2E4CCFA735123493U, 0x5CEB82CC1E435F49U},
        {"education=Bachelors\x1F"
         "occupation=Prof-specialty",
         0xFFE682829C7B1DB2U, 0x70B9AE3EB9D8F5E5U},
        {"0123456789abcdef0123456789abcdef0123456", 0xE97F503D26863ECDU, 0x9ABF1564B64A03D6U},
    };
    for (auto const& [text, seed0, seed1] : vectors) {
        CHECK(xxh64(text, 0) == seed0);
        CHECK(xxh64(text, 1) == seed1);
    }
    CHECK(mulhi64(xxh64("a"), 1000) == 821);
    CHECK(mulhi64(xxh64("abc"), 1000) == 268);
    CHECK(mulhi64(xxh64("workclass=Private"), 1000) == 180);
    CHECK(mulhi64(xxh64("abc"), std::uint64_t{1} << 20) == xxh64("abc") >> 44);
    CHECK(mulhi64(~std::uint64_t{0}, ~std::uint64_t{0}) == ~std::uint64_t{0} - 1);
    CHECK(hash_of_cross({xxh64("education=Bachelors"), xxh64("occupation=Prof-specialty")}, 0) ==
          0xF7B1BAC85D2472F0U);
}

TEST_CASE("reference: Philox4x32-10 vectors") {
    using Words = std::array<std::uint32_t, 4>;
    std::uint32_t const f = 0xFFFFFFFFU;
    CHECK(philox4x32_10({0, 0, 0, 0}, {0, 0}) == Words{0x6627E8D5U, 0xE169C58DU, 0xBC57AC4CU, 0x9B00DBD8U});
    CHECK(philox4x32_10({f, f, f, f}, {f, f}) == Words{0x408F276DU, 0x41C83B0EU, 0xA20BC7C6U, 0x6D5451FDU});
    CHECK(philox4x32_10({0x243F6A88U, 0x85A308D3U, 0x13198A2EU, 0x03707344U}, {0xA4093822U, 0x299F31D0U}) ==
          Words{0xD16CFE09U, 0x94FDCCEBU, 0x5001E420U, 0x24126EA1U});
}

TEST_CASE("reference: dense") {
    Parameters const p = parameters({{"weight", {{1, 2, 3}, {-1, 0, 1}}}, {"bias", {{0.5, -4}}}});
    Result const y = dense(p, {{1, -1, 2}, {0, 0, 0}});
    check_equal(y.value, {{5.5, -3}, {0.5, -4}});
    check_equal(y.magnitude, {{9.5, 7}, {0.5, 4}});
    check_equal(dense(parameters({{"weight", {{1, 2}}}}), {{3, 4}}).value, {{11}});
}

TEST_CASE("reference: activations") {
    for (auto f : {relu_of, silu_of, gelu_of, gelu_tanh_of}) check_pointwise(f);
    CHECK(gelu_of(1).value == near(0.8413447460685429));
    CHECK(gelu_of(-5.5).value / -1.0444259356238245e-7 == near(1));
    CHECK(gelu_tanh_of(1).value == near(0.8411919906082768));
    double const u = std::sqrt(2 / std::acos(-1.0)) * (0.7 + 0.044715 * 0.343);
    CHECK(gelu_tanh_of(0.7).value == near(0.35 * (1 + std::tanh(u)), 1e-14));
    CHECK(silu_of(2).value == near(2 / (1 + std::exp(-2.0))));
    check_equal(relu({}, {{-1, 0, 2}}).value, {{0, 0, 2}});
    check_equal(leaky_relu({}, {{-1, 0, 2}}).value, {{-0.01, 0, 2}});
    check_equal(reference::tanh({}, {{0.5}}).value, {{std::tanh(0.5)}});
    check_equal(sigmoid({}, {{-800, 0, 800}}).value, {{0, 0.5, 1}});
    check_equal(softplus({}, {{-800, 0, 800}}).value, {{0, std::log(2.0), 800}});
}

TEST_CASE("reference: norms") {
    Parameters const p = parameters({{"weight", {{1, 2, 0.5}}}, {"bias", {{0, 1, -1}}}});
    Sequence const x = {{1, 2, 6}};
    double const r = 1 / std::sqrt(41.0 / 3 + 1e-6), s = 1 / std::sqrt(14.0 / 3 + 1e-5);
    check_equal(rms_norm(p, x).value, {{r, 4 * r, 3 * r}});
    check_equal(layer_norm(p, x).value, {{-2 * s, -2 * s + 1, 1.5 * s - 1}});
    check_equal(rms_norm(p, {{0, 0, 0}}).value, {{0, 0, 0}});
    check_equal(layer_norm(p, {{7, 7, 7}}).value, {{0, 1, -1}});
    CHECK(layer_norm(p, {{1e4 + 1, 1e4 + 2, 1e4 + 6}}).magnitude[0][0] > 1e3); // cancellation is seen
}

TEST_CASE("reference: pools, and of empty sequences") {
    Sequence const x = {{1, -5}, {3, -1}, {2, -3}};
    check_equal(mean_pool(2)({}, x).value, {{2, -3}});
    check_equal(mean_pool(2)({}, x).magnitude, {{2, 3}});
    check_equal(max_pool(2)({}, x).value, {{3, -1}});
    check_equal(last(2)({}, x).value, {{2, -3}});
    check_equal(flatten(4, 2)({}, x).value, {{1, -5, 3, -1, 2, -3, 0, 0}});
    check_equal(mean_pool(2)({}, {}).value, {{0, 0}});
    check_equal(max_pool(2)({}, {}).value, {{0, 0}});
    check_equal(last(2)({}, {}).value, {{0, 0}});
    check_equal(flatten(2, 2)({}, {}).value, {{0, 0, 0, 0}});
}

TEST_CASE("reference: embed") {
    check_equal(embed(parameters({{"weight", {{1, 2}, {3, 4}, {5, 6}}}}), tokens({2, 0, 2})).value,
                {{5, 6}, {1, 2}, {5, 6}});

    Schema const schema = {{"age"}, {"job", 3}, {"genres", 4, true}, {"watched", 3, true, "job"}};
    Parameters const p = parameters({{"age", {{2, -1}}},
                                     {"job", {{9, 9}, {1, 2}, {3, 4}}},
                                     {"genres", {{0, 0}, {1, 1}, {2, 0}, {5, 8}}}});
    RecordRow const row = {{0.5, {}, true}, {0, {0}}, {0, {1, 3}}, {0, {2, 2, 1}}};
    check_equal(embed_record(p, schema, row).value, {{1, -0.5}, {9, 9}, {3, 4.5}, {7.0 / 3, 10.0 / 3}});
    RecordRow const empty = {{0, {}, true}, {0, {1}}, {}, {}};
    check_equal(embed_record(p, schema, empty).value, {{0, 0}, {1, 2}, {0, 0}, {0, 0}});
}

TEST_CASE("reference: cross fires iff all parts fire") {
    Schema const schema = {{"a", 3}, {"b", 4}, {"c", 2}, {"d", 5}};
    std::vector<CrossPolicy> const policies = {each(), of({"a", "b"}), of({"d", "c", "a"}),
                                               of({"a", "b", "c", "d"})};
    for (int pattern = 0; pattern < 16; ++pattern) {
        RecordRow row;
        std::size_t firing = 0;
        for (int f = 0; f < 4; ++f) {
            int const id = (pattern >> f) & 1;
            firing += static_cast<std::size_t>(id);
            row.push_back({0, {id}});
        }
        std::size_t const crosses =
            ((pattern & 3) == 3 ? 1U : 0U) + ((pattern & 13) == 13 ? 1U : 0U) + (pattern == 15 ? 1U : 0U);
        CHECK(hashed_rows(schema, policies, 1000, row).size() == 1 + firing + crosses);
        CHECK(indexed_rows(schema, policies, row).fired.size() == 1 + firing + crosses);
    }
}

TEST_CASE("reference: cross layout") {
    Schema const schema = {{"a", 3}, {"age"}, {"b", 4}, {"h", 5, true}};
    std::vector<CrossPolicy> const policies = {each(), of({"b", "a"})};
    RecordRow const row = {{0, {2}}, {37.5, {}, true}, {0, {3}}, {0, {4, 0, 4}}};

    IndexedRows const exact = indexed_rows(schema, policies, row);
    CHECK(exact.total == 1 + (3 + 4 + 5) + 12);
    CHECK(exact.fired ==
          std::vector<Fired>{{0}, {1 + 2}, {1 + 3 + 3}, {1 + 7 + 4}, {1 + 7 + 4}, {13 + 2 * 4 + 3}});

    std::uint64_t const a = xxh64(le64(0) + le64(2)), b = xxh64(le64(2) + le64(3)),
                        h = xxh64(le64(3) + le64(4));
    std::uint64_t const ab = xxh64(le64(a) + le64(b), 0);
    CHECK(hashed_rows(schema, policies, 50, row) == std::vector<Fired>{{0},
                                                                       {1 + mulhi64(a, 50)},
                                                                       {1 + mulhi64(b, 50)},
                                                                       {1 + mulhi64(h, 50)},
                                                                       {1 + mulhi64(h, 50)},
                                                                       {1 + mulhi64(ab, 50)}});
    RecordRow weighted = row;
    for (auto& field : weighted)
        if (field.ids.size() > 1) field.weights.assign(field.ids.size(), 0.5);
    CHECK(hashed_rows(schema, policies, 50, weighted)[3].value == 0.5);
    CHECK(indexed_rows(schema, policies, weighted).fired[3].value == 0.5);
    CHECK(indexed_rows(schema, policies, weighted).fired[5].value == 1);
    // the second Of is seeded with 1, the order of its names does not matter, one part is the part
    CHECK(hashed_rows(schema, {of({"a", "b"}), of({"a", "b"})}, 1U << 30, row)[2].row ==
          1 + mulhi64(xxh64(le64(a) + le64(b), 1), 1U << 30));
    CHECK(hashed_rows(schema, {of({"b", "a"})}, 50, row) == hashed_rows(schema, {of({"a", "b"})}, 50, row));
    CHECK(hashed_rows(schema, {of({"a"})}, 50, row)[1].row == 1 + mulhi64(a, 50));
    CHECK_THROWS(hashed_rows(schema, {of({"a", "h"})}, 50, row));
    CHECK_THROWS(hashed_rows(schema, {of({"a", "age"})}, 50, row));
    CHECK_THROWS(hashed_rows(schema, {of({"a", "nobody"})}, 50, row));

    Sequence table(25, {0.0});
    for (std::size_t r = 0; r < table.size(); ++r) table[r][0] = static_cast<double>(r);
    check_equal(cross_indexed(parameters({{"weight", table}}), schema, policies, row).value,
                {{0 + 3 + 7 + 12 + 12 + 24}});
    check_equal(cross_hashed(parameters({{"weight", Sequence(51, {1.0})}}), schema, policies, row).value,
                {{6}});
}

TEST_CASE("reference: combinators") {
    Sequence const x = numbers(3, 2, 1);
    Parameters const p = parameters({{"0.weight", numbers(2, 2, 2)},
                                     {"0.bias", numbers(1, 2, 3)},
                                     {"1.weight", numbers(2, 2, 4)},
                                     {"gate.weight", numbers(2, 2, 5)},
                                     {"gate.bias", {{0, 0}}}});
    Parameters const a = p.child("0"), b = p.child("1");
    CHECK(a.by_name.size() == 2);
    CHECK(parameters({{"1.w", {{1}}}, {"10.w", {{2}}}, {"1", {{3}}}}).child("1").by_name.size() == 1);
    Sequence const ya = dense(a, x).value, yb = dense(b, x).value;

    check_equal(stack({dense, dense})(p, x).value, dense(b, ya).value);
    check_equal(stack({})(p, x).value, x);
    check_equal(stack_from(1, {dense})(p, x).value, yb);
    check_equal(residual(stack({dense}))(p, x).value, plus(x, ya));
    check_equal(sum({dense, dense})(p, x).value, plus(ya, yb));
    check_equal(repeat(2, dense)(p, x).value, dense(b, ya).value);
    Sequence const wide = concat({dense, dense})(p, x).value;
    for (std::size_t t = 0; t < 3; ++t) check_equal({wide[t]}, {{ya[t][0], ya[t][1], yb[t][0], yb[t][1]}});

    Sequence const mixed = gate({dense, dense})(p, x).value, s = dense(p.child("gate"), x).value;
    for (std::size_t t = 0; t < 3; ++t)
        for (std::size_t i = 0; i < 2; ++i) {
            double const first = sigmoid_of(s[t][0] - s[t][1]); // a softmax of two
            CHECK(mixed[t][i] == near(first * ya[t][i] + (1 - first) * yb[t][i], 1e-13));
        }

    Parameters const normed = parameters({{"0.weight", {{2, 0.5}}}, {"1.weight", numbers(2, 2, 6)}});
    check_equal(prenorm({dense})(normed, x).value,
                plus(x, dense(normed.child("1"), rms_norm(normed.child("0"), x).value).value));

    auto const add = [](Sequence const& kept) {
        return [kept](Parameters const& q, Sequence const& z) {
            Result y = dense(q.child("1"), z);
            y.value = plus(y.value, kept);
            return y;
        };
    };
    check_equal(keep(dense, add)(p, x).value, plus(dense(b, ya).value, ya));
    check_equal(let(dense, add)(p, x).value, plus(yb, ya));

    Sequence const table = numbers(5, 2, 7);
    Parameters shared = p;
    shared.by_name["embed.weight"] = matrix_of(table);
    Sequence const logits = tied(stack({dense}))(shared, tokens({4, 1, 1})).value;
    Sequence const hidden = dense(a, {table[4], table[1], table[1]}).value;
    REQUIRE(logits[1].size() == 5);
    for (std::size_t v = 0; v < 5; ++v)
        CHECK(logits[1][v] == near(hidden[1][0] * table[v][0] + hidden[1][1] * table[v][1], 1e-13));
}

TEST_CASE("reference: magnitudes carry inner errors through") {
    // y = 1000 (x1 - x2) + 0: the inner cancellation must be seen outside.
    Parameters const p = parameters({{"0.weight", {{1, -1}}}, {"1.weight", {{1000}}}});
    Result const y = stack({dense, dense})(p, {{1, 1}});
    CHECK(y.value[0][0] == 0);
    CHECK(y.magnitude[0][0] == near(2000, 1e-6));
    ValuesOnly const guard;
    CHECK(stack({dense, dense})(p, {{1, 1}}).magnitude[0][0] == 0);
}

TEST_CASE("reference: mlp and swiglu") {
    Sequence const x = numbers(2, 3, 1);
    Parameters const p = parameters(
        {{"0.weight", numbers(4, 3, 2)}, {"0.bias", numbers(1, 4, 3)}, {"2.weight", numbers(2, 4, 4)}});
    check_equal(mlp({"0", "2"}, relu)(p, x).value, stack({dense, relu, dense})(p, x).value);
    check_equal(mlp({"0", "2"}, relu, true)(p, x).value, stack({dense, relu, dense, relu})(p, x).value);

    Parameters const q =
        parameters({{"gate.weight", {{1, 0, 0}}}, {"up.weight", {{0, 1, 0}}}, {"down.weight", {{2}, {-1}}}});
    double const h = silu_of(x[0][0]).value * x[0][1];
    check_equal(swiglu(q, {x[0]}).value, {{2 * h, -h}});
}

TEST_CASE("reference: dropout") {
    check_equal(dropout({{1, 2, 3}}, {{1, 0, 1}}, 0.25).value, {{1 / 0.75, 0, 4}});
}

TEST_CASE("reference: loss gradients are derivatives") {
    auto const check_gradient = [](auto const& loss_of, Sequence const& z) {
        Sequence const gradient = loss_of(z).gradient;
        for (std::size_t i = 0; i < z.size(); ++i)
            for (std::size_t c = 0; c < z[i].size(); ++c) {
                Sequence up = z, down = z;
                up[i][c] += 1e-6;
                down[i][c] -= 1e-6;
                CHECK(std::abs((loss_of(up).value - loss_of(down).value) / 2e-6 - gradient[i][c]) < 1e-9);
            }
    };
    std::vector<double> const weights = {1, 0.5, 2, 0};
    Sequence const z = numbers(4, 3, 8), column = numbers(4, 1, 9);
    check_gradient([](Sequence const& v) { return softmax_cross_entropy(v, {2, -1, 0, 1}); }, z);
    check_gradient([&](Sequence const& v) { return softmax_cross_entropy(v, {2, -1, 0, 1}, weights, 0.1); },
                   z);
    check_gradient([&](Sequence const& v) { return mse(v, numbers(4, 3, 10), weights); }, z);
    check_gradient(
        [&](Sequence const& v) {
            return bce_with_logits({v[0][0], v[1][0], v[2][0], v[3][0]}, {1, 0, 0.3, 1}, weights, 3);
        },
        column);
}

TEST_CASE("reference: loss values") {
    CHECK(bce_with_logits({0}, {1}).value == near(std::log(2.0)));
    CHECK(bce_with_logits({800, -800}, {0, 1}).value == near(800));
    CHECK(bce_with_logits({2}, {0}).gradient[0][0] == near(sigmoid_of(2)));
    CHECK(softmax_cross_entropy({{1000, 1000, 1000, 1000}}, {2}).value == near(std::log(4.0)));
    CHECK(softmax_cross_entropy({{0, std::log(3.0)}, {5, 7}}, {1, -1}).value == near(std::log(4.0 / 3)));
    check_equal(softmax_cross_entropy({{0, std::log(3.0)}, {5, 7}}, {1, -1}).gradient,
                {{0.25, -0.25}, {0, 0}});
    // q = (0.05, 0.95)
    CHECK(softmax_cross_entropy({{0, std::log(3.0)}}, {1}, {}, 0.1).value ==
          near(std::log(4.0) - 0.95 * std::log(3.0)));
    double const masked = -std::numeric_limits<double>::infinity();
    check_equal(softmax_cross_entropy({{masked, masked}, {0, masked}}, {0, 0}).gradient, {{0, 0}, {0, 0}});
    CHECK(softmax_cross_entropy({{masked, masked}}, {0}).value == 0);
    CHECK(mse({{1, 2}, {3, 4}}, {{0, 2}, {3, 1}}).value == near(2.5));
}

TEST_CASE("reference: metric vectors") {
    std::vector<double> const scores = {0.9, 0.8, 0.8, 0.3, 0.3, 0.1};
    std::vector<int> const labels = {1, 0, 1, 0, 1, 0};
    CHECK(auc(scores, labels) == near(7.0 / 9));
    std::vector<double> negated = scores;
    for (double& s : negated) s = -s;
    CHECK(auc(negated, labels) == near(2.0 / 9));
    CHECK(std::isnan(auc({1, 2}, {1, 1})));
    CHECK(log_loss(scores, labels) == near(0.600658, 1e-6));
    std::vector<double> logits;
    for (double p : scores) logits.push_back(std::log(p / (1 - p)));
    CHECK(log_loss_of_logits(logits, labels) == near(log_loss(scores, labels), 1e-13));
    CHECK(log_loss({0}, {1}) == near(-std::log(1e-15)));
    CHECK(binary_accuracy(scores, labels, 0.5) == near(4.0 / 6));
    CHECK(accuracy({{1, 3, 3}, {2, 1, 0}, {0, 1, 0}}, {1, 2, -1}) == near(0.5));
    CHECK(ece({0.05, 0.15, 0.15, 0.55, 0.95, 0.92}, {0, 0, 1, 1, 1, 0}, 10) == near(0.345));
    CHECK(ndcg({1, 0, 1}, {1, 0, 1}) == near(0.919721, 1e-6));
    CHECK(ndcg({3, 0, 2, 1}, {3, 0, 2, 1}) == near(0.950801, 1e-6));
}

TEST_CASE("reference: optimizer vectors") {
    check_steps(Sgd{}, {0.95, 0.975, 0.875});
    check_steps(Sgd{0.1, 0.9}, {0.95, 0.93, 0.812});
    check_steps(Sgd{0.1, 0.9, 0, 0, true}, {0.905, 0.912, 0.7058});
    check_steps(Sgd{0.1, 0.9, 0, 0.01, true}, {0.9031, 0.90757411, 0.698189208});
    check_steps(Sgd{0.1, 0.9, 0.5}, {0.95, 0.9175, 0.83825}); // damping spares the first step
    check_steps(AdaGrad{}, {0.9, 0.944721360, 0.857434203});
    check_steps(AdaGrad{0.1, 0, 0.1}, {0.915484575, 0.954409522, 0.870268889});
    check_steps(Adam{}, {0.900000002, 0.873366299, 0.807555140});
    Adam coupled;
    coupled.decay = 0.1;
    check_steps(coupled, {0.900000002, 0.854441367, 0.781504400});
    check_steps(adamw(0.1, 0.1), {0.890000002, 0.854466299, 0.780110477});
    check_ftrl(Ftrl{0.1, 1, 0.05, 0.01}, {-0.029980013, -0.013954547, -0.060538891});

    // without penalties it is gradient descent with the rate alpha / (beta + sqrt n)
    Ftrl ftrl;
    ftrl.start(0.3);
    double w = ftrl.weight(), n = 0;
    CHECK(w == near(0.3));
    for (double g : {0.5, -0.25, 1.0, 0.0, -2.0}) {
        n += g * g;
        w -= 0.1 * g / (1 + std::sqrt(n));
        CHECK(std::abs(ftrl.step(g) - w) < 1e-15);
    }
    Ftrl sparse;
    sparse.l1 = 1;
    CHECK(sparse.step(0.9) == 0);
    CHECK(sparse.step(0.0) == 0);
}

TEST_CASE("reference: schedules and clipping") {
    double const cosine[] = {0.033333, 0.066667, 0.1,      0.1,      0.095098, 0.081363,
                             0.061515, 0.039485, 0.019637, 0.005902, 0.001};
    for (int s = 0; s <= 10; ++s) CHECK(std::abs(warmup_cosine(s, 0.1, 0.001, 3, 10) - cosine[s]) < 6e-7);
    double const cycle[] = {0.004,      0.052,      0.1,        0.09504846, 0.08117457,
                            0.06112620, 0.03887420, 0.01882583, 0.00495194, 0.0000004};
    for (int s = 0; s < 10; ++s) CHECK(std::abs(one_cycle(s, 0.1, 10) - cycle[s]) < 6e-9);
    CHECK(inverse_sqrt(3, 0.1, 4) == near(0.05));
    CHECK(inverse_sqrt(0, 0.1, 4) == near(0.1 / 8));
    CHECK(clip_factor(0.5, 1) == 1);
    CHECK(clip_factor(4, 1) == near(0.25, 1e-6));
}
