// SPDX-License-Identifier: BSD-3-Clause
// A fixed pool of threads that share the pieces of a run.
#pragma once

#include <inlay/core/error.hpp>
#include <inlay/core/executor.hpp>

#include <atomic>
#include <memory>
#include <mutex>
#include <thread>
#include <type_traits>
#include <vector>

namespace inlay::inline INLAY_ISA {

namespace detail {
/// The caller of a run is worker 0; each other worker is a thread that sleeps between runs.
class Crew {
public:
    explicit Crew(int workers) {
        threads_.reserve(std::size_t(workers - 1));
        for (int w = 1; w < workers; ++w)
            threads_.emplace_back([this, w](std::stop_token stop) { serve(stop, w); });
    }
    Crew(Crew const&) = delete;
    Crew& operator=(Crew const&) = delete;
    ~Crew() {
        for (auto& t : threads_) t.request_stop();
        start(0);
    }

    int workers() const noexcept { return int(threads_.size()) + 1; }

    template <class F> void run(int pieces, F& f) noexcept {
        std::lock_guard const alone(turn_);
        if (pieces < 2 || threads_.empty()) {
            for (int i = 0; i < pieces; ++i) f(0, i);
            return;
        }
        f_ = const_cast<void*>(static_cast<void const*>(&f));
        call_ = [](void* g, int w, int i) noexcept { (*static_cast<F*>(g))(w, i); };
        start(pieces);
        work(0);
        for (int left; (left = busy_.load(std::memory_order_acquire)) > 0;) busy_.wait(left);
    }

private:
    using Call = void (*)(void*, int, int) noexcept;

    void start(int pieces) noexcept {
        pieces_ = pieces;
        next_.store(0, std::memory_order_relaxed);
        busy_.store(int(threads_.size()), std::memory_order_relaxed);
        round_.fetch_add(1, std::memory_order_release);
        round_.notify_all();
    }
    void work(int worker) noexcept {
        for (int i; (i = next_.fetch_add(1, std::memory_order_relaxed)) < pieces_;) call_(f_, worker, i);
    }
    void serve(std::stop_token const& stop, int worker) noexcept {
        for (unsigned seen = 0;; ++seen) {
            while (round_.load(std::memory_order_acquire) == seen) round_.wait(seen);
            if (stop.stop_requested()) return;
            work(worker);
            if (busy_.fetch_sub(1, std::memory_order_release) == 1) busy_.notify_one();
        }
    }

    std::mutex turn_;
    void* f_ = nullptr;
    Call call_ = nullptr;
    int pieces_ = 0;
    std::atomic<int> next_{0}, busy_{0};
    std::atomic<unsigned> round_{0};
    std::vector<std::jthread> threads_; // last, so that they end before what they read
};
} // namespace detail

/// An Executor of n threads, the calling one included, that live as long as it does; 0 stands for as many as
/// the machine runs at once. Pieces go to whoever is free; a run allocates nothing. Copies share the threads,
/// and runs from several threads wait for one another. A run from within a piece never returns, and a piece
/// that throws ends the program. `Trainer<M, Loss, B, Opt, Threads>(net, options, Threads(4))`.
class Threads {
public:
    Threads() : Threads(0) {}
    /// Throws Error for n below 0.
    explicit Threads(int n) {
        if (n < 0) detail::fail(Error("", "Threads", "a count, or 0 for the machine's", std::to_string(n)));
        if (n == 0) n = int(std::thread::hardware_concurrency());
        crew_ = std::make_shared<detail::Crew>(n > 0 ? n : 1);
    }
    int workers() const noexcept { return crew_->workers(); }
    template <class F> void run(int n, F&& f) const noexcept { crew_->run(n, f); }

private:
    std::shared_ptr<detail::Crew> crew_;
};

} // namespace inlay::inline INLAY_ISA
