// SPDX-License-Identifier: BSD-3-Clause
// Texts that end in questions, and what is answered behind them.
#pragma once

#include <inlay/data.hpp>
#include <inlay/inlay.hpp>

#include <limits>
#include <numeric>
#include <vector>

namespace frontier {
using namespace inlay;

/// A prompt of P tokens, of which the last ones ask, and the answers.
constexpr int T = 512, answered = 16, P = T - answered;
constexpr int MARK = 1, ASK = 2, first_key = 3, keys = 64, first_value = first_key + keys, values = 64,
              first_letter = first_value + values, letters = 64, vocabulary = first_letter + letters;
/// Pairs of a key and a value that a text of recall says, and those that are asked for.
constexpr int pairs = 48, asked = answered / 2;

using Row = Record<History<"text", T, Ids<vocabulary>>>;
struct Exercise {
    Row::Row row{};
    std::vector<int> target = std::vector<int>(T, -1); ///< the next token, where it is known
};
enum class Task { needle, recall };

class Draw {
public:
    explicit Draw(Key key) : key_(key) {}
    int below(int n) { return int(key_.below(std::uint64_t(n), count_++)); }
    /// `count` different numbers of 0..n-1.
    std::vector<int> some(int count, int n) {
        std::vector<int> all(static_cast<std::size_t>(n));
        std::iota(all.begin(), all.end(), 0);
        for (int i = 0; i < count; ++i) std::swap(all[std::size_t(i)], all[std::size_t(i + below(n - i))]);
        all.resize(static_cast<std::size_t>(count));
        return all;
    }

private:
    Key key_;
    std::uint64_t count_ = 0;
};

/// Letters, and among them: one key with a long value, MARK k v v v ..., or many with a short one, k v. The
/// prompt ends in ASK k, or in ASK k k k ...; then the answers are said, k v v v ..., or k v k v ...
inline Exercise make(Task task, Key key) {
    Draw draw(key);
    Exercise text;
    auto& ids = get<0>(text.row);
    ids.count = T;
    for (int t = 0; t < T; ++t) ids.id[t] = first_letter + draw.below(letters);
    auto const answer = [&](int at, int value) { text.target[std::size_t(at)] = first_value + value; };
    if (task == Task::needle) {
        int const name = first_key + draw.below(keys), at = draw.below(P - answered - 4);
        auto const value = draw.some(answered, values);
        ids.id[at] = MARK, ids.id[at + 1] = ids.id[P - 1] = ids.id[P] = name, ids.id[P - 2] = ASK;
        answer(P - 1, value[0]);
        for (int i = 0; i < answered; ++i) {
            ids.id[at + 2 + i] = first_value + value[std::size_t(i)];
            if (i + 1 < answered) ids.id[P + 1 + i] = first_value + value[std::size_t(i)];
            answer(P + i, value[std::size_t(i)]);
        }
    } else {
        auto const name = draw.some(pairs, keys), value = draw.some(pairs, values),
                   place = draw.some(pairs, (P - asked - 1) / 2);
        ids.id[P - asked - 1] = ASK;
        for (int i = 0; i < pairs; ++i) {
            int const at = 2 * place[std::size_t(i)];
            ids.id[at] = first_key + name[std::size_t(i)];
            ids.id[at + 1] = first_value + value[std::size_t(i)];
            if (i >= asked) continue;
            ids.id[P - asked + i] = ids.id[P + 2 * i] = ids.id[at], ids.id[P + 2 * i + 1] = ids.id[at + 1];
            answer(P - asked + i, value[std::size_t(i)]), answer(P + 2 * i, value[std::size_t(i)]);
        }
    }
    return text;
}

/// Many questions about what is said in the first part: what makes learning short.
inline Exercise drill(Task task, Key key) {
    Draw draw(key);
    Exercise text;
    auto& ids = get<0>(text.row);
    ids.count = T;
    constexpr int long_one = answered + 2;
    for (int t = 0; t < T; ++t) ids.id[t] = first_letter + draw.below(letters);
    bool const is_long = task == Task::needle;
    int const hard = 1 << draw.below(4);
    int const count = is_long ? (hard + 1) / 2 : pairs * hard / 8, size = is_long ? answered : 1,
              told = count * (is_long ? long_one : 3);
    auto const name = draw.some(count, keys);
    std::vector<std::vector<int>> value;
    auto const place = draw.some(count, is_long ? told / long_one : told / 2),
               single = draw.some(count, values);
    for (int i = 0; i < count; ++i) {
        value.push_back(is_long ? draw.some(answered, values) : std::vector{single[std::size_t(i)]});
        int at = place[std::size_t(i)] * (is_long ? long_one : 2);
        if (is_long) ids.id[at++] = MARK;
        ids.id[at++] = first_key + name[std::size_t(i)];
        for (int const v : value.back()) ids.id[at++] = first_value + v;
    }
    for (int at = told; at + size < T;) {
        auto const i = std::size_t(draw.below(count));
        ids.id[at] = first_key + name[i];
        for (int const v : value[i]) text.target[std::size_t(at)] = ids.id[at + 1] = first_value + v, ++at;
        ++at;
    }
    return text;
}

inline Rows<Row> lessons(std::size_t n, Key key) {
    Rows<Row> rows;
    rows.target.assign(n * T, std::numeric_limits<float>::quiet_NaN());
    for (std::size_t i = 0; i < n; ++i) {
        Task const task = i % 2 ? Task::needle : Task::recall;
        Exercise const text = i % 8 < 2 ? make(task, key.fold(i)) : drill(task, key.fold(i));
        rows.row.push_back(text.row);
        for (int t = 0; t < T; ++t)
            if (int const next = text.target[std::size_t(t)]; next >= 0)
                rows.target[i * T + std::size_t(t)] = float(next);
    }
    return rows;
}

} // namespace frontier
