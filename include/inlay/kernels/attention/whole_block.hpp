// SPDX-License-Identifier: BSD-3-Clause
// Attention of some queries, by their numbers, over a block of keys that each of them sees whole. The block
// is turned once for all of its queries, which are rows of a product as they lie: keys are lanes. What the
// block gives is put to what queries have from others as it leaves the registers.
#pragma once

#include <inlay/kernels/attention/tile.hpp>

#include <utility>

namespace inlay::inline INLAY_ISA {
namespace kernels {

/// What will be asked for behind a piece: as many keys before its own, queries behind those of its list, and
/// some queries by number.
struct NextPiece {
    int keys = 0, queries = 0, first = 0, count = 0;
};

/// Queries that are taken at a time.
inline constexpr int block_queries = 64;

namespace detail {
/// Of n things that are asked for while `all` queries pass, those that go with queries [from, to).
struct Share {
    int first, n;
    Share(int things, int from, int to, int all) noexcept
        : first(int(std::int64_t(things) * from / all)), n(int(std::int64_t(things) * to / all) - first) {}
};

/// Keys that are taken at a time, so that they and the queries stay in near caches.
inline constexpr int block_keys = 128;
/// Rows of a product are filled up to whole strips: fewer are rounded otherwise, and how many queries chose a
/// block may depend on later tokens.
inline constexpr int block_strip = 8;

/// Some queries of a list, copied next to each other, and their room.
template <int W, class T> struct BlockRows {
    int width, wide; ///< padded
    T *turned, *turned_values, *query, *dout, *weight, *slope, *spare;
    T* to[std::size_t(block_queries)];
    T own[std::size_t(block_queries)], taken[std::size_t(block_queries)];
    std::int32_t ids[std::size_t(block_queries)];
    int count = 0, rows = 0;

    static constexpr std::size_t room(int width, int value_width, int all_keys, bool backward) {
        std::size_t const keys = std::size_t(std::min(all_keys, block_keys));
        std::size_t const w = std::size_t(whole_vectors<W>(width)),
                          v = std::size_t(whole_vectors<W>(value_width));
        return keys * (w + (backward ? v : 0)) + std::max(v, w) +
               block_queries * (w + (backward ? v + 2 * keys : keys));
    }
    BlockRows(AttentionHead<T> const& head, int all_keys, T* from, bool backward) noexcept
        : width(whole_vectors<W>(head.width)), wide(whole_vectors<W>(head.value_width)) {
        auto const take = [&](int n) { return std::exchange(from, from + n); };
        int const keys = std::min(all_keys, block_keys);
        turned = take(keys * width), turned_values = take(backward ? keys * wide : 0);
        query = take(block_queries * width), dout = take(backward ? block_queries * wide : 0);
        weight = take(block_queries * keys), slope = take(backward ? block_queries * keys : 0);
        spare = take(std::max(wide, width));
    }
    /// The next n queries; `base` and `row` say where their results lie.
    void begin(int n, std::int32_t const* list, T* base, std::ptrdiff_t row) noexcept {
        count = n, rows = (n + block_strip - 1) / block_strip * block_strip;
        for (int i = 0; i < n; ++i) ids[i] = list[i], to[i] = base + list[i] * row;
        for (int i = n; i < rows; ++i) ids[i] = list[n - 1], to[i] = spare;
    }
};

/// Asks for a few rows with each tile of a product.
template <class T> struct AsksAhead {
    RowsAhead<T>& ahead;
    int lines;
    struct At {
        template <class V> INLAY_INLINE V operator()(V x, int) const noexcept { return x; }
        void next() const noexcept {}
    };
    INLAY_INLINE At from(std::ptrdiff_t, std::ptrdiff_t) const noexcept {
        ahead.ask(lines);
        return {};
    }
};
/// A row of a product goes to a row of its own: to[i] = keep[i] to[i] + take[i] sum.
template <class T> struct MergesRows {
    T* const* to;
    T const *keep, *take;
    int width;
    RowsAhead<T>& ahead;
    int lines;
    struct At {
        T* const* to;
        T const *keep, *take;
        int width, column;
        template <class V> INLAY_INLINE void operator()(V x, int i) const noexcept {
            T* const at = *to + column + i;
            V const a(*keep), b(*take);
            if (int const left = width - column - i; left >= int(V::lanes))
                simd::fma(b, x, a * V::load(at)).store(at);
            else if (left > 0) simd::fma(b, x, a * V::load_first(at, left)).store_first(at, left);
        }
        INLAY_INLINE void next() noexcept { ++to, ++keep, ++take; }
    };
    INLAY_INLINE At from(std::ptrdiff_t row, std::ptrdiff_t column) const noexcept {
        ahead.ask(lines);
        return {to + row, keep + row, take + row, width, int(column)};
    }
};
/// The same: to[i] += sum.
template <class T> struct AddsRows {
    T* const* to;
    RowsAhead<T>& ahead;
    int lines;
    struct At {
        T* const* to;
        std::ptrdiff_t column;
        template <class V> INLAY_INLINE void operator()(V x, int i) const noexcept {
            T* const at = *to + column + i;
            (V::load(at) + x).store(at);
        }
        INLAY_INLINE void next() noexcept { ++to; }
    };
    INLAY_INLINE At from(std::ptrdiff_t row, std::ptrdiff_t column) const noexcept {
        ahead.ask(lines);
        return {to + row, column};
    }
};

/// Products of rows become e^(z - top); `own` are the log sums of what queries have, and become those of all;
/// keep and take are what the old and the new parts are multiplied by.
template <int W, class T, class S>
INLAY_NOINLINE inline void weigh_rows(S const& scores, int rows, int keys, T* z, T* own, T* keep,
                                      T* take) noexcept {
    using V = simd::vec<T, W>;
    V const least(std::numeric_limits<T>::lowest());
    for (int i0 = 0; i0 < rows; i0 += W) {
        int const here = std::min(W, rows - i0);
        V each[std::size_t(W)];
        for (int i = 0; i < here; ++i) {
            T* const row = z + (i0 + i) * keys;
            V most(least);
            for (int k = 0; k < keys; k += W) {
                V x = V::load(row + k);
                if constexpr (!S::plain) x = scores.cap(x), x.store(row + k);
                most = simd::greater(most, x);
            }
            each[i] = most;
        }
        for (int i = here; i < W; ++i) each[i] = V(T(0));
        V const had = simd::greater(V::load_first(own + i0, here), least),
                top = simd::greater(simd::row_maxima(each), had);
        T top_of[std::size_t(W)];
        top.store(top_of);
        for (int i = 0; i < here; ++i) {
            T* const row = z + (i0 + i) * keys;
            V const most(top_of[i]);
            V sum(T(0));
            for (int k = 0; k < keys; k += W) {
                V const e = simd::exp(V::load(row + k) - most);
                e.store(row + k);
                sum += e;
            }
            each[i] = sum;
        }
        V const before = simd::exp(had - top), sum = before + simd::row_sums(each), part = V(T(1)) / sum;
        (top + simd::log(sum)).store_first(own + i0, here);
        (before * part).store_first(keep + i0, here), part.store_first(take + i0, here);
    }
}
/// Products of queries and keys become weights, products of dout and values slopes.
template <int W, class T, class S>
INLAY_NOINLINE inline void weigh_rows_back(S const& scores, T scale, int rows, int keys, T* z, T* dz,
                                           T const* own, T const* taken) noexcept {
    using V = simd::vec<T, W>;
    V const factor(scale);
    for (int i = 0; i < rows; ++i) {
        V const kept = SoftmaxWeights::kept(V(own[i])), mean(taken[i]);
        for (int k = i * keys; k < (i + 1) * keys; k += W) {
            V const capped = scores.cap(V::load(z + k));
            auto const w = SoftmaxWeights::of(capped, kept);
            w.weight.store(z + k);
            (scores.cap.pull(w.slope * (V::load(dz + k) - mean), capped) * factor).store(dz + k);
        }
    }
}
} // namespace detail

template <int W, class T> constexpr std::size_t block_room(int width, int value_width, int keys) {
    return detail::BlockRows<W, T>::room(width, value_width, keys, false);
}
template <int W, class T> constexpr std::size_t block_backward_room(int width, int value_width, int keys) {
    return detail::BlockRows<W, T>::room(width, value_width, keys, true);
}

/// Adds the `keys` keys and values of `head`, a multiple of W, to what its n queries of a list have from
/// others: `out` and `log_sum` are those of all queries, and become those of both.
template <int W, class T, class S>
INLAY_NOINLINE inline void attend_block(AttentionHead<T> const& head, S const& scores, int keys, int n,
                                        std::int32_t const* ids, T* out, std::ptrdiff_t out_row, T* log_sum,
                                        T* room, NextPiece next = {}) noexcept {
    using namespace detail;
    BlockRows<W, T> some(head, keys, room, false);
    for (int k0 = 0; k0 < keys; k0 += block_keys) {
        int const m = std::min(block_keys, keys - k0);
        turn_rows<W>(
            m, some.width, [&](int k) INLAY_INLINE_LAMBDA { return head.key + (k0 + k) * head.key_row; },
            head.scale, some.turned, m);
        T const* const value = head.value + k0 * head.value_row;
        for (int i = 0; i < n; i += block_queries) {
            int const count = std::min(block_queries, n - i), then = i + count;
            some.begin(count, ids + i, out, out_row);
            gather(some.rows, some.ids, head.query, head.query_row, some.width, some.query, some.width);
            RowsAhead<T> ahead; // what is merged with, and what comes next
            ahead.add(count, some.ids, out, out_row, head.value_width);
            ahead.add(std::min(block_queries, n + next.queries - then), ids + then, head.query,
                      head.query_row, head.width);
            Share const keys_too(next.keys, i, then, n), own(next.count, i, then, n);
            std::ptrdiff_t const behind = keys_too.first - next.keys, at = next.first + own.first;
            ahead.add(keys_too.n, head.key + behind * head.key_row, head.key_row, head.width);
            ahead.add(keys_too.n, head.value + behind * head.value_row, head.value_row, head.value_width);
            ahead.add(own.n, head.query + at * head.query_row, head.query_row, head.width);
            ahead.add(own.n, static_cast<T const*>(out) + at * out_row, out_row, head.value_width);
            gemm<W>(some.rows, m,
                    Product<T>{some.width, some.query, some.width, 1, some.turned, m, some.weight, m, {}, 0},
                    AsksAhead<T>{ahead, 24});
            T keep[std::size_t(block_queries)], take[std::size_t(block_queries)];
            for (int j = 0; j < some.rows; ++j) some.own[j] = log_sum[some.ids[j]];
            weigh_rows<W>(scores, some.rows, m, some.weight, some.own, keep, take);
            for (int j = 0; j < count; ++j) log_sum[some.ids[j]] = some.own[j];
            gemm<W>(some.rows, some.wide,
                    Product<T>{m, some.weight, m, 1, value, head.value_row, some.spare, 0, {}, 0},
                    MergesRows<T>{some.to, keep, take, head.value_width, ahead, 24});
        }
    }
}
/// The way back: `kept` and `mean` are those of whole rows, as `attend_backward` wants them. Adds to dq, dk
/// and dv; dk and dv begin with the block.
template <int W, class T, class S>
INLAY_NOINLINE inline void attend_block_backward(AttentionHead<T> const& head, S const& scores, int keys,
                                                 int n, std::int32_t const* ids, T const* dout,
                                                 std::ptrdiff_t dout_row, T const* kept, T const* mean, T* dq,
                                                 T* dk, T* dv, T* room, NextPiece next = {}) noexcept {
    using namespace detail;
    BlockRows<W, T> some(head, keys, room, true);
    for (int k0 = 0; k0 < keys; k0 += block_keys) {
        int const m = std::min(block_keys, keys - k0);
        T const *const key = head.key + k0 * head.key_row, *const value = head.value + k0 * head.value_row;
        turn_rows<W>(
            m, some.width, [&](int k) INLAY_INLINE_LAMBDA { return key + k * head.key_row; }, head.scale,
            some.turned, m);
        turn_rows<W>(
            m, some.wide, [&](int k) INLAY_INLINE_LAMBDA { return value + k * head.value_row; }, T(1),
            some.turned_values, m);
        for (int i = 0; i < n; i += block_queries) {
            int const count = std::min(block_queries, n - i), then = i + count,
                      others = std::min(block_queries, n + next.queries - then);
            some.begin(count, ids + i, dq, head.query_row);
            gather(some.rows, some.ids, head.query, head.query_row, some.width, some.query, some.width);
            gather(some.rows, some.ids, dout, dout_row, some.wide, some.dout, some.wide);
            RowsAhead<T> ahead; // what gradients are added to, and what comes next
            ahead.add(count, some.ids, dq, head.query_row, head.width);
            ahead.add(others, ids + then, head.query, head.query_row, head.width);
            ahead.add(others, ids + then, dout, dout_row, head.value_width);
            Share const keys_too(next.keys, i, then, n), own(next.count, i, then, n);
            std::ptrdiff_t const behind = keys_too.first - next.keys, at = next.first + own.first;
            for (T const* rows : {head.key, static_cast<T const*>(dk)})
                ahead.add(keys_too.n, rows + behind * head.key_row, head.key_row, head.width);
            for (T const* rows : {head.value, static_cast<T const*>(dv)})
                ahead.add(keys_too.n, rows + behind * head.value_row, head.value_row, head.value_width);
            for (T const* rows : {head.query, static_cast<T const*>(dq)})
                ahead.add(own.n, rows + at * head.query_row, head.query_row, head.width);
            ahead.add(own.n, dout + at * dout_row, dout_row, head.value_width);
            AsksAhead<T> const asks{ahead, 24};
            gemm<W>(some.rows, m,
                    Product<T>{some.width, some.query, some.width, 1, some.turned, m, some.weight, m, {}, 0},
                    asks);
            gemm<W>(
                some.rows, m,
                Product<T>{some.wide, some.dout, some.wide, 1, some.turned_values, m, some.slope, m, {}, 0},
                asks);
            for (int j = 0; j < some.rows; ++j)
                some.own[j] = kept[some.ids[j]], some.taken[j] = mean[some.ids[j]];
            weigh_rows_back<W>(scores, head.scale, some.rows, m, some.weight, some.slope, some.own,
                               some.taken);
            gemm<W>(m, some.wide, count, some.weight, 1, m, some.dout, some.wide, dv + k0 * head.value_row,
                    head.value_row, true);
            gemm<W>(m, some.width, count, some.slope, 1, m, some.query, some.width, dk + k0 * head.key_row,
                    head.key_row, true);
            gemm<W>(some.rows, some.width,
                    Product<T>{m, some.slope, m, 1, key, head.key_row, some.spare, 0, {}, 0},
                    AddsRows<T>{some.to, ahead, 24});
        }
    }
}

} // namespace kernels
} // namespace inlay::inline INLAY_ISA
