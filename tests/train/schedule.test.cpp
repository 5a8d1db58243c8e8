// SPDX-License-Identifier: BSD-3-Clause
#include <inlay/train/schedule.hpp>

#include <doctest/doctest.h>
#include <reference/schedule.hpp>

using inlay::Cosine;

TEST_CASE("warm-up, then half a cosine") {
    Cosine const schedule{.warmup = 3, .floor = 0.01};
    double const expected[] = {.033333, .066667, .1,      .1,      .095098, .081363,
                               .061515, .039485, .019637, .005902, .001};
    for (std::uint64_t s = 0; s <= 10; ++s) {
        CAPTURE(s);
        double const rate = 0.1 * schedule.factor(s, 10);
        CHECK(std::abs(rate - expected[s]) < 1e-6);
        CHECK(std::abs(rate - reference::warmup_cosine(int(s), 0.1, 0.001, 3, 10)) < 1e-15);
    }
    CHECK(schedule.factor(1000, 10) == doctest::Approx(0.01));
}

TEST_CASE("a total of its own wins over the fit's") {
    CHECK(Cosine{.total = 20}.factor(10, 10) == doctest::Approx(0.5));
    CHECK(Cosine{}.factor(10, 20) == doctest::Approx(0.5));
}

TEST_CASE("without any total the rate stays after the warm-up") {
    CHECK(Cosine{.warmup = 4}.factor(1, 0) == 0.5);
    CHECK(Cosine{.warmup = 4}.factor(100, 0) == 1);
}

TEST_CASE("constant") { CHECK(inlay::Constant{}.factor(7, 9) == 1); }
