// SPDX-License-Identifier: BSD-3-Clause
// Attention of some queries, by their numbers, over one piece of keys: what sparse attention is put together
// from, where a query may see only some of its keys. Queries of a tile are turned from where they lie.
#pragma once

#include <inlay/kernels/attention.hpp>
#include <inlay/kernels/attention/backward.hpp>
#include <inlay/kernels/attention/whole_block.hpp>
#include <inlay/kernels/gather.hpp>

namespace inlay::inline INLAY_ISA {
namespace kernels {

/// Keys [from, to) of a piece, and those before `always`.
struct KeysSeen {
    int from, to, always = 0;
};
/// Queries that are taken at a time.
inline constexpr int listed_queries = 64;

namespace detail {
template <int W, class T> struct Listed {
    int width, value_width; ///< padded
    T *query, *out, *dquery, *log_sum, *mean;
    KeySpans<T> spans;
    T* room;

    Listed(AttentionHead<T> const& head, T* from, bool backward) noexcept
        : width(whole_vectors<W>(head.width)), value_width(whole_vectors<W>(head.value_width)) {
        auto const take = [&](int n) { return std::exchange(from, from + n * listed_queries); };
        query = take(backward ? width : 0), out = take(value_width), dquery = take(backward ? width : 0);
        log_sum = take(1), mean = take(1);
        spans.always = take(1), spans.first = take(1), spans.last = take(1);
        room = from;
    }
    /// Some queries of a list, which see keys as `sees` says; where they lie is the caller's to say.
    template <class Sees>
    AttentionHead<T> head(AttentionHead<T> const& all, int queries, std::int32_t const* ids, Sees const& sees,
                          RowsAhead<T>& ahead) const noexcept {
        for (int i = 0; i < queries; ++i) {
            KeysSeen const seen = sees(ids[i]);
            spans.set(i, seen.always, seen.from, seen.to);
        }
        AttentionHead<T> some = all;
        some.queries = queries, some.spans = spans, some.ahead = &ahead;
        return some;
    }
};

/// out_i = e^(L_i - L) out_i + e^(L'_i - L) part_i with L = log(e^L_i + e^L'_i), for the rows i of a list.
template <int W, class T>
INLAY_NOINLINE inline void merge_listed(int n, std::int32_t const* ids, int width, T const* part,
                                        std::ptrdiff_t part_row, T const* part_log_sum, T* out,
                                        std::ptrdiff_t out_row, T* log_sum) noexcept {
    using V = simd::vec<T, W>;
    V const least(std::numeric_limits<T>::lowest()), none(-std::numeric_limits<T>::infinity());
    for (int i0 = 0; i0 < n; i0 += W) {
        int const m = std::min(W, n - i0);
        T own[std::size_t(W)] = {}, taken[std::size_t(W)];
        for (int i = 0; i < m; ++i) own[i] = log_sum[ids[i0 + i]];
        V const a = simd::greater(V::load(own), least),
                b = simd::greater(V::load_first(part_log_sum + i0, m), least), top = simd::greater(a, b);
        V const ea = simd::exp(a - top), eb = simd::exp(b - top), sum = ea + eb;
        V const whole = simd::select_greater(top, least, top + simd::log(sum), none);
        T whole_of[std::size_t(W)];
        whole.store(whole_of), (ea / sum).store(own), (eb / sum).store(taken);
        for (int i = 0; i < m; ++i) {
            std::ptrdiff_t const id = ids[i0 + i];
            log_sum[id] = whole_of[i];
            T* const to = out + id * out_row;
            T const* const from = part + (i0 + i) * part_row;
            V const keep(own[i]), add(taken[i]);
            int c = 0;
            for (; c + W <= width; c += W)
                simd::fma(add, V::load(from + c), keep * V::load(to + c)).store(to + c);
            for (; c < width; ++c) to[c] = own[i] * to[c] + taken[i] * from[c];
        }
    }
}
} // namespace detail

/// Numbers of temporaries of `attend_listed`.
template <int W, class T> constexpr std::size_t listed_room(int width, int value_width) {
    return std::size_t(listed_queries) * std::size_t(detail::whole_vectors<W>(value_width) + 5) +
           attention_room<W, T>(width, value_width);
}
template <int W, class T> constexpr std::size_t listed_backward_room(int width, int value_width) {
    return std::size_t(listed_queries) *
               std::size_t(2 * detail::whole_vectors<W>(width) + detail::whole_vectors<W>(value_width) + 5) +
           attention_backward_room<W, T>(width, value_width);
}

/// Adds the keys and values of `head` to what its n queries of a list have from others: `out` and `log_sum`
/// are those of all queries, and become those of both. `sees(query)` says which keys of this piece a query
/// sees. A list may be of any length.
template <int W, class T, class S, class Sees>
inline void attend_listed(AttentionHead<T> const& head, S const& scores, int n, std::int32_t const* ids,
                          Sees const& sees, T* out, std::ptrdiff_t out_row, T* log_sum, T* room,
                          NextPiece next = {}) noexcept {
    detail::Listed<W, T> const some(head, room, false);
    // In whole blocks, whose last queries do as the last one does: smaller products are rounded otherwise,
    // and how many queries there are may depend on what a later one chose.
    constexpr int step = QueryBlock<W, T>::width;
    static_assert(listed_queries % step == 0);
    for (int i = 0; i < n; i += listed_queries) {
        int const m = std::min(listed_queries, n - i), whole = (m + step - 1) / step * step, then = i + m;
        std::int32_t own[std::size_t(listed_queries)];
        std::fill_n(std::copy_n(ids + i, m, own), whole - m, own[m - 1]);
        RowsAhead<T> ahead; // what the merge wants, and the next queries
        ahead.add(m, own, out, out_row, head.value_width);
        ahead.add(std::min(listed_queries, n + next.queries - then), ids + then, head.query, head.query_row,
                  head.width);
        detail::Share const share(next.keys, i, then, n);
        std::ptrdiff_t const behind = share.first - next.keys;
        ahead.add(share.n, head.key + behind * head.key_row, head.key_row, head.width);
        ahead.add(share.n, head.value + behind * head.value_row, head.value_row, head.value_width);
        AttentionHead<T> part = some.head(head, whole, own, sees, ahead);
        part.ids = own;
        attend<W>(part, scores, static_cast<T const*>(nullptr), some.out, some.value_width, some.log_sum,
                  some.room);
        detail::merge_listed<W>(m, own, head.value_width, static_cast<T const*>(some.out), some.value_width,
                                static_cast<T const*>(some.log_sum), out, out_row, log_sum);
    }
}
/// The way back: `kept` and `mean` are those of whole rows, as `attend_backward` wants them. Adds to dq, dk
/// and dv; dk and dv begin with the piece.
template <class Weights, int W, class T, class S, class Sees>
inline void attend_listed_backward(AttentionHead<T> const& head, S const& scores, int n,
                                   std::int32_t const* ids, Sees const& sees, T const* dout,
                                   std::ptrdiff_t dout_row, T const* kept, T const* mean, T* dq, T* dk, T* dv,
                                   T* room, NextPiece next = {}) noexcept {
    detail::Listed<W, T> const some(head, room, true);
    for (int i = 0; i < n; i += listed_queries) {
        int const m = std::min(listed_queries, n - i), then = i + m,
                  others = std::min(listed_queries, n + next.queries - then);
        RowsAhead<T> ahead; // what gradients are added to, and the next queries
        ahead.add(m, ids + i, dq, head.query_row, head.width);
        ahead.add(others, ids + then, head.query, head.query_row, head.width);
        ahead.add(others, ids + then, dout, dout_row, head.value_width);
        detail::Share const share(next.keys, i, then, n);
        std::ptrdiff_t const behind = share.first - next.keys;
        for (T const* rows : {head.key, static_cast<T const*>(dk)})
            ahead.add(share.n, rows + behind * head.key_row, head.key_row, head.width);
        for (T const* rows : {head.value, static_cast<T const*>(dv)})
            ahead.add(share.n, rows + behind * head.value_row, head.value_row, head.value_width);
        AttentionHead<T> part = some.head(head, m, ids + i, sees, ahead);
        gather(m, ids + i, head.query, head.query_row, some.width, some.query, some.width);
        gather(m, ids + i, dout, dout_row, some.value_width, some.out, some.value_width);
        part.query = some.query, part.query_row = some.width;
        for (int j = 0; j < m; ++j) some.log_sum[j] = kept[ids[i + j]], some.mean[j] = mean[ids[i + j]];
        attend_backward<Weights, W>(part, scores, static_cast<T const*>(some.out), some.value_width,
                                    static_cast<T const*>(some.log_sum), static_cast<T const*>(some.mean),
                                    some.dquery, dk, dv, some.room);
        scatter_add<W>(m, ids + i, T(1), static_cast<T const*>(some.dquery), some.width, some.width, dq,
                       head.query_row);
    }
}

} // namespace kernels
} // namespace inlay::inline INLAY_ISA
