// SPDX-License-Identifier: BSD-3-Clause
// Selective attention (arXiv 2410.02703): what one head scores above zero, later queries see less of. Sums
// over earlier queries are products with a triangle of ones, tile by tile.
#pragma once

#include <inlay/kernels/attention/tile.hpp>

namespace inlay::inline INLAY_ISA {
namespace kernels {

/// Numbers of temporaries of a Selected.
template <int W, class T> constexpr std::size_t selected_room(int width) {
    constexpr int Q = QueryBlock<W, T>::width;
    return std::size_t(Q) * std::size_t(detail::whole_vectors<W>(width) + 2 * QueryBlock<W, T>::tile + Q);
}

/// F_ij is taken off each score: the sum over queries l < i of max(z_lj, 0), z the scores of head `judge`.
/// The query's own key and the first of all are not judged. Queries are read in order, and each tile of keys
/// once for each block of queries; `begin` starts again.
template <class T, class Cap> struct Selected {
    static constexpr bool plain = false;
    AttentionHead<T> const* judge;
    Cap cap;
    int first;        ///< the key that is the first query's own
    int origin;       ///< the first key of all, or -1
    int keys;         ///< count
    T const* initial; ///< what was taken off each key before the first query
    T* taken;         ///< what is by now
    double* slope;    ///< of what is taken off each key; null on the way forward
    T* room;
    mutable int turned = -1;

    template <int W> static constexpr int lanes = QueryBlock<W, T>::width;
    template <int W> T* queries() const noexcept { return room; }
    /// max(z, 0) of the tile.
    template <int W> T* judged() const noexcept {
        return room + detail::whole_vectors<W>(judge->width) * lanes<W>;
    }
    template <int W> T* off() const noexcept { return judged<W>() + QueryBlock<W, T>::tile * lanes<W>; }
    /// Ones where the row is before the column.
    template <int W> T* triangle() const noexcept { return off<W>() + QueryBlock<W, T>::tile * lanes<W>; }

    template <int W> void begin() const noexcept {
        std::copy_n(initial, keys, taken);
        turned = -1;
        for (int r = 0; r < lanes<W>; ++r)
            for (int q = 0; q < lanes<W>; ++q) triangle<W>()[r * lanes<W> + q] = r < q ? T(1) : T(0);
    }

    template <int W, class> struct Tile {
        using V = simd::vec<T, W>;
        static constexpr int Q = lanes<W>;
        Selected const& s;
        int k0;
        T const* off;

        Tile(Selected const& selected, int q0, int n, int from, int to) noexcept
            : s(selected), k0(from), off(selected.template off<W>()) {
            AttentionHead<T> const& j = *s.judge;
            T* const asking = s.template queries<W>();
            if (s.turned != q0) turn_queries<W>(j, q0, n, asking);
            s.turned = q0;
            T *const judged = s.template judged<W>(), *const tile = s.template off<W>();
            gemm<W>(to - from, Q, j.width, j.key + from * j.key_row, j.key_row, 1, asking, Q, judged, Q,
                    false);
            for (int k = from; k < to; ++k) {
                T* const row = judged + (k - from) * Q;
                map<W>(Q, row, row, [&](V z) { return simd::greater(s.cap(z), V(T(0))); });
                // Queries from this one on come behind the key; rows past n are no queries.
                int const none = k == s.origin ? n : std::clamp(k - s.first - q0 + 1, 0, n);
                std::fill_n(row, none, T(0)), std::fill_n(row + n, Q - n, T(0));
                std::fill_n(tile + (k - from) * Q, Q, s.taken[k]);
            }
            gemm<W>(to - from, Q, Q, judged, Q, 1, s.template triangle<W>(), Q, tile, Q, true);
            for (int k = from; k < to; ++k) {
                int const last = (k - from) * Q + n - 1;
                s.taken[k] = tile[last] + judged[last];
            }
        }
        INLAY_INLINE V operator()(V z, int k, int v) const noexcept {
            return z - V::load(off + (k - k0) * Q + v * W);
        }
        INLAY_INLINE void collect(V dz, int k, int) noexcept { s.slope[k] -= double(simd::sum(dz)); }
        void finish() const noexcept {}
    };
};

/// What the scores of a head send back to those of the judge: adds to its dq and dk. `rest` of each key is
/// the sum of the slopes of F_ij over all queries i, and of what is taken off after the last; it is used up.
/// `room` is that of `attend_backward`; mean and kept are as there.
template <class Weights, int W, class T, class S>
INLAY_NOINLINE inline void pull_selected(AttentionHead<T> const& head, S const& scores, T const* dout,
                                         std::ptrdiff_t dout_row, T const* kept, T const* mean, double* rest,
                                         T* dq, T* dk, T* room) noexcept {
    using V = simd::vec<T, W>;
    using Block = QueryBlock<W, T>;
    constexpr int Q = Block::width, NV = Block::vectors;
    AttentionHead<T> const& judge = *scores.bias.judge;
    int const padded = detail::whole_vectors<W>(head.width),
              wide = detail::whole_vectors<W>(head.value_width);
    T* const turned = room;
    T* const dturned = turned + padded * Q;
    T* const s = dturned + wide * Q;
    T* const dp = s + Block::tile * Q;
    V const factor(judge.scale);
    scores.bias.template begin<W>();
    for (int q0 = 0; q0 < head.queries; q0 += Q) {
        int const n = std::min(Q, head.queries - q0);
        Block const block(head.spans.from(q0), n);
        turn_queries<W>(head, q0, n, turned);
        turn<W>(n, wide, dout + q0 * dout_row, dout_row, T(1), dturned);
        V own[std::size_t(NV)], less[std::size_t(NV)];
        for (int v = 0; v < NV; ++v) {
            own[v] = Weights::kept(V::load_first(kept + q0 + v * W, block.in_vector(v)));
            less[v] = V::load_first(mean + q0 + v * W, block.in_vector(v));
        }
        block.each_tile([&](int k0, int k1) {
            tile_products(block, k0, k1, head.width, head.key, head.key_row, turned, s);
            tile_products(block, k0, k1, head.value_width, head.value, head.value_row, dturned, dp);
            typename decltype(S::bias)::template Tile<W, T> const bias(scores.bias, q0, n, k0, k1);
            // s: the slopes of F; dp: their sums over earlier queries.
            for (int v = 0; v < NV; ++v) {
                TileRange const range = block.range(v, k0, k1);
                for (int k = k0; k < k1; ++k) {
                    int const at = (k - k0) * Q + v * W;
                    V slope(T(0));
                    if (k >= range.from && k < range.to) {
                        V z = bias(scores.cap(V::load(s + at)), k, v);
                        if (!range.clear(k)) z = block.masked(z, k, v);
                        slope = Weights::of(z, own[v]).slope * (less[v] - V::load(dp + at));
                    }
                    slope.store(s + at);
                }
            }
            gemm<W>(k1 - k0, Q, Q, s, Q, 1, scores.bias.template triangle<W>(), Q, dp, Q, false);
            T const* const judged = scores.bias.template judged<W>();
            for (int k = k0; k < k1; ++k) {
                V const all{static_cast<T>(rest[k])};
                int const row = (k - k0) * Q;
                rest[k] -= double(dp[row + n - 1] + s[row + n - 1]);
                for (int v = 0; v < NV; ++v) {
                    int const at = row + v * W;
                    V const after = all - V::load(dp + at) - V::load(s + at), seen = V::load(judged + at);
                    V const slope = simd::select_greater(seen, V(T(0)), after, V(T(0)));
                    (scores.cap.pull(slope, seen) * factor).store(s + at);
                }
            }
            gemm<W>(k1 - k0, padded, n, s, Q, 1, judge.query + q0 * judge.query_row, judge.query_row,
                    dk + k0 * judge.key_row, judge.key_row, true);
            gemm<W>(n, padded, k1 - k0, s, 1, Q, judge.key + k0 * judge.key_row, judge.key_row,
                    dq + q0 * judge.query_row, judge.query_row, true);
        });
    }
}

} // namespace kernels
} // namespace inlay::inline INLAY_ISA
