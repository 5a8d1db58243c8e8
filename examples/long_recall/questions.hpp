// SPDX-License-Identifier: BSD-3-Clause
// Streams of any length, read token by token, and what a model still knows at their end.
#pragma once

#include <inlay/inlay.hpp>

#include "texts.hpp"

#include <algorithm>
#include <chrono>
#include <memory>

constexpr int depths = 5;

using Clock = std::chrono::steady_clock;
inline double since(Clock::time_point begin) {
    return std::chrono::duration<double>(Clock::now() - begin).count();
}

template <class M> class Reader {
public:
    explicit Reader(typename M::Params const& params) : params_(params), state_(new typename M::State) {
        inlay::reset<M>(*state_);
    }
    void read(int id) { M::step(params_, *state_, id, scores_); }
    /// The most likely of the values, after what was read.
    int guess() const { return int(std::max_element(scores_ + first_value, scores_ + vocabulary) - scores_); }
    /// Does something, and then is where it was.
    template <class F> auto aside(F f) {
        auto const here = std::make_unique<inlay::Snapshot<M>>(inlay::snapshot<M>(*state_));
        auto const answer = f();
        inlay::restore<M>(*state_, *here);
        return answer;
    }

private:
    typename M::Params const& params_;
    std::unique_ptr<typename M::State> state_;
    float scores_[vocabulary];
};

/// Of a stream of noise with a needle at each depth, which are recalled at its end.
template <class M>
std::array<bool, depths> needles(typename M::Params const& params, int tokens, inlay::Key key) {
    Draw draw(key);
    Filler filler(true);
    Reader<M> reader(params);
    int value[depths], which[keys];
    for (int i = 0; i < keys; ++i) which[i] = i;
    for (int i = 0; i < depths; ++i) {
        std::swap(which[i], which[i + draw(keys - i)]);
        value[i] = first_value + draw(values);
    }
    int const room = tokens - 3 * depths - 2; // for noise
    for (int i = 0, read = 0; i < depths; ++i) {
        // The last depth is a few tokens before the end, so that no answer is the token just read.
        for (int const until = int(std::int64_t(room - 8) * i / (depths - 1)); read < until; ++read)
            reader.read(filler(draw));
        for (int const id : {needle, first_key + which[i], value[i]}) reader.read(id);
    }
    for (int i = 0; i < 8; ++i) reader.read(filler(draw));
    std::array<bool, depths> right{};
    for (int i = 0; i < depths; ++i)
        right[std::size_t(i)] = reader.aside([&] {
            reader.read(ask), reader.read(first_key + which[i]);
            return reader.guess() == value[i];
        });
    return right;
}

/// Of a passkey at the beginning of a stream, whether all digits are recalled when each length is reached.
/// Adds to the seconds that reading took, and to the tokens read.
template <class M>
std::vector<bool> passkey(typename M::Params const& params, std::vector<int> const& lengths, inlay::Key key,
                          double& seconds, double& tokens) {
    Draw draw(key);
    Filler filler(false);
    Reader<M> reader(params);
    auto const code = draw_passkey(draw);
    reader.read(pass);
    for (int const digit : code) reader.read(digit);
    int read = 1 + digits;
    std::vector<bool> right;
    for (int const end : lengths) {
        auto const begin = Clock::now();
        tokens += std::max(end - 1 - digits - read, 0);
        for (; read < end - 1 - digits; ++read) reader.read(filler(draw));
        seconds += since(begin);
        right.push_back(reader.aside([&] {
            bool all = true;
            reader.read(tell);
            for (int const digit : code) {
                all = all && reader.guess() == digit;
                reader.read(reader.guess());
            }
            return all;
        }));
    }
    return right;
}
