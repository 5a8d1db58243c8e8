// SPDX-License-Identifier: BSD-3-Clause
// Products of matrices whose rows are padded to whole vectors.
#pragma once

#include <inlay/kernels/map.hpp>

namespace inlay::inline INLAY_ISA {
namespace kernels {

/// One register tile of C (+)= A B: MR rows by NV vectors. A(r, k) = a[r * a_row + k * a_step], so A and its
/// transpose are the same kernel.
template <int W, int MR, int NV, class T>
INLAY_NOINLINE inline void gemm_tile(int k, T const* a, std::ptrdiff_t a_row, std::ptrdiff_t a_step,
                                     T const* b, std::ptrdiff_t b_row, T* c, std::ptrdiff_t c_row,
                                     bool accumulate) noexcept {
    using V = simd::vec<T, W>;
    V acc[std::size_t(MR)][std::size_t(NV)];
    for (int r = 0; r < MR; ++r)
        for (int v = 0; v < NV; ++v) acc[r][v] = accumulate ? V::load(c + r * c_row + v * W) : V(T(0));
    for (int i = 0; i < k; ++i) {
        V bv[std::size_t(NV)];
        for (int v = 0; v < NV; ++v) bv[v] = V::load(b + i * b_row + v * W);
        for (int r = 0; r < MR; ++r) {
            V const av(a[r * a_row + i * a_step]);
            for (int v = 0; v < NV; ++v) acc[r][v] = simd::fma(av, bv[v], acc[r][v]);
        }
    }
    for (int r = 0; r < MR; ++r)
        for (int v = 0; v < NV; ++v) acc[r][v].store(c + r * c_row + v * W);
}

/// C[m, n] (+)= A[m, k] B[k, n] with A strided both ways; n is a multiple of W and covers the pads, which
/// stay zero when B's are. A^T B is a_row = 1, a_step = the stride of A.
template <int W, class T>
inline void gemm(int m, int n, int k, T const* a, std::ptrdiff_t a_row, std::ptrdiff_t a_step, T const* b,
                 std::ptrdiff_t b_row, T* c, std::ptrdiff_t c_row, bool accumulate) noexcept {
    // 4 x 2 accumulators keep both FMA ports busy and fit 16 registers with room for B and the broadcast.
    int i = 0;
    auto rows = [&]<int MR>(std::integral_constant<int, MR>) {
        for (; i + MR <= m; i += MR) {
            int j = 0;
            for (; j + 2 * W <= n; j += 2 * W)
                gemm_tile<W, MR, 2>(k, a + i * a_row, a_row, a_step, b + j, b_row, c + i * c_row + j, c_row,
                                    accumulate);
            if (j < n)
                gemm_tile<W, MR, 1>(k, a + i * a_row, a_row, a_step, b + j, b_row, c + i * c_row + j, c_row,
                                    accumulate);
        }
    };
    rows(std::integral_constant<int, 4>{});
    rows(std::integral_constant<int, 1>{});
}

/// C[m, n] (+)= A[m, k] B[n, k]^T as dot products along k, a multiple of W with zero pads. Columns of C from
/// n to n_padded are cleared.
template <int W, class T>
INLAY_NOINLINE inline void gemm_nt(int m, int n, int n_padded, int k, T const* a, std::ptrdiff_t a_row,
                                   T const* b, std::ptrdiff_t b_row, T* c, std::ptrdiff_t c_row,
                                   bool accumulate) noexcept {
    using V = simd::vec<T, W>;
    for (int i = 0; i < m; ++i) {
        T const* x = a + i * a_row;
        T* y = c + i * c_row;
        int j = 0;
        for (; j + 4 <= n; j += 4) {
            T const* w = b + j * b_row;
            V s0(T(0)), s1(T(0)), s2(T(0)), s3(T(0));
            for (int p = 0; p < k; p += W) {
                V const xv = V::load(x + p);
                s0 = simd::fma(xv, V::load(w + p), s0);
                s1 = simd::fma(xv, V::load(w + b_row + p), s1);
                s2 = simd::fma(xv, V::load(w + 2 * b_row + p), s2);
                s3 = simd::fma(xv, V::load(w + 3 * b_row + p), s3);
            }
            T const r[4] = {simd::sum(s0), simd::sum(s1), simd::sum(s2), simd::sum(s3)};
            for (int q = 0; q < 4; ++q) y[j + q] = accumulate ? y[j + q] + r[q] : r[q];
        }
        for (; j < n; ++j) {
            T const r = dot<W>(k, x, b + j * b_row);
            y[j] = accumulate ? y[j] + r : r;
        }
        clear_pads(y, n, n_padded);
    }
}

} // namespace kernels
} // namespace inlay::inline INLAY_ISA
