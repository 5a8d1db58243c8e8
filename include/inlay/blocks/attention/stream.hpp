// SPDX-License-Identifier: BSD-3-Clause
// Attention of one token after another.
#pragma once

#include <inlay/blocks/attention/block.hpp>
#include <inlay/kernels/attention/step.hpp>

namespace inlay::inline INLAY_ISA {
namespace detail {

template <class Spec, class I, class R> struct AttentionStream : AttentionBlock<Spec, I, R> {
    using Base = AttentionParts<Spec, I, R>;
    using Base::d, Base::group, Base::H, Base::K, Base::scale, Base::score_row, Base::sets, Base::vd,
        Base::vwide, Base::W, Base::wide;
    using typename Base::Asked, typename Base::Choice, typename Base::Select, typename Base::Docs,
        typename Base::Forget, typename Base::Gate, typename Base::Diff, typename Base::Key,
        typename Base::Norm, typename Base::O, typename Base::Params, typename Base::Place, typename Base::Q,
        typename Base::Ring, typename Base::S, typename Base::Sides, typename Base::Sink,
        typename Base::State, typename Base::T, typename Base::Turn, typename Base::Value,
        typename Base::Weights;

    template <class C>
    static void step(C const& c, Params const& p, State& state, T const* x, T* y, Scratch s) noexcept {
        auto const take = [&](int n) { return s.template take<T>(std::size_t(n)); };
        T *const query = take(Sides::query_row), *const key = take(Sides::key_row),
                 *const value = take(Sides::value_row), *const side = take(Sides::mixed_row);
        HeadRows<T> const q{take(S::asks * wide), wide, wide}, k{take(S::answers * wide), wide, wide},
            mixed{take(S::asks * vwide), vwide, vwide};
        T* const scores = take(group * score_row);
        T* const judged = take(Select::used ? score_row : 0);
        auto const gate = Gate::Rows::take(s, 1);
        auto const gated = Gate::MixedRows::take(s, 1);
        auto const difference = Diff::Rows::take(s, 1);
        auto const forget = Forget::Rows::take(s, 1);
        T const* asked = x;
        if constexpr (Asked::elsewhere) asked = Asked::of(c).value(0, 0);
        if constexpr (Asked::behind) {
            std::size_t const to = Asked::to_beside(c);
            auto& beside = *reinterpret_cast<State*>(reinterpret_cast<std::byte*>(&state) + to);
            if (to == 0) std::copy_n(x, In<I, R>::stride, beside.asked.token);
            asked = beside.asked.token;
        }
        Q::apply(1, p.q, asked, query);
        Key::apply(1, p.k, asked, key);
        Value::apply(1, p.v, x, value);
        Forget::project(1, p.forget, asked, forget);
        split_heads<W>(1, S::asks, d, query, Sides::query_row, q);
        split_heads<W>(1, S::answers, d, key, Sides::key_row, k);
        Norm::forward(p.norm, 1, q, k, s);
        Turn::turn(c.position_of(0), 1, S::asks, q, S::answers, k, T(1), s);
        Ring& ring = state.keys;
        int const slot = Ring::slot(ring.count++), stored = ring.stored();
        std::int64_t const start = Docs::step(c, state.document, ring.count - 1);
        for (int h = 0; h < S::answers; ++h) std::copy_n(k(h), wide, ring.key[h][slot]);
        split_heads<W>(1, K, vd, value, Sides::value_row,
                       {ring.value[0][slot], Ring::capacity * vwide, vwide});
        Forget::count(state.levels, ring, forget);
        Select::count(state.selected, ring);
        auto chosen = Choice::take_step(s);
        if constexpr (Choice::used) {
            Choice::project(1, p.choice, x, chosen);
            Choice::count(state.chosen, ring, chosen);
        }
        for (int a = 0; a < S::answers; ++a) {
            int const g = a / sets, first = g * group, ask = first * sets + a % sets;
            if constexpr (Choice::used) {
                for (int h = first; h < first + group; ++h)
                    attend_chosen(c, p, state, h, q(h), scores, mixed(h), chosen, s);
                continue;
            }
            kernels::StepHead<T> const head{group,       stored, wide,           vwide,
                                            scale(),     q(ask), ring.key[a][0], ring.value[g][0],
                                            sets * wide, wide,   vwide};
            kernels::step_scores<W>(head, scores, score_row);
            for (int i = 0; i < group; ++i) {
                T* const z = scores + i * score_row;
                cap(stored, z);
                if (Select::used && first + i == 0) std::copy_n(z, stored, judged);
                Select::step(state.selected, stored, z);
                Place::step(p.place, first + i, ring, z);
                Forget::step(first + i, state.levels, ring, z);
                if constexpr (!S::Win::sees_all || Docs::used) hide(ring, start, z);
                Sink::step_score(p.sink, first + i, scale(), q(first + i), z + stored);
            }
            Weights::step(group, stored + Sink::extra, scores, score_row);
            kernels::step_values<W>(head, scores, score_row, mixed(ask), sets * vwide);
            for (int i = 0; i < group; ++i)
                Sink::step_value(p.sink, first + i, scores + i * score_row + stored, mixed(first + i));
        }
        Select::judge(state.selected, ring, judged);
        merge_heads<W>(1, S::asks, vd, mixed, side, Sides::mixed_row);
        T const* out = side;
        if constexpr (Diff::used) {
            Diff::forward(1, p.diff, c.layer, side, difference.data);
            out = difference.data;
        }
        if constexpr (Gate::used) {
            Gate::open(1, p.gate, x, gate.data);
            Gate::apply(1, gate.data, out, gated.data);
            out = gated.data;
        }
        O::apply(1, p.o, out, y);
    }

private:
    /// One head over keys of a list, copied next to each other, times `weight`.
    static void attend_slots(Params const& p, [[maybe_unused]] State const& state, int h, T const* q, int n,
                             std::int32_t const* slots, T const* keys, T const* values, T weight, T* scores,
                             T* out, Scratch s) noexcept {
        T* const key = s.template take<T>(std::size_t(Ring::capacity * wide));
        T* const value = s.template take<T>(std::size_t(Ring::capacity * vwide));
        kernels::gather(n, slots, keys, wide, wide, key, wide);
        kernels::gather(n, slots, values, vwide, vwide, value, vwide);
        kernels::StepHead<T> const head{1,     n,    wide, vwide, scale() * weight, q, key,
                                        value, wide, wide, vwide};
        kernels::step_scores<W>(head, scores, score_row);
        cap(n, scores);
        Choice::bias(state.chosen, n, slots, scores);
        Sink::step_score(p.sink, h, scale(), q, scores + n);
        Weights::step(1, n + Sink::extra, scores, score_row);
        kernels::step_values<W>(head, scores, score_row, out, vwide);
    }
    /// One head over what it chose.
    template <class C, class Room>
    static void attend_chosen(C const& c, Params const& p, State const& state, int h, T const* q, T* scores,
                              T* out, [[maybe_unused]] Room const& chosen, Scratch s) noexcept {
        auto* const slots = s.template take<std::int32_t>(std::size_t(Ring::capacity));
        Scratch rest = s; // the choice's, from head to head
        s.template take<std::byte>(Choice::step_scratch);
        Ring const& ring = state.keys;
        int const n = Choice::list(c, h, state.chosen, ring, q, slots, rest), g = h / group;
        T const *const keys = ring.key[g][0], *const values = ring.value[g][0];
        attend_slots(p, state, h, q, n, slots, keys, values, T(1), scores, out, s);
        if constexpr (Choice::branches) {
            T* const more = s.template take<T>(std::size_t(vwide));
            kernels::scale<W>(vwide, chosen.gate(0, h, 1), out, out);
            int const last = Choice::list_window(ring, slots);
            attend_slots(p, state, h, q, last, slots, keys, values, T(1), scores, more, s);
            kernels::axpy<W>(vwide, chosen.gate(0, h, 2), more, out);
            int const passed = Choice::list_passed(ring, slots);
            constexpr T part = T(1) / Choice::N; // the stream keeps sums
            attend_slots(p, state, h, q, passed, slots, state.chosen.key[g][0], state.chosen.value[g][0],
                         part, scores, more, s);
            kernels::axpy<W>(vwide, part * chosen.gate(0, h, 0), more, out);
        }
    }
    static void cap(int stored, T* scores) noexcept {
        auto const f = Spec::Cap::template of<T>();
        if constexpr (!f.plain) kernels::map<W>(padded(stored, W), scores, scores, f);
    }
    /// Scores of what is stored and not seen any more.
    static void hide(Ring const& ring, std::int64_t start, T* scores) noexcept {
        auto sight = S::sight(ring.count - 1);
        sight.first = std::max(sight.first, start); // where there are documents, there are no sinks
        for (int slot = 0; slot < ring.stored(); ++slot) {
            auto const place = ring.place(slot);
            bool const seen = place < sight.always || (sight.first <= place && place < sight.last);
            if (!seen) scores[slot] = -std::numeric_limits<T>::infinity();
        }
    }
};

} // namespace detail
} // namespace inlay::inline INLAY_ISA
