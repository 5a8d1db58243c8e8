// SPDX-License-Identifier: BSD-3-Clause
// What sparse attention adds to attention over the tokens nearby: pieces of keys, each with the queries that
// ask it. Every pair of a query and a key is in one piece, or nearby.
#pragma once

#include <inlay/blocks/attention/part.hpp>
#include <inlay/blocks/attention/rows.hpp>
#include <inlay/blocks/attention/weights.hpp>
#include <inlay/blocks/sparse/policies.hpp>
#include <inlay/kernels/attention/listed.hpp>

namespace inlay::inline INLAY_ISA {
namespace detail {

/// Keys that lie next to each other from row `first` on, or, where there is one, those of a list.
struct KeyPiece {
    int first, count;
    std::int32_t const* rows = nullptr;
    kernels::NextPiece next{};
};

template <class S, class How> struct SummaryOf;

/// A choice without parameters of its own.
struct PlainChoice : NoPart<WhichPattern> {
    static constexpr int whole_keys = 0; ///< of each piece, where who asks it sees all of it
    static constexpr bool used = true, branches = false;
    using Side = NoRows<WhichPattern>; ///< numbers of each token that are learned
    static NothingChosen take_step(Scratch&) noexcept { return {}; }
    template <class... A> static void project(A&&...) noexcept {}
    template <class... A> static void pull(A&&...) noexcept {}
    template <class... A> static void begin(A&&...) noexcept {}
    template <class... A> static void bias(A&&...) noexcept {}
    /// Nothing that a stream keeps has a gradient which was not given to keys and values.
    template <class O, class Room, class M>
    static void give(O, int, Room const&, M const*, M* d_in) noexcept {
        if (d_in) *d_in = {};
    }
};

template <class S, class Pattern> struct KeyChoice : NoPart<WhichPattern> {
    using Room = NothingChosen;
    using Side = NoRows<WhichPattern>;
    template <int> struct Tape {};
    static constexpr std::size_t step_scratch = 0;
    /// Pairs of a query and a key, and operations of choosing them, for one sequence and head.
    static constexpr double pairs() { return S::pairs(); }
    static constexpr double choosing() { return 0; }
    template <class C> static Room take(C const&, Scratch&) noexcept { return {}; }
    static Room take_step(Scratch&) noexcept { return {}; }
};

/// The Most numbers of [from, to) with the largest scores, of equals the lower, largest first; -1 where there
/// are fewer.
template <int Most, class F>
inline void best_of(int from, int to, std::int32_t* chosen, F const& score) noexcept {
    if constexpr (Most > 0) {
        using T = decltype(score(0));
        T top[std::size_t(Most)];
        int n = 0;
        if (to - from <= Most) // all of them, whatever they score
            for (; from + n < to; ++n) chosen[n] = from + n;
        else {
            std::fill_n(top, Most, -std::numeric_limits<T>::infinity());
            std::fill_n(chosen, Most, -1);
            n = Most;
            for (int c = from; c < to; ++c) {
                T s = score(c);
                if (!(s > top[Most - 1])) continue;
                std::int32_t own = c;
                // What is smaller moves on, without a branch that nobody could foresee.
                for (int at = 0; at < Most; ++at) {
                    bool const larger = s > top[at];
                    T const rest = larger ? top[at] : s;
                    std::int32_t const other = larger ? chosen[at] : own;
                    top[at] = larger ? s : top[at], chosen[at] = larger ? own : chosen[at];
                    s = rest, own = other;
                }
            }
        }
        std::fill(chosen + n, chosen + Most, -1);
    }
}

/// Pairs of a query and a key that the spans of a head leave.
template <class T> inline std::int64_t pairs_seen(kernels::AttentionHead<T> const& head) noexcept {
    std::int64_t all = 0;
    for (int t = 0; t < head.queries; ++t) {
        T const always = head.spans.always[t];
        all +=
            std::int64_t(always + std::max(T(0), head.spans.last[t] - std::max(always, head.spans.first[t])));
    }
    return all;
}

/// Attention over what is near, then over the pieces of a choice.
template <class S, class Choice> struct PieceWork {
    using T = typename S::T;
    using Head = kernels::AttentionHead<T>;
    using Room = typename Choice::Room;
    using Weights = kernels::SoftmaxWeights;
    static constexpr int W = S::W;
    /// Of keys and values that a piece lists.
    static constexpr std::size_t copied = std::size_t(Choice::most_listed) * std::size_t(S::wide + S::vwide);
    /// Pieces are blocks whose keys fill vectors, and whose own queries fill a block of queries.
    static constexpr int queries = kernels::QueryBlock<W, T>::width;
    static constexpr bool by_block = Choice::whole_keys % W == 0 && Choice::whole_keys >= queries;
    static constexpr std::size_t room =
        by_block ? std::max(kernels::attention_room<W, T>(S::d, S::vd),
                            kernels::block_room<W, T>(S::d, S::vd, Choice::whole_keys))
                 : kernels::listed_room<W, T>(S::d, S::vd) + copied;
    static constexpr std::size_t backward_room =
        by_block ? std::max(kernels::attention_backward_room<W, T>(S::d, S::vd),
                            kernels::block_backward_room<W, T>(S::d, S::vd, Choice::whole_keys))
                 : kernels::listed_backward_room<W, T>(S::d, S::vd) + 2 * copied;

    template <class Z>
    static void forward(Head const& head, Z const& scores, T const* sink, T* out, std::ptrdiff_t out_row,
                        T* kept, T* space, Room const& chosen) noexcept {
        if constexpr (by_block)
            return Choice::each_block(
                head.queries, chosen,
                [&](int first, int end, std::int32_t const* ids, int n) {
                    kernels::RowsAhead<T> ahead;
                    Head const own = own_of(head, first, end, n, ids, ahead);
                    kernels::attend<W>(own, scores, sink, out + first * out_row, out_row, kept + first,
                                       space);
                },
                [&](KeyPiece keys, int n, std::int32_t const* ids) {
                    T* rest = space;
                    kernels::attend_block<W>(piece_of(head, keys, rest), scores, keys.count, n, ids, out,
                                             out_row, kept, rest, keys.next);
                });
        kernels::attend<W>(head, scores, sink, out, out_row, kept, space);
        Choice::each_piece(
            head.queries, chosen, [&](KeyPiece keys, int n, std::int32_t const* ids, auto const& sees) {
                T* rest = space;
                Head const piece = piece_of(head, keys, rest);
                kernels::attend_listed<W>(piece, scores, n, ids, sees, out, out_row, kept, rest, keys.next);
            });
    }
    template <class Z>
    static void backward(Head const& head, Z const& scores, T const* dout, std::ptrdiff_t dout_row,
                         T const* kept, T const* mean, T* dq, T* dk, T* dv, T* space,
                         Room const& chosen) noexcept {
        if constexpr (by_block)
            return Choice::each_block(
                head.queries, chosen,
                [&](int first, int end, std::int32_t const* ids, int n) {
                    kernels::RowsAhead<T> ahead;
                    Head const own = own_of(head, first, end, n, ids, ahead);
                    ahead.add(std::min(n, kernels::block_queries), ids, dout, dout_row, S::vd);
                    kernels::attend_backward<Weights, W>(own, scores, dout + first * dout_row, dout_row,
                                                         kept + first, mean + first,
                                                         dq + first * head.query_row, dk, dv, space);
                },
                [&](KeyPiece keys, int n, std::int32_t const* ids) {
                    T* rest = space;
                    kernels::attend_block_backward<W>(
                        piece_of(head, keys, rest), scores, keys.count, n, ids, dout, dout_row, kept, mean,
                        dq, dk + keys.first * S::wide, dv + keys.first * S::vwide, rest, keys.next);
                });
        kernels::attend_backward<Weights, W>(head, scores, dout, dout_row, kept, mean, dq, dk, dv, space);
        Choice::each_piece(
            head.queries, chosen, [&](KeyPiece keys, int n, std::int32_t const* ids, auto const& sees) {
                T *rest = space, *dkey = dk + keys.first * S::wide, *dvalue = dv + keys.first * S::vwide;
                Head const piece = piece_of(head, keys, rest);
                if (keys.rows) {
                    dkey = rest, dvalue = rest + keys.count * S::wide;
                    rest = dvalue + keys.count * S::vwide;
                    kernels::clear(dkey, rest - dkey);
                }
                kernels::attend_listed_backward<Weights, W>(piece, scores, n, ids, sees, dout, dout_row, kept,
                                                            mean, dq, dkey, dvalue, rest, keys.next);
                if (keys.rows) {
                    add_listed(keys, static_cast<T const*>(dkey), S::wide, dk);
                    add_listed(keys, static_cast<T const*>(dvalue), S::vwide, dv);
                }
            });
    }
    /// Pairs of a query and a key.
    static std::int64_t pairs(Head const& head, Room const& chosen) noexcept {
        std::int64_t all = pairs_seen(head);
        Choice::each_piece(head.queries, chosen,
                           [&](KeyPiece, int n, std::int32_t const* ids, auto const& sees) {
                               for (int i = 0; i < n; ++i) {
                                   kernels::KeysSeen const seen = sees(ids[i]);
                                   all += seen.always + std::max(0, seen.to - seen.from);
                               }
                           });
        return all;
    }
    static void step(int rows, int n, T* scores, int row) noexcept {
        kernels::softmax<W>(rows, n, scores, row, scores, row);
    }

private:
    /// Queries [first, end); the n listed ones, which come next, are asked for meanwhile.
    static Head own_of(Head head, int first, int end, int n, std::int32_t const* ids,
                       kernels::RowsAhead<T>& ahead) noexcept {
        ahead.add(std::min(n, kernels::block_queries), ids, head.query, head.query_row, S::d);
        head.ahead = &ahead;
        head.queries = end - first, head.query += first * head.query_row, head.spans = head.spans.from(first);
        return head;
    }
    /// The head with the keys of a piece; copies are made at `next`, which moves behind them.
    static Head piece_of(Head head, KeyPiece keys, T*& next) noexcept {
        if (!keys.rows) {
            head.key += keys.first * S::wide, head.value += keys.first * S::vwide;
            return head;
        }
        kernels::gather(keys.count, keys.rows, head.key, S::wide, S::wide, next, S::wide);
        head.key = next, next += keys.count * S::wide;
        kernels::gather(keys.count, keys.rows, head.value, S::vwide, S::vwide, next, S::vwide);
        head.value = next, next += keys.count * S::vwide;
        return head;
    }
    static void add_listed(KeyPiece keys, T const* from, int wide, T* to) noexcept {
        kernels::scatter_add<W>(keys.count, keys.rows, T(1), from, wide, wide, to, wide);
    }
};

} // namespace detail
} // namespace inlay::inline INLAY_ISA
