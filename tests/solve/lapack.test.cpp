// SPDX-License-Identifier: BSD-3-Clause
// Built where LAPACK is installed.
#include <inlay/core/random.hpp>
#include <inlay/solve.hpp>
#include <inlay/solve/lapack.hpp>

#include <doctest/doctest.h>

using namespace inlay;

TEST_CASE("LAPACK inverts what PlainCholesky inverts, and refuses what it refuses") {
    for (int n : {1, 5, 64, 131}) {
        auto const stride = std::size_t(n);
        std::vector<double> x(2 * stride * stride), gram(stride * stride);
        for (std::size_t i = 0; i < x.size(); ++i) x[i] = Key{1}.normal(i);
        for (std::size_t i = 0; i < stride; ++i)
            for (std::size_t j = 0; j < stride; ++j)
                for (std::size_t k = 0; k < 2 * stride; ++k)
                    gram[i * stride + j] += x[k * stride + i] * x[k * stride + j] / double(n);
        auto plain = gram, other = gram;
        REQUIRE(PlainCholesky::invert(n, plain.data()));
        REQUIRE(Lapack::invert(n, other.data()));
        double worst = 0, largest = 0;
        for (std::size_t i = 0; i < gram.size(); ++i) {
            worst = std::max(worst, std::abs(plain[i] - other[i]));
            largest = std::max(largest, std::abs(plain[i]));
        }
        CHECK(worst <= 1e-11 * largest);
        auto const b = ease_weights(n, gram, 0.5), c = ease_weights<Lapack>(n, gram, 0.5);
        for (std::size_t i = 0; i < b.size(); ++i) CHECK(std::abs(b[i] - c[i]) <= 1e-11);
    }
    std::vector<double> indefinite{1, 2, 2, 1};
    CHECK(!Lapack::invert(2, indefinite.data()));
    CHECK_THROWS_AS(ease_weights<Lapack>(2, {1, 2, 2, 1}, 0), Error);
}
