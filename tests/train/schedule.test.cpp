// SPDX-License-Identifier: BSD-3-Clause
#include <inlay/io/safetensors.hpp>
#include <inlay/train/schedule.hpp>

#include <doctest/doctest.h>
#include <reference/schedule.hpp>

#include <string>
#include <vector>

using namespace inlay;

namespace {

/// A schedule of a learning rate of 0.1, beside PyTorch's.
void check_against_torch(std::string const& name, auto const& schedule, std::uint64_t steps = 0) {
    CAPTURE(name);
    auto const file = Safetensors::read("tests/vectors/schedule_" + name + ".safetensors");
    auto const* info = file.find("rate");
    REQUIRE(info);
    std::vector<double> rate(info->count());
    read_scalars(*info, rate.data());
    schedule.check();
    for (std::size_t s = 0; s < rate.size(); ++s)
        CHECK(std::abs(0.1 * schedule.factor(s, steps) - rate[s]) < 1e-15);
}
std::string words(auto const& schedule) {
    try {
        schedule.check();
        return "accepted";
    } catch (Error const& e) { return e.what(); }
}

} // namespace

TEST_CASE("rates are PyTorch's") {
    check_against_torch("cosine", Cosine{.floor = 0.01}, 12);
    check_against_torch("cosine_warmup", Cosine{.warmup = 4, .floor = 0.01}, 24);
    check_against_torch("linear", LinearDecay{.total = 12, .floor = 0.25}, 99);
    check_against_torch("step", StepDecay{.every = 5, .by = 0.5});
    check_against_torch("one_cycle", OneCycle{}, 25);
    check_against_torch("one_cycle_short", OneCycle{.total = 12, .rise = 0.45, .start = 10, .end = 100}, 99);
}

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

TEST_CASE("constant") {
    CHECK(Constant{}.factor(7, 9) == 1);
    CHECK(Constant{.warmup = 4}.factor(1, 9) == 0.5);
    CHECK(Constant{.warmup = 4}.factor(4, 9) == 1);
}

TEST_CASE("one cycle: the worked numbers, and fits of few steps or none") {
    double const expected[] = {.004,      .052,      .1,        .09504846, .08117457,
                               .06112620, .03887420, .01882583, .00495194, .00000040};
    for (std::uint64_t s = 0; s < 10; ++s) {
        double const rate = 0.1 * OneCycle{}.factor(s, 10);
        CHECK(std::abs(rate - expected[s]) < 6e-9);
        CHECK(std::abs(rate - reference::one_cycle(int(s), 0.1, 10)) < 1e-15);
    }
    CHECK(OneCycle{}.factor(50, 10) == doctest::Approx(4e-6));
    CHECK(OneCycle{}.factor(3, 0) == 1);
    for (std::uint64_t n = 1; n < 8; ++n)
        for (std::uint64_t s = 0; s < n + 2; ++s)
            for (double const rise : {0.0, 0.3, 1.0}) {
                double const f = OneCycle{.rise = rise}.factor(s, n);
                CHECK((f >= 4e-6 * 0.999 && f <= 1));
            }
}

TEST_CASE("the inverse root peaks at the end of the warm-up") {
    for (int const warmup : {1, 4, 10})
        for (std::uint64_t s = 0; s < 40; ++s) {
            double const rate = InverseSqrt{.warmup = warmup}.factor(s, 0) / std::sqrt(warmup);
            CHECK(std::abs(rate - reference::inverse_sqrt(int(s), 1, warmup)) < 1e-15);
        }
    CHECK(InverseSqrt{.warmup = 4}.factor(3, 0) == 1);
}

TEST_CASE("steps and lines start at their warm-up's end") {
    CHECK(StepDecay{.every = 10, .by = 0.5, .warmup = 4}.factor(1, 0) == 0.5);
    CHECK(StepDecay{.every = 10, .by = 0.5, .warmup = 4}.factor(9, 0) == 1);
    CHECK(StepDecay{.every = 10, .by = 0.5, .warmup = 4}.factor(10, 0) == 0.5);
    CHECK(LinearDecay{.warmup = 2}.factor(0, 10) == 0.5);
    CHECK(LinearDecay{.warmup = 2}.factor(6, 10) == 0.5);
    CHECK(LinearDecay{.warmup = 2}.factor(10, 10) == 0);
    CHECK(LinearDecay{.warmup = 2}.factor(60, 0) == 1);
}

TEST_CASE("numbers out of range are refused") {
    CHECK(words(Cosine{.warmup = -1}) == "inlay: Cosine, warmup: expected 0 or more, found -1.000000");
    CHECK(words(OneCycle{.rise = 1.5}) == "inlay: OneCycle, rise: expected 0 to 1, found 1.500000");
    CHECK(words(StepDecay{.every = 0}).find("StepDecay, every") != std::string::npos);
    CHECK(words(InverseSqrt{.warmup = 0}).find("InverseSqrt, warmup") != std::string::npos);
    CHECK(words(LinearDecay{.floor = -1}).find("LinearDecay, floor") != std::string::npos);
    CHECK(words(Constant{.warmup = -1}).find("Constant, warmup") != std::string::npos);
}
