// SPDX-License-Identifier: BSD-3-Clause
// Texts that say values to keep and values to ignore, and then ask.
#pragma once

#include <inlay/data.hpp>
#include <inlay/inlay.hpp>

#include <limits>
#include <numeric>
#include <vector>

namespace distractors {
using namespace inlay;

constexpr int T = 96, vocabulary = 64;
constexpr int KEEP = 1, IGN = 2, NONE = 3, first_key = 4, words = 30, first_value = first_key + words;
/// Keys that have a value to keep, and keys that have none.
constexpr int known = 6, unknown = 2;
/// Parts of the known keys that get planted values besides.
constexpr double shares[] = {0, 0.25, 0.5, 0.75};

using Row = Record<History<"text", T, Ids<vocabulary>>>;
struct Question {
    int at, answer;           ///< a place, and NONE or a value
    int right;                ///< where the value stands that answers it, or -1
    std::vector<int> planted; ///< where others of its key stand
};
struct Exercise {
    Row::Row row{};
    std::vector<Question> questions; ///< that of key i is the i-th
    int told = 0;                    ///< tokens before the questions
};
/// How much is planted beside values to keep: for a share of the keys, once or twice; or for the first key,
/// so many copies.
struct Plan {
    double share = 0;
    int of_first = -1;
};

inline Exercise make(Plan const& plan, Key key) {
    std::uint64_t draw = 0;
    auto const shuffled = [&](int n) {
        std::vector<int> all(static_cast<std::size_t>(n));
        std::iota(all.begin(), all.end(), 0);
        for (int i = n - 1; i > 0; --i)
            std::swap(all[std::size_t(i)], all[key.below(std::uint64_t(i) + 1, draw++)]);
        return all;
    };
    auto const names = shuffled(words), values = shuffled(words);
    struct Said {
        int tag, who, value;
    };
    std::vector<Said> said;
    for (int i = 0; i < known + unknown; ++i) {
        if (i < known) said.push_back({KEEP, i, values[std::size_t(i)]});
        int times = 1 + int(key.below(2, draw++));
        bool const misled = key.uniform(draw++) < plan.share;
        if (plan.of_first >= 0) times = i == 0 ? plan.of_first : i >= known;
        else if (i < known && !misled) times = 0;
        for (int n = 0; n < times; ++n) said.push_back({IGN, i, values[std::size_t(known + unknown + i)]});
    }
    Exercise text;
    auto& ids = get<0>(text.row);
    ids.count = T;
    text.questions.resize(known + unknown);
    for (int i = 0; i < known + unknown; ++i)
        text.questions[std::size_t(i)] = {0, i < known ? first_value + values[std::size_t(i)] : NONE, -1, {}};
    for (int const s : shuffled(int(said.size()))) {
        Said const& now = said[std::size_t(s)];
        ids.id[text.told++] = now.tag;
        ids.id[text.told++] = first_key + names[std::size_t(now.who)];
        auto& question = text.questions[std::size_t(now.who)];
        if (now.tag == KEEP) question.right = text.told;
        else question.planted.push_back(text.told);
        ids.id[text.told++] = first_value + now.value;
    }
    auto const places = shuffled((T - text.told) / 2);
    for (std::size_t i = 0; i < text.questions.size(); ++i) {
        text.questions[i].at = text.told + 2 * places[i];
        ids.id[text.questions[i].at] = first_key + names[i];
    }
    return text;
}

inline Rows<Row> lessons(std::size_t n, Key key) {
    Rows<Row> rows;
    rows.target.assign(n * T, std::numeric_limits<float>::quiet_NaN());
    for (std::size_t i = 0; i < n; ++i) {
        Exercise const text = make({.share = shares[i % std::size(shares)]}, key.fold(i));
        rows.row.push_back(text.row);
        for (auto const& q : text.questions) rows.target[i * T + std::size_t(q.at)] = float(q.answer);
    }
    return rows;
}

} // namespace distractors
