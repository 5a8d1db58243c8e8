// SPDX-License-Identifier: BSD-3-Clause
// Products with lower triangular matrices of one chunk's tokens. A triangle lies by columns: element (i, j)
// of a later token i and an earlier one j is m[j * row + i], and `row` covers the tokens in whole vectors.
// Work is done in bands of 16 tokens; within its own band a triangle holds zeros where there is nothing.
#pragma once

#include <inlay/kernels/gemm.hpp>

namespace inlay::inline INLAY_ISA {
namespace kernels {

inline constexpr int band = 16;
/// Rows whose products are taken at once where no vector lies across them: less of a band's square is zeros.
inline constexpr int half_band = 8;

/// n numbers up to a whole vector.
template <int W> constexpr int whole(int n) { return (n + W - 1) / W * W; }

/// What a product's sums become: f_r x + g_r base, with factors of rows (a step of 0: one for all).
template <class T> struct Blend {
    T const* base;
    std::ptrdiff_t row;
    T const* of_base;
    std::ptrdiff_t base_step;
    T const* of_sum;
    std::ptrdiff_t sum_step;

    Blend from(std::ptrdiff_t r, std::ptrdiff_t column) const noexcept {
        Blend at = *this;
        at.base += r * row + column, at.of_base += r * base_step, at.of_sum += r * sum_step;
        return at;
    }
    INLAY_INLINE void next() noexcept { base += row, of_base += base_step, of_sum += sum_step; }
    template <class V> INLAY_INLINE V operator()(V x, std::ptrdiff_t column) const noexcept {
        return simd::fma(V(*of_sum), x, V(*of_base) * V::load(base + column));
    }
};

/// to[d][i] = x[i][d] for n rows of k numbers, k a multiple of W; zeros from n to a whole vector.
template <int W, class T>
INLAY_NOINLINE inline void transpose_rows(int n, int k, T const* x, std::ptrdiff_t x_row, T* to,
                                          std::ptrdiff_t to_row) noexcept {
    using V = simd::vec<T, W>;
    for (int i = 0; i < n; i += W)
        for (int d = 0; d < k; d += W) {
            V square[std::size_t(W)];
            if (i + W <= n)
                INLAY_UNROLL for (int r = 0; r < W; ++r) square[r] = V::load(x + (i + r) * x_row + d);
            else
                for (int r = 0; r < W; ++r)
                    square[r] = i + r < n ? V::load(x + (i + r) * x_row + d) : V(T(0));
            simd::transpose(square);
            INLAY_UNROLL for (int r = 0; r < W; ++r) square[r].store(to + (d + r) * to_row + i);
        }
}

/// Zeros where (i, j) of a band's own square is above the diagonal, or on it.
template <class T> inline void clear_above(int n, T* m, std::ptrdiff_t row, bool diagonal_too) noexcept {
    for (int j = 0; j < n; ++j)
        for (int i = j / band * band; i < j + diagonal_too; ++i) m[j * row + i] = T(0);
}

/// m(i, j) = later_i earlier_j in whole bands, above the diagonal of a band's own square as well; rows of
/// `later` come transposed.
template <int W, class T>
INLAY_NOINLINE inline void band_products(int n, int k, T const* earlier, std::ptrdiff_t earlier_row,
                                         T const* later, std::ptrdiff_t later_row, T* m,
                                         std::ptrdiff_t row) noexcept {
    static_assert(band % W == 0);
    for (int j = 0; j < n; j += band)
        gemm<W>(std::min(band, n - j), whole<W>(n) - j, k, earlier + j * earlier_row, earlier_row, 1,
                later + j, later_row, m + j * row + j, row, false);
}
/// The same for j <= i, or j < i.
template <int W, class T>
inline void triangle_products(int n, int k, T const* earlier, std::ptrdiff_t earlier_row, T const* later,
                              std::ptrdiff_t later_row, T* m, std::ptrdiff_t row, bool strict) noexcept {
    band_products<W>(n, k, earlier, earlier_row, later, later_row, m, row);
    clear_above(n, m, row, strict);
}

/// to_i (+)= sum over j <= i of m(i, j) x_j, rows of `width` numbers.
template <int W, class T>
INLAY_NOINLINE inline void triangle_to_later(int n, int width, T const* m, std::ptrdiff_t row, T const* x,
                                             std::ptrdiff_t x_row, T* to, std::ptrdiff_t to_row,
                                             bool accumulate = true) noexcept {
    for (int i = 0; i < n; i += half_band) {
        int const high = std::min(half_band, n - i);
        gemm<W>(high, width, i + high, m + i, 1, row, x, x_row, to + i * to_row, to_row, accumulate);
    }
}
/// to_j (+)= sum over i >= j of m(i, j) x_i.
template <int W, class T>
INLAY_NOINLINE inline void triangle_to_earlier(int n, int width, T const* m, std::ptrdiff_t row, T const* x,
                                               std::ptrdiff_t x_row, T* to, std::ptrdiff_t to_row,
                                               bool accumulate) noexcept {
    for (int j = 0; j < n; j += half_band)
        gemm<W>(std::min(half_band, n - j), width, n - j, m + j * row + j, row, 1, x + j * x_row, x_row,
                to + j * to_row, to_row, accumulate);
}

namespace detail {
/// half_band rows and NV vectors of both solves, in registers: the first row (or the last, if `back`) is
/// known, stored, and taken from the others.
template <int W, int NV, bool back, class T>
INLAY_INLINE void solve_block(T const* m, std::ptrdiff_t row, T const* beta, T* x, T* y,
                              std::ptrdiff_t width) noexcept {
    using V = simd::vec<T, W>;
    V held[std::size_t(half_band)][std::size_t(NV)];
    INLAY_UNROLL for (int r = 0; r < half_band; ++r) INLAY_UNROLL for (int v = 0; v < NV; ++v) held[r][v] =
        V::load(x + r * width + v * W);
    INLAY_UNROLL for (int s = 0; s < half_band; ++s) {
        int const r = back ? half_band - 1 - s : s;
        V const by(-beta[r]);
        V known[std::size_t(NV)];
        INLAY_UNROLL for (int v = 0; v < NV; ++v) {
            known[v] = by * held[r][v];
            held[r][v].store(x + r * width + v * W);
            (back ? known[v] : -known[v]).store(y + r * width + v * W);
        }
        INLAY_UNROLL for (int o = s + 1; o < half_band; ++o) {
            int const other = back ? half_band - 1 - o : o;
            V const part(back ? m[other * row + r] : m[r * row + other]);
            INLAY_UNROLL for (int v = 0; v < NV; ++v) held[other][v] =
                simd::fma(part, known[v], held[other][v]);
        }
    }
}
/// Those rows of every column; `rows` may be fewer.
template <int W, bool back, class T>
INLAY_NOINLINE inline void solve_rows(int rows, int width, T const* m, std::ptrdiff_t row, T const* beta,
                                      T* x, T* y) noexcept {
    int c = 0;
    if (rows == half_band) {
        for (; c + 2 * W <= width; c += 2 * W) solve_block<W, 2, back>(m, row, beta, x + c, y + c, width);
        if (c < width) solve_block<W, 1, back>(m, row, beta, x + c, y + c, width);
        return;
    }
    for (int s = 0; s < rows; ++s) {
        int const r = back ? rows - 1 - s : s;
        scale<W>(width, back ? -beta[r] : beta[r], x + r * width, y + r * width);
        for (int o = s + 1; o < rows; ++o) {
            int const other = back ? rows - 1 - o : o;
            axpy<W>(width, back ? m[other * row + r] : -m[r * row + other], y + r * width, x + other * width);
        }
    }
}
} // namespace detail

/// u = beta (e - m u) for a strict triangle m, earliest row first; e becomes what stands in brackets.
template <int W, class T>
INLAY_NOINLINE inline void solve_later(int n, int width, T const* m, std::ptrdiff_t row, T const* beta, T* e,
                                       T* u) noexcept {
    T const one(1), minus(-1);
    for (int i = 0; i < n; i += half_band) {
        int const high = std::min(half_band, n - i);
        T* const first = e + i * width;
        if (i > 0)
            gemm<W>(high, width, Product<T>{i, m + i, 1, row, u, width, first, width, {}},
                    Blend<T>{first, width, &one, 0, &minus, 0});
        detail::solve_rows<W, false>(high, width, m + i * row + i, row, beta + i, first, u + i * width);
    }
}
/// The way back: g = du - m^T (beta g), latest row first, in the place of du, and back = -beta g.
template <int W, class T>
INLAY_NOINLINE inline void solve_earlier(int n, int width, T const* m, std::ptrdiff_t row, T const* beta,
                                         T* g, T* back) noexcept {
    for (int i = (n - 1) / half_band * half_band; i >= 0; i -= half_band) {
        int const end = std::min(i + half_band, n);
        if (end < n)
            gemm<W>(end - i, width, n - end, m + i * row + end, row, 1, back + end * width, width,
                    g + i * width, width, true);
        detail::solve_rows<W, true>(end - i, width, m + i * row + i, row, beta + i, g + i * width,
                                    back + i * width);
    }
}

} // namespace kernels
} // namespace inlay::inline INLAY_ISA
