// SPDX-License-Identifier: BSD-3-Clause
// Attention forward and back: projections, heads apart, kernels head by head, and what options add.
#pragma once

#include <inlay/blocks/attention/layout.hpp>

namespace inlay::inline INLAY_ISA {
namespace detail {

template <class Spec, class I, class R> struct AttentionBlock : AttentionLayout<Spec, I, R> {
    using Base = AttentionLayout<Spec, I, R>;
    using Base::H, Base::has_levels, Base::rows, Base::scale, Base::sets, Base::vd, Base::vwide, Base::W;
    using Base::is_stream, Base::asked_rows;
    using typename Base::Cap, typename Base::Asked, typename Base::Choice, typename Base::Select,
        typename Base::Docs, typename Base::Forget, typename Base::ForgetRows, typename Base::Gate,
        typename Base::GatedRows, typename Base::GateRows, typename Base::Diff, typename Base::DiffRows,
        typename Base::Key, typename Base::Norm, typename Base::O, typename Base::Params,
        typename Base::Place, typename Base::Q, typename Base::Rows, typename Base::S, typename Base::Sides,
        typename Base::Sink, typename Base::State, typename Base::T, typename Base::Turn,
        typename Base::Value, typename Base::Weights;

    template <class C, class Tp>
    static void forward(C const& c, Params const& p, In<I, R> x, Out<I, R> y, Tp& tape, Scratch s) noexcept {
        T* const room = s.template take<T>(Weights::room);
        T* kept = s.template take<T>(std::size_t(S::asks * rows));
        constexpr bool needs_kept = is_recording<Tp> || !requires { requires Weights::kept_may_be_null; };
        Sides side = Sides::take(s, 1);
        GateRows gate = GateRows::take(s, 1);
        GatedRows const gated = GatedRows::take(s, 1);
        DiffRows const difference = DiffRows::take(s, 1);
        ForgetRows forget = ForgetRows::take(s, 1);
        double* const level = take_level(s);
        Rows const room_of_heads = Rows::take(s);
        auto const selected = Select::take(s);
        auto chosen = Choice::take(c, s);
        for (int b = 0; b < c.rows; ++b) {
            int const n = x.length(b);
            Rows heads = room_of_heads;
            if constexpr (is_recording<Tp>) {
                side = Sides::on(tape.sides, b), kept = tape.kept[b];
                gate = GateRows::on(tape.gate, b), forget = ForgetRows::on(tape.forget, b);
            }
            T const* const asked = asked_rows(c, x)(b);
            Q::apply(n, p.q, asked, side.q);
            Key::apply(n, p.k, asked, side.k);
            Value::apply(n, p.v, x(b), side.v);
            Forget::project(n, p.forget, asked, forget);
            State const* const in = state_in(c, b);
            Base::template lay_out<true>(c, p, b, n, side, in, heads, s);
            if constexpr (Choice::used) {
                if constexpr (is_recording<Tp>) Choice::on(tape.choice, b, 0, heads.order, chosen);
                Choice::project(n, p.choice, x(b), chosen);
                Choice::begin(chosen_of(in), heads.order, n, chosen);
            }
            auto const judge = heads.head(0, 0, n, scale());
            Select::begin(heads.order, n, selected_of(in), selected);
            for (int h = 0; h < H; ++h) {
                Sink::put(p.sink, h, heads.key(h, 0), heads.value(h));
                lay_levels(p, h, heads.order, n, forget, in, level);
                if constexpr (Choice::used) {
                    if constexpr (is_recording<Tp>) Choice::on(tape.choice, b, h, heads.order, chosen);
                    Choice::choose(h, heads, n, chosen);
                }
                for (int set = 0, a = h * sets; set < sets; ++set, ++a)
                    Weights::forward(heads.head(h, set, n, scale()),
                                     scores(judge, selected, heads.order, n, level), Sink::score(p.sink, h),
                                     side.mixed + a * vd, Sides::mixed_row,
                                     needs_kept ? kept + a * rows : nullptr, room, chosen);
            }
            for (int t = 0; t < n; ++t)
                kernels::clear_pads(side.mixed + t * Sides::mixed_row, S::asks * vd, Sides::mixed_row);
            T const* out = side.mixed;
            if constexpr (Diff::used) {
                Diff::forward(n, p.diff, c.layer, side.mixed, difference.data);
                out = difference.data;
            }
            if constexpr (Gate::used) {
                Gate::open(n, p.gate, x(b), gate.data);
                Gate::apply(n, gate.data, out, gated.data);
                out = gated.data;
            }
            O::apply(n, p.o, out, y(b));
            clear_rows_from(y, b, n);
            if constexpr (is_recording<Tp>) {
                Sides::clear_from(n, side.mixed, Sides::mixed_row);
                gate.clear_from(n);
            }
            if constexpr (is_stream)
                if (State* const after = c.template state_out<State>(b))
                    keep(c, b, heads, n, forget, selected, chosen, in, *after);
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
        DiffRows const difference = DiffRows::take(s, c.capacity),
                       ddifference = DiffRows::take(s, c.capacity);
        ForgetRows const dforgets = ForgetRows::take(s, c.capacity);
        auto const dchoices = Choice::Side::take(s, c.capacity);
        double* const level = take_level(s);
        double* const dlevel = take_level(s);
        Rows heads = Rows::take(s), dheads = Rows::take(s);
        HeadRows<T> const dmixed = Rows::take_mixed(s);
        auto const selected = Select::take(s);
        auto chosen = Choice::take(c, s);
        T const* out = sides.mixed; // of the heads, and its gradient
        T* dout = dsides.mixed;
        if constexpr (Diff::used) {
            Diff::forward(all, p.diff, c.layer, sides.mixed, difference.data);
            out = difference.data, dout = ddifference.data;
        }
        if constexpr (Gate::used) {
            Gate::apply(all, gate.data, out, gated.data);
            O::pull(all, p.o, gated.data, dy.data, dout, false, g.o);
            Gate::pull(all, gate.data, out, dout, dgate.data);
        } else O::pull(all, p.o, out, dy.data, dout, false, g.o);
        if constexpr (Diff::used)
            Diff::backward(all, p.diff, g.diff, c.layer, sides.mixed, dout, dsides.mixed);

        for (int b = 0; b < c.rows; ++b) {
            int const n = x.length(b);
            Sides const side = sides.row(b), dside = dsides.row(b);
            ForgetRows const forget = ForgetRows::on(tape.forget, b), dforget = dforgets.of(b);
            State const* const in = state_in(c, b);
            Base::template lay_out<false>(c, p, b, n, side, in, heads, s);
            dheads.order = heads.order;
            dforget.clear_from(0);
            dchoices.of(b).clear_from(0);
            split_heads<W>(n, S::asks, vd, dside.mixed, Sides::mixed_row, dmixed);
            dheads.clear_keys(n);
            if constexpr (is_stream)
                if (State const* const d_out = c.template d_state_out<State>(b)) {
                    dheads.add(d_out->keys, n);
                    if constexpr (Choice::used) Choice::add(d_out->chosen, heads, n, dheads);
                }
            if constexpr (Choice::used) {
                Choice::on(tape.choice, b, 0, heads.order, chosen);
                Choice::begin(chosen_of(in), heads.order, n, chosen);
                if constexpr (requires { chosen.dside; }) chosen.dside = dchoices.of(b);
            }
            auto const judge = heads.head(0, 0, n, scale());
            Select::begin(heads.order, n, selected_of(in), selected);
            for (int h = 0; h < H; ++h) {
                Sink::put(p.sink, h, heads.key(h, 0), heads.value(h));
                lay_levels(p, h, heads.order, n, forget, in, level);
                if constexpr (Select::used) std::fill_n(selected.rest, S::most_keys, 0.0);
                if constexpr (has_levels) std::fill_n(dlevel, S::most_keys, 0.0);
                for (int set = 0, a = h * sets; set < sets; ++set, ++a) {
                    T *const dk = dheads.key(h, set), *const dv = dheads.value(h);
                    T const* const kept = tape.kept[b] + a * rows;
                    kernels::clear(dk, S::front * S::wide), kernels::clear(dv, S::front * vwide);
                    kernels::row_products<W>(n, vd, side.mixed + a * vd, Sides::mixed_row,
                                             dside.mixed + a * vd, Sides::mixed_row, mean);
                    auto const head = heads.head(h, set, n, scale());
                    auto const z = scores(judge, selected, heads.order, n, level, dlevel);
                    T const* const dout_of = dmixed(a);
                    if constexpr (Choice::used) Choice::on(tape.choice, b, h, heads.order, chosen);
                    Weights::backward(head, z, dout_of, vwide, kept, mean, dheads.query(h, set), dk, dv, room,
                                      chosen);
                    if constexpr (Select::used)
                        Select::template pull<typename Weights::Map>(
                            h, head, z, dout_of, vwide, kept, mean, heads.order, n, selected,
                            selected_of(c.template d_state_out<State>(b)), dheads.query(0, 0),
                            dheads.key(0, 0), room);
                    Sink::pull_score(p.sink, g.sink, h, n, kept, mean);
                    Sink::pull_keys(g.sink, h, dk, dv);
                }
                Place::pull(g.place, h, heads.order, n, dlevel);
                pull_forget(c, b, h, heads.order, n, forget, dlevel, dforget);
            }
            if constexpr (Choice::used && is_stream)
                Choice::give(heads.order, n, chosen, chosen_of(c.template d_state_out<State>(b)),
                             chosen_of(c.template d_state_in<State>(b)));
            else if constexpr (Choice::used) {
                auto* const none = static_cast<typename Choice::Memory*>(nullptr);
                Choice::give(heads.order, n, chosen, none, none);
            }
            if constexpr (is_stream)
                if (State* const d_in = c.template d_state_in<State>(b)) {
                    dheads.give(d_in->keys);
                    if constexpr (Docs::used) d_in->document = {};
                    if constexpr (Asked::behind) d_in->asked = {};
                    if constexpr (Select::used) Select::give(heads.order, selected, d_in->selected);
                }
            auto const dk = dheads.fresh(dheads.k);
            Turn::turn(c.position_of(b), n, S::asks, dheads.q, S::answers, dk, T(-1), s);
            if constexpr (Norm::used) {
                side.split(n, heads);
                Norm::backward(p.norm, g.norm, n, heads.q, heads.fresh(heads.k), dheads.q, dk, s);
            }
            dside.merge(n, dheads);
        }
        T* into = nullptr;
        if constexpr (wants_grad<DX>) into = dx.data;
        Value::pull(all, p.v, x.data, dsides.v, into, false, g.v);
        auto const pull_asked = [&](int b, int n, T const* from, T* to) {
            Sides const dside = dsides.row(b);
            Q::pull(n * rows, p.q, from, dside.q, to, true, g.q);
            Key::pull(n * rows, p.k, from, dside.k, to, true, g.k);
            if constexpr (Forget::used)
                Forget::Map::pull(n * rows, p.forget.map, from, dforgets.of(b).data, to, true, g.forget.map);
        };
        if constexpr (Asked::elsewhere) {
            auto const& from = Asked::of(c);
            T* to = nullptr;
            if constexpr (wants_grad<decltype(from.cotangent)>) to = from.cotangent.data;
            pull_asked(0, c.rows, from.value.data, to);
        } else if constexpr (Asked::behind) {
            int const half = c.rows / 2;
            T* to = nullptr;
            if constexpr (wants_grad<DX>) to = dx(half);
            pull_asked(0, half, x(half), to);
            pull_asked(half, half, x(half), to);
        } else pull_asked(0, c.rows, x.data, into);
        if constexpr (Gate::used)
            Gate::Map::pull(all, p.gate.map, x.data, dgate.data, into, true, g.gate.map);
        if constexpr (Choice::used) Choice::pull(all, p.choice, x.data, dchoices, into, g.choice);
    }

private:
    using Base::take_level, Base::state_in, Base::levels_of, Base::lay_levels, Base::selected_of,
        Base::chosen_of, Base::document_of, Base::scores;
    template <class C>
    static void keep(C const& c, int b, Rows const& heads, int n, ForgetRows forget,
                     [[maybe_unused]] typename Select::Room const& selected,
                     [[maybe_unused]] typename Choice::Room const& chosen, State const* in,
                     State& out) noexcept {
        if constexpr (Forget::used) {
            if (!in) std::memset(static_cast<void*>(&out.levels), 0, sizeof out.levels);
            else if (in != &out) out.levels = in->levels;
            for (int h = 0; h < H; ++h) Forget::keep(h, heads.order, n, forget, levels_of(in), out.levels);
        }
        if constexpr (Select::used) Select::keep(heads.order, n, selected, out.selected);
        if constexpr (Choice::used) Choice::keep(heads, n, chosen, out.chosen);
        if constexpr (Asked::behind) out.asked = {};
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
