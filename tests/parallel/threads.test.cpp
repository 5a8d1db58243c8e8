// SPDX-License-Identifier: BSD-3-Clause
#include "../train/fixtures.hpp"

#include <inlay/parallel.hpp>

#include <doctest/doctest.h>

#include <atomic>

using namespace inlay;
using namespace fixtures;

namespace {
/// A number that any other order of the logits would change.
struct Digest {
    static double of(Predictions const& p) {
        double sum = 0;
        for (std::size_t i = 0; i < p.logit.size(); ++i) sum += double(i % 7 + 1) * p.logit[i];
        return sum;
    }
};
} // namespace

TEST_CASE("every piece runs once, no worker twice at a time, and the caller sees what they wrote") {
    for (int const n : {1, 2, 3, 5, 16}) {
        Threads const threads(n);
        REQUIRE(threads.workers() == n);
        std::vector<int> written(1000), in_use(16);
        for (int round = 0; round < 50; ++round)
            for (int const pieces : {0, 1, 2, 7, 1000}) {
                std::ranges::fill(written, 0);
                std::atomic<int> wrong{0};
                threads.run(pieces, [&](int w, int i) {
                    if (w < 0 || w >= n || in_use[std::size_t(w)]++ != 0) ++wrong;
                    ++written[std::size_t(i)]; // no lock: a race, or a piece twice, would show
                    --in_use[std::size_t(w)];
                });
                CHECK(wrong == 0);
                CHECK(std::count(written.begin(), written.begin() + pieces, 1) == pieces);
                CHECK(std::count(written.begin() + pieces, written.end(), 0) == 1000 - pieces);
            }
    }
}

TEST_CASE("several threads may share a pool, and copies are the same pool") {
    Threads const threads(3);
    Threads const copy = threads;
    std::vector<int> sums(4);
    {
        std::vector<std::jthread> callers;
        for (std::size_t k = 0; k < sums.size(); ++k)
            callers.emplace_back([&, k] {
                for (int round = 0; round < 100; ++round) {
                    std::atomic<int> sum{0};
                    (k % 2 ? threads : copy).run(10, [&](int, int i) { sum += i; });
                    sums[k] += sum;
                }
            });
    }
    for (int const sum : sums) CHECK(sum == 4500);
}

TEST_CASE("as many threads as the machine runs, and no fewer than one") {
    CHECK(Threads().workers() == std::max(1, int(std::thread::hardware_concurrency())));
    CHECK(words([] { Threads(-1); }) == "inlay: Threads: expected a count, or 0 for the machine's, found -1");
}

TEST_CASE("a fit gives the same bits for any number of threads") {
    auto const check = [](auto model, auto loss, auto opt, auto const& rows, auto batch) {
        using M = decltype(model);
        using L = decltype(loss);
        using O = decltype(opt);
        using B = decltype(batch);
        TrainOptions<O> const options{.seed = Seed{9}, .clip = {.norm = 1}, .accumulate = 2, .average = 0.9};
        FitOptions<std::remove_cvref_t<decltype(rows)>> const fit{
            .epochs = 2, .validation = 0.2, .metrics = metrics<Digest>};
        Network<M> expected(Seed{1});
        auto const report = Trainer<M, L, B, O>(expected, options).fit(rows, fit);
        for (int const n : {1, 2, 3, 5, 16}) {
            CAPTURE(n);
            Network<M> net(Seed{1});
            auto const own = Trainer<M, L, B, O, Threads>(net, options, Threads(n)).fit(rows, fit);
            CHECK(same(expected, net));
            CHECK(own.loss == report.loss);
            CHECK(own.validation == report.validation);
            CHECK(own.metric("Digest") == report.metric("Digest"));
        }
    };
    SUBCASE("dense layers and tables of a record") {
        check(Ranker{}, BinaryCrossEntropy{}, Mixed{}, Rows<Visit>::random(300, Seed{5}), Batch<64>{});
    }
    SUBCASE("dense layers alone") { check(Line{}, MeanSquaredError{}, Sgd{}, line(200, 3), Batch<32>{}); }
    SUBCASE("a text") {
        check(Reader{}, CrossEntropy{}, AdamW{}, Rows<Tokens<8, 11>>::random(60, Seed{6}), Batch<16>{});
    }
}
