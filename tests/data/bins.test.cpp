// SPDX-License-Identifier: BSD-3-Clause
#include <inlay/data/bins.hpp>

#include <doctest/doctest.h>

#include <random>

using namespace inlay;
using namespace inlay::detail;

namespace {

using Numbers = std::vector<double>;
auto const as_it_is = [](double x) { return x; };

std::vector<Sample> samples(Numbers const& x, Numbers const& target = {}) {
    std::vector<Sample> all;
    for (std::size_t i = 0; i < x.size(); ++i)
        all.push_back({x[i], target.empty() ? 0.0f : float(target[i])});
    return all;
}
template <int N> Numbers quantiles(Numbers const& x) {
    return learn_bins(Quantiles<N>{}, samples(x)).edges();
}
template <int N, int Least> Numbers tree(Numbers const& x, Numbers const& target) {
    return learn_bins(TargetBins<N, Least>{}, samples(x, target)).edges();
}
/// The encoding by its definition, from edges alone.
Numbers by_definition(double x, Numbers const& b) {
    std::size_t const T = b.size() - 1;
    Numbers v;
    for (std::size_t t = 1; t <= T; ++t) {
        double y = (x - b[t - 1]) / (b[t] - b[t - 1]);
        if (t > 1) y = std::fmax(y, 0);
        if (t < T) y = std::fmin(y, 1);
        v.push_back(y);
    }
    return v;
}
/// The encoding that a bin and a part of it stand for.
Numbers by_part(double x, Bins const& bins) {
    Numbers v(std::size_t(bins.count()));
    auto const id = std::size_t(bins.id(x));
    for (std::size_t t = 1; t < id; ++t) v[t - 1] = 1;
    v[id - 1] = bins.part(x, std::int32_t(id), as_it_is);
    return v;
}

/// Squared deviations of the targets from the mean of their bin, all bins.
double impurity(std::vector<Sample> const& all, Numbers const& inner) {
    double total = 0;
    for (std::size_t k = 0; k <= inner.size(); ++k) {
        std::vector<double> in;
        for (auto const& s : all)
            if ((k == 0 || s.x >= inner[k - 1]) && (k == inner.size() || s.x < inner[k]))
                in.push_back(double(s.target));
        double mean = 0;
        for (double t : in) mean += t / double(in.size());
        for (double t : in) total += (t - mean) * (t - mean);
    }
    return total;
}
/// The tree grown naively: every cut between two different numbers is tried, and the best one of all kept.
Numbers grown(std::vector<Sample> const& all, int n, std::size_t least) {
    Numbers values, inner;
    for (auto const& s : all) values.push_back(s.x);
    std::sort(values.begin(), values.end());
    values.erase(std::unique(values.begin(), values.end()), values.end());
    auto const count = [&](double from, double to) {
        return std::size_t(
            std::count_if(all.begin(), all.end(), [&](auto const& s) { return s.x >= from && s.x < to; }));
    };
    while (int(inner.size()) + 1 < n) {
        double best = impurity(all, inner) - 1e-6;
        Numbers with;
        for (std::size_t i = 1; i < values.size(); ++i) {
            double const cut = (values[i - 1] + values[i]) / 2;
            if (std::find(inner.begin(), inner.end(), cut) != inner.end()) continue;
            Numbers trial = inner;
            trial.push_back(cut);
            std::sort(trial.begin(), trial.end());
            auto const at = std::size_t(std::find(trial.begin(), trial.end(), cut) - trial.begin());
            double const from = at ? trial[at - 1] : -1e300,
                         to = at + 1 < trial.size() ? trial[at + 1] : 1e300;
            if (count(from, cut) < least || count(cut, to) < least) continue;
            if (double const left = impurity(all, trial); left < best) best = left, with = trial;
        }
        if (with.empty()) break;
        inner = with;
    }
    inner.insert(inner.begin(), values.front());
    inner.push_back(values.back());
    return inner;
}

} // namespace

TEST_CASE("piecewise-linear: the worked vectors") {
    Bins const bins{{0, 10, 20, 40}};
    CHECK(by_part(-5, bins) == Numbers{-0.5, 0, 0});
    CHECK(by_part(15, bins) == Numbers{1, 0.5, 0});
    CHECK(by_part(30, bins) == Numbers{1, 1, 0.5});
    CHECK(by_part(50, bins) == Numbers{1, 1, 1.5});
    CHECK(by_part(10, bins) == Numbers{1, 0, 0});
    Bins const one{{2, 4}}; // a single bin is open on both sides
    CHECK(by_part(0, one) == Numbers{-1});
    CHECK(by_part(8, one) == Numbers{3});
}

TEST_CASE("piecewise-linear is its definition, and continuous, and tells any two numbers apart") {
    Numbers const edges{-3, -1, 0.5, 0.75, 6};
    Bins const bins{edges};
    double before = -1e9;
    for (double x = -5; x < 9; x += 1.0 / 64) {
        auto const v = by_part(x, bins);
        CHECK(v == by_definition(x, edges));
        double sum = 0;
        for (double y : v) sum += y;
        CHECK(sum > before);
        CHECK((x == -5 || sum - before < 0.07)); // the steepest bin has a slope of 4
        before = sum;
    }
}

TEST_CASE("quantiles are those of NumPy") {
    CHECK(quantiles<4>({32, 1, 8, 2, 16, 4}) == Numbers{1, 2.5, 6, 14, 32});
    Numbers hundred;
    for (int i = 100; i >= 0; --i) hundred.push_back(i);
    CHECK(quantiles<5>(hundred) == Numbers{0, 20, 40, 60, 80, 100});
    CHECK(quantiles<1>(hundred) == Numbers{0, 100});
    CHECK(quantiles<8>({1, 2}) == Numbers{1, 1.125, 1.25, 1.375, 1.5, 1.625, 1.75, 1.875, 2});
    CHECK(quantiles<4>({1, 5, 5, 5, 5, 5, 9}) == Numbers{1, 5, 9}); // equal ones are one
}

TEST_CASE("a number that fills a bucket by itself at either end has one to itself") {
    Numbers const gains{0, 0, 0, 0, 0, 0, 0, 0, 100, 200};
    auto const bins = learn_bins(Quantiles<4>{}, samples(gains));
    CHECK(bins.edges() == Numbers{0, 50, 200});
    CHECK(bins.id(0) == 1);
    CHECK(bins.id(100) == 2);
    auto const stars = learn_bins(Quantiles<4>{}, samples({1, 3, 4, 5, 5, 5, 5, 5}));
    CHECK(stars.id(4) + 1 == stars.id(5));
    CHECK(stars.edges().back() == 5);
}

TEST_CASE("a column without range, and one without numbers, is one bin") {
    for (double c : {0.0, 7.0, -1e30}) {
        auto const bins = learn_bins(Quantiles<4>{}, samples({c, c, c}));
        CHECK(bins.count() == 1);
        CHECK(bins.id(c) == 1);
        CHECK(bins.part(c, 1, as_it_is) == 0);
        CHECK(std::isfinite(bins.part(c + 1, 1, as_it_is)));
        CHECK(learn_bins(TargetBins<4, 1>{}, samples({c, c, c}, {0, 1, 0})).edges() == bins.edges());
    }
    CHECK(quantiles<4>({}) == Numbers{0, 1});
    CHECK(tree<4, 1>({}, {}) == Numbers{0, 1});
}

TEST_CASE("neighbours that no number lies between are still told apart") {
    double const a = 1, b = std::nextafter(1.0, 2.0);
    auto const bins = learn_bins(TargetBins<2, 1>{}, samples({a, a, b, 3}, {0, 0, 1, 1}));
    CHECK(bins.id(a) == 1);
    CHECK(bins.id(b) == 2);
}

TEST_CASE("edges that are one on the curve's scale give no part of a bin") {
    Bins const bins{{0, 1e16, 1e16 + 2, 3e16}};
    CHECK(bins.part(1e16, bins.id(1e16), [](double x) { return std::log1p(x); }) == 0);
}

TEST_CASE("target-aware bins: cuts where the target changes, best first, with enough rows on both sides") {
    Numbers const x{1, 2, 3, 4, 5, 6, 7, 8}, step{0, 0, 0, 1, 1, 1, 1, 0};
    CHECK(tree<2, 1>(x, step) == Numbers{1, 3.5, 8});
    CHECK(tree<3, 1>(x, step) == Numbers{1, 3.5, 7.5, 8});
    CHECK(tree<9, 1>(x, step) == Numbers{1, 3.5, 7.5, 8}); // pure leaves are not cut
    CHECK(tree<3, 2>(x, step) == Numbers{1, 3.5, 6.5, 8});
    CHECK(tree<3, 5>(x, step) == Numbers{1, 8});
    CHECK(tree<4, 1>({5, 5, 5, 5}, {0, 1, 0, 1}) == Numbers{5, 10});
    CHECK(tree<3, 1>({8, 7, 6, 5, 4, 3, 2, 1}, {0, 1, 1, 1, 1, 0, 0, 0}) ==
          Numbers{1, 3.5, 7.5, 8});                                         // any order
    CHECK(tree<4, 1>({1, 2, 3, 4}, {0.1, 0.1, 0.1, 0.1}) == Numbers{1, 4}); // rounding cuts nothing
}

TEST_CASE("target-aware bins are those of a tree grown naively") {
    std::mt19937 random(3);
    for (int round = 0; round < 12; ++round) {
        Numbers x, target;
        for (int i = 0; i < 60; ++i) {
            x.push_back(double(random() % 23));
            double const p = std::sin(x.back() * (1 + round)) * 0.5 + 0.5;
            target.push_back(round % 2 ? double(double(random() % 1000) < 1000 * p)
                                       : p + double(random() % 8) / 8);
        }
        auto const least = std::size_t(1 + round % 4);
        auto const learnt = [&] {
            auto all = samples(x, target);
            sort_samples(all);
            return target_bins(all, 7, int(least)).edges();
        }();
        CHECK(learnt == grown(samples(x, target), 7, least));
    }
}
