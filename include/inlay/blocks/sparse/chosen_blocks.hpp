// SPDX-License-Identifier: BSD-3-Clause
// Blocks of keys, each with the queries that chose it.
#pragma once

#include <inlay/blocks/sparse/block_choosers.hpp>

namespace inlay::inline INLAY_ISA {
namespace detail {

/// Lists of blocks, one for each query, and what they are by blocks.
template <class S, class Blocks> struct BlockPieces {
    using Order = typename S::Order;
    using Grid = BlockGrid<S, Blocks>;
    static constexpr int N = Blocks::block, others = Blocks::others, most_listed = 0, whole_keys = N;
    static constexpr int per_head = S::rows * std::max(others, 1);
    struct Room {
        std::int32_t *chosen, *start, *query;
        Order order{};
    };
    static constexpr std::size_t scratch =
        2 * lines(sizeof(std::int32_t) * per_head) + lines(sizeof(std::int32_t) * (Grid::most + 1));

    static Room take(Scratch& s) noexcept {
        auto const counts = [&](int n) { return s.template take<std::int32_t>(std::size_t(n)); };
        return {counts(per_head), counts(Grid::most + 1), counts(per_head)};
    }
    static constexpr double pairs() {
        double n = S::pairs();
        for (int t = 0; t < S::rows; ++t)
            n += double(N) * std::clamp<int>(t / N + 1 - S::Win::blocks - Grid::first_tokens / N, 0, others);
        return n;
    }
    /// Calls f(piece of keys, queries, their numbers, what they see of it) for what is chosen.
    template <class F> static void each_piece(int n, Room const& r, F const& f) noexcept {
        each_block(
            n, r, [](int, int, std::int32_t const*, int) {},
            [&](KeyPiece keys, int queries, std::int32_t const* ids) {
                f(keys, queries, ids, [](int) { return kernels::KeysSeen{0, N}; });
            });
    }
    /// For each block of keys, the last first, calls own(first, end, numbers, queries) for the queries of the
    /// block itself, and of the others that follow; then, if others chose it, f(piece of keys, queries, their
    /// numbers). So a block is read while it is near, and a query begins with its own block.
    template <class Own, class F>
    static void each_block(int n, Room const& r, Own const& own, F const& f) noexcept {
        constexpr int last = Grid::most - 1;
        std::fill_n(r.start, Grid::most + 1, 0);
        auto const each_chosen = [&](auto const& take) {
            std::int32_t const* chosen = r.chosen;
            for (int t = 0; t < n; ++t)
                for (int j = 0; j < others; ++j, ++chosen)
                    if (*chosen >= 0) take(t, last - *chosen);
        };
        each_chosen([&](int, int b) { ++r.start[b + 1]; });
        for (int b = 0; b < Grid::most; ++b) r.start[b + 1] += r.start[b];
        each_chosen([&](int t, int b) { r.query[r.start[b]++] = t; });
        std::int64_t const first = Grid::first(r.order);
        std::int32_t const all = r.start[Grid::most];
        int end = n;
        for (int b = 0, begin = 0; b < Grid::most; begin = r.start[b++]) {
            std::int64_t const place = (first + last - b) * N;
            int const from = int(std::clamp<std::int64_t>(place - r.order.before, 0, end));
            std::int32_t const* const ids = r.query + begin;
            if (from < end) own(from, end, ids, r.start[b] - begin);
            end = from;
            if (r.start[b] > begin)
                f(KeyPiece{r.order.row(place),
                           N,
                           nullptr,
                           {b < last ? N : 0, all - r.start[b], std::max(0, end - N), std::min(N, end)}},
                  r.start[b] - begin, ids);
        }
        if (end > 0) own(0, end, r.query, 0);
    }
    /// The slots of what is nearby for the last token of a ring, and of blocks; returns how many.
    template <class Ring>
    static int list(Ring const& ring, std::int32_t const* chosen, std::int32_t* slots) noexcept {
        std::int64_t const i = ring.count - 1;
        Sight const near_by = S::sight(i);
        int n = 0;
        auto const append = [&](std::int64_t place, std::int64_t end) {
            for (; place < end; ++place) slots[n++] = Ring::slot(place);
        };
        append(0, near_by.always);
        append(std::max(near_by.first, near_by.always), i + 1);
        for (int c = 0; c < others; ++c)
            if (chosen[c] >= 0) append(std::int64_t(chosen[c]) * N, std::int64_t(chosen[c] + 1) * N);
        return n;
    }
};

template <class S, class Pattern>
    requires(Pattern::block > 0)
struct KeyChoice<S, Pattern> : PlainChoice {
    using T = typename S::T;
    using Ring = typename S::Ring;
    using Order = typename S::Order;
    using Rows = AttentionRows<S>;
    using Pieces = BlockPieces<S, Pattern>;
    using Chooser = BlockChooser<S, Pattern>;
    using Memory = typename Chooser::Memory;
    using Work = PieceWork<S, KeyChoice>;
    static constexpr int most_listed = 0, whole_keys = Pieces::whole_keys;

    template <int B> struct Tape {
        std::int32_t chosen[std::size_t(B)][std::size_t(S::H)][std::size_t(Pieces::per_head)];
    };
    struct Room : Pieces::Room {
        typename Chooser::Room chooser;
    };
    static constexpr std::size_t scratch = Chooser::scratch + Pieces::scratch;
    static constexpr std::size_t step_scratch = Chooser::step_scratch;
    static constexpr double choosing() { return Chooser::flops(); }
    static constexpr double pairs() { return Pieces::pairs(); }

    template <class C> static Room take(C const& c, Scratch& s) noexcept {
        auto const chooser = Chooser::take(c, s);
        return {Pieces::take(s), chooser};
    }
    /// Head h of sequence b of a tape; one that is read is not written through this.
    template <class Tp> static void on(Tp& tape, int b, int h, Order order, Room& r) noexcept {
        r.chosen = const_cast<std::int32_t*>(tape.chosen[b][h]), r.order = order;
    }
    static void choose(int h, Rows const& rows, int n, Room& r) noexcept {
        r.order = rows.order;
        Chooser::choose(h, rows, n, r.chooser, r.chosen);
    }
    template <class F> static void each_piece(int n, Room const& r, F const& f) noexcept {
        Pieces::each_piece(n, r, f);
    }
    template <class Own, class F>
    static void each_block(int n, Room const& r, Own const& own, F const& f) noexcept {
        Pieces::each_block(n, r, own, f);
    }
    static void keep(Rows const& rows, int n, Room const&, Memory& out) noexcept {
        Chooser::keep(rows, n, out);
    }
    static void add(Memory const& d_out, Rows const& rows, int n, Rows const& drows) noexcept {
        Chooser::add(d_out, rows, n, drows);
    }
    static void count(Memory& memory, Ring const& ring, NothingChosen) noexcept {
        Chooser::count(memory, ring);
    }

    /// The slots of what head h sees for the last token of the ring; returns how many.
    template <class C>
    static int list(C const& c, int h, Memory const& memory, Ring const& ring, T const* q,
                    std::int32_t* slots, Scratch s) noexcept {
        std::int32_t chosen[std::size_t(std::max(Pieces::others, 1))];
        Chooser::choose(c, h, memory, ring.count - 1, q, chosen, s);
        return Pieces::list(ring, chosen, slots);
    }
};

} // namespace detail
} // namespace inlay::inline INLAY_ISA
