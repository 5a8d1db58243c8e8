// SPDX-License-Identifier: BSD-3-Clause
// W registers of W lanes, seen as a square: its transpose, and the sums of its rows.
#pragma once

#include <inlay/simd/shuffle.hpp>

#include <cstring>

namespace inlay::inline INLAY_ISA {
namespace simd {

namespace detail {
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
/// The lower (Upper = 0) or upper halves of all parts of a that are so many lanes wide, then those of b.
template <int Wide> struct Parts {
    template <class T, int W, int Upper> struct Index {
        static constexpr int half = Wide / 2;
        static constexpr int at(int i) {
            int const j = i % (W / 2);
            return j / half * Wide + Upper * half + j % half + i / (W / 2) * W;
        }
    };
};
constexpr int halvings(int n) { return n > 1 ? 1 + halvings(n / 2) : 0; }
/// Every other lane of a, then of b, from the first (Odd = 0) or the second on.
template <class T, int W, int Odd> struct EveryOtherLane {
    static constexpr int at(int i) { return 2 * (i % (W / 2)) + Odd + i / (W / 2) * W; }
};
} // namespace detail

template <class T, int W> INLAY_INLINE vec<T, W> even_lanes(vec<T, W> a, vec<T, W> b) noexcept {
    return detail::shuffled<detail::EveryOtherLane, 0>(a, b);
}
template <class T, int W> INLAY_INLINE vec<T, W> odd_lanes(vec<T, W> a, vec<T, W> b) noexcept {
    return detail::shuffled<detail::EveryOtherLane, 1>(a, b);
}

/// Whether two neighbouring lanes of vec<T, W> can be moved about as one lane of a vector of doubles.
template <class T, int W> constexpr bool can_pair() {
    if constexpr (std::is_same_v<T, float> && W >= 8)
        return vec<float, W>::is_register && vec<double, W / 2>::is_register;
    return false;
}
template <int W> INLAY_INLINE vec<double, W / 2> as_pairs(vec<float, W> x) noexcept {
    return {xsimd::bitwise_cast<double>(x.v)};
}
template <int W> INLAY_INLINE vec<float, 2 * W> as_singles(vec<double, W> x) noexcept {
    return {xsimd::bitwise_cast<float>(x.v)};
}
/// p[0], p[1], p[0], p[1] and so on.
template <int W> INLAY_INLINE vec<float, W> pair_everywhere(float const* p) noexcept {
    double both;
    std::memcpy(&both, p, sizeof both);
    return as_singles(vec<double, W / 2>(both));
}

/// Lane j of register i changes places with lane i of register j: halvings W rounds of W shuffles.
template <class T, int W> INLAY_INLINE void transpose(vec<T, W> (&r)[std::size_t(W)]) noexcept {
    using namespace detail;
    constexpr int L = block_lanes<T, W>;
    vec<T, W> t[std::size_t(W)];
    // Inside blocks: groups of L registers; an interleave rotates the bits of their index by one.
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

/// Lane i of the result is fold_halves(r[i], f). f is called W - 1 times instead of W halvings W, since every
/// round halves the registers.
template <class T, int W, class F>
INLAY_INLINE vec<T, W> fold_rows(vec<T, W> (&r)[std::size_t(W)], F const& f) noexcept {
    using namespace detail;
    constexpr int L = block_lanes<T, W>;
    // Halves of all lanes, of both halves and so on, down to blocks: neighbouring groups of L registers
    // become one.
    [&]<int... Round>(std::integer_sequence<int, Round...>) INLAY_INLINE_LAMBDA {
        (
            [&] {
                INLAY_UNROLL for (int g = 0; g < (W / L) >> (Round + 1); ++g)
                    INLAY_UNROLL for (int i = 0; i < L; ++i) {
                    auto const a = r[2 * g * L + i], b = r[(2 * g + 1) * L + i];
                    r[g * L + i] = f(shuffled<Parts<(W >> Round)>::template Index, 0>(a, b),
                                     shuffled<Parts<(W >> Round)>::template Index, 1>(a, b));
                }
            }(),
            ...);
    }(std::make_integer_sequence<int, halvings(W / L)>{});
    INLAY_UNROLL for (int n = L / 2; n > 0; n /= 2) INLAY_UNROLL for (int i = 0; i < n; ++i) {
        auto const a = r[i], b = r[i + n];
        r[i] = f(shuffled<Interleave, 0>(a, b), shuffled<Interleave, 1>(a, b));
    }
    return r[0];
}

/// Lane i is simd::sum(r[i]), to the last bit.
template <class T, int W> INLAY_INLINE vec<T, W> row_sums(vec<T, W> (&r)[std::size_t(W)]) noexcept {
    return fold_rows(r, [](auto a, auto b) INLAY_INLINE_LAMBDA { return a + b; });
}
/// Lane i is simd::max(r[i]).
template <class T, int W> INLAY_INLINE vec<T, W> row_maxima(vec<T, W> (&r)[std::size_t(W)]) noexcept {
    return fold_rows(r, [](auto a, auto b) INLAY_INLINE_LAMBDA { return greater(a, b); });
}

} // namespace simd
} // namespace inlay::inline INLAY_ISA
