// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <inlay/config.hpp>

#include <concepts>

namespace inlay::inline INLAY_ISA {

/// Runs independent pieces of work: `run(n, f)` calls f(worker, i) once for each i below n, with worker below
/// `workers()`, no two calls at a time with the same worker, and returns when all are done. What one piece
/// writes, its caller sees behind `run`. Which worker takes which piece is free, so results never depend on
/// it. Pieces do not throw.
template <class E>
concept Executor = requires(E& e, void (*f)(int, int)) {
    { e.workers() } -> std::convertible_to<int>;
    e.run(1, f);
};

/// The calling thread does everything, in order.
struct Serial {
    static constexpr int workers() noexcept { return 1; }
    template <class F> void run(int n, F&& f) const {
        for (int i = 0; i < n; ++i) f(0, i);
    }
};

namespace detail {
/// True for an executor; otherwise its name carries the type into the compiler's message.
template <class E> struct runs_pieces {
    consteval operator bool() const { return Executor<E>; }
};
} // namespace detail

} // namespace inlay::inline INLAY_ISA
