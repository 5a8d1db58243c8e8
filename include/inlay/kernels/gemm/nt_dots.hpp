// SPDX-License-Identifier: BSD-3-Clause
// A B^T for few rows: dot products.
#pragma once

#include <inlay/kernels/gemm/tile.hpp>
#include <inlay/simd/transpose.hpp>

namespace inlay::inline INLAY_ISA {
namespace kernels {

namespace detail {
/// Elements of C at (row, column), from sums without what they are added to.
template <int W, class T, class Finish>
INLAY_INLINE void store_dots(simd::vec<T, W> sums, Product<T> const& p, std::ptrdiff_t row, int column,
                             Finish const& finish) noexcept {
    using V = simd::vec<T, W>;
    if (p.onto.data) sums += V::load(p.onto.data + row * p.onto.row + column);
    finished(finish, sums, row, column).store(p.c + row * p.c_row + column);
}
/// Dot products of MR rows of A with NR rows of B, their lanes not yet added up.
template <int W, int MR, int NR, class T>
INLAY_INLINE void dot_lanes(int k, T const* a, std::ptrdiff_t a_row, T const* b, std::ptrdiff_t b_row,
                            simd::vec<T, W>* lanes) noexcept {
    using V = simd::vec<T, W>;
    V s[std::size_t(MR)][std::size_t(NR)];
    INLAY_UNROLL for (int r = 0; r < MR; ++r) INLAY_UNROLL for (int q = 0; q < NR; ++q) s[r][q] = V(T(0));
    for (int p = 0; p < k; p += W) {
        V x[std::size_t(MR)];
        INLAY_UNROLL for (int r = 0; r < MR; ++r) x[r] = V::load(a + r * a_row + p);
        INLAY_UNROLL for (int q = 0; q < NR; ++q) {
            V y = V::load(b + q * b_row + p);
            if constexpr (MR > 1) simd::hold(y);
            INLAY_UNROLL for (int r = 0; r < MR; ++r) s[r][q] = simd::fma(x[r], y, s[r][q]);
        }
    }
    INLAY_UNROLL for (int r = 0; r < MR; ++r) INLAY_UNROLL for (int q = 0; q < NR; ++q) lanes[r * NR + q] =
        s[r][q];
}
/// One dot product of k elements, a multiple of W; four sums are under way.
template <int W, class T> INLAY_INLINE T padded_dot(int k, T const* a, T const* b) noexcept {
    using V = simd::vec<T, W>;
    V s[4] = {V(T(0)), V(T(0)), V(T(0)), V(T(0))};
    int p = 0;
    for (; p + 4 * W <= k; p += 4 * W)
        INLAY_UNROLL for (int i = 0; i < 4; ++i) s[i] =
            simd::fma(V::load(a + p + i * W), V::load(b + p + i * W), s[i]);
    for (; p < k; p += W) s[0] = simd::fma(V::load(a + p), V::load(b + p), s[0]);
    return simd::sum((s[0] + s[1]) + (s[2] + s[3]));
}
/// Columns [j, n) of a row of C, fewer than W, and the pads behind them.
template <int W, class T, class Finish>
INLAY_INLINE void last_dots(int row, int j, int n, Product<T> const& p, Finish const& finish) noexcept {
    using V = simd::vec<T, W>;
    V last(T(0));
    for (int q = j; q < n; ++q)
        last = simd::fill_from(last, q - j, padded_dot<W>(p.k, p.a + row * p.a_row, p.b + q * p.b_row));
    store_dots(last, p, row, j, [&](V x, std::ptrdiff_t r, std::ptrdiff_t column) INLAY_INLINE_LAMBDA {
        return simd::fill_from(finished(finish, x, r, column), n - j, T(0));
    });
}
/// Few rows: dot products along k, W of them added up at a time by a transposing reduction.
template <int W, class T, class Finish>
INLAY_NOINLINE inline void gemm_nt_dots(int m, int n, Product<T> const& p, Finish const& finish) noexcept {
    using V = simd::vec<T, W>;
    int j = 0;
    for (; j + W <= n; j += W) {
        T const* const b = p.b + j * p.b_row;
        int i = 0;
        if constexpr (W > 1) // two rows share every load of B
            for (; i + 2 <= m; i += 2) {
                V left[std::size_t(W)], right[std::size_t(W)];
                T const* const x = p.a + i * p.a_row;
                dot_lanes<W, 2, W / 2>(p.k, x, p.a_row, b, p.b_row, left);
                dot_lanes<W, 2, W / 2>(p.k, x, p.a_row, b + W / 2 * p.b_row, p.b_row, right);
                V const l = simd::row_sums(left), r = simd::row_sums(right);
                store_dots(simd::lower_halves(l, r), p, i, j, finish);
                store_dots(simd::upper_halves(l, r), p, i + 1, j, finish);
            }
        for (; i < m; ++i) {
            V lanes[std::size_t(W)];
            constexpr int half = (W + 1) / 2; // 8 sums at a time: 16 would need 16 pointers
            dot_lanes<W, 1, half>(p.k, p.a + i * p.a_row, 0, b, p.b_row, lanes);
            if constexpr (W > 1)
                dot_lanes<W, 1, half>(p.k, p.a + i * p.a_row, 0, b + half * p.b_row, p.b_row, lanes + half);
            store_dots(simd::row_sums(lanes), p, i, j, finish);
        }
    }
    if (j < n)
        for (int i = 0; i < m; ++i) last_dots<W>(i, j, n, p, finish);
}
} // namespace detail

} // namespace kernels
} // namespace inlay::inline INLAY_ISA
