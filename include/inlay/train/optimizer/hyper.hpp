// SPDX-License-Identifier: BSD-3-Clause
// What all optimizers share: their numbers, what they know of a step, and decay.
#pragma once

#include <inlay/core/error.hpp>
#include <inlay/core/joined.hpp>
#include <inlay/core/tensor.hpp>
#include <inlay/simd/bits.hpp>
#include <inlay/simd/vec.hpp>

#include <cmath>
#include <limits>
#include <string>
#include <type_traits>

namespace inlay::inline INLAY_ISA {

/// A number of an optimizer. It takes float, double and integers as they are, so that `0.1f` and `0.1` both
/// can be written and a model in double gets all the digits it is given.
struct Hyper {
    double value = 0;
    constexpr Hyper() = default;
    template <class A>
        requires(std::is_arithmetic_v<A>)
    constexpr Hyper(A a) : value(double(a)) {}
    constexpr operator double() const noexcept { return value; }
};

/// What every update of one step has in common.
struct StepInfo {
    std::uint64_t step = 1; ///< from 1, of the whole training: a row of a table may have seen fewer
    double rate = 1;        ///< the schedule's factor on the learning rate
    double count = 1;       ///< valid targets behind the mean gradient
    Kind kind = Kind::matrix;
};

// An optimizer is an aggregate of Hypers with
//   static constexpr int slots          numbers of state for each weight, all zero before the first step
//   void update(s, w, g, a, b, n) const moves n weights by their gradient; a and b are their slots, or null
//   void check() const                  throws Error for a number out of range
//   auto at<T>(s) const                 optional: update without its first argument, for those whose numbers
//                                       cost something at every step: f(w, g, a, b, n)
// Every weight moves by itself, so a table's rows can move alone.

namespace detail {
/// Throws unless a number is at least `least`, and below 1 where that is asked for.
inline void expect_hyper(char const* optimizer, char const* name, double value, double least = 0,
                         bool below_1 = false) {
    if (value >= least && value < (below_1 ? 1 : std::numeric_limits<double>::infinity())) return;
    fail(Error("", joined(optimizer, ", ", name),
               joined(least > 0 ? "a positive number" : "0 or more", below_1 ? ", below 1" : ""),
               std::to_string(value)));
}
/// Decay inside the gradient: `decay` for all, and `row_decay` for rows of tables on top.
template <class O> double decay_in_gradient(O const& o, StepInfo const& s) noexcept {
    return o.decay + (s.kind == Kind::table ? o.row_decay.value : 0.0);
}
/// Decay beside the gradient, as a factor on the weight: of matrices, or of all, and of rows of tables.
template <class O> double decayed(O const& o, StepInfo const& s) noexcept {
    double const all = o.decay_all || s.kind == Kind::matrix ? double(o.decay) : 0.0;
    return 1 - o.learning_rate * s.rate * (all + (s.kind == Kind::table ? o.row_decay.value : 0.0));
}

/// Calls f(load, store) for n numbers, a vector of them at a time: `load(p)` and `store(v, p)` are those of
/// the array at p. Where a square root is taken compilers do not do it, for the sake of errno.
template <class T, class F> void each_vector(std::ptrdiff_t n, F f) noexcept {
    constexpr int W = native_lanes<T>;
    using V = simd::vec<T, W>;
    std::ptrdiff_t i = 0;
    for (; i + W <= n; i += W)
        f([i](T const* p) { return V::load(p + i); }, [i](V v, T* p) { v.store(p + i); });
    int const rest = int(n - i);
    if (rest > 0)
        f([=](T const* p) { return V::load_first(p + i, rest); },
          [=](V v, T* p) { v.store_first(p + i, rest); });
}
} // namespace detail

} // namespace inlay::inline INLAY_ISA
