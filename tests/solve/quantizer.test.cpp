// SPDX-License-Identifier: BSD-3-Clause
#include <inlay/solve.hpp>

#include <doctest/doctest.h>

#include <set>

using namespace inlay;

namespace {
/// Rows of a Gaussian whose numbers depend on each other.
std::vector<float> correlated(std::size_t n, int width) {
    std::vector<float> rows;
    Key const key{5};
    for (std::uint64_t i = 0; i < n; ++i) {
        std::vector<double> z;
        for (int t = 0; t < width; ++t) z.push_back(key.normal(i * 64 + std::uint64_t(t)));
        for (int t = 0; t < width; ++t)
            rows.push_back(float(2 * z[0] * (t % 3 - 1) + 1.5 * z[1] * (t % 2) + 0.3 * z[std::size_t(t)]));
    }
    return rows;
}
double error(ProductQuantizer const& q, std::vector<float> const& rows) {
    auto const w = std::size_t(q.width());
    std::vector<std::int32_t> code(static_cast<std::size_t>(q.groups()));
    std::vector<float> back(w);
    double total = 0;
    for (std::size_t i = 0; i < rows.size(); i += w) {
        q.encode(std::span(rows).subspan(i, w), code);
        q.decode(code, back);
        for (std::size_t t = 0; t < w; ++t) total += std::pow(double(rows[i + t]) - double(back[t]), 2);
    }
    return total;
}
void never_grows(std::vector<double> const& d) {
    for (std::size_t i = 1; i < d.size(); ++i) CHECK(d[i] <= d[i - 1] * (1 + 1e-12));
}
} // namespace

TEST_CASE("distortion never grows, and is what codes lose") {
    auto const rows = correlated(400, 8);
    auto const q = ProductQuantizer::train(rows, 8, {.groups = 2, .centres = 16});
    never_grows(q.distortion());
    CHECK(q.distortion().size() == 26);
    CHECK(error(q, rows) == doctest::Approx(q.distortion().back()).epsilon(1e-5));
    auto const turned =
        ProductQuantizer::train(rows, 8, {.groups = 2, .centres = 16, .rounds = 10, .rotations = 20});
    never_grows(turned.distortion());
    CHECK(error(turned, rows) == doctest::Approx(turned.distortion().back()).epsilon(1e-5));
    CHECK(turned.distortion().back() < 0.9 * q.distortion().back());
}

TEST_CASE("a rotation is orthogonal, of a matrix that lacks directions, too") {
    auto const check = [](int n, std::vector<double> const& r) {
        double worst = 0;
        for (int i = 0; i < n; ++i)
            for (int j = 0; j < n; ++j) {
                double sum = 0;
                for (int k = 0; k < n; ++k) sum += r[std::size_t(k * n + i)] * r[std::size_t(k * n + j)];
                worst = std::max(worst, std::abs(sum - (i == j)));
            }
        CHECK(worst < 1e-12);
    };
    auto const q =
        ProductQuantizer::train(correlated(200, 6), 6, {.groups = 3, .centres = 4, .rotations = 5});
    check(6, q.rotation());
    auto const r = detail::nearest_orthogonal(3, {1, 2, 3, 2, 4, 6, 0, 0, 0});
    check(3, r);
    // Of a rotation by 30 degrees times what only stretches, the rotation.
    double const c = std::sqrt(0.75), s = 0.5;
    auto const turn = detail::nearest_orthogonal(2, {3 * c, -1 * s, 3 * s, 1 * c});
    CHECK(turn[0] == doctest::Approx(c));
    CHECK(turn[1] == doctest::Approx(-s));
    CHECK(turn[2] == doctest::Approx(s));
}

TEST_CASE("codes are the nearest centres; as many centres as rows lose nothing") {
    auto const rows = correlated(60, 4);
    auto const q = ProductQuantizer::train(rows, 4, {.groups = 2, .centres = 8});
    std::int32_t code[2];
    for (std::size_t i = 0; i < 60; ++i) {
        q.encode(std::span(rows).subspan(i * 4, 4), code);
        for (int m = 0; m < 2; ++m) {
            auto const all = q.centres_of(m);
            auto const away = [&](int k) {
                double sum = 0;
                for (std::size_t t = 0; t < 2; ++t)
                    sum += std::pow(
                        double(rows[i * 4 + std::size_t(m) * 2 + t]) - all[std::size_t(k) * 2 + t], 2);
                return sum;
            };
            for (int k = 0; k < 8; ++k) CHECK(away(code[m]) <= away(k));
        }
    }
    std::vector<float> few;
    for (int i = 0; i < 40; ++i)
        for (int t = 0; t < 4; ++t) few.push_back(float((i % 5) * (t + 1)));
    CHECK(ProductQuantizer::train(few, 4, {.groups = 2, .centres = 5}).distortion().back() < 1e-20);
    CHECK_THROWS_AS(ProductQuantizer::train(few, 4, {.groups = 3}), Error);
}
