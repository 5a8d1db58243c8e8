// SPDX-License-Identifier: BSD-3-Clause
// Three attentions with gates, forward and back: over blocks as wholes, over some of them token by token,
// over what is nearby.
#pragma once

#include <inlay/blocks/sparse/chosen_blocks.hpp>

namespace inlay::inline INLAY_ISA {
namespace detail {

/// The mean keys and values of blocks: the first of all at 0, then those from the first that is no block of
/// first tokens on.
template <class S, class Blocks> struct MeanBlocks {
    using T = typename S::T;
    using Order = typename S::Order;
    using Grid = BlockGrid<S, Blocks>;
    static constexpr int W = S::W, N = Blocks::block, most = Grid::most + 1;

    /// Blocks that have passed when token i is seen, itself included.
    static constexpr std::int64_t passed(std::int64_t i) noexcept { return (i + 1) / N; }
    /// Where block c stands, but the first.
    static int at(Order order, std::int64_t c) noexcept { return int(c - Grid::first(order)) + 1; }
    /// Calls f(where it stands, first row) for each whole block.
    template <class F> static void each(Order order, int n, F const& f) noexcept {
        std::int64_t const end = (order.before + n) / N;
        if (end > 0) f(0, 0);
        for (std::int64_t c = (order.place(Grid::first_tokens) + N - 1) / N; c < end; ++c)
            f(at(order, c), int(order.row(c * N)));
    }
    /// Rows of `wide` numbers.
    static void pool(Order order, int n, int wide, T const* rows, T* to) noexcept {
        kernels::clear(to, std::ptrdiff_t(most) * wide);
        each(order, n, [&](int b, int row) {
            T* const mean = to + b * wide;
            for (int i = 0; i < N; ++i) kernels::add<W>(wide, rows + (row + i) * wide, mean);
            kernels::scale<W>(wide, T(1) / N, mean, mean);
        });
    }
    static void pull(Order order, int n, int wide, T const* dmean, T* drows) noexcept {
        each(order, n, [&](int b, int row) {
            for (int i = 0; i < N; ++i)
                kernels::axpy<W>(wide, T(1) / N, dmean + b * wide, drows + (row + i) * wide);
        });
    }
    /// What a query at place i sees of them.
    static kernels::KeysSeen seen(Order order, std::int64_t i) noexcept {
        return {at(order, Grid::from(i)), at(order, passed(i)), passed(i) > 0};
    }
};

template <class S, class Choice> struct BranchWork {
    using T = typename S::T;
    using Head = kernels::AttentionHead<T>;
    using Room = typename Choice::Room;
    using Pieces = typename Choice::Pieces;
    using Means = typename Choice::Means;
    using Selected = PieceWork<S, Pieces>;
    using Weights = kernels::SoftmaxWeights;
    static constexpr int W = S::W, rows = S::rows, wide = S::wide, vwide = S::vwide;
    static constexpr std::size_t means = std::size_t(Means::most) * std::size_t(wide + vwide);
    static constexpr std::size_t spans = 3 * std::size_t(padded(rows, W));
    static constexpr std::size_t room = Selected::room + means + spans;
    static constexpr std::size_t backward_room = Selected::backward_room + 2 * means + spans +
                                                 std::size_t(padded(rows, W)) +
                                                 std::size_t(rows) * std::size_t(wide + vwide);

    template <class Z>
    static void forward(Head const& head, Z const& scores, T const*, T* out, std::ptrdiff_t out_row, T*,
                        T* space, Room const& r) noexcept {
        int const n = head.queries;
        Views const v(head, r, space);
        kernels::attend<W>(v.compressed, scores, static_cast<T const*>(nullptr), r.out(0), vwide, r.kept(0),
                           v.rest);
        Selected::forward(head, scores, nullptr, r.out(1), vwide, r.kept(1), v.rest, r.pieces);
        kernels::attend<W>(v.window(), scores, static_cast<T const*>(nullptr), r.out(2), vwide, r.kept(2),
                           v.rest);
        for (int t = 0; t < n; ++t) {
            T* const to = out + t * out_row;
            kernels::scale<W>(S::vd, r.gate(t, r.h, 0), r.out(0) + t * vwide, to);
            for (int x = 1; x < 3; ++x) kernels::axpy<W>(S::vd, r.gate(t, r.h, x), r.out(x) + t * vwide, to);
        }
    }
    template <class Z>
    static void backward(Head const& head, Z const& scores, T const* dout, std::ptrdiff_t dout_row, T const*,
                         T const*, T* dq, T* dk, T* dv, T* space, Room const& r) noexcept {
        int const n = head.queries;
        Views v(head, r, space);
        auto const take = [&](std::size_t m) { return std::exchange(v.rest, v.rest + m); };
        T *const dmean_key = take(std::size_t(Means::most * wide)), *const dmean_value = take(
                                                                        std::size_t(Means::most * vwide));
        T *const dpart = take(std::size_t(rows * vwide)), *const dquery = take(std::size_t(rows * wide)),
                 *const mean = take(std::size_t(padded(rows, W)));
        kernels::clear(dmean_key, v.rest - dmean_key);
        /// The gradient of one branch, and of its gate.
        auto const part = [&](int x) {
            kernels::row_products<W>(n, S::vd, dout, dout_row, static_cast<T const*>(r.out(x)), vwide, mean);
            for (int t = 0; t < n; ++t) {
                T const g = r.gate(t, r.h, x);
                r.dside.data[t * Choice::Side::row + 3 * r.h + x] = mean[t] * g * (1 - g);
                mean[t] *= g;
                kernels::scale<W>(vwide, g, dout + t * dout_row, dpart + t * vwide);
            }
            return static_cast<T const*>(mean);
        };
        T const* const dbranch = dpart;
        T const* taken = part(1);
        Selected::backward(head, scores, dbranch, vwide, r.kept(1), taken, dq, dk, dv, v.rest, r.pieces);
        taken = part(0);
        kernels::attend_backward<Weights, W>(v.compressed, scores, dbranch, vwide,
                                             static_cast<T const*>(r.kept(0)), taken, dquery, dmean_key,
                                             dmean_value, v.rest);
        kernels::add<W>(std::ptrdiff_t(n) * wide, dquery, dq);
        Means::pull(r.pieces.order, n, wide, dmean_key, dk);
        Means::pull(r.pieces.order, n, vwide, dmean_value, dv);
        taken = part(2);
        kernels::attend_backward<Weights, W>(v.window(), scores, dbranch, vwide,
                                             static_cast<T const*>(r.kept(2)), taken, dquery, dk, dv, v.rest);
        kernels::add<W>(std::ptrdiff_t(n) * wide, dquery, dq);
    }
    /// Pairs of a query and a key, or a mean of keys, in all branches.
    static std::int64_t pairs(Head const& head, Room const& r) noexcept {
        std::int64_t all = Selected::pairs(head, r.pieces);
        auto const order = r.pieces.order;
        for (int t = 0; t < head.queries; ++t) {
            std::int64_t const i = order.before + t;
            auto const seen = Means::seen(order, i);
            all += seen.always + std::max(0, seen.to - seen.from) + i + 1 - Choice::window_from(i);
        }
        return all;
    }
    static void step(int m, int n, T* scores, int row) noexcept {
        kernels::softmax<W>(m, n, scores, row, scores, row);
    }

private:
    /// The head as branches see it.
    struct Views {
        Head const& all;
        Room const& r;
        Head compressed;
        kernels::KeySpans<T> spans;
        T* rest;

        Views(Head const& head, Room const& chosen, T* space) noexcept
            : all(head), r(chosen), compressed(head), rest(space) {
            auto const take = [&](int m) { return std::exchange(rest, rest + m); };
            T *const key = take(Means::most * wide), *const value = take(Means::most * vwide);
            for (T** part : {&spans.always, &spans.first, &spans.last}) *part = take(padded(rows, W));
            auto const order = chosen.pieces.order;
            Means::pool(order, head.queries, wide, head.key, key);
            Means::pool(order, head.queries, vwide, head.value, value);
            compressed.key = key, compressed.value = value, compressed.spans = spans;
            for (int t = 0; t < head.queries; ++t) {
                auto const seen = Means::seen(order, order.before + t);
                spans.set(t, seen.always, seen.from, seen.to);
            }
        }
        /// The last tokens. What the compressed head sees is overwritten.
        Head window() const noexcept {
            Head near_by = all;
            near_by.spans = spans;
            auto const order = r.pieces.order;
            for (int t = 0; t < all.queries; ++t) {
                std::int64_t const i = order.before + t;
                spans.set(t, 0, order.row(Choice::window_from(i)), order.row(i) + 1);
            }
            return near_by;
        }
    };
};

} // namespace detail
} // namespace inlay::inline INLAY_ISA
