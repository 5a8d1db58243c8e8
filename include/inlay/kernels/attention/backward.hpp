// SPDX-License-Identifier: BSD-3-Clause
// The way back of attention of one head: weights are computed again from what forward kept of each
// query, one number.
#pragma once

#include <inlay/kernels/attention/tile.hpp>

namespace inlay::inline INLAY_ISA {
namespace kernels {

/// Numbers of temporaries of `attend_backward`.
template <int W, class T> constexpr std::size_t attention_backward_room(int width, int value_width) {
    constexpr int Q = QueryBlock<W, T>::width;
    return std::size_t(Q) * std::size_t(detail::whole_vectors<W>(width) + 2 * QueryBlock<W, T>::tile +
                                        detail::whole_vectors<W>(value_width));
}

/// With D_i = dout_i out_i - dlog_sum_i in `mean`: dz_ij = P_ij (dout_i v_j - D_i), ds_ij = dz_ij
/// dz_ij/ds_ij, dq_i = scale sum_j ds_ij k_j, dk_j += scale sum_i ds_ij q_i, dv_j += sum_i P_ij dout_i. Rows
/// of dout are padded with zeros; dq, dk and dv are laid out as q, k and v are. Writes dq, adds to dk and dv.
template <class Weights, int W, class T, class S>
INLAY_NOINLINE inline void attend_backward(AttentionHead<T> const& head, S const& scores, T const* dout,
                                           std::ptrdiff_t dout_row, T const* kept, T const* mean, T* dq,
                                           T* dk, T* dv, T* room) noexcept {
    using V = simd::vec<T, W>;
    using Block = QueryBlock<W, T>;
    constexpr int Q = Block::width, NV = Block::vectors;
    int const padded = detail::whole_vectors<W>(head.width),
              wide = detail::whole_vectors<W>(head.value_width);
    T* const turned = room;
    T* const dturned = turned + padded * Q;
    T* const p = dturned + wide * Q;
    T* const ds = p + Block::tile * Q;
    V const factor(head.scale);
    scores.bias.template begin<W>();
    int begin = KeySpans<T>::nowhere, keys = 0;
    for (int q0 = 0; q0 < head.queries; q0 += Q) {
        int const n = std::min(Q, head.queries - q0);
        Block const block(head.spans.from(q0), n);
        begin = std::min(begin, block.begin()), keys = std::max(keys, block.end());
        for (int q = 0; q < n; ++q) clear(dq + (q0 + q) * head.query_row, padded);
    }
    // Keys in parts, so that they, their values and both gradients stay in the second cache.
    int const part = std::max(1, int(128 * 1024 / sizeof(T)) / (padded + wide) / Block::tile) * Block::tile;
    for (int k_first = begin / part * part; k_first < keys; k_first += part)
        for (int q0 = 0; q0 < head.queries; q0 += Q) {
            int const n = std::min(Q, head.queries - q0), k_last = std::min(keys, k_first + part);
            Block const block(head.spans.from(q0), n);
            if (!block.sees(k_first, k_last)) continue;
            T const* const query = head.query + q0 * head.query_row;
            T const* const dblock = dout + q0 * dout_row;
            turn<W>(n, padded, query, head.query_row, head.scale, turned);
            head.ask_ahead();
            turn<W>(n, wide, dblock, dout_row, T(1), dturned);
            V own[std::size_t(NV)], taken[std::size_t(NV)];
            for (int v = 0; v < NV; ++v) {
                own[v] = Weights::kept(V::load_first(kept + q0 + v * W, block.in_vector(v)));
                taken[v] = V::load_first(mean + q0 + v * W, block.in_vector(v));
            }
            block.each_tile(k_first, k_last, [&](int k0, int k1) {
                tile_products(block, k0, k1, head.width, head.key, head.key_row, turned, p);
                head.ask_ahead();
                tile_products(block, k0, k1, head.value_width, head.value, head.value_row, dturned, ds);
                typename decltype(S::bias)::template Tile<W, T> bias(scores.bias, q0, n, k0, k1);
                for (int v = 0; v < NV; ++v) {
                    head.ask_ahead();
                    TileRange const range = block.range(v, k0, k1);
                    for (int k = range.from; k < range.to; ++k) {
                        int const at = (k - k0) * Q + v * W;
                        V const capped = scores.cap(V::load(p + at));
                        V z = bias(capped, k, v);
                        if (!range.clear(k)) z = block.masked(z, k, v);
                        auto const w = Weights::of(z, own[v]);
                        V const dz = w.slope * (V::load(ds + at) - taken[v]);
                        bias.collect(dz, k, v);
                        w.weight.store(p + at);
                        (scores.cap.pull(dz, capped) * factor).store(ds + at);
                    }
                }
                bias.finish();
                head.ask_ahead();
                block.each_key_strip(k0, k1, [&](int from, int to, int q, int lanes) {
                    int const at = (from - k0) * Q + q;
                    gemm<W>(to - from, wide, lanes, p + at, Q, 1, dblock + q * dout_row, dout_row,
                            dv + from * head.value_row, head.value_row, true);
                    gemm<W>(to - from, padded, lanes, ds + at, Q, 1, query + q * head.query_row,
                            head.query_row, dk + from * head.key_row, head.key_row, true);
                });
                head.ask_ahead();
                block.each_strip(k0, k1, [&](int q, int rows, int from, int to) {
                    if (from < to)
                        gemm<W>(rows, padded, to - from, ds + (from - k0) * Q + q, 1, Q,
                                head.key + from * head.key_row, head.key_row, dq + (q0 + q) * head.query_row,
                                head.query_row, true);
                });
            });
        }
}

} // namespace kernels
} // namespace inlay::inline INLAY_ISA
