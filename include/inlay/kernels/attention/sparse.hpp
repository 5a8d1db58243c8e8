// SPDX-License-Identifier: BSD-3-Clause
// Attention of one head whose weights are zero below a threshold: sparsemax and entmax. The threshold needs
// all scores of a query at once, so a block of queries keeps them: memory is still linear in the length.
#pragma once

#include <inlay/kernels/attention/tile.hpp>
#include <inlay/kernels/softmax.hpp>

namespace inlay::inline INLAY_ISA {
namespace kernels {

/// w = max(z - t, 0) with t such that they sum to 1 (arXiv 1602.02068).
struct SparsemaxWeights {
    template <class V> using Pair = SoftmaxWeights::Pair<V>;
    static constexpr double part = 1;   ///< of a score that is compared with the threshold
    static constexpr double slopes = 1; ///< the sum of weights falls by so many slopes with the threshold
    template <class V> static V kept(V threshold) noexcept { return threshold; }
    template <class V> INLAY_INLINE static Pair<V> of(V z, V threshold) noexcept {
        using T = typename V::value_type;
        V const zero(T(0)), above = simd::greater(z - threshold, zero);
        return {above, simd::select_greater(above, zero, V(T(1)), zero)};
    }
};
/// w = max(z / 2 - t, 0)^2 with t such that they sum to 1 (arXiv 1905.05702).
struct Entmax15Weights {
    template <class V> using Pair = SoftmaxWeights::Pair<V>;
    static constexpr double part = 0.5, slopes = 2;
    template <class V> static V kept(V threshold) noexcept { return threshold; }
    template <class V> INLAY_INLINE static Pair<V> of(V z, V threshold) noexcept {
        using T = typename V::value_type;
        V const above = simd::greater(simd::fma(z, V(T(0.5)), -threshold), V(T(0)));
        return {above * above, above};
    }
};

namespace detail {
/// Newton's steps to the threshold from below, from the largest score; `sums(t)` gives the sums of weights
/// and of slopes at t. The sum of weights falls and is convex in t, so that no step goes too far; they end
/// where rounding stops them.
template <class Map, class V, class Sums> inline V threshold_of(V top, Sums const& sums) noexcept {
    using T = typename V::value_type;
    // Where nothing is seen, any finite number will do: weights are zero.
    V const least(std::numeric_limits<T>::lowest());
    V const most = simd::select_greater(top, least, top * V(T(Map::part)), V(T(0)));
    V t = most - V(T(1));
    for (int step = 0; step < 60; ++step) {
        auto const at = sums(t);
        V const some(std::numeric_limits<T>::min()), zero(T(0));
        V const move = (at.weight - V(T(1))) / (simd::greater(at.slope, some) * V(T(Map::slopes)));
        V const next = simd::lesser(t + simd::greater(move, zero), most);
        if (!(simd::max(next - t) > T(0))) break;
        t = next;
    }
    return t;
}
} // namespace detail

/// Numbers of temporaries of `attend_sparse` over at most so many keys.
template <int W, class T> constexpr std::size_t sparse_room(int width, int value_width, int keys) {
    constexpr int Q = QueryBlock<W, T>::width;
    return std::size_t(Q) *
           std::size_t(detail::whole_vectors<W>(width) + keys + detail::whole_vectors<W>(value_width));
}

/// As `attend`, with weights of Map; what is kept of each query is its threshold.
template <class Map, int W, class T, class S>
INLAY_NOINLINE inline void attend_sparse(AttentionHead<T> const& head, S const& scores, T* out,
                                         std::ptrdiff_t out_row, T* threshold, T* room) noexcept {
    using V = simd::vec<T, W>;
    using Block = QueryBlock<W, T>;
    constexpr int Q = Block::width, NV = Block::vectors;
    int const padded = detail::whole_vectors<W>(head.width),
              wide = detail::whole_vectors<W>(head.value_width);
    T* const turned = room;
    T* const sums = turned + padded * Q;
    T* const all = sums + wide * Q;
    scores.bias.template begin<W>();
    for (int q0 = 0; q0 < head.queries; q0 += Q) {
        int const n = std::min(Q, head.queries - q0);
        Block const block(head.spans.from(q0), n);
        turn_queries<W>(head, q0, n, turned);
        clear(sums, std::ptrdiff_t(Q) * wide);
        // Scores of all tiles, one behind the other; hidden ones are minus infinity.
        V top[std::size_t(NV)];
        for (V& t : top) t = V(std::numeric_limits<T>::lowest());
        int rows = 0;
        block.each_tile([&](int k0, int k1) {
            T* const s = all + std::ptrdiff_t(rows) * Q;
            tile_products(block, k0, k1, head.width, head.key, head.key_row, turned, s);
            typename decltype(S::bias)::template Tile<W, T> const bias(scores.bias, q0, n, k0, k1);
            for (int v = 0; v < NV; ++v) {
                TileRange const range = block.range(v, k0, k1);
                for (int k = k0; k < k1; ++k) {
                    T* const at = s + (k - k0) * Q + v * W;
                    V z(-std::numeric_limits<T>::infinity());
                    if (k >= range.from && k < range.to) {
                        z = bias(scores.cap(V::load(at)), k, v);
                        if (!range.clear(k)) z = block.masked(z, k, v);
                        top[v] = simd::greater(top[v], z);
                    }
                    z.store(at);
                }
            }
            rows += k1 - k0;
        });
        for (int v = 0; v < NV; ++v) {
            V const t = detail::threshold_of<Map>(top[v], [&](V at) {
                typename Map::template Pair<V> sums_at{V(T(0)), V(T(0))};
                for (int r = 0; r < rows; ++r) {
                    auto const w = Map::of(V::load(all + r * Q + v * W), at);
                    sums_at.weight += w.weight;
                    sums_at.slope += w.slope;
                }
                return sums_at;
            });
            for (int r = 0; r < rows; ++r) {
                T* const at = all + r * Q + v * W;
                Map::of(V::load(at), t).weight.store(at);
            }
            if (int const here = block.in_vector(v)) t.store_first(threshold + q0 + v * W, here);
        }
        rows = 0;
        block.each_tile([&](int k0, int k1) {
            gemm<W>(n, wide, k1 - k0, all + std::ptrdiff_t(rows) * Q, 1, Q, head.value + k0 * head.value_row,
                    head.value_row, sums, wide, true);
            rows += k1 - k0;
        });
        for (int q = 0; q < n; ++q)
            scale<W>(head.value_width, T(1), sums + q * wide, out + (q0 + q) * out_row);
    }
}

/// mean_i = sum_j s_ij dout_i v_j / sum_j s_ij, where s_ij is the slope of a weight by its own score: what
/// the way back takes off. `room` is that of `attend_backward`.
template <class Map, int W, class T, class S>
INLAY_NOINLINE inline void sparse_means(AttentionHead<T> const& head, S const& scores, T const* dout,
                                        std::ptrdiff_t dout_row, T const* threshold, T* mean,
                                        T* room) noexcept {
    using V = simd::vec<T, W>;
    using Block = QueryBlock<W, T>;
    constexpr int Q = Block::width, NV = Block::vectors;
    int const padded = detail::whole_vectors<W>(head.width),
              wide = detail::whole_vectors<W>(head.value_width);
    T* const turned = room;
    T* const dturned = turned + padded * Q;
    T* const s = dturned + wide * Q;
    T* const dp = s + Block::tile * Q;
    scores.bias.template begin<W>();
    for (int q0 = 0; q0 < head.queries; q0 += Q) {
        int const n = std::min(Q, head.queries - q0);
        Block const block(head.spans.from(q0), n);
        turn_queries<W>(head, q0, n, turned);
        turn<W>(n, wide, dout + q0 * dout_row, dout_row, T(1), dturned);
        V sum[std::size_t(NV)], slopes[std::size_t(NV)], own[std::size_t(NV)];
        for (int v = 0; v < NV; ++v) {
            sum[v] = slopes[v] = V(T(0));
            own[v] = V::load_first(threshold + q0 + v * W, block.in_vector(v));
        }
        block.each_tile([&](int k0, int k1) {
            tile_products(block, k0, k1, head.width, head.key, head.key_row, turned, s);
            tile_products(block, k0, k1, head.value_width, head.value, head.value_row, dturned, dp);
            typename decltype(S::bias)::template Tile<W, T> const bias(scores.bias, q0, n, k0, k1);
            for (int v = 0; v < NV; ++v) {
                TileRange const range = block.range(v, k0, k1);
                for (int k = range.from; k < range.to; ++k) {
                    int const at = (k - k0) * Q + v * W;
                    V z = bias(scores.cap(V::load(s + at)), k, v);
                    if (!range.clear(k)) z = block.masked(z, k, v);
                    V const slope = Map::of(z, own[v]).slope;
                    sum[v] = simd::fma(slope, V::load(dp + at), sum[v]);
                    slopes[v] += slope;
                }
            }
        });
        for (int v = 0; v < NV; ++v) {
            V const some(std::numeric_limits<T>::min());
            if (int const here = block.in_vector(v))
                (sum[v] / simd::greater(slopes[v], some)).store_first(mean + q0 + v * W, here);
        }
    }
}

/// One row of n scores becomes weights.
template <class Map, int W, class T> INLAY_NOINLINE inline void sparse_row(int n, T* z) noexcept {
    using V = simd::vec<T, W>;
    using One = simd::vec<T, 1>;
    T top = std::numeric_limits<T>::lowest();
    for (int i = 0; i < n; ++i) top = z[i] > top ? z[i] : top;
    constexpr T hidden = -std::numeric_limits<T>::infinity();
    One const threshold = detail::threshold_of<Map>(One(top), [&](One at) {
        T t;
        at.store(&t);
        V sum(T(0)), slopes(T(0));
        for (int i = 0; i < n; i += W) {
            auto const w = Map::of(Row<W, T>::load(z, i, n, hidden), V(t));
            sum += w.weight, slopes += w.slope;
        }
        return typename Map::template Pair<One>{One(simd::sum(sum)), One(simd::sum(slopes))};
    });
    T t;
    threshold.store(&t);
    for (int i = 0; i < n; i += W)
        Row<W, T>::store(Map::of(Row<W, T>::load(z, i, n, hidden), V(t)).weight, z, i, n);
}

} // namespace kernels
} // namespace inlay::inline INLAY_ISA
