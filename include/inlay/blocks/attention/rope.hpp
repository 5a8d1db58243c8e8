// SPDX-License-Identifier: BSD-3-Clause
// What blocks of attention do to queries and keys to tell them their places.
#pragma once

#include <inlay/blocks/attention/head_rows.hpp>
#include <inlay/blocks/attention/policies.hpp>
#include <inlay/core/view.hpp>
#include <inlay/kernels/rope.hpp>

namespace inlay::inline INLAY_ISA {
namespace detail {

/// Nothing: heads keep what they are.
template <class R, class Places, int Width> struct Rotation {
    static constexpr bool fits = true, used = false;
    static constexpr std::size_t scratch = 0;
    template <class... A> static void turn(A&&...) noexcept {}
};

/// Rope: turns rows of queries and keys in place, and gradients back.
template <class R, auto Base, class... How, int Width> struct Rotation<R, Rope<Base, How...>, Width> {
    using T = typename R::type;
    using Policy = Rope<Base, How...>;
    static constexpr int turning = Policy::turning(Width);
    static constexpr bool used = true;
    static constexpr bool fits = turning > 0 && turning % 2 == 0 && turning <= Width;
    static constexpr int pairs = turning / 2, room = kernels::detail::angle_room(pairs);
    static constexpr std::size_t scratch = lines(room * sizeof(double)) + 2 * lines(room * sizeof(T));

    /// Rows 0 to n of all heads, the first of which is at place `first`.
    static void turn(std::int64_t first, int n, int heads, HeadRows<T> q, int kv_heads, HeadRows<T> k,
                     T direction, Scratch s) noexcept {
        auto* const frequencies = s.template take<double>(room);
        T* const cos = s.template take<T>(room);
        T* const sin = s.template take<T>(room);
        kernels::rope_frequencies(pairs, pairs, Policy::base, frequencies);
        for (int t = 0; t < n; ++t) {
            kernels::rope_angles(first + t, pairs, frequencies, cos, sin);
            for (int h = 0; h < heads; ++h) rotate(cos, sin, direction, q(h, t));
            for (int h = 0; h < kv_heads; ++h) rotate(cos, sin, direction, k(h, t));
        }
    }

private:
    static void rotate(T const* cos, T const* sin, T direction, T* x) noexcept {
        if constexpr (Policy::interleaved) kernels::rotate_neighbours(pairs, cos, sin, direction, x);
        else kernels::rotate_halves<R::lanes>(pairs, cos, sin, direction, x);
    }
};

} // namespace detail
} // namespace inlay::inline INLAY_ISA
