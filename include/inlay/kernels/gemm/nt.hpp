// SPDX-License-Identifier: BSD-3-Clause
// C = A B^T for matrices whose rows are padded to whole vectors.
#pragma once

#include <inlay/kernels/gemm/nn.hpp>
#include <inlay/kernels/gemm/nt_pairs.hpp>

namespace inlay::inline INLAY_ISA {
namespace kernels {

namespace detail {
/// Columns [p, p + k) of `rows` rows of B become k rows of NV vectors; rows that are missing are zeros.
template <int W, int NV, class T>
INLAY_NOINLINE inline void pack_transposed(int rows, int k, T const* b, std::ptrdiff_t b_row,
                                           T* to) noexcept {
    using V = simd::vec<T, W>;
    for (int v = 0; v < NV; ++v)
        for (int p = 0; p < k; p += W) {
            V square[std::size_t(W)];
            T const* from = b + v * W * b_row + p;
            if (rows >= (v + 1) * W)
                INLAY_UNROLL for (int i = 0; i < W; ++i) square[i] = V::load(from + i * b_row);
            else
                for (int i = 0; i < W; ++i)
                    square[i] = v * W + i < rows ? V::load(from + i * b_row) : V(T(0));
            simd::transpose(square);
            INLAY_UNROLL for (int i = 0; i < W; ++i) square[i].store(to + ((p + i) * NV + v) * W);
        }
}
/// More rows: a panel of B is transposed in registers, and A passes over it as in A B.
template <int W, class T, class Finish>
INLAY_NOINLINE inline void gemm_nt_panels(int m, int n, Product<T> const& whole,
                                          Finish const& finish) noexcept {
    constexpr int NV = 2, most = int(panel_bytes / (sizeof(T) * NV * W)) / W * W;
    alignas(64) T packed[std::size_t(most) * NV * W];
    EvenSplit const steps(whole.k / W, most / W);
    for (int j = 0; j < n; j += NV * W) {
        int const columns = std::min(NV * W, n - j), wide = columns > W ? 2 : 1;
        Product<T> part = whole;
        part.b = packed;
        part.b_row = wide * W;
        part.b_first = j;
        T const* b = whole.b + j * whole.b_row;
        for (int q = 0; q < steps.parts; ++q) {
            part.k = (steps.size + (q < steps.larger)) * W;
            if (wide == NV) pack_transposed<W, NV>(columns, part.k, b, whole.b_row, packed);
            else pack_transposed<W, 1>(columns, part.k, b, whole.b_row, packed);
            if (q + 1 < steps.parts) panel_of_width<W>(wide, m, part, 0, j, AsItIs{});
            else panel_of_width<W>(wide, m, part, 0, j, finish);
            part.onto = {part.c, part.c_row};
            part.a += part.k;
            b += part.k;
        }
    }
}
} // namespace detail

/// C[m, n] = finish(onto + A B^T) of a Product with a_step = 1: B has n rows of k, and k is a multiple of W
/// with zero pads. Columns of C from n to n_padded, at least the next multiple of W, are cleared; what C is
/// added to has as many columns.
template <int W, class T, class Finish = AsItIs>
inline void gemm_nt(int m, int n, int n_padded, Product<T> const& p, Finish const& finish = {}) noexcept {
    bool const few = m < 16 || (m <= 24 && p.k >= 128); // where transposing B costs more than it saves
    int clean = (n + W - 1) / W * W; // done in registers: a scalar store would delay who loads the row
    if (n >= W && detail::pays_to_pair<W, T>(m, p.k)) detail::gemm_nt_pairs<W>(m, n, p, finish);
    else if (few || n <= 4) detail::gemm_nt_dots<W>(m, n, p, finish);
    else {
        detail::gemm_nt_panels<W>(m, n, p, finish);
        clean = n;
    }
    if (clean < n_padded)
        for (int i = 0; i < m; ++i) clear_pads(p.c + i * p.c_row, clean, n_padded);
}
/// One row of fewer columns than W.
template <int W, class T, class Finish = AsItIs>
INLAY_INLINE void gemv_nt(int n, Product<T> const& p, Finish const& finish = {}) noexcept {
    detail::last_dots<W>(0, 0, n, p, finish);
}
/// C[m, n] (+)= A[m, k] B[n, k]^T.
template <int W, class T>
inline void gemm_nt(int m, int n, int n_padded, int k, T const* a, std::ptrdiff_t a_row, T const* b,
                    std::ptrdiff_t b_row, T* c, std::ptrdiff_t c_row, bool accumulate) noexcept {
    gemm_nt<W>(m, n, n_padded,
               Product<T>{k, a, a_row, 1, b, b_row, c, c_row, {accumulate ? c : nullptr, c_row}, 0});
}

} // namespace kernels
} // namespace inlay::inline INLAY_ISA
