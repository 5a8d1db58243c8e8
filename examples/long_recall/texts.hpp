// SPDX-License-Identifier: BSD-3-Clause
// Two kinds of texts that say something once and ask for it later. Needles: in noise, NEEDLE key value, and
// later ASK key, which the value should follow. Passkeys: among repetitions of one sentence, PASS and four
// digits, all different, and later TELL, which the digits of the last one should follow.
#pragma once

#include <inlay/core/random.hpp>

#include <array>
#include <cstdint>
#include <vector>

constexpr int noises = 20, sentence = 12, needle = 20, ask = 21, pass = 22, tell = 23, first_key = 24,
              keys = 8, first_value = 32, values = 16, vocabulary = first_value + values, digits = 4;

class Draw {
public:
    explicit Draw(inlay::Key key) : key_(key) {}
    int operator()(int below) { return int(key_.below(std::uint64_t(below), draws_++)); }

private:
    inlay::Key key_;
    std::uint64_t draws_ = 0;
};

/// What stands between: noise, or a sentence of its own again and again.
class Filler {
public:
    explicit Filler(bool noise) : noise_(noise) {}
    int operator()(Draw& draw) { return noise_ ? draw(noises) : at_++ % sentence; }

private:
    bool noise_;
    int at_ = 0;
};

using Passkey = std::array<int, digits>;
inline Passkey draw_passkey(Draw& draw) {
    Passkey p{};
    for (int i = 0; i < digits;) {
        p[std::size_t(i)] = first_value + draw(values);
        bool fresh = true;
        for (int j = 0; j < i; ++j) fresh = fresh && p[std::size_t(j)] != p[std::size_t(i)];
        i += fresh;
    }
    return p;
}

/// Appends a text of `length` ids to learn from, needles or passkeys, in which something is said or asked
/// about every `apart` ids.
inline void append_lesson(std::vector<std::int32_t>& ids, int length, bool needles, int apart, Draw& draw) {
    auto const end = ids.size() + std::size_t(length);
    Filler filler(needles);
    int value_of[keys] = {};
    std::vector<int> known;
    Passkey passkey{};
    bool said = false;
    for (;;) {
        for (int gap = draw(2 * apart); gap > 0 && ids.size() < end; --gap) ids.push_back(filler(draw));
        if (ids.size() + 1 + digits > end) break;
        if (needles) {
            bool const tells = known.empty() || draw(4) == 0;
            int const key = tells ? draw(keys) : known[std::size_t(draw(int(known.size())))];
            if (tells) {
                if (!value_of[key]) known.push_back(key);
                value_of[key] = first_value + draw(values);
            }
            ids.insert(ids.end(), {tells ? needle : ask, first_key + key, value_of[key]});
        } else {
            bool const tells = !said || draw(4) == 0;
            if (tells) passkey = draw_passkey(draw), said = true;
            ids.push_back(tells ? pass : tell);
            ids.insert(ids.end(), passkey.begin(), passkey.end());
        }
    }
    while (ids.size() < end) ids.push_back(filler(draw));
}
