// SPDX-License-Identifier: BSD-3-Clause
#include <inlay/train/metrics.hpp>

#include <doctest/doctest.h>
#include <reference/metric.hpp>

#include <random>

using namespace inlay;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr float none = std::numeric_limits<float>::quiet_NaN();

/// Items whose relevances come in this order by score.
Predictions in_order(std::vector<float> const& relevance) {
    Predictions p{int(relevance.size()), {}, relevance, int(relevance.size())};
    for (std::size_t i = 0; i < relevance.size(); ++i) p.logit.push_back(-double(i));
    return p;
}

} // namespace

TEST_CASE("the worked numbers") {
    CHECK(std::abs(Ndcg<3>::of(in_order({1, 0, 1})) - .919721) < 5e-7);
    CHECK(std::abs(Ndcg<4>::of(in_order({3, 0, 2, 1})) - .950801) < 5e-7);
    Predictions const one{4, {.1, .9, .5, .7}, {2}}; // third of four
    CHECK(Ndcg<10>::of(one) == doctest::Approx(1 / std::log2(4.0)));
    CHECK(Ndcg<2>::of(one) == 0);
    CHECK(Mrr::of(one) == doctest::Approx(1.0 / 3));
    CHECK(HitRate<2>::of(one) == 0);
    CHECK(HitRate<3>::of(one) == 1);
}

TEST_CASE("random scores agree with the definitions, one relevant item or several, with ties") {
    std::mt19937 random(7);
    for (int trial = 0; trial < 30; ++trial) {
        constexpr int rows = 12, items = 9, k = 4;
        Predictions several{items, {}, {}, items}, single{items, {}, {}};
        double hit = 0, recall = 0, ndcg = 0, mrr = 0, counted = 0, single_mrr = 0, single_ndcg = 0;
        for (int i = 0; i < rows; ++i) {
            std::vector<double> scores;
            std::vector<int> relevance;
            for (int j = 0; j < items; ++j) {
                scores.push_back(int(random() % 5));
                relevance.push_back(random() % 3 ? 0 : int(random() % 4));
            }
            int const target = int(random() % items);
            several.logit.insert(several.logit.end(), scores.begin(), scores.end());
            several.target.insert(several.target.end(), relevance.begin(), relevance.end());
            single.target.push_back(float(target));
            auto const order = reference::ranking(scores);
            std::vector<int> found;
            for (int const item : order) found.push_back(relevance[std::size_t(item)]);
            int const relevant = items - int(std::count(found.begin(), found.end(), 0));
            int const first =
                int(std::find_if(found.begin(), found.end(), [](int r) { return r > 0; }) - found.begin());
            int const in_k = k - int(std::count(found.begin(), found.begin() + k, 0));
            int const place = int(std::find(order.begin(), order.end(), target) - order.begin()) + 1;
            single_mrr += 1.0 / place / rows;
            single_ndcg += place <= k ? 1 / std::log2(place + 1.0) / rows : 0;
            if (relevant == 0) continue;
            ++counted;
            hit += in_k > 0;
            recall += double(in_k) / relevant;
            mrr += 1.0 / (first + 1);
            ndcg += reference::ndcg({found.begin(), found.begin() + k}, found);
        }
        single.logit = several.logit;
        CHECK(HitRate<k>::of(several) == doctest::Approx(hit / counted).epsilon(1e-14));
        CHECK(Recall<k>::of(several) == doctest::Approx(recall / counted).epsilon(1e-14));
        CHECK(Mrr::of(several) == doctest::Approx(mrr / counted).epsilon(1e-14));
        CHECK(Ndcg<k>::of(several) == doctest::Approx(ndcg / counted).epsilon(1e-14));
        CHECK(Mrr::of(single) == doctest::Approx(single_mrr).epsilon(1e-14));
        CHECK(Ndcg<k>::of(single) == doctest::Approx(single_ndcg).epsilon(1e-14));
        CHECK(Recall<k>::of(single) == HitRate<k>::of(single));
    }
}

TEST_CASE("ties go to the lower item, masked items are not there, rows without a target do not count") {
    CHECK(Mrr::of({3, {1, 1, 1}, {1}}) == 0.5);
    CHECK(Mrr::of({3, {-infinity, 1, 1}, {1}}) == 1);
    CHECK(Mrr::of({3, {5, 4, 3, /**/ 1, 2, 3, /**/ 1, 2, 3}, {1, -1, none}}) == 0.5);
    CHECK(Mrr::of({3, {9, 2, 1}, {none, 0, 1}, 3}) == 0.5);
    // The first row's item is masked.
    CHECK(Mrr::of({3, {1, 2, -infinity, /**/ 3, 2, 1}, {2, 2}}) == doctest::Approx(1.0 / 3));
    CHECK(std::isnan(Mrr::of({3, {1, 2, 3}, {-1}})));
    CHECK(std::isnan(Ndcg<2>::of({3, {1, 2, double(none)}, {1}})));
}

TEST_CASE("what has no ranking says why") {
    auto const words = [](Predictions const& p) -> std::string {
        try {
            Mrr::of(p);
            return "no error";
        } catch (Error const& e) { return e.what(); }
    };
    CHECK(words({1, {1, 2}, {1, 0}}) == "inlay: Mrr: expected a score for each item, and one target or as "
                                        "many, found 1 logits and 1 targets");
    CHECK(words({4, {1, 2, 3, 4}, {1, 0}, 2}).find("2 targets") != std::string::npos);
    CHECK(words({3, {1, 2, 3}, {3}}) == "inlay: prediction 0: expected a class below 3, found 3.000000");
}

TEST_CASE("by_group is the mean of what each group has by itself, weighted by its rows") {
    std::mt19937 random(3);
    Predictions p{1, {}, {}};
    std::vector<std::int32_t> group;
    for (int i = 0; i < 200; ++i) {
        p.logit.push_back(int(random() % 9));
        p.target.push_back(random() % 10 == 0 ? none : float(random() % 2));
        group.push_back(std::int32_t(random() % 40) - 7); // some with one class, some with one row
    }
    double sum = 0, rows = 0;
    for (std::int32_t g = -7; g < 33; ++g) {
        double won = 0, pairs = 0, counted = 0;
        for (std::size_t i = 0; i < p.size(); ++i) {
            if (group[i] != g || std::isnan(p.target[i])) continue;
            ++counted;
            for (std::size_t j = 0; j < p.size(); ++j) {
                if (group[j] != g || !(p.target[i] > p.target[j])) continue; // never of a NaN
                ++pairs;
                won += p.logit[i] > p.logit[j] ? 1 : p.logit[i] == p.logit[j] ? 0.5 : 0;
            }
        }
        if (pairs > 0) sum += counted * won / pairs, rows += counted;
    }
    CHECK(by_group<Auc>(p, group) == doctest::Approx(sum / rows).epsilon(1e-12));
    CHECK(rows < 180); // some groups did not count
    CHECK(std::isnan(by_group<Auc>(Predictions{1, {1, 2}, {0, 1}}, std::vector<std::int32_t>{1, 2})));
    CHECK_THROWS_WITH_AS(by_group<Auc>(p, std::vector<std::int32_t>{1}),
                         doctest::Contains("a group for each of 200 rows"), Error);
    // Ignored classes are no rows of their group.
    Predictions const classes{2, {1, 0, 1, 0, 1, 0, 0, 1}, {0, -1, -1, 0}};
    CHECK(by_group<Accuracy>(classes, std::vector<std::int32_t>{5, 5, 5, 6}) == 0.5);
}
