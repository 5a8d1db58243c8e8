// SPDX-License-Identifier: BSD-3-Clause
#include <inlay/io/safetensors.hpp>
#include <inlay/train/optimizer.hpp>

#include <doctest/doctest.h>
#include <reference/optimizer.hpp>

#include <algorithm>
#include <string>
#include <vector>

using namespace inlay;

namespace {

std::vector<double> tensor(Safetensors const& file, char const* name) {
    auto const* info = file.find(name);
    REQUIRE(info);
    std::vector<double> values(info->count());
    read_scalars(*info, values.data());
    return values;
}

// The largest difference from PyTorch over all steps, over the larger of 1 and the weight.
template <class T, class O> double against_torch(std::string const& name, O const& optimizer) {
    auto const file = Safetensors::read("tests/vectors/optimizer_" + name + ".safetensors");
    auto const w0 = tensor(file, "w0"), g = tensor(file, "g"), expected = tensor(file, "w");
    std::size_t const n = w0.size();
    REQUIRE(g.size() == 100 * n);
    std::vector<T> w(w0.begin(), w0.end()), first(n), second(n);
    double worst = 0;
    for (std::size_t step = 0; step < 100; ++step) {
        std::vector<T> const now(g.begin() + std::ptrdiff_t(step * n),
                                 g.begin() + std::ptrdiff_t((step + 1) * n));
        optimizer.update({.step = step + 1}, w.data(), now.data(), first.data(), second.data(),
                         std::ptrdiff_t(n));
        for (std::size_t i = 0; i < n; ++i) {
            double const e = expected[step * n + i];
            worst = std::max(worst, std::abs(double(w[i]) - e) / std::max(1.0, std::abs(e)));
        }
    }
    return worst;
}

// As against_torch, for a table: the rows that occur in a step are moved, each by itself.
template <class O> double table_against_torch(std::string const& name, O const& optimizer) {
    auto const file = Safetensors::read("tests/vectors/optimizer_lazy_" + name + ".safetensors");
    auto const g = tensor(file, "g"), present = tensor(file, "present"), expected = tensor(file, "w");
    auto w = tensor(file, "w0");
    std::vector<double> first(15), second(15);
    REQUIRE(expected.size() == 1500);
    double worst = 0;
    for (std::size_t step = 0; step < 100; ++step) {
        for (std::size_t r = 0; r < 5; ++r)
            if (present[5 * step + r] != 0)
                optimizer.update({.step = step + 1, .kind = Kind::table}, &w[3 * r], &g[15 * step + 3 * r],
                                 &first[3 * r], &second[3 * r], 3);
        for (std::size_t i = 0; i < 15; ++i) {
            double const e = expected[15 * step + i];
            worst = std::max(worst, std::abs(w[i] - e) / std::max(1.0, std::abs(e)));
        }
    }
    return worst;
}

// In double all that differs is the order of a few operations. In float each step rounds the gradient, the
// state and the weight, by half an epsilon each of numbers of the size of 1; momentum of 0.9 sums ten of
// them. Twelve epsilons a step are more than that.
template <class O> void check_against_torch(std::string const& name, O const& optimizer) {
    CAPTURE(name);
    CHECK(against_torch<double>(name, optimizer) < 1e-13 * 100);
    double const in_float = against_torch<float>(name, optimizer);
    CHECK(in_float < 100 * 12 * 0x1p-23);
    CHECK(in_float > 0);
}

// The weights after gradients .5, -.25 and 1.
template <class O> std::vector<double> worked(O const& optimizer, double w) {
    double first = 0, second = 0;
    std::vector<double> all;
    std::uint64_t step = 0;
    for (double const g : {0.5, -0.25, 1.0}) {
        optimizer.update({.step = ++step}, &w, &g, &first, &second, 1);
        all.push_back(w);
    }
    return all;
}
void check_worked(std::vector<double> const& got, std::vector<double> const& expected) {
    for (std::size_t i = 0; i < 3; ++i) CHECK(std::abs(got[i] - expected[i]) < 1e-9);
}

} // namespace

TEST_CASE("100 steps are PyTorch's") {
    check_against_torch("sgd_momentum", Sgd{.learning_rate = 0.05, .momentum = 0.9});
    check_against_torch("sgd_nesterov",
                        Sgd{.learning_rate = 0.05, .momentum = 0.9, .nesterov = true, .decay = 0.01});
    check_against_torch("adagrad", AdaGrad{.learning_rate = 0.1});
    check_against_torch("adam", Adam{.learning_rate = 0.01});
    check_against_torch("adamw", AdamW{.learning_rate = 0.01, .decay = 0.1});
    check_against_torch("sgd", Sgd{.learning_rate = 0.05, .decay = 0.01});
    check_against_torch("adagrad_decay",
                        AdaGrad{.learning_rate = 0.1, .initial = 0.1, .rate_decay = 0.02, .decay = 0.05});
    check_against_torch("adam_decay", Adam{.learning_rate = 0.01, .decay = 0.1});
    check_against_torch("lion", Lion{.learning_rate = 0.01, .decay = 0.1});
    check_against_torch("ftrl", Ftrl{.l1 = 0.5, .l2 = 0.01});
}

TEST_CASE("100 steps of tables are PyTorch's: rows that do not occur wait, with their state") {
    auto const check = [](char const* name, auto const& optimizer) {
        CAPTURE(name);
        CHECK(table_against_torch(name, optimizer) < 1e-13 * 100);
    };
    check("sgd", Sgd{.learning_rate = 0.05});
    check("adagrad", AdaGrad{.learning_rate = 0.1});
    check("adam", Adam{.learning_rate = 0.01, .epsilon = 1e-30});
    check("momentum", Sgd{.learning_rate = 0.05, .momentum = 0.9, .row_decay = 0.01});
    check("adamw", AdamW{.learning_rate = 0.01, .decay = 0.7, .row_decay = 0.1});
    check("lion", Lion{.learning_rate = 0.01, .row_decay = 0.1});
    check("ftrl", Ftrl{.l1 = 0.5, .l2 = 0.01});
}

TEST_CASE("the worked numbers") {
    check_worked(worked(Sgd{.learning_rate = 0.1}, 1), {.95, .975, .875});
    check_worked(worked(Sgd{.learning_rate = 0.1, .momentum = 0.9}, 1), {.95, .93, .812});
    check_worked(worked(Sgd{.learning_rate = 0.1, .momentum = 0.9, .nesterov = true}, 1),
                 {.905, .912, .7058});
    check_worked(worked(Sgd{.learning_rate = 0.1, .momentum = 0.9, .nesterov = true, .decay = 0.01}, 1),
                 {.9031, .90757411, .698189208});
    check_worked(worked(AdaGrad{.learning_rate = 0.1}, 1), {.9, .944721360, .857434203});
    check_worked(worked(AdaGrad{.learning_rate = 0.1, .epsilon = 0, .initial = 0.1}, 1),
                 {.915484575, .954409522, .870268889});
    check_worked(worked(Adam{.learning_rate = 0.1}, 1), {.900000002, .873366299, .807555140});
    check_worked(worked(Adam{.learning_rate = 0.1, .decay = 0.1}, 1), {.900000002, .854441367, .781504400});
    check_worked(worked(AdamW{.learning_rate = 0.1, .decay = 0.1}, 1), {.890000002, .854466299, .780110477});
    check_worked(worked(Ftrl{.alpha = 0.1, .l1 = 0.05, .l2 = 0.01}, 0),
                 {-.029980013, -.013954547, -.060538891});
}

TEST_CASE("hyper-parameters are taken as they are written") {
    static_assert(double(Ftrl{.alpha = 0.1f, .l1 = 1}.alpha) == double(0.1f));
    static_assert(double(Ftrl{.alpha = 0.1}.alpha) == 0.1);
    static_assert(Ftrl{.l1 = 3}.l1 == 3.0);
}

TEST_CASE("the schedule's factor scales the rate") {
    double w = 1, g = 0.5, state = 0;
    Sgd{.learning_rate = 0.1}.update({.rate = 0.5}, &w, &g, &state, static_cast<double*>(nullptr), 1);
    CHECK(w == doctest::Approx(0.975));
}

TEST_CASE("Lion is the reference") {
    reference::Lion other{.lr = 0.05, .beta1 = 0.8, .beta2 = 0.95, .decay = 0.3};
    Lion const lion{.learning_rate = 0.05, .beta1 = 0.8, .beta2 = 0.95, .decay = 0.3};
    double w = 1, m = 0, expected = 1;
    for (int i = 0; i < 50; ++i) {
        double const g = i % 7 == 3 ? 0 : std::sin(i * 1.7);
        lion.update({}, &w, &g, &m, static_cast<double*>(nullptr), 1);
        CHECK(std::abs(w - (expected = other.step(expected, g))) < 1e-15);
    }
    double still = 2, none = 0, state = 0; // the sign of zero is zero
    Lion{}.update({}, &still, &none, &state, static_cast<double*>(nullptr), 1);
    CHECK(still == 2);
}

TEST_CASE(
    "AdamW and Lion decay matrices only, unless told otherwise, and rows of tables by a number of theirs") {
    auto const decayed = [](auto const& optimizer, Kind kind) {
        double w = 2, g = 0, m = 0, v = 0;
        optimizer.update({.kind = kind}, &w, &g, &m, &v, 1);
        return w;
    };
    for (Kind const kind : {Kind::matrix, Kind::vector, Kind::table})
        for (bool const all : {false, true})
            for (double const rows : {0.0, 0.25}) {
                double const expected =
                    2 - (kind == Kind::matrix || all ? 0.1 : 0.0) - (kind == Kind::table ? 0.2 * rows : 0.0);
                AdamW const adam{.learning_rate = 0.1, .decay = 0.5, .decay_all = all, .row_decay = rows};
                Lion const lion{.learning_rate = 0.1, .decay = 0.5, .decay_all = all, .row_decay = rows};
                CHECK(decayed(adam, kind) == doctest::Approx(expected));
                CHECK(decayed(lion, kind) == doctest::Approx(expected));
            }
}

TEST_CASE("L2 of rows is in the gradient of tables, and of nothing else") {
    auto const gradient_of = [](auto const& optimizer, Kind kind) {
        double w = 2, g = 0.5, a = 0, b = 0;
        optimizer.update({.kind = kind}, &w, &g, &a, &b, 1);
        return a; // SGD keeps the gradient, AdaGrad its square
    };
    CHECK(gradient_of(Sgd{.decay = 0.25, .row_decay = 0.5}, Kind::table) == 2);
    CHECK(gradient_of(Sgd{.decay = 0.25, .row_decay = 0.5}, Kind::matrix) == 1);
    CHECK(gradient_of(AdaGrad{.row_decay = 0.5}, Kind::table) == 2.25);
    CHECK(gradient_of(AdaGrad{.row_decay = 0.5}, Kind::vector) == 0.25);
    CHECK(gradient_of(Adam{.row_decay = 0.5}, Kind::table) == doctest::Approx(0.15));
}

TEST_CASE("numbers out of range are refused") {
    auto const words = [](auto const& optimizer) {
        try {
            optimizer.check();
            return std::string("accepted");
        } catch (Error const& e) { return std::string(e.what()); }
    };
    CHECK(words(Sgd{.learning_rate = -1}) ==
          "inlay: Sgd, learning_rate: expected 0 or more, found -1.000000");
    CHECK(words(Adam{.beta2 = 1}) == "inlay: Adam, beta2: expected 0 or more, below 1, found 1.000000");
    CHECK(words(Ftrl{.alpha = 0}) == "inlay: Ftrl, alpha: expected a positive number, found 0.000000");
    CHECK(words(Lion{.decay = std::nan("")}).find("Lion, decay") != std::string::npos);
    CHECK(words(AdaGrad{.initial = -0.1}).find("AdaGrad, initial") != std::string::npos);
    CHECK(words(Sgd{.learning_rate = std::numeric_limits<double>::infinity()}).find("learning_rate") !=
          std::string::npos);
    CHECK(words(Sgd{}) + words(AdaGrad{}) + words(Adam{}) + words(AdamW{}) + words(Lion{}) + words(Ftrl{}) ==
          "acceptedacceptedacceptedacceptedacceptedaccepted");
}

TEST_CASE("FTRL") {
    std::vector<double> gradients;
    for (int i = 0; i < 200; ++i) gradients.push_back(std::sin(double(i) * 1.7) + 0.1);

    SUBCASE("without l1 and l2 it is gradient descent at the rate alpha / (beta + sqrt n)") {
        double w = 0, z = 0, n = 0, other = 0, squares = 0;
        for (double const g : gradients) {
            Ftrl{.alpha = 0.3}.update({}, &w, &g, &z, &n, 1);
            squares += g * g;
            other -= 0.3 * g / (1 + std::sqrt(squares));
            CHECK(std::abs(w - other) < 1e-14);
        }
    }
    SUBCASE("it is the reference, and l1 gives exact zeros") {
        int zeros = 0;
        for (double const l1 : {0.0, 0.5, 5.0, 50.0}) {
            reference::Ftrl other{.alpha = 0.2, .beta = 0.7, .l1 = l1, .l2 = 0.3};
            Ftrl const ftrl{.alpha = 0.2, .beta = 0.7, .l1 = l1, .l2 = 0.3};
            double w = 0, z = 0, n = 0;
            int here = 0;
            for (double const g : gradients) {
                ftrl.update({}, &w, &g, &z, &n, 1);
                CHECK(std::abs(w - other.step(g)) < 1e-13);
                here += w == 0;
            }
            CHECK(here >= zeros);
            zeros = here;
        }
        CHECK(zeros == 200);
    }
    SUBCASE("the mean gradient is summed over the batch") {
        double const g = 0.7, sum = 7;
        double a = 0, za = 0, na = 0, b = 0, zb = 0, nb = 0;
        Ftrl{}.update({.count = 10}, &a, &g, &za, &na, 1);
        Ftrl{}.update({.count = 1}, &b, &sum, &zb, &nb, 1);
        CHECK(std::abs(a - b) < 1e-15);
        CHECK(na == doctest::Approx(49));
    }
    SUBCASE("it goes on from weights that are there") {
        for (double const w0 : {0.7, -0.7})
            for (double const l1 : {0.0, 0.5}) {
                Ftrl const ftrl{.alpha = 0.3, .beta = 1.5, .l1 = l1, .l2 = 0.25};
                double w = w0, z = 0, n = 0, g = 0;
                ftrl.update({}, &w, &g, &z, &n, 1);
                CHECK(w == w0);
                // As if z had been there: -(z - sign(z) l1) / (beta / alpha + l2) = w0.
                reference::Ftrl other{.alpha = 0.3, .beta = 1.5, .l1 = l1, .l2 = 0.25};
                other.z = -(w0 * (1.5 / 0.3 + 0.25) + std::copysign(l1, w0));
                for (double const next : gradients) {
                    ftrl.update({}, &w, &next, &z, &n, 1);
                    CHECK(std::abs(w - other.step(next)) < 1e-13);
                }
            }
    }
    SUBCASE("a gradient of zero moves nothing") {
        double w = 0, g = 1, z = 0, n = 0;
        Ftrl{.l1 = 0.1}.update({}, &w, &g, &z, &n, 1);
        double const before = w;
        g = 0;
        Ftrl{.l1 = 0.1}.update({}, &w, &g, &z, &n, 1);
        CHECK(w == before);
    }
}
