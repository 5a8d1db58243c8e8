// SPDX-License-Identifier: BSD-3-Clause
// One row times a matrix that was packed for it once: for weights that do not change and do not stay in the
// nearest cache.
#pragma once

#include <inlay/kernels/gemm/nn.hpp>

namespace inlay::inline INLAY_ISA {
namespace kernels {

/// Vectors of a packed panel, and rows of it that are asked for ahead of their use. Measured (AVX-512): with
/// B past the second cache (1024 x 1024) 1.15 to 1.28 times the speed of rows as they lie; with B within it
/// rows as they lie are as fast or faster, since both read as much as that cache gives.
inline constexpr int packed_vectors = 8, packed_rows_ahead = 8;

/// Elements that a packed k x n matrix takes, n a multiple of W: as many as it has.
constexpr std::ptrdiff_t packed_size(int k, int n) { return std::ptrdiff_t(k) * n; }
/// Panels of eight vectors one behind the other, each with its k rows in a run; what is left makes one of
/// four and one of fewer.
template <int W, class T>
inline void pack_panels(int k, int n, T const* b, std::ptrdiff_t b_row, T* to) noexcept {
    for (int j = 0; j < n;) {
        int const left = n - j, wide = left >= packed_vectors * W ? packed_vectors * W
                                       : left >= 4 * W            ? 4 * W
                                                                  : left;
        for (int p = 0; p < k; ++p, to += wide) map<W>(wide, b + p * b_row + j, to, AsItIs{});
        j += wide;
    }
}
/// c = finish(onto + a B) of a Product whose b is what pack_panels wrote; its b_row is not read.
template <int W, class T, class Finish = AsItIs>
inline void gemv_packed(int n, Product<T> const& whole, Finish const& finish = {}) noexcept {
    Product<T> p = whole;
    int j = 0;
    auto const take = [&]<int NV>(std::integral_constant<int, NV>) {
        p.b_row = NV * W;
        p.b_first = j;
        gemm_tile_here<W, 1, NV, packed_rows_ahead>(p, 0, j, finish);
        p.b += std::ptrdiff_t(p.k) * NV * W;
        j += NV * W;
    };
    while (n - j >= packed_vectors * W) take(std::integral_constant<int, packed_vectors>{});
    if (n - j >= 4 * W) take(std::integral_constant<int, 4>{});
    if (n - j == 3 * W) take(std::integral_constant<int, 3>{});
    else if (n - j == 2 * W) take(std::integral_constant<int, 2>{});
    else if (n - j == W) take(std::integral_constant<int, 1>{});
}

} // namespace kernels
} // namespace inlay::inline INLAY_ISA
