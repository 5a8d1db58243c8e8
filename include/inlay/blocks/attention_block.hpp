// SPDX-License-Identifier: BSD-3-Clause
// Attention forward and back: projections, heads apart, kernels head by head, and what options add.
#pragma once

#include <inlay/blocks/attention_parts.hpp>

namespace inlay::inline INLAY_ISA {
namespace detail {

template <class Spec, class I, class R> struct AttentionBlock : AttentionParts<Spec, I, R> {
    using Base = AttentionParts<Spec, I, R>;
    using Base::d, Base::group, Base::H, Base::has_levels, Base::K, Base::rows, Base::scale, Base::W,
        Base::wide;
    using typename Base::Docs, typename Base::Forget, typename Base::ForgetRows, typename Base::Gate,
        typename Base::GatedRows, typename Base::GateRows, typename Base::KV, typename Base::Norm,
        typename Base::O, typename Base::Params, typename Base::Place, typename Base::Q, typename Base::Rows,
        typename Base::S, typename Base::Sides, typename Base::Sink, typename Base::State, typename Base::T,
        typename Base::Turn, typename Base::Weights;
    static constexpr bool is_stream = Spec::Keys::streams;

    template <class C, class Tp>
    static void forward(C const& c, Params const& p, In<I, R> x, Out<I, R> y, Tp& tape, Scratch s) noexcept {
        T* const room = s.template take<T>(Weights::room);
        T* kept = s.template take<T>(std::size_t(H * rows));
        Sides side = Sides::take(s, 1);
        GateRows gate = GateRows::take(s, 1);
        GatedRows const gated = GatedRows::take(s, 1);
        ForgetRows forget = ForgetRows::take(s, 1);
        double* const level = take_level(s);
        Rows heads = Rows::take(s);
        for (int b = 0; b < c.rows; ++b) {
            int const n = x.length(b);
            if constexpr (is_recording<Tp>) {
                side = Sides::on(tape.sides, b), kept = tape.kept[b];
                gate = GateRows::on(tape.gate, b), forget = ForgetRows::on(tape.forget, b);
            }
            Q::apply(n, p.q, x(b), side.q);
            KV::apply(n, p.k, x(b), side.k);
            KV::apply(n, p.v, x(b), side.v);
            Forget::project(n, p.forget, x(b), forget);
            State const* const in = state_in(c, b);
            lay_out(c, p, b, n, side, in, heads, s);
            for (int h = 0; h < H; ++h) {
                Sink::put(p.sink, h, front(heads.k, h), front(heads.v, h));
                lay_levels(p, h, heads.order, n, forget, in, level);
                Weights::forward(heads.head(h, n, scale()), scores(level, heads.order),
                                 Sink::score(p.sink, h), side.mixed + h * d, Sides::query_row,
                                 kept + h * rows, room);
            }
            for (int t = 0; t < n; ++t)
                kernels::clear_pads(side.mixed + t * Sides::query_row, H * d, Sides::query_row);
            T const* out = side.mixed;
            if constexpr (Gate::used) {
                Gate::open(n, p.gate, x(b), gate.data);
                Gate::apply(n, gate.data, side.mixed, gated.data);
                out = gated.data;
            }
            O::apply(n, p.o, out, y(b));
            clear_rows_from(y, b, n);
            if constexpr (is_recording<Tp>) {
                Sides::clear_from(n, side.mixed, Sides::query_row);
                gate.clear_from(n);
            }
            if constexpr (is_stream)
                if (State* const after = c.template state_out<State>(b))
                    keep(c, b, heads, n, forget, in, *after);
        }
    }

    template <class C, class Tp, class DX, class G>
    static void backward(C const& c, Params const& p, In<I, R> x, Tp const& tape, In<I, R> dy, DX dx, G& g,
                         Scratch s) noexcept {
        int const all = c.rows * rows;
        T* const room = s.template take<T>(Weights::backward_room);
        T* const mean = s.template take<T>(std::size_t(rows));
        Sides const sides = Sides::on(tape.sides, 0), dsides = Sides::take(s, c.capacity);
        GateRows const gate = GateRows::on(tape.gate, 0), dgate = GateRows::take(s, c.capacity);
        GatedRows const gated = GatedRows::take(s, c.capacity);
        ForgetRows const dforgets = ForgetRows::take(s, c.capacity);
        double* const level = take_level(s);
        double* const dlevel = take_level(s);
        Rows heads = Rows::take(s), dheads = Rows::take(s);
        HeadRows<T> const dmixed = Rows::take_queries(s);
        if constexpr (Gate::used) {
            Gate::apply(all, gate.data, sides.mixed, gated.data);
            O::pull(all, p.o, gated.data, dy.data, dsides.mixed, false, g.o);
            Gate::pull(all, gate.data, sides.mixed, dsides.mixed, dgate.data);
        } else O::pull(all, p.o, sides.mixed, dy.data, dsides.mixed, false, g.o);

        for (int b = 0; b < c.rows; ++b) {
            int const n = x.length(b);
            Sides const side = sides.row(b), dside = dsides.row(b);
            ForgetRows const forget = ForgetRows::on(tape.forget, b), dforget = dforgets.of(b);
            State const* const in = state_in(c, b);
            lay_out(c, p, b, n, side, in, heads, s);
            dheads.order = heads.order;
            dforget.clear_from(0);
            split_heads<W>(n, H, d, dside.mixed, Sides::query_row, dmixed);
            for (int h = 0; h < K; ++h) {
                kernels::clear(dheads.k(h), std::ptrdiff_t(dheads.keys(n)) * wide);
                kernels::clear(dheads.v(h), std::ptrdiff_t(dheads.keys(n)) * wide);
            }
            if constexpr (is_stream)
                if (State const* const d_out = c.template d_state_out<State>(b)) dheads.add(d_out->keys, n);
            for (int h = 0; h < H; ++h) {
                T *const dk = front(dheads.k, h), *const dv = front(dheads.v, h);
                T const* const sums = tape.kept[b] + h * rows;
                Sink::put(p.sink, h, front(heads.k, h), front(heads.v, h));
                kernels::clear(dk, S::front * wide), kernels::clear(dv, S::front * wide);
                lay_levels(p, h, heads.order, n, forget, in, level);
                if constexpr (has_levels) std::fill_n(dlevel, S::most_keys, 0.0);
                for (int t = 0; t < n; ++t) {
                    auto const at = t * Sides::query_row + h * d;
                    mean[t] = kernels::dot<W>(d, side.mixed + at, dside.mixed + at);
                }
                Weights::backward(heads.head(h, n, scale()), scores(level, heads.order, dlevel),
                                  static_cast<T const*>(dmixed(h)), wide, sums, mean, dheads.q(h), dk, dv,
                                  room);
                Sink::pull_score(p.sink, g.sink, h, n, sums, mean);
                Sink::pull_keys(g.sink, h, dk, dv);
                Place::pull(g.place, h, heads.order, n, dlevel);
                pull_forget(c, b, h, heads.order, n, forget, dlevel, dforget);
            }
            if constexpr (is_stream)
                if (State* const d_in = c.template d_state_in<State>(b)) {
                    dheads.give(d_in->keys);
                    if constexpr (Docs::used) d_in->document = {};
                }
            auto const dk = dheads.fresh(dheads.k);
            Turn::turn(c.position_of(b), n, H, dheads.q, K, dk, T(-1), s);
            if constexpr (Norm::used) {
                side.split(n, heads);
                Norm::backward(p.norm, g.norm, n, heads.q, heads.fresh(heads.k), dheads.q, dk, s);
            }
            dside.merge(n, dheads);
        }
        T* into = nullptr;
        if constexpr (wants_grad<DX>) into = dx.data;
        Q::pull(all, p.q, x.data, dsides.q, into, false, g.q);
        KV::pull(all, p.k, x.data, dsides.k, into, true, g.k);
        KV::pull(all, p.v, x.data, dsides.v, into, true, g.v);
        if constexpr (Gate::used)
            Gate::Map::pull(all, p.gate.map, x.data, dgate.data, into, true, g.gate.map);
        if constexpr (Forget::used)
            Forget::Map::pull(all, p.forget.map, x.data, dforgets.data, into, true, g.forget.map);
    }

private:
    static double* take_level(Scratch& s) noexcept {
        return reinterpret_cast<double*>(s.template take<std::byte>(Base::level_bytes));
    }
    /// The first row of keys or values that head h reads.
    static T* front(HeadRows<T> keys, int h) noexcept { return keys(h / group, -S::front); }
    template <class C> static State const* state_in(C const& c, int b) noexcept {
        if constexpr (is_stream) return c.template state_in<State>(b);
        else return nullptr;
    }
    /// Heads apart, told their places, behind what the stream had stored.
    template <class C>
    static void lay_out(C const& c, Params const& p, int b, int n, Sides const& side, State const* in,
                        Rows& to, Scratch s) noexcept {
        if constexpr (is_stream) to.begin(in ? &in->keys : nullptr, n);
        else to.begin(nullptr, n);
        Docs::limit(c, b, to.order, n, document_of(in), to.spans);
        side.split(n, to);
        auto const k = to.fresh(to.k);
        Norm::forward(p.norm, n, to.q, k, s);
        Turn::turn(c.position_of(b), n, H, to.q, K, k, T(1), s);
    }
    static auto const* document_of(State const* in) noexcept {
        using Memory = typename Docs::Memory;
        if constexpr (is_stream && Docs::used) return in ? &in->document : nullptr;
        else return static_cast<Memory const*>(nullptr);
    }
    static auto const* levels_of(State const* in) noexcept {
        using Memory = typename Forget::Memory;
        if constexpr (is_stream && Forget::used) return in ? &in->levels : nullptr;
        else return static_cast<Memory const*>(nullptr);
    }
    static void lay_levels(Params const& p, int h, typename S::Order order, int n, ForgetRows forget,
                           State const* in, double* level) noexcept {
        if constexpr (has_levels) {
            std::fill_n(level, S::most_keys, 0.0);
            Place::lay(p.place, h, order, n, level);
            Forget::lay(h, order, n, forget, levels_of(in), level);
        }
    }
    static auto scores(double const* level, typename S::Order order, double* dlevel = nullptr) noexcept {
        using Cap = decltype(Spec::Cap::template of<T>());
        if constexpr (has_levels)
            return kernels::Scores<Cap, kernels::Levels>{Spec::Cap::template of<T>(),
                                                         {level, order.stored(), dlevel}};
        else return kernels::Scores<Cap>{Spec::Cap::template of<T>(), {}};
    }
    template <class C>
    static void keep(C const& c, int b, Rows const& heads, int n, ForgetRows forget, State const* in,
                     State& out) noexcept {
        if constexpr (Forget::used) {
            if (!in) std::memset(static_cast<void*>(&out.levels), 0, sizeof out.levels);
            else if (in != &out) out.levels = in->levels;
            for (int h = 0; h < H; ++h) Forget::keep(h, heads.order, n, forget, levels_of(in), out.levels);
        }
        if constexpr (Docs::used) Docs::keep(c, b, heads.order, n, document_of(in), out.document);
        heads.end(in ? &in->keys : nullptr, n, out.keys);
    }
    template <class C>
    static void pull_forget(C const& c, int b, int h, typename S::Order order, int n, ForgetRows forget,
                            double* dlevel, ForgetRows dforget) noexcept {
        if constexpr (Forget::used) {
            State const* d_out = nullptr;
            State* d_in = nullptr;
            if constexpr (is_stream)
                d_out = c.template d_state_out<State>(b), d_in = c.template d_state_in<State>(b);
            Forget::pull(h, order, n, forget, dlevel, levels_of(d_out), d_in ? &d_in->levels : nullptr,
                         dforget);
        }
    }
};

} // namespace detail
} // namespace inlay::inline INLAY_ISA
