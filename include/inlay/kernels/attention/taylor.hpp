// SPDX-License-Identifier: BSD-3-Clause
// Attention of one head whose weights are the start of the exponential's series: no maximum is needed.
#pragma once

#include <inlay/kernels/attention/tile.hpp>

namespace inlay::inline INLAY_ISA {
namespace kernels {

/// Weights (1 + z + z^2 / 2) / (eps + their sum), of which forward keeps 1 / (eps + sum).
struct TaylorWeights {
    template <class V> using Pair = SoftmaxWeights::Pair<V>;
    static constexpr double eps = 1e-6;
    template <class V> static V kept(V inverse) noexcept { return inverse; }
    template <class V> INLAY_INLINE static Pair<V> of(V z, V inverse) noexcept {
        using T = typename V::value_type;
        V const least(std::numeric_limits<T>::lowest()), none(T(0)), one(T(1));
        V const slope = simd::select_greater(z, least, z + one, none);
        V const value = simd::select_greater(z, least, simd::fma(z * V(T(0.5)), z, z + one), none);
        return {value * inverse, slope * inverse};
    }
};

/// As `attend`, with TaylorWeights; `room` is that of `attend`.
template <int W, class T, class S>
INLAY_NOINLINE inline void attend_taylor(AttentionHead<T> const& head, S const& scores, T* out,
                                         std::ptrdiff_t out_row, T* inverse, T* room) noexcept {
    using V = simd::vec<T, W>;
    using Block = QueryBlock<W, T>;
    constexpr int Q = Block::width, NV = Block::vectors;
    int const padded = detail::whole_vectors<W>(head.width),
              wide = detail::whole_vectors<W>(head.value_width);
    T* const turned = room;
    T* const s = turned + padded * Q;
    T* const sums = s + Block::tile * Q;
    scores.bias.template begin<W>();
    for (int q0 = 0; q0 < head.queries; q0 += Q) {
        int const n = std::min(Q, head.queries - q0);
        Block const block(head.spans.from(q0), n);
        turn_queries<W>(head, q0, n, turned);
        clear(sums, std::ptrdiff_t(Q) * wide);
        V total[std::size_t(NV)];
        for (V& t : total) t = V(T(TaylorWeights::eps));
        block.each_tile([&](int k0, int k1) {
            tile_products(block, k0, k1, head.width, head.key, head.key_row, turned, s);
            typename decltype(S::bias)::template Tile<W, T> const bias(scores.bias, q0, n, k0, k1);
            for (int v = 0; v < NV; ++v) {
                TileRange const range = block.range(v, k0, k1);
                for (int k = range.from; k < range.to; ++k) {
                    T* const at = s + (k - k0) * Q + v * W;
                    V z = bias(scores.cap(V::load(at)), k, v);
                    if (!range.clear(k)) z = block.masked(z, k, v);
                    V const weight = TaylorWeights::of(z, V(T(1))).weight;
                    weight.store(at);
                    total[v] += weight;
                }
            }
            block.each_strip(k0, k1, [&](int q, int rows, int from, int to) {
                if (from < to)
                    gemm<W>(rows, wide, to - from, s + (from - k0) * Q + q, 1, Q,
                            head.value + from * head.value_row, head.value_row, sums + q * wide, wide, true);
            });
        });
        for (int v = 0; v < NV; ++v) {
            int const here = block.in_vector(v);
            if (here == 0) break;
            (V(T(1)) / total[v]).store_first(inverse + q0 + v * W, here);
            for (int q = v * W; q < v * W + here; ++q)
                scale<W>(head.value_width, inverse[q0 + q], sums + q * wide, out + (q0 + q) * out_row);
        }
    }
}

/// One row of n scores becomes weights.
template <int W, class T> INLAY_NOINLINE inline void taylor_row(int n, T* z) noexcept {
    using One = simd::vec<T, 1>;
    T total = T(TaylorWeights::eps);
    for (int i = 0; i < n; ++i) {
        TaylorWeights::of(One(z[i]), One(T(1))).weight.store(z + i);
        total += z[i];
    }
    scale<W>(n, T(1) / total, z, z);
}

} // namespace kernels
} // namespace inlay::inline INLAY_ISA
