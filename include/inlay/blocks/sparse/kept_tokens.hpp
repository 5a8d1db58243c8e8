// SPDX-License-Identifier: BSD-3-Clause
// Tokens that are kept for all who ask, by a score of their own.
#pragma once

#include <inlay/blocks/dense.hpp>
#include <inlay/blocks/draw.hpp>
#include <inlay/blocks/sparse/chosen_tokens.hpp>

namespace inlay::inline INLAY_ISA {
namespace detail {

template <class S, class Pattern>
    requires(Pattern::kept_tokens > 0)
struct KeyChoice<S, Pattern> : PlainChoice {
    using T = typename S::T;
    using Ring = typename S::Ring;
    using Order = typename S::Order;
    using Rows = AttentionRows<S>;
    using Work = TokenWork<S, KeyChoice>;
    using Side = PartRows<Shape<S::rows, 1>, typename S::Real>; ///< scores of new tokens
    using Map = typename Dense<1, NoBias>::template Block<typename S::Input, typename S::Real>;
    static constexpr int W = S::W, most_tokens = Pattern::kept_tokens;
    static constexpr long long parameters = Map::parameters;
    static constexpr double flops = Map::flops;
    struct Params {
        typename Map::Params score;
    };
    struct Memory {
        T score[std::size_t(Ring::capacity)];
    };
    template <int B> struct Tape {
        typename Side::template Tape<B> side;
        std::int32_t chosen[std::size_t(B)][std::size_t(S::rows * most_tokens)];
    };
    struct Room {
        Side side, dside;
        std::int32_t* chosen;
        T* score; ///< of all keys
        T* level; ///< log sigmoid(score)
        double* dlevel;
        T of_key(int key) const noexcept { return level[key]; }
        void collect(int key, T dz) const noexcept { dlevel[key] += double(dz); }
    };
    static constexpr std::size_t scratch =
        Side::scratch(1) + lines(sizeof(std::int32_t) * std::size_t(S::rows * most_tokens)) +
        2 * lines(sizeof(T) * std::size_t(S::most_keys)) + lines(sizeof(double) * std::size_t(S::most_keys));
    static constexpr std::size_t step_scratch = 0;

    template <class P, class F> static void visit(P& p, Path const& at, F&& f) {
        Map::visit(p.score, Path{&at, "select"}, f);
    }
    template <class C> static void initialize(C const& c, Params& p) noexcept {
        draw_map(c.key.fold(8), 1, p.score);
    }
    static constexpr double choosing() { return 0; }
    static constexpr double pairs() {
        double n = 0;
        for (int t = 0; t < S::rows; ++t)
            n += std::min(most_tokens, int(std::min<std::int64_t>(S::sight(t).last, S::rows)));
        return n;
    }

    static Room take_step(Scratch& s) noexcept {
        Room r{};
        r.side = Side::take(s, 1);
        return r;
    }
    template <class C> static Room take(C const&, Scratch& s) noexcept {
        Room r = take_step(s);
        r.chosen = s.template take<std::int32_t>(std::size_t(S::rows * most_tokens));
        r.score = s.template take<T>(std::size_t(S::most_keys));
        r.level = s.template take<T>(std::size_t(S::most_keys));
        r.dlevel = s.template take<double>(std::size_t(S::most_keys));
        return r;
    }
    /// Sequence b of a tape; one that is read is not written through this.
    template <class Tp> static void on(Tp& tape, int b, int, Order, Room& r) noexcept {
        r.side = Side::on(tape.side, b);
        r.chosen = const_cast<std::int32_t*>(tape.chosen[b]);
    }
    static void project(int n, Params const& p, T const* x, Room& r) noexcept {
        Map::apply(n, p.score, x, r.side.data);
    }
    template <class G>
    static void pull(int n, Params const& p, T const* x, Side dside, T* dx, G& g) noexcept {
        Map::pull(n, p.score, x, dside.data, dx, true, g.score);
    }
    /// Scores of all keys: what the stream kept, and new ones.
    static void begin(Memory const* in, Order order, int n, Room& r) noexcept {
        int const stored = order.stored();
        for (int j = 0; j < stored + n; ++j) {
            r.score[j] =
                j < stored ? in->score[Ring::slot(order.place(j))] : r.side.data[(j - stored) * Side::row];
            r.level[j] = log_sigmoid(r.score[j]);
            r.dlevel[j] = 0;
        }
    }
    /// For every query the rows of the keys that are kept, or -1; the same for all heads.
    static void choose(int h, Rows const& rows, int n, Room& r) noexcept {
        Order const order = rows.order;
        for (int t = 0; h == 0 && t < n; ++t) {
            Sight const s = S::sight(order.before + t);
            best_of<most_tokens>(order.row(s.first), order.row(std::min(s.last, order.before + n)),
                                 r.chosen + t * most_tokens, [&](int j) { return r.score[j]; });
        }
    }
    static void keep(Rows const& rows, int n, Room const& r, Memory& out) noexcept {
        Order const order = rows.order;
        out = Memory{};
        each_survivor(order, n, [&](int j, int slot) { out.score[slot] = r.score[j]; });
    }
    template <class... A> static void add(A&&...) noexcept {}
    /// Behind the way back of all heads: gradients of scores, of new tokens and of those that the stream had.
    static void give(Order order, int n, Room const& r, Memory const* d_out, Memory* d_in) noexcept {
        int const stored = order.stored();
        for (int j = 0; j < stored + n; ++j) r.dlevel[j] /= 1 + std::exp(double(r.score[j]));
        if (d_out)
            each_survivor(order, n, [&](int j, int slot) { r.dlevel[j] += double(d_out->score[slot]); });
        for (int t = 0; t < n; ++t) r.dside.data[t * Side::row] = T(r.dlevel[stored + t]);
        if (!d_in) return;
        *d_in = Memory{};
        for (int j = 0; j < stored; ++j) d_in->score[Ring::slot(order.place(j))] = T(r.dlevel[j]);
    }

    /// One token, which the ring holds.
    static void count(Memory& memory, Ring const& ring, Room const& r) noexcept {
        memory.score[Ring::slot(ring.count - 1)] = r.side.data[0];
    }
    template <class C>
    static int list(C const&, int, Memory const& memory, Ring const& ring, T const*, std::int32_t* slots,
                    Scratch) noexcept {
        int const stored = ring.stored();
        std::int64_t const oldest = ring.count - stored;
        std::int32_t chosen[std::size_t(most_tokens)];
        best_of<most_tokens>(0, stored, chosen, [&](int j) { return memory.score[Ring::slot(oldest + j)]; });
        int n = 0;
        for (std::int32_t const j : chosen)
            if (j >= 0) slots[n++] = Ring::slot(oldest + j);
        return n;
    }
    static void bias(Memory const& memory, int n, std::int32_t const* slots, T* scores) noexcept {
        for (int i = 0; i < n; ++i) scores[i] += log_sigmoid(memory.score[slots[i]]);
    }

private:
    static T log_sigmoid(T x) noexcept { return std::min(x, T(0)) - std::log1p(std::exp(-std::abs(x))); }
    template <class F> static void each_survivor(Order order, int n, F const& f) noexcept {
        for (int j = 0; j < order.stored() + n; ++j)
            if (Ring::survives(order.place(j), order.before + n)) f(j, Ring::slot(order.place(j)));
    }
};

} // namespace detail
} // namespace inlay::inline INLAY_ISA
