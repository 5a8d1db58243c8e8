// SPDX-License-Identifier: BSD-3-Clause
// Softmax attention of one head, forward, in tiles with a running softmax (arXiv 2205.14135): memory is
// linear in the length.
#pragma once

#include <inlay/kernels/attention/tile.hpp>

namespace inlay::inline INLAY_ISA {
namespace kernels {

namespace detail {
/// The whole number next to a score so much larger than `top` (in units of ln 2 or more) becomes the new
/// one: weights below 2^8, or e^8, are as good, sums are seldom rescaled, and by powers of two exactly.
inline constexpr int slack = 8;

/// Scores of one vector of queries become e^(score - top), where no score is more than `slack`, or 1/2, above
/// `top` and `sum` is the sum of all; what was summed up before has to be multiplied by what is returned.
template <int W, class T, class S, class Tile>
INLAY_INLINE simd::vec<T, W> weigh(QueryBlock<W, T> const& block, S const& scores, Tile const& bias,
                                   TileRange range, int k0, int v, T* products, simd::vec<T, W>& top,
                                   simd::vec<T, W>& sum) noexcept {
    using V = simd::vec<T, W>;
    constexpr int Q = QueryBlock<W, T>::width;
    T* const s = products + v * W;
    int const n = range.to - range.from;
    T* const rows = s + (range.from - k0) * Q;
    V most[4] = {top, top, top, top};
    auto const score = [&](int from, int to, bool hidden) INLAY_INLINE_LAMBDA {
        for (int k = from; k < to; ++k) {
            T* const at = s + (k - k0) * Q;
            V z = bias(scores.cap(V::load(at)), k, v);
            if (hidden) z = block.masked(z, k, v);
            z.store(at);
            most[0] = simd::greater(most[0], z);
        }
    };
    score(range.from, range.clear_from, true);
    if constexpr (S::plain) {
        int k = range.clear_from;
        for (; k + 4 <= range.clear_to; k += 4)
            INLAY_UNROLL for (int i = 0; i < 4; ++i) most[i] =
                simd::greater(most[i], V::load(s + (k + i - k0) * Q));
        for (; k < range.clear_to; ++k) most[0] = simd::greater(most[0], V::load(s + (k - k0) * Q));
    } else score(range.clear_from, range.clear_to, false);
    score(range.clear_to, range.to, true);
    V const most_now = simd::greater(simd::greater(most[0], most[1]), simd::greater(most[2], most[3]));
    V const now = simd::select_greater(most_now, top + V(T(slack)), simd::nearest(most_now), top);
    V const factor = score_power<S>(top - now);
    V sums[2] = {sum * factor, V(T(0))};
    int r = 0;
    for (; r + 2 <= n; r += 2) INLAY_UNROLL for (int i = 0; i < 2; ++i) {
            V const e = score_power<S>(V::load(rows + (r + i) * Q) - now);
            e.store(rows + (r + i) * Q);
            sums[i] += e;
        }
    if (r < n) {
        V const e = score_power<S>(V::load(rows + r * Q) - now);
        e.store(rows + r * Q);
        sums[0] += e;
    }
    top = now;
    sum = sums[0] + sums[1];
    return factor;
}
/// 1 / sum of weights, zero where there was none.
template <class V> INLAY_INLINE V inverse_of(V total) noexcept {
    using T = typename V::value_type;
    return simd::select_greater(V(std::numeric_limits<T>::min()), total, V(T(0)), V(T(1)) / total);
}
} // namespace detail

/// Numbers of temporaries of `attend`.
template <int W, class T> constexpr std::size_t attention_room(int width, int value_width) {
    constexpr int Q = QueryBlock<W, T>::width;
    return std::size_t(Q) * std::size_t(detail::whole_vectors<W>(width) + QueryBlock<W, T>::tile +
                                        detail::whole_vectors<W>(value_width));
}

/// out_i = sum_j P_ij v_j and log_sum_i = log sum_j e^z_ij, with z_ij = bias(cap(scale q_i k_j)) and
/// P_ij = e^(z_ij - log_sum_i) over the keys that query i sees; zeros and minus infinity where it sees none.
/// `sink`, where there is one, is a further score whose value is zero. Writes value_width numbers of each row
/// of out; log_sum may be null.
template <int W, class T, class S = Scores<>>
INLAY_NOINLINE inline void attend(AttentionHead<T> const& head, S const& scores, T const* sink, T* out,
                                  std::ptrdiff_t out_row, T* log_sum, T* room) noexcept {
    using V = simd::vec<T, W>;
    using Block = QueryBlock<W, T>;
    constexpr int Q = Block::width, NV = Block::vectors;
    int const padded = detail::whole_vectors<W>(head.width),
              wide = detail::whole_vectors<W>(head.value_width);
    T* const turned = room;
    T* const s = turned + padded * Q;
    T* const sums = s + Block::tile * Q;
    constexpr T unit = score_unit<T, S>;
    scores.bias.template begin<W>();
    for (int q0 = 0; q0 < head.queries; q0 += Q) {
        int const n = std::min(Q, head.queries - q0);
        Block const block(head.spans.from(q0), n);
        turn_queries<W>(head, q0, n, turned, unit);
        // The weights of a single tile are final: they are divided in their lanes, and `out` is written once.
        bool const once = wide == head.value_width && block.has_one_tile();
        RowsAhead<T> next; // queries, which a long sequence has pushed out to a far cache
        if (!head.ids && q0 + Q < head.queries)
            next.add(std::min(Q, head.queries - q0 - Q), head.query + (q0 + Q) * head.query_row,
                     head.query_row, head.width);
        T* const to = once ? out + q0 * out_row : sums;
        std::ptrdiff_t const to_row = once ? out_row : wide;
        V top[std::size_t(NV)], total[std::size_t(NV)];
        bool begun[std::size_t(NV)] = {}; // there is something to rescale
        for (int v = 0; v < NV; ++v) { // the least number, and not -infinity: a difference of two is not NaN
            top[v] = V(sink ? *sink * unit : std::numeric_limits<T>::lowest());
            total[v] = V(sink ? T(1) : T(0));
        }
        head.ask_ahead();
        bool summed = false; // sums hold something
        block.each_tile([&](int k0, int k1) {
            next.ask(32);
            tile_products(block, k0, k1, head.width, head.key, head.key_row, turned, s);
            head.ask_ahead();
            typename decltype(S::bias)::template Tile<W, T> const bias(scores.bias, q0, n, k0, k1);
            for (int v = 0; v < NV; ++v) {
                TileRange const range = block.range(v, k0, k1);
                if (range.from == range.to) continue;
                V const factor = detail::weigh(block, scores, bias, range, k0, v, s, top[v], total[v]);
                if (once) {
                    V const by = detail::inverse_of(total[v]);
                    for (int k = range.from; k < range.to; ++k) {
                        T* const at = s + (k - k0) * Q + v * W;
                        (V::load(at) * by).store(at);
                    }
                } else if (begun[v]) {
                    T lanes[std::size_t(W)];
                    factor.store(lanes);
                    for (int q = 0; q < block.in_vector(v); ++q)
                        if (lanes[q] != T(1)) {
                            T* const row = sums + (v * W + q) * wide;
                            scale<W>(wide, lanes[q], row, row);
                        }
                }
                begun[v] = true;
                head.ask_ahead();
            }
            block.each_strip(k0, k1, [&](int q, int rows, int from, int until) {
                if (from < until || !summed) // nothing seen is zeros
                    gemm<W>(rows, wide, until - from, s + (from - k0) * Q + q, 1, Q,
                            head.value + from * head.value_row, head.value_row, to + q * to_row, to_row,
                            summed);
            });
            summed = true;
        });
        if (!summed) clear(sums, std::ptrdiff_t(Q) * wide);
        for (int v = 0; v < NV; ++v) {
            int const here = block.in_vector(v);
            if (here == 0) break;
            if (log_sum)
                simd::select_greater(V(std::numeric_limits<T>::min()), total[v],
                                     V(-std::numeric_limits<T>::infinity()),
                                     simd::fma(top[v], V(1 / unit), simd::log(total[v])))
                    .store_first(log_sum + q0 + v * W, here);
            if (once) continue;
            T inverse[std::size_t(W)];
            detail::inverse_of(total[v]).store(inverse);
            for (int q = 0; q < here; ++q)
                scale<W>(head.value_width, inverse[q], sums + (v * W + q) * wide,
                         out + (q0 + v * W + q) * out_row);
        }
    }
}

} // namespace kernels
} // namespace inlay::inline INLAY_ISA
