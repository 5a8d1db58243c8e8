// SPDX-License-Identifier: BSD-3-Clause
// EASE and popularity on visits to microsoft.com (UCI Anonymous Microsoft Web Data), the last visit of each
// user held out.
//
//     ease anonymous-msweb.data anonymous-msweb.test [l2]
//
// Without files it makes up users of a few tastes and checks that EASE finds them.
#include <inlay/inlay.hpp>
#include <inlay/solve.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <map>
#include <random>
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
void print(char const* name, Quality const& q) {
    std::printf("%-12s HR@1 %.4f  HR@5 %.4f  HR@10 %.4f  NDCG@10 %.4f  (%d users)\n", name, q.hit[0],
                q.hit[1], q.hit[2], q.ndcg, q.users);
}
} // namespace

int main(int count, char** argument) {
    bool const from_files = count > 2;
    Visits train = from_files ? read(argument[1]) : made_up(2000, 1);
    Visits test = from_files ? read(argument[2]) : made_up(500, 2);
    double const l2 = count > 3 ? std::stod(argument[3]) : 10;
    if (train.empty() || test.empty()) return std::printf("no users in the files\n"), 1;

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
    auto const start = std::chrono::steady_clock::now();
    auto const model = Ease::fit(chosen, l2);
    std::chrono::duration<double> const seconds = std::chrono::steady_clock::now() - start;
    int negative = 0;
    for (float w : model.weight) negative += w < 0;

    std::vector<float> popularity(std::size_t(items), 0.0f);
    for (std::int32_t i : chosen.item) popularity[std::size_t(i)] += 1;
    auto const popular = measure(test, items, [&](auto, std::span<float> scores) {
        std::copy(popularity.begin(), popularity.end(), scores.begin());
    });
    auto const ease = measure(test, items, [&](auto history, auto scores) { model.score(history, scores); });
    std::printf("%zu users, %d items; fitted in %.3f s; %.1f %% of the weights are negative\n",
                chosen.users(), items, seconds.count(), 100.0 * negative / double(model.weight.size()));
    print("popularity", popular);
    print("EASE", ease);
    return ease.hit[2] > popular.hit[2] ? 0 : 1;
}
