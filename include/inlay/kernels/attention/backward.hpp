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
    constexpr bool powers = S::plain && std::is_same_v<Weights, SoftmaxWeights>;
    using Map = std::conditional_t<powers, PowerWeights, Weights>;
    constexpr T unit = powers ? score_unit<T, S> : T(1);
    constexpr int Q = Block::width, NV = Block::vectors;
    int const padded = detail::whole_vectors<W>(head.width),
              wide = detail::whole_vectors<W>(head.value_width);
    T* const turned = room;
    T* const dturned = turned + padded * Q;
    T* const p = dturned + wide * Q;
    T* const ds = p + Block::tile * Q;
    V const factor(head.scale);
    scores.bias.template begin<W>();
    int begin = KeySpans<T>::nowhere, keys = 1; // one part at least, which clears dq
    for (int q0 = 0; q0 < head.queries; q0 += Q) {
        Block const block(head.spans.from(q0), std::min(Q, head.queries - q0));
        begin = std::min(begin, block.begin()), keys = std::max(keys, block.end());
    }
    // Keys in parts, so that they, their values and both gradients stay in the second cache.
    int const part = std::max(1, int(256 * 1024 / sizeof(T)) / (padded + wide) / Block::tile) * Block::tile;
    int const first = std::min(begin, keys - 1) / part * part;
    for (int k_first = first; k_first < keys; k_first += part)
        for (int q0 = 0; q0 < head.queries; q0 += Q) {
            int const n = std::min(Q, head.queries - q0), k_last = k_first + part;
            Block const block(head.spans.from(q0), n);
            bool begun = k_first > first; // dq holds a sum
            if (!begun && !block.sees(k_first, k_last))
                for (int q = 0; q < n; ++q) clear(dq + (q0 + q) * head.query_row, padded);
            if (!block.sees(k_first, k_last)) continue;
            T const* const query = head.query + q0 * head.query_row;
            T const* const dblock = dout + q0 * dout_row;
            turn<W>(n, padded, query, head.query_row, head.scale * unit, turned);
            head.ask_ahead();
            turn<W>(n, wide, dblock, dout_row, S::plain ? head.scale : T(1), dturned);
            V own[std::size_t(NV)], taken[std::size_t(NV)];
            for (int v = 0; v < NV; ++v) {
                own[v] = Map::kept(V::load_first(kept + q0 + v * W, block.in_vector(v)));
                taken[v] = V::load_first(mean + q0 + v * W, block.in_vector(v));
                if constexpr (S::plain) taken[v] *= factor;
            }
            block.each_tile(k_first, k_last, [&](int k0, int k1) {
                tile_products(block, k0, k1, head.width, head.key, head.key_row, turned, p);
                head.ask_ahead();
                tile_products(block, k0, k1, head.value_width, head.value, head.value_row, dturned, ds);
                typename decltype(S::bias)::template Tile<W, T> bias(scores.bias, q0, n, k0, k1);
                for (int v = 0; v < NV; ++v) {
                    head.ask_ahead();
                    TileRange const range = block.range(v, k0, k1);
                    auto const weigh = [&](int from, int to, auto hidden) INLAY_INLINE_LAMBDA {
                        V const kept_of = own[v], mean_of = taken[v];
                        [[maybe_unused]] V const by = factor;
                        T *at = p + (from - k0) * Q + v * W, *const end = at + (to - from) * Q;
                        std::ptrdiff_t const other = ds - p;
                        for (int k = from; at < end; at += Q, ++k) {
                            V const capped = scores.cap(V::load(at));
                            V z = bias(capped, k, v);
                            if constexpr (hidden()) z = block.masked(z, k, v);
                            V weight, slope;
                            if constexpr (std::is_base_of_v<SoftmaxWeights, Map>)
                                weight = slope =
                                    Map::weight(z, kept_of); // GCC stores a pair and loads it again
                            else {
                                auto const both = Map::of(z, kept_of);
                                weight = both.weight, slope = both.slope;
                            }
                            V const dz = slope * (V::load(at + other) - mean_of);
                            bias.collect(dz, k, v);
                            weight.store(at);
                            if constexpr (S::plain) dz.store(at + other);
                            else (scores.cap.pull(dz, capped) * by).store(at + other);
                        }
                    };
                    weigh(range.from, range.clear_from, std::true_type{});
                    weigh(range.clear_from, range.clear_to, std::false_type{});
                    weigh(range.clear_to, range.to, std::true_type{});
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
                    if (from < to || !begun) // nothing seen is zeros
                        gemm<W>(rows, padded, to - from, ds + (from - k0) * Q + q, 1, Q,
                                head.key + from * head.key_row, head.key_row, dq + (q0 + q) * head.query_row,
                                head.query_row, begun);
                });
                begun = true;
            });
        }
}

} // namespace kernels
} // namespace inlay::inline INLAY_ISA
