// SPDX-License-Identifier: BSD-3-Clause
// A B^T for some rows: pairs of neighbours of a row of A travel as one double, so that half a vector of rows
// fills a vector. A quarter of the shuffles of dot products, and of those of a transposed B.
#pragma once

#include <inlay/kernels/gemm/nt_dots.hpp>

#include <algorithm>
#include <cstddef>

namespace inlay::inline INLAY_ISA {
namespace kernels {
namespace detail {

/// Floats of a row of A whose pairs stay in the nearest cache on the stack.
inline constexpr int paired_most = 512;
/// Groups of rows that share what is read of B.
inline constexpr int paired_groups = 2;

/// G groups of W / 2 rows: to[p][g] holds elements 2 p and 2 p + 1 of every row; rows that are missing are
/// zeros.
template <int W, int G>
INLAY_NOINLINE inline void pack_pairs(int rows, int k, float const* a, std::ptrdiff_t a_row,
                                      float* to) noexcept {
    constexpr int H = W / 2;
    for (int g = 0; g < G; ++g)
        for (int p = 0; p < k; p += W) {
            simd::vec<double, H> square[std::size_t(H)];
            INLAY_UNROLL for (int i = 0; i < H; ++i) square[i] =
                simd::as_pairs(g * H + i < rows ? simd::vec<float, W>::load(a + (g * H + i) * a_row + p)
                                                : simd::vec<float, W>(0.F));
            simd::transpose(square);
            INLAY_UNROLL for (int i = 0; i < H; ++i) simd::as_singles(square[i]).store(
                to + ((p / 2 + i) * G + g) * W);
        }
}
/// Sums over even and over odd elements of NS sets of W / 2 columns, for each row of the groups. Four columns
/// share one address and the strides to it: each with its own would be more than there are registers.
template <int W, int G, int NS>
INLAY_INLINE void pair_sums(int k, float const* a, float const* b, std::ptrdiff_t b_row,
                            simd::vec<float, W>* to) noexcept {
    using V = simd::vec<float, W>;
    constexpr int H = W / 2, N = NS * H, quads = N / 4;
    std::ptrdiff_t one = b_row, three = 3 * b_row;
    float const* row[std::size_t(quads)];
    INLAY_UNROLL for (int q = 0; q < quads; ++q) row[q] = b + 4 * q * b_row;
    V s[std::size_t(G)][std::size_t(N)];
    INLAY_UNROLL for (int g = 0; g < G; ++g) INLAY_UNROLL for (int q = 0; q < N; ++q) s[g][q] = V(0.F);
    float const* const end = a + k / 2 * G * W;
    for (; a != end; a += G * W) {
        V x[std::size_t(G)];
        INLAY_UNROLL for (int g = 0; g < G; ++g) x[g] = V::load(a + g * W);
        simd::pin_address(one);
        simd::pin_address(three);
        INLAY_UNROLL for (int q = 0; q < N; ++q) {
            float const* const from = row[q / 4];
            V const y = simd::pair_everywhere<W>(q % 4 == 0   ? from
                                                 : q % 4 == 1 ? from + one
                                                 : q % 4 == 2 ? from + 2 * one
                                                              : from + three);
            INLAY_UNROLL for (int g = 0; g < G; ++g) s[g][q] = simd::fma(x[g], y, s[g][q]);
        }
        INLAY_UNROLL for (int q = 0; q < quads; ++q) {
            row[q] += 2;
            simd::pin_address(row[q]);
        }
    }
    INLAY_UNROLL for (int h = 0; h < NS; ++h) INLAY_UNROLL for (int g = 0; g < G; ++g) {
        simd::vec<double, H> square[std::size_t(H)];
        INLAY_UNROLL for (int q = 0; q < H; ++q) square[q] = simd::as_pairs(s[g][h * H + q]);
        simd::transpose(square);
        INLAY_UNROLL for (int i = 0; i < H; ++i) to[(h * G + g) * H + i] = simd::as_singles(square[i]);
    }
}
/// Up to G groups of rows of C, from row `first` on.
template <int W, int G, class Finish>
INLAY_NOINLINE inline void paired_rows(int first, int rows, int n, Product<float> const& p,
                                       Finish const& finish) noexcept {
    using V = simd::vec<float, W>;
    constexpr int H = W / 2;
    alignas(64) float packed[std::size_t(paired_most / 2 * G * W)];
    pack_pairs<W, G>(rows, p.k, p.a + first * p.a_row, p.a_row, packed);
    int j = 0;
    for (; j + W <= n; j += W) {
        V both[2][std::size_t(G)][std::size_t(H)];
        if constexpr (G == 1) pair_sums<W, G, 2>(p.k, packed, p.b + j * p.b_row, p.b_row, both[0][0]);
        else {
            pair_sums<W, G, 1>(p.k, packed, p.b + j * p.b_row, p.b_row, both[0][0]);
            pair_sums<W, G, 1>(p.k, packed, p.b + (j + H) * p.b_row, p.b_row, both[1][0]);
        }
        INLAY_UNROLL for (int g = 0; g < G; ++g) INLAY_UNROLL for (int i = 0; i < H; ++i) {
            int const row = first + g * H + i;
            if (g * H + i >= rows) continue;
            V sums = simd::even_lanes(both[0][g][i], both[1][g][i]) +
                     simd::odd_lanes(both[0][g][i], both[1][g][i]);
            store_dots(sums, p, row, j, finish);
        }
    }
    if (j < n)
        for (int i = first; i < first + rows; ++i) last_dots<W>(i, j, n, p, finish);
}
/// Whether the groups of rows are full enough to pay, and the sums of dot products too many for the
/// registers.
template <int W, class T> constexpr bool pays_to_pair(int m, int k) {
    int const H = W / 2, groups = simd::can_pair<T, W>() && registers == 32 ? (m + H - 1) / H : 0;
    return groups > 0 && m >= 8 && m <= 24 && 8 * m >= 7 * groups * H && k <= paired_most;
}
template <int W, class T, class Finish>
inline void gemm_nt_pairs(int m, int n, Product<T> const& p, Finish const& finish) noexcept {
    if constexpr (simd::can_pair<T, W>())
        for (int i = 0; i < m;) {
            int const rows = std::min(m - i, paired_groups * W / 2);
            if (rows > W / 2) paired_rows<W, paired_groups>(i, rows, n, p, finish);
            else paired_rows<W, 1>(i, rows, n, p, finish);
            i += rows;
        }
}

} // namespace detail
} // namespace kernels
} // namespace inlay::inline INLAY_ISA
