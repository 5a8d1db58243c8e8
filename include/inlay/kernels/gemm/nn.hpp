// SPDX-License-Identifier: BSD-3-Clause
// C = A B and C = A^T B for matrices whose rows are padded to whole vectors.
#pragma once

#include <inlay/kernels/gemm/tile.hpp>

#include <algorithm>

namespace inlay::inline INLAY_ISA {
namespace kernels {

/// n things in as few parts of at most `most` as possible, whose sizes differ by at most one: no part is a
/// poor remainder.
struct EvenSplit {
    int parts, size, larger; ///< the first `larger` parts have one more than `size`
    constexpr EvenSplit(int n, int most)
        : parts((n + most - 1) / most), size(parts * most == n ? most
                                             : parts           ? n / parts
                                                               : 0), // divided if it must
          larger(n - parts * size) {}
};

namespace detail {
/// Bytes of B that stay in the nearest cache while all rows of A pass, and that stay in the second.
inline constexpr std::size_t near_bytes = 32 * 1024, far_bytes = 768 * 1024;
/// A packed part of B: in the nearest cache, on the stack.
inline constexpr std::size_t panel_bytes = 32 * 1024;

/// The tile of so many rows.
template <int W, int NV, int MR, class T, class Finish>
INLAY_INLINE void tile_of_height(int rows, Product<T> const& p, std::ptrdiff_t row, std::ptrdiff_t column,
                                 Finish const& finish) noexcept {
    if (rows == MR) return gemm_tile<W, MR, NV>(p, row, column, finish);
    if constexpr (MR > 1) tile_of_height<W, NV, MR - 1>(rows, p, row, column, finish);
}
/// m rows of a panel of NV vectors.
template <int W, int NV, class T, class Finish>
INLAY_NOINLINE inline void gemm_panel(int m, Product<T> const& p, std::ptrdiff_t row, std::ptrdiff_t column,
                                      Finish const& finish) noexcept {
    constexpr int MR = tile_rows(NV);
    if (m <= MR) return tile_of_height<W, NV, MR>(m, p, row, column, finish);
    EvenSplit const blocks(m, MR);
    if (blocks.size == MR) {
        for (int q = 0; q < blocks.parts; ++q) {
            gemm_tile_here<W, MR, NV>(p, row, column, finish);
            row += MR;
        }
        return;
    }
    for (int q = 0; q < blocks.parts; ++q) {
        int const height = blocks.size + (q < blocks.larger);
        tile_of_height<W, NV, MR>(height, p, row, column, finish);
        row += height;
    }
}
/// m rows of a panel of so many vectors.
template <int W, class T, class Finish>
INLAY_INLINE void panel_of_width(int vectors, int m, Product<T> const& p, std::ptrdiff_t row,
                                 std::ptrdiff_t column, Finish const& finish) noexcept {
    if (vectors == 1) gemm_panel<W, 1>(m, p, row, column, finish);
    else if (vectors == 2) gemm_panel<W, 2>(m, p, row, column, finish);
    else if (vectors == 3) gemm_panel<W, 3>(m, p, row, column, finish);
    else gemm_panel<W, 4>(m, p, row, column, finish);
}
/// The widest panel for m rows: few rows have registers to spare.
constexpr int widest_panel(int m) {
    int NV = 4;
    while (NV > (registers == 32 ? 3 : 2) && tile_rows(NV) < m) --NV;
    return NV;
}

/// k rows of NV vectors, one behind the other.
template <int W, int NV, class T>
INLAY_NOINLINE inline void pack_panel(int k, T const* b, std::ptrdiff_t b_row, T* to) noexcept {
    using V = simd::vec<T, W>;
    for (int i = 0; i < k; ++i)
        INLAY_UNROLL for (int v = 0; v < NV; ++v) V::load(b + i * b_row + v * W).store(to + (i * NV + v) * W);
}
/// B does not stay in the second cache: k is cut, and every part of a panel of B is packed once for all rows.
template <int W, class T, class Finish>
INLAY_NOINLINE inline void gemm_packed(int m, int vectors, Product<T> const& whole,
                                       Finish const& finish) noexcept {
    constexpr int NV = 2, most = int(panel_bytes / (sizeof(T) * NV * W));
    alignas(64) T packed[std::size_t(most) * NV * W];
    EvenSplit const steps(whole.k, most);
    for (int j = 0; j < vectors; j += NV) {
        int const wide = std::min(NV, vectors - j);
        T const* b = whole.b + j * W;
        Product<T> part = whole;
        part.b = packed;
        part.b_row = wide * W;
        part.b_first = j * W;
        for (int q = 0; q < steps.parts; ++q) {
            part.k = steps.size + (q < steps.larger);
            if (wide == NV) pack_panel<W, NV>(part.k, b, whole.b_row, packed);
            else pack_panel<W, 1>(part.k, b, whole.b_row, packed);
            if (q + 1 < steps.parts) panel_of_width<W>(wide, m, part, 0, j * W, AsItIs{});
            else panel_of_width<W>(wide, m, part, 0, j * W, finish);
            part.onto = {part.c, part.c_row};
            part.a += part.k * part.a_step;
            b += part.k * whole.b_row;
        }
    }
}
} // namespace detail

/// One row: c = finish(onto + a B), n a multiple of W. With B in the second cache 16 vectors at once read it
/// in one stream.
template <int W, class T, class Finish = AsItIs>
INLAY_INLINE void gemv(int n, Product<T> const& p, Finish const& finish = {}) noexcept {
    int j = 0;
    auto const take = [&]<int NV>(std::integral_constant<int, NV>) {
        gemm_tile<W, 1, NV>(p, 0, j, finish);
        j += NV * W;
    };
    if constexpr (registers == 32)
        while (n - j >= 16 * W) take(std::integral_constant<int, 16>{});
    while (n - j >= 8 * W) take(std::integral_constant<int, 8>{});
    if (n - j >= 4 * W) take(std::integral_constant<int, 4>{});
    if (n - j == 3 * W) take(std::integral_constant<int, 3>{});
    else if (n - j == 2 * W) take(std::integral_constant<int, 2>{});
    else if (n - j == W) take(std::integral_constant<int, 1>{});
}

/// One row, of a width known at compile time: a single tile stands where it is called.
template <int W, int N, class T, class Finish = AsItIs>
INLAY_INLINE void gemv(Product<T> const& p, Finish const& finish = {}) noexcept {
    if constexpr (N <= 4 * W) gemm_tile_here<W, 1, N / W>(p, 0, 0, finish);
    else gemv<W>(N, p, finish);
}

/// C[m, n] = finish(onto + A B) of a Product. n is a multiple of W and covers the pads of C, which stay zero
/// where those of B and of what is added are zero and finish keeps zero.
template <int W, class T, class Finish = AsItIs>
INLAY_NOINLINE inline void gemm(int m, int n, Product<T> const& p, Finish const& finish = {}) noexcept {
    using namespace detail;
    if (m <= 0) return;
    if (m == 1) return gemv<W>(n, p, finish);
    int const vectors = n / W, widest = widest_panel(m);
    std::size_t const bytes = std::size_t(n) * std::size_t(p.k) * sizeof(T);
    if (vectors <= widest) return panel_of_width<W>(vectors, m, p, 0, 0, finish);
    if (m >= 16 && bytes > far_bytes) return gemm_packed<W>(m, vectors, p, finish);
    EvenSplit const panels(vectors, widest);
    // A B that stays near is read again for every block of rows; otherwise the rows stay near and B passes
    // by.
    EvenSplit const blocks(m, bytes <= near_bytes ? m : tile_rows(panels.size));
    for (int i = 0, q = 0; q < blocks.parts; ++q) {
        int const height = blocks.size + (q < blocks.larger);
        for (int j = 0, panel = 0; panel < panels.parts; ++panel) {
            int const wide = panels.size + (panel < panels.larger);
            panel_of_width<W>(wide, height, p, i, j * W, finish);
            j += wide;
        }
        i += height;
    }
}
/// C[m, n] (+)= A[m, k] B[k, n]. A^T B is a_row = 1, a_step = the stride of A.
template <int W, class T>
inline void gemm(int m, int n, int k, T const* a, std::ptrdiff_t a_row, std::ptrdiff_t a_step, T const* b,
                 std::ptrdiff_t b_row, T* c, std::ptrdiff_t c_row, bool accumulate) noexcept {
    gemm<W>(m, n, Product<T>{k, a, a_row, a_step, b, b_row, c, c_row, {accumulate ? c : nullptr, c_row}, 0});
}

} // namespace kernels
} // namespace inlay::inline INLAY_ISA
