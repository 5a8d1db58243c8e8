// SPDX-License-Identifier: BSD-3-Clause
// Executors that take the pieces of a step in orders of their own.
#pragma once

#include <algorithm>
#include <atomic>
#include <functional>
#include <numeric>
#include <random>
#include <thread>
#include <vector>

namespace executors {

/// N threads; whoever is free takes the next piece.
struct Threads {
    int n = 1;
    int workers() const noexcept { return n; }
    template <class F> void run(int pieces, F&& f) const {
        std::atomic<int> next{0};
        std::vector<std::thread> threads;
        for (int w = 0; w < n; ++w)
            threads.emplace_back([&, w] {
                for (int i; (i = next++) < pieces;) f(w, i);
            });
        for (auto& t : threads) t.join();
    }
};

/// One thread that plays N workers, pieces and workers in a random order.
struct Shuffled {
    int n = 1;
    std::mt19937 random{1};
    int workers() const noexcept { return n; }
    template <class F> void run(int pieces, F&& f) {
        std::vector<int> order(static_cast<std::size_t>(pieces));
        std::iota(order.begin(), order.end(), 0);
        std::shuffle(order.begin(), order.end(), random);
        for (int const i : order) f(int(random() % unsigned(n)), i);
    }
};

/// Tells an observer before each run.
struct Watched {
    std::function<void()> const* before = nullptr;
    int workers() const noexcept { return 1; }
    template <class F> void run(int pieces, F&& f) const {
        if (before) (*before)();
        for (int i = 0; i < pieces; ++i) f(0, i);
    }
};

} // namespace executors
