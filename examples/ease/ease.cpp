// SPDX-License-Identifier: BSD-3-Clause
// EASE (arXiv 1905.03375) and popularity on visits to microsoft.com (UCI Anonymous Microsoft Web Data), the
// last visit of each test user held out, or on MovieLens 1M, the last movie of each user.
//
//     ease anonymous-msweb.data anonymous-msweb.test
//     ease SEQUENCES
//
// SEQUENCES has a line a user, items oldest first, such as ml-1m.txt of SASRec's authors grouped by user: all
// but the last two train, and all but the last are known when that is to be found. Without files it makes up
// users of a few tastes and checks that EASE finds them. A row for each l2; results go to ease.csv and
// ease.svg.
#include <inlay/inlay.hpp>
#include <inlay/solve.hpp>

#include "../plot.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <map>
#include <random>
#include <sstream>
#include <string>

using namespace inlay;

namespace {
using Visits = std::vector<std::vector<std::int32_t>>;

/// Users of a file, their visits in order: lines `C,"user",user` and `V,area,1`.
Visits read(char const* path) {
    std::ifstream in(path);
    Visits users;
    for (std::string line; std::getline(in, line);) {
        if (line.rfind("C,", 0) == 0) users.emplace_back();
        else if (line.rfind("V,", 0) == 0 && !users.empty())
            users.back().push_back(std::int32_t(std::stol(line.substr(2))));
    }
    return users;
}

/// Items of each line.
Visits read_sequences(char const* path) {
    std::ifstream in(path);
    Visits users;
    for (std::string line; std::getline(in, line);) {
        std::istringstream words(line);
        std::vector<std::int32_t> own;
        for (std::int32_t item; words >> item;) own.push_back(item);
        if (own.size() > 2) users.push_back(own);
    }
    return users;
}

/// Users of one of five tastes; most of what they choose is of that taste.
Visits made_up(int users, unsigned seed) {
    std::mt19937 random(seed);
    Visits all;
    for (int u = 0; u < users; ++u) {
        int const taste = int(random() % 5);
        std::vector<std::int32_t> own;
        while (own.size() < 6) {
            auto const item =
                std::int32_t(random() % 10 < 8 ? unsigned(taste) * 12 + random() % 12 : random() % 60);
            if (std::find(own.begin(), own.end(), item) == own.end()) own.push_back(item);
        }
        all.push_back(own);
    }
    return all;
}

struct Quality {
    double hit[3]{}, ndcg = 0; ///< among the first 1, 5 and 10; of the first 10
    int users = 0;
};
/// The rank of the last visit among the items that are not among the others, ties by the lower item.
template <class Score> Quality measure(Visits const& users, int items, Score score) {
    Quality q;
    std::vector<float> scores(static_cast<std::size_t>(items));
    for (auto const& visits : users) {
        if (visits.size() < 2) continue;
        std::span<std::int32_t const> const history(visits.data(), visits.size() - 1);
        std::int32_t const target = visits.back();
        ++q.users;
        if (target < 0) continue; // never seen in training
        score(history, std::span<float>(scores));
        int rank = 0;
        for (std::int32_t i = 0; i < items; ++i) {
            float const s = scores[std::size_t(i)], t = scores[std::size_t(target)];
            bool const seen = std::find(history.begin(), history.end(), i) != history.end();
            rank += !seen && i != target && (s > t || (s == t && i < target));
        }
        int const cut[] = {1, 5, 10};
        for (int k = 0; k < 3; ++k) q.hit[k] += rank < cut[k];
        if (rank < 10) q.ndcg += 1 / std::log2(rank + 2.0);
    }
    for (double& h : q.hit) h /= q.users;
    q.ndcg /= q.users;
    return q;
}
} // namespace

int main(int count, char** argument) try {
    if (count > 3) return std::fprintf(stderr, "usage: ease [DATA TEST | SEQUENCES]\n"), 2;
    Visits train, test;
    if (count == 2) {
        train = test = read_sequences(argument[1]);
        for (auto& items : train) items.resize(items.size() - 2);
    } else {
        train = count > 2 ? read(argument[1]) : made_up(2000, 1);
        test = count > 2 ? read(argument[2]) : made_up(500, 2);
    }
    if (train.empty() || test.empty()) return std::fprintf(stderr, "no users in the files\n"), 1;

    // Items are the areas that occur in training, by number.
    std::map<std::int32_t, std::int32_t> place;
    for (auto const& visits : train)
        for (std::int32_t area : visits) place[area] = 0;
    std::int32_t items = 0;
    for (auto& [area, at] : place) at = items++;
    auto const renumber = [&](Visits& users) {
        for (auto& visits : users)
            for (std::int32_t& area : visits) area = place.count(area) ? place[area] : -1;
    };
    renumber(train), renumber(test);
    for (auto& visits : test)
        if (visits.size() > 1)
            visits.erase(std::remove(visits.begin(), visits.end() - 1, -1), visits.end() - 1);

    Interactions chosen{.items = items};
    for (auto& visits : train) {
        std::sort(visits.begin(), visits.end());
        visits.erase(std::unique(visits.begin(), visits.end()), visits.end());
        chosen.add(visits);
    }
    std::FILE* const file = std::fopen("ease.csv", "w");
    if (!file) return std::fprintf(stderr, "cannot write ease.csv\n"), 1;
    std::fprintf(file, "model,l2,hr1,hr5,hr10,ndcg10,negative_weights\n");
    std::printf("%zu users, %d items\n%-22s HR@1   HR@5   HR@10  NDCG@10\n", chosen.users(), items, "");
    auto const report = [&](char const* name, double l2, Quality const& q, double negative) {
        std::printf("%-10s l2 %-8g %.4f %.4f %.4f %.4f", name, l2, q.hit[0], q.hit[1], q.hit[2], q.ndcg);
        std::fprintf(file, "%s,%g,%.4f,%.4f,%.4f,%.4f,%.4f\n", name, l2, q.hit[0], q.hit[1], q.hit[2], q.ndcg,
                     negative);
    };
    std::vector<float> popularity(std::size_t(items), 0.0f);
    for (std::int32_t i : chosen.item) popularity[std::size_t(i)] += 1;
    auto const popular = measure(test, items, [&](auto, std::span<float> scores) {
        std::copy(popularity.begin(), popularity.end(), scores.begin());
    });
    report("popularity", 0, popular, 0);
    std::printf("\n");
    Curve curves[] = {{"EASE", {}, {}}, {"popularity", {}, {}}};
    double best = 0;
    auto const grid = count == 2 ? std::vector{100.0, 500.0, 2000.0} : std::vector{1.0, 10.0, 100.0, 1000.0};
    for (double const l2 : grid) {
        auto const start = std::chrono::steady_clock::now();
        auto const model = Ease::fit(chosen, l2);
        std::chrono::duration<double> const seconds = std::chrono::steady_clock::now() - start;
        auto const negative =
            std::count_if(model.weight.begin(), model.weight.end(), [](float w) { return w < 0; });
        auto const q = measure(test, items, [&](auto history, auto scores) { model.score(history, scores); });
        double const share = double(negative) / double(model.weight.size());
        report("EASE", l2, q, share);
        std::printf("   fitted in %.3f s, %.1f %% of the weights negative\n", seconds.count(), 100 * share);
        curves[0].x.push_back(std::log10(l2)), curves[0].y.push_back(q.ndcg);
        curves[1].x.push_back(std::log10(l2)), curves[1].y.push_back(popular.ndcg);
        best = std::max(best, q.hit[2]);
    }
    std::fclose(file);
    plot("ease.svg", {"NDCG@10 of the item held out", "l2, log10", "NDCG@10"}, {curves[0], curves[1]});
    return best > popular.hit[2] ? 0 : 1;
} catch (std::exception const& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 1;
}
