// SPDX-License-Identifier: BSD-3-Clause
// Lanes that change places, by constants known to the compiler.
#pragma once

#include <inlay/simd/vec.hpp>

#include <utility>

#if defined(__has_builtin)
#if __has_builtin(__builtin_shufflevector)
#define INLAY_HAS_SHUFFLE 1
#endif
#endif

namespace inlay::inline INLAY_ISA {
namespace simd {

namespace detail {
/// Lanes of a 128-bit block: within it x86 shuffles in one cycle, and across blocks it moves whole blocks.
template <class T, int W>
inline constexpr int block_lanes = W < int(16 / sizeof(T)) ? W : int(16 / sizeof(T));

/// Lane i of the result is lane index(i) of a, or lane index(i) - W of b.
template <class Index, class T, int W, int... I>
INLAY_INLINE vec<T, W> shuffle(vec<T, W> a, vec<T, W> b, std::integer_sequence<int, I...>) noexcept {
#if defined(INLAY_HAS_SHUFFLE)
    if constexpr (vec<T, W>::is_register) {
        using N = typename vec<T, W>::native;
        using Machine = typename N::register_type;
        return {N(Machine(__builtin_shufflevector(Machine(a.v), Machine(b.v), Index::at(I)...)))};
    } else
#endif
    {
        T from[std::size_t(2 * W)], to[std::size_t(W)];
        a.store(from);
        b.store(from + W);
        ((to[I] = from[Index::at(I)]), ...);
        return vec<T, W>::load(to);
    }
}
/// The lower (Upper = 0) or upper half of a, then that of b.
template <class T, int W, int Upper> struct Halves {
    static constexpr int at(int i) { return i % (W / 2) + Upper * (W / 2) + i / (W / 2) * W; }
};
/// Block G everywhere.
template <int G> struct OneBlock {
    template <class T, int W, int> struct Index {
        static constexpr int at(int i) { return G * block_lanes<T, W> + i % block_lanes<T, W>; }
    };
};
/// Lane I of every block, throughout the block.
template <int I> struct OneLane {
    template <class T, int W, int> struct Index {
        static constexpr int at(int i) { return i / block_lanes<T, W> * block_lanes<T, W> + I; }
    };
};
template <template <class, int, int> class Index, int Which, class T, int W>
INLAY_INLINE vec<T, W> shuffled(vec<T, W> a, vec<T, W> b) noexcept {
    return shuffle<Index<T, W, Which>>(a, b, std::make_integer_sequence<int, W>{});
}
} // namespace detail

/// Half of a, then the same half of b.
template <class T, int W> INLAY_INLINE vec<T, W> lower_halves(vec<T, W> a, vec<T, W> b) noexcept {
    return detail::shuffled<detail::Halves, 0>(a, b);
}
template <class T, int W> INLAY_INLINE vec<T, W> upper_halves(vec<T, W> a, vec<T, W> b) noexcept {
    return detail::shuffled<detail::Halves, 1>(a, b);
}

namespace detail {
template <int I, class T, int W, class F>
INLAY_INLINE void each_lane_from(vec<T, W> x, vec<T, W> block, F const& f) noexcept {
    constexpr int L = block_lanes<T, W>;
    if constexpr (I < W) {
        if constexpr (I % L == 0) {
            block = shuffled<OneBlock<I / L>::template Index, 0>(x, x);
            pin(block); // or the compiler makes one shuffle of two, whose indices are loads
        }
        f(std::integral_constant<int, I>{}, shuffled<OneLane<I % L>::template Index, 0>(block, block));
        each_lane_from<I + 1>(x, block, f);
    }
}
} // namespace detail

/// Calls f(lane 0 everywhere), f(lane 1 everywhere) and so on, without asking memory for them again.
template <class T, int W, class F> INLAY_INLINE void each_lane(vec<T, W> x, F const& f) noexcept {
    detail::each_lane_from<0>(x, x, f);
}

} // namespace simd
} // namespace inlay::inline INLAY_ISA
