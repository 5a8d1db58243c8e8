// SPDX-License-Identifier: BSD-3-Clause
// Products so small that a call and a loop would cost as much as the sums.
#pragma once

#include <inlay/kernels/gemm/nn.hpp>

namespace inlay::inline INLAY_ISA {
namespace kernels {

/// Whether a product of M rows, NV vectors and K steps stands where it is called: its sums fit one tile and
/// its instructions a few lines.
constexpr bool is_small(int M, int NV, int K) {
    return M > 0 && NV > 0 && K > 0 && tile_registers(M, NV, 1) < registers && M * NV * K <= 64;
}

/// C[M, N] = finish(onto + A B) of a Product, all counts known at compile time and no loop left; N is a
/// multiple of W, p.k is not read. What the sums are added to comes last, so that a C which was just written
/// is waited for by one addition. Equal to `gemm` to rounding.
template <int W, int M, int N, int K, class T, class Finish = AsItIs>
INLAY_INLINE void gemm_small(Product<T> const& p, Finish const& finish = {}) noexcept {
    using V = simd::vec<T, W>;
    constexpr int NV = N / W;
    static_assert(is_small(M, NV, K), "inlay: gemm_small is for products whose sums fit the registers");
    V sum[std::size_t(M)][std::size_t(NV)];
    INLAY_UNROLL for (int k = 0; k < K; ++k) {
        V b[std::size_t(NV)];
        INLAY_UNROLL for (int v = 0; v < NV; ++v) {
            b[v] = V::load(p.b + k * p.b_row + v * W);
            if constexpr (M > 1) simd::hold(b[v]);
        }
        INLAY_UNROLL for (int r = 0; r < M; ++r) {
            V const a(p.a[r * p.a_row + k * p.a_step]);
            INLAY_UNROLL for (int v = 0; v < NV; ++v) sum[r][v] =
                k == 0 ? a * b[v] : simd::fma(a, b[v], sum[r][v]);
        }
    }
    INLAY_UNROLL for (int r = 0; r < M; ++r) INLAY_UNROLL for (int v = 0; v < NV; ++v) {
        if (p.onto.data) sum[r][v] += V::load(p.onto.data + r * p.onto.row + v * W);
        finished(finish, sum[r][v], r, v * W).store(p.c + r * p.c_row + v * W);
    }
}

} // namespace kernels
} // namespace inlay::inline INLAY_ISA
