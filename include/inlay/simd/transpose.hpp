// SPDX-License-Identifier: BSD-3-Clause
// W registers of W lanes, seen as a square: its transpose, and the sums of its rows.
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
/// a0 b0 a1 b1 of the lower (Half = 0) or upper half of every block.
template <class T, int W, int Half> struct Interleave {
    static constexpr int L = block_lanes<T, W>;
    static constexpr int at(int i) { return i / L * L + Half * (L / 2) + i % L / 2 + i % 2 * W; }
};
/// Every other block of a, then of b, from the first (Odd = 0) or the second on.
template <class T, int W, int Odd> struct EveryOther {
    static constexpr int L = block_lanes<T, W>, half = W / L / 2;
    static constexpr int at(int i) { return (2 * (i / L % half) + Odd) * L + i % L + i / L / half * W; }
};
/// The lower (Upper = 0) or upper half of a, then that of b.
template <class T, int W, int Upper> struct Halves {
    static constexpr int at(int i) { return i % (W / 2) + Upper * (W / 2) + i / (W / 2) * W; }
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

/// Lane j of register i changes places with lane i of register j: log2 W rounds of W shuffles.
template <class T, int W> INLAY_INLINE void transpose(vec<T, W> (&r)[std::size_t(W)]) noexcept {
    using namespace detail;
    constexpr int L = block_lanes<T, W>;
    vec<T, W> t[std::size_t(W)];
    // Inside blocks: groups of L registers, an interleave rotates the bits of their index by one.
    INLAY_UNROLL for (int n = L; n > 1; n /= 2) {
        INLAY_UNROLL for (int g = 0; g < W; g += L) INLAY_UNROLL for (int i = 0; i < L / 2; ++i) {
            t[g + 2 * i] = shuffled<Interleave, 0>(r[g + i], r[g + i + L / 2]);
            t[g + 2 * i + 1] = shuffled<Interleave, 1>(r[g + i], r[g + i + L / 2]);
        }
        INLAY_UNROLL for (int i = 0; i < W; ++i) r[i] = t[i];
    }
    // Across blocks: registers L apart hold the same column of another group.
    if constexpr (W > L) INLAY_UNROLL for (int n = W / L; n > 1; n /= 2) {
            INLAY_UNROLL for (int i = 0; i < W / 2; ++i) {
                int const from = i / L * 2 * L + i % L;
                t[i] = shuffled<EveryOther, 0>(r[from], r[from + L]);
                t[i + W / 2] = shuffled<EveryOther, 1>(r[from], r[from + L]);
            }
            INLAY_UNROLL for (int i = 0; i < W; ++i) r[i] = t[i];
        }
}

/// Lane i of the result is the sum of the lanes of r[i], in an order that depends on W only. W - 1 additions
/// instead of W log2 W, since every round halves the registers.
template <class T, int W> INLAY_INLINE vec<T, W> row_sums(vec<T, W> (&r)[std::size_t(W)]) noexcept {
    using namespace detail;
    constexpr int L = block_lanes<T, W>;
    INLAY_UNROLL for (int g = 0; g < W; g += L) INLAY_UNROLL for (int n = L / 2; n > 0; n /= 2)
        INLAY_UNROLL for (int i = 0; i < n; ++i) r[g + i] =
            shuffled<Interleave, 0>(r[g + i], r[g + i + n]) + shuffled<Interleave, 1>(r[g + i], r[g + i + n]);
    if constexpr (W > L)
        INLAY_UNROLL for (int n = W / 2; n >= L; n /= 2) INLAY_UNROLL for (int i = 0; i < n; i += L) r[i] =
            shuffled<EveryOther, 0>(r[2 * i], r[2 * i + L]) + shuffled<EveryOther, 1>(r[2 * i], r[2 * i + L]);
    return r[0];
}

} // namespace simd
} // namespace inlay::inline INLAY_ISA
