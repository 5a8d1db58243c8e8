// SPDX-License-Identifier: BSD-3-Clause
// What three branches choose, keep and learn.
#pragma once

#include <inlay/blocks/dense.hpp>
#include <inlay/blocks/sparse/branches.hpp>

namespace inlay::inline INLAY_ISA {
namespace detail {

template <class S, class Pattern>
    requires(Pattern::window > 0)
struct KeyChoice<S, Pattern> : PlainChoice {
    using T = typename S::T;
    using R = typename S::Real;
    using Ring = typename S::Ring;
    using Order = typename S::Order;
    using Rows = AttentionRows<S>;
    using Blocks = typename Pattern::Blocks;
    using Grid = BlockGrid<S, Blocks>;
    using Pieces = BlockPieces<S, Blocks>;
    using Means = MeanBlocks<S, Blocks>;
    using Work = BranchWork<S, KeyChoice>;
    using Side = PartRows<Shape<S::rows, 3 * S::H>, R>;
    using Map = typename Dense<3 * S::H, NoBias>::template Block<typename S::Input, R>;
    static constexpr bool branches = true;
    static constexpr int W = S::W, N = Blocks::block, others = Blocks::others, group = S::H / S::K,
                         at_once = 32;
    static constexpr int score_row = padded(Means::most, W), held = Grid::held + 1,
                         held_row = padded(held, W);
    static constexpr int branch = S::rows * S::vwide;
    static constexpr long long parameters = Map::parameters;
    static constexpr double flops = Map::flops;
    struct Params {
        typename Map::Params gate;
    };
    /// The sums of keys and values of the first block, and of those that a stream holds.
    struct Memory {
        alignas(64) T key[std::size_t(S::K)][std::size_t(held)][std::size_t(S::wide)];
        alignas(64) T value[std::size_t(S::K)][std::size_t(held)][std::size_t(S::vwide)];
    };
    template <int B> struct Tape {
        typename Side::template Tape<B> side;
        T out[std::size_t(B)][std::size_t(S::H)][3][std::size_t(branch)];
        T kept[std::size_t(B)][std::size_t(S::H)][3][std::size_t(S::rows)];
        std::int32_t chosen[std::size_t(B)][std::size_t(S::K)][std::size_t(Pieces::per_head)];
    };
    struct Room {
        typename Pieces::Room pieces;
        Side side, dside;
        T *outs, *logs, *mean_key, *score, *sum;
        int h;
        T* out(int x) const noexcept { return outs + x * branch; }
        T* kept(int x) const noexcept { return logs + x * S::rows; }
        T gate(int t, int head, int x) const noexcept { return side.data[t * Side::row + 3 * head + x]; }
    };
    static constexpr std::size_t scratch =
        Pieces::scratch + Side::scratch(1) + lines(sizeof(T) * 3 * branch) + lines(sizeof(T) * 3 * S::rows) +
        lines(sizeof(T) * std::size_t(Means::most * S::wide)) + 2 * lines(sizeof(T) * at_once * score_row);
    static constexpr std::size_t step_scratch =
        2 * lines(sizeof(T) * held_row) + lines(sizeof(std::int32_t) * std::size_t(std::max(others, 1)));

    template <class P, class F> static void visit(P& p, Path const& at, F&& f) {
        Map::visit(p.gate, Path{&at, "nsa_gate"}, f);
    }
    template <class C> static void initialize(C const&, Params& p) noexcept {
        Map::visit(p.gate, Path{}, [](auto, Path const&, Kind, auto const& w) { fill(w, 0); });
    }
    static constexpr double choosing() {
        double n = 0;
        for (int t = 0; t < S::rows; ++t) n += 2.0 * S::d * double(Means::passed(t));
        return n;
    }
    static constexpr double pairs() {
        double n = Pieces::pairs();
        for (int t = 0; t < S::rows; ++t)
            n += double(Means::passed(t)) + double(std::min(t + 1, Pattern::window));
        return n;
    }

    static Room take_step(Scratch& s) noexcept {
        Room r{};
        r.side = Side::take(s, 1);
        return r;
    }
    template <class C> static Room take(C const&, Scratch& s) noexcept {
        Room r = take_step(s);
        auto const some = [&](int n) { return s.template take<T>(std::size_t(n)); };
        r.pieces = Pieces::take(s);
        r.outs = some(3 * branch), r.logs = some(3 * S::rows);
        r.mean_key = some(Means::most * S::wide), r.score = some(at_once * score_row),
        r.sum = some(at_once * score_row);
        return r;
    }
    /// Head h of sequence b of a tape; one that is read is not written through this.
    template <class Tp> static void on(Tp& tape, int b, int h, Order order, Room& r) noexcept {
        r.side = Side::on(tape.side, b);
        r.outs = const_cast<T*>(tape.out[b][h][0]), r.logs = const_cast<T*>(tape.kept[b][h][0]);
        r.pieces.chosen = const_cast<std::int32_t*>(tape.chosen[b][h / group]), r.pieces.order = order;
        r.h = h;
    }
    /// Gates of n tokens.
    static void project(int n, Params const& p, T const* x, Room& r) noexcept {
        Map::apply(n, p.gate, x, r.side.data);
        for (int t = 0; t < n; ++t) {
            T* const gate = r.side.data + t * Side::row;
            kernels::map<W>(padded(3 * S::H, W), gate, gate, [](auto v) { return simd::sigmoid(v); });
        }
        if (n > 1 || S::rows == 1) r.side.clear_from(n);
    }
    template <class G>
    static void pull(int n, Params const& p, T const* x, Side dside, T* dx, G& g) noexcept {
        Map::pull(n, p.gate, x, dside.data, dx, true, g.gate);
    }

    /// For every query the blocks besides the first, its own and the one before, for all heads of a group.
    static void choose(int h, Rows const& rows, int n, Room& r) noexcept {
        Order const order = r.pieces.order = rows.order;
        r.h = h;
        if (others == 0 || h % group != 0) return;
        Means::pool(order, n, S::wide, rows.k(h / group), r.mean_key);
        std::int64_t const first = Grid::first(order);
        for (int t0 = 0; t0 < n; t0 += at_once) {
            int const m = std::min(at_once, n - t0),
                      last = Means::at(order, Means::passed(order.before + t0 + m - 1));
            kernels::clear(r.sum, at_once * score_row);
            for (int g = h; g < h + group; ++g) {
                kernels::gemm_nt<W>(m, last, padded(last, W), S::wide, rows.q(g, t0), S::wide, r.mean_key,
                                    S::wide, r.score, score_row, false);
                for (int t = 0; t < m; ++t) {
                    auto const seen = Means::seen(order, order.before + t0 + t);
                    add_weights(seen.always, seen.from, seen.to, scale(), r.score + t * score_row,
                                r.sum + t * score_row);
                }
            }
            for (int t = t0; t < t0 + m; ++t) {
                std::int64_t const i = order.before + t;
                T const* const sum = r.sum + (t - t0) * score_row;
                best_of<others>(int(Grid::from(i) - first), int(Grid::end(i) - first),
                                r.pieces.chosen + t * others, [&](int c) { return sum[c + 1]; });
            }
        }
    }

    static void keep(Rows const& rows, int n, Room const&, Memory& out) noexcept {
        out = Memory{};
        each_held(rows.order, n, [&](int h, int slot, int row) {
            kernels::add<W>(S::wide, rows.k(h, row), out.key[h][slot]);
            kernels::add<W>(S::vwide, rows.v(h, row), out.value[h][slot]);
        });
    }
    /// Of gradients: those of what a stream keeps.
    static void add(Memory const& d_out, Rows const& rows, int n, Rows const& drows) noexcept {
        each_held(rows.order, n, [&](int h, int slot, int row) {
            kernels::add<W>(S::wide, d_out.key[h][slot], drows.k(h, row));
            kernels::add<W>(S::vwide, d_out.value[h][slot], drows.v(h, row));
        });
    }
    /// One token, which the ring holds.
    static void count(Memory& memory, Ring const& ring, Room const&) noexcept {
        std::int64_t const place = ring.count - 1;
        int const slot = slot_of(place / N), at = Ring::slot(place);
        for (int h = 0; h < S::K; ++h) {
            if (place % N == 0)
                kernels::clear(memory.key[h][slot], S::wide), kernels::clear(memory.value[h][slot], S::vwide);
            kernels::add<W>(S::wide, ring.key[h][at], memory.key[h][slot]);
            kernels::add<W>(S::vwide, ring.value[h][at], memory.value[h][slot]);
        }
    }
    /// Slots of the ring for the selected blocks of head h; the first head of a group chooses for the others,
    /// which find its choice in the scratch.
    template <class C>
    static int list(C const&, int h, Memory const& memory, Ring const& ring, T const* q, std::int32_t* slots,
                    Scratch s) noexcept {
        T* const score = s.template take<T>(std::size_t(held_row));
        T* const sum = s.template take<T>(std::size_t(held_row));
        auto* const chosen = s.template take<std::int32_t>(std::size_t(std::max(others, 1)));
        if (others > 0 && h % group == 0) {
            std::int64_t const i = ring.count - 1, end = Means::passed(i),
                               from = std::min(Grid::from(i), end);
            T* const by_place = score; // of blocks from `from` on, behind the first one
            std::fill_n(sum, held_row, T(0));
            for (int g = 0; g < group; ++g) {
                T const* const query = q + g * S::wide;
                auto const product = [&](std::int64_t c) {
                    return kernels::dot<W>(S::d, query, memory.key[h / group][slot_of(c)]);
                };
                if (end > 0) by_place[0] = product(0);
                for (std::int64_t c = from; c < end; ++c) by_place[c - from + 1] = product(c);
                add_weights(end > 0, 1, int(std::max<std::int64_t>(0, end - from)) + 1, scale() / N, by_place,
                            sum);
            }
            best_of<others>(int(from), int(Grid::end(i)), chosen, [&](int c) { return sum[c - from + 1]; });
        }
        return Pieces::list(ring, chosen, slots);
    }
    static int list_window(Ring const& ring, std::int32_t* slots) noexcept {
        std::int64_t const i = ring.count - 1;
        int n = 0;
        for (std::int64_t j = window_from(i); j <= i; ++j) slots[n++] = Ring::slot(j);
        return n;
    }
    /// Of what the memory holds, the blocks that have passed.
    static int list_passed(Ring const& ring, std::int32_t* slots) noexcept {
        std::int64_t const i = ring.count - 1, end = Means::passed(i);
        int n = 0;
        if (end > 0) slots[n++] = 0;
        for (std::int64_t c = Grid::from(i); c < end; ++c) slots[n++] = slot_of(c);
        return n;
    }
    static constexpr std::int64_t window_from(std::int64_t i) noexcept {
        return std::max<std::int64_t>(0, i + 1 - std::min(Pattern::window, S::Win::capacity));
    }

private:
    static T scale() noexcept { return T(1 / std::sqrt(double(S::d))); }
    static int slot_of(std::int64_t block) noexcept { return block == 0 ? 0 : 1 + int(block % Grid::held); }
    /// Adds the softmax of scores at 0, where `first`, and in [from, to).
    static void add_weights(bool first, int from, int to, T factor, T const* z, T* sum) noexcept {
        T top = first ? z[0] : std::numeric_limits<T>::lowest(), all = 0;
        for (int c = from; c < to; ++c) top = std::max(top, z[c]);
        if (first) all += std::exp(factor * (z[0] - top));
        for (int c = from; c < to; ++c) all += std::exp(factor * (z[c] - top));
        if (first) sum[0] += std::exp(factor * (z[0] - top)) / all;
        for (int c = from; c < to; ++c) sum[c] += std::exp(factor * (z[c] - top)) / all;
    }
    /// Calls f(head, slot, row) for each row of blocks that a stream holds after n new tokens.
    template <class F> static void each_held(Order order, int n, F const& f) noexcept {
        std::int64_t const end = order.before + n, last = (end - 1) / N;
        auto const each = [&](std::int64_t c) {
            for (int h = 0; h < S::K; ++h)
                for (std::int64_t place = c * N; place < std::min(end, (c + 1) * N); ++place)
                    f(h, slot_of(c), order.row(place));
        };
        if (end > 0) each(0);
        for (std::int64_t c = std::max<std::int64_t>(1, last + 1 - Grid::held); end > 0 && c <= last; ++c)
            each(c);
    }
};

} // namespace detail
} // namespace inlay::inline INLAY_ISA
