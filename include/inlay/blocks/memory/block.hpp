// SPDX-License-Identifier: BSD-3-Clause
// Memory forward, step by step and back: projections, and kernels head by head over stretches of a chunk.
#pragma once

#include <inlay/blocks/linear/keys.hpp>
#include <inlay/blocks/linear/read.hpp>
#include <inlay/blocks/memory/gates.hpp>
#include <inlay/blocks/memory/start.hpp>
#include <inlay/blocks/memory/wrap.hpp>

#include <array>
#include <cstring>

namespace inlay::inline INLAY_ISA {
namespace detail {

template <class Spec, class I, class R> struct MemoryBlock : BlockDefaults {
    using Output = I;
    using T = typename R::type;
    using S = MemoryShape<I, R, Spec>;
    using Work = LinearWork<S>;
    using Keys = LinearKeys<S, typename Spec::Conv, NoPlaces>;
    using Gates = MemoryGates<S, I>;
    using GateWork = MemoryGateWork<S>;
    using Read = LinearRead<S, typename Spec::ReadGate>;
    using Begin = MemoryStart<S, 0>;
    using Wrap = MemoryWrap<S>;
    template <int N, class From> using Linear = typename Dense<N, NoBias>::template Block<From, R>;
    using Q = Linear<S::H * S::d, I>;
    using V = Linear<S::H * S::dv, I>;
    using O = Linear<I::width, typename S::Values>;
    using State = MemoryState<S>;
    static constexpr bool streams = true;
    static constexpr int W = R::lanes, H = S::H, C = S::C;
    static constexpr kernels::MemoryForm form = S::form();

    struct NoGate {};
    struct Params {
        typename Q::Params q, k;
        typename V::Params v;
        typename O::Params o;
        INLAY_EMPTY typename Keys::Params keys;
        INLAY_EMPTY typename Begin::Params memory;
        typename Gates::Params gates;
        INLAY_EMPTY typename Wrap::Params wrap;
        INLAY_EMPTY typename Read::Params read;
        INLAY_EMPTY std::conditional_t<S::gates, typename V::Params, NoGate> gate;
    };
    template <int> using Grads = Params;
    static constexpr std::size_t kept = // of a stretch: what it met, projections, gates
        lines(sizeof(T) * (std::size_t(S::met) + Work::kept(C) + GateWork::kept(C))) / sizeof(T);
    template <int B> struct Tape {
        alignas(64) T stretch[std::size_t(B)][std::size_t(S::stretches)][kept];
    };

    static constexpr long long parameters =
        2 * Q::parameters + V::parameters + O::parameters + Keys::parameters + Begin::parameters +
        Gates::parameters + Wrap::parameters + Read::parameters + (S::gates ? V::parameters : 0);
    static constexpr double flops = 2 * Q::flops + V::flops + O::flops + Gates::flops +
                                    (S::gates ? V::flops : 0) + 2.0 * I::rows * Keys::parameters +
                                    double(I::rows) * H * (S::momentum ? 10.0 : 6.0) * S::numbers +
                                    double(I::rows) * H * (S::d + S::dv) * double(C) * S::layers;

    template <class P, class F> static void visit(P& p, Path const& at, F&& f) {
        Q::visit(p.q, Path{&at, "q"}, f);
        Q::visit(p.k, Path{&at, "k"}, f);
        V::visit(p.v, Path{&at, "v"}, f);
        O::visit(p.o, Path{&at, "o"}, f);
        Keys::visit(p.keys, at, f);
        Begin::visit(p.memory, Path{&at, "memory"}, f);
        Gates::visit(p.gates, at, f);
        Wrap::visit(p.wrap, at, f);
        Read::visit(p.read, at, f);
        if constexpr (S::gates) V::visit(p.gate, Path{&at, "gate"}, f);
    }
    template <class X> static void initialize(X c, Params& p) noexcept {
        auto const key = c.key;
        draw_map(key.fold(0), 1, p.q), draw_map(key.fold(1), 1, p.k);
        draw_map(key.fold(2), 1, p.v);
        draw_map(key.fold(3), c.depth > 0 ? 1 / std::sqrt(2.0 * c.depth) : 1, p.o);
        if constexpr (S::gates) draw_map(key.fold(4), 1, p.gate);
        c.key = key.fold(5), Keys::initialize(c, p.keys);
        c.key = key.fold(8), Gates::initialize(c, p.gates);
        Begin::initialize(key.fold(9), p.memory);
        Wrap::initialize(p.wrap);
        Read::initialize(p.read);
    }

    static constexpr std::size_t scratch(int) {
        return 2 * lines(sizeof(State)) + lines(sizeof(T) * S::numbers * H) +
               2 * (Work::bytes(C) + GateWork::bytes(C)) + Keys::scratch() + Wrap::scratch + core(C, true);
    }
    static constexpr std::size_t step_scratch() {
        return Work::bytes(1) + GateWork::bytes(1) + Keys::scratch() + Wrap::scratch + core(1, false);
    }

    template <class X, class Tp>
    static void forward(X const& c, Params const& p, In<I, R> x, Out<I, R> y, Tp& tape, Scratch s) noexcept {
        State& state = *s.template take<State>(1);
        Work const w = Work::take(s, C);
        GateWork const g = GateWork::take(s, C);
        for (int b = 0; b < c.rows; ++b) {
            int const n = x.length(b);
            start(c.template state_in<State>(b), state);
            if (n > 0) begin(p, state);
            Stretches<S> const cut(state.in_chunk(), n);
            for (int at = cut.place, j = 0; at < cut.end; at = cut.last(at), ++j) {
                int const t = at - cut.place;
                if constexpr (is_recording<Tp>) std::copy_n(state.memory, S::met, tape.stretch[b][j]);
                advance(cut.last(at) - at, c.position_of(b) + t, p, state, x(b, t), y(b, t), w, g, s);
                if constexpr (is_recording<Tp>) {
                    T* const to = tape.stretch[b][j] + S::met;
                    std::copy_n(g.before, GateWork::kept(C), to);
                    w.keep(to + GateWork::kept(C));
                }
            }
            clear_rows_from(y, b, n);
            if (auto* out = c.template state_out<State>(b)) *out = state;
        }
    }
    template <class X>
    static void step(X const& c, Params const& p, State& state, T const* x, T* y, Scratch s) noexcept {
        Work const w = Work::take(s, 1);
        GateWork const g = GateWork::take(s, 1);
        begin(p, state);
        advance(1, c.position_of(0), p, state, x, y, w, g, s);
    }

    template <class X, class Tp, class DX, class G>
    static void backward(X const& c, Params const& p, In<I, R> x, Tp const& tape, In<I, R> dy, DX dx, G& g,
                         Scratch s) noexcept {
        State& dstate = *s.template take<State>(1);
        T* const dfirst = s.template take<T>(std::size_t(H * S::numbers));
        Work const w = Work::take(s, C), d = Work::take(s, C);
        GateWork const gw = GateWork::take(s, C), gd = GateWork::take(s, C);
        for (int b = 0; b < c.rows; ++b) {
            int const n = x.length(b);
            auto const* const in = c.template state_in<State>(b);
            start(c.template d_state_out<State>(b), dstate);
            if constexpr (S::keeps_first) std::copy_n(dstate.first(), H * S::numbers, dfirst);
            else kernels::clear(dfirst, H * S::numbers);
            Stretches<S> const cut(in ? in->in_chunk() : 0, n);
            int j = 0;
            for (int at = cut.place; at < cut.end; at = cut.last(at)) ++j;
            for (int end = cut.end; end > cut.place; end = cut.first(end - 1)) {
                int const at = cut.first(end - 1), chunk_start = cut.chunk_of(at), t = at - cut.place;
                T const* const kept_here = tape.stretch[b][--j];
                T const* first = tape.stretch[b][j - (at - chunk_start) / S::stretch];
                if constexpr (S::keeps_first)
                    if (chunk_start < cut.place) first = in->first();
                std::copy_n(kept_here + S::met, GateWork::kept(C), gw.before);
                w.recall(kept_here + S::met + GateWork::kept(C));
                T* into = nullptr;
                if constexpr (wants_grad<DX>) into = dx(b, t);
                retreat(end - at, c.position_of(b) + t, p, g, kept_here, first, dfirst, dstate, x(b, t),
                        dy(b, t), into, w, d, gw, gd, s);
                if (at == chunk_start) { // where the first memory was the one that tokens met
                    kernels::axpy<W>(H * S::numbers, T(1), dfirst, dstate.memory);
                    kernels::clear(dfirst, H * S::numbers);
                }
            }
            if constexpr (S::keeps_first) std::copy_n(dfirst, H * S::numbers, dstate.first());
            dstate.place = 0;
            if (n > 0 && !(in && in->place > 0)) {
                Begin::pull(g.memory, dstate.memory);
                kernels::clear(dstate.memory, H * S::numbers);
            }
            if constexpr (wants_grad<DX>) clear_rows_from(dx, b, n);
            if (auto* to = c.template d_state_in<State>(b)) *to = dstate;
        }
    }

private:
    static constexpr std::size_t core(int n, bool backward) {
        return lines(sizeof(T) * kernels::memory_chunk_room<W>(n, form, backward));
    }
    static void start(State const* from, State& to) noexcept {
        if (from) to = *from;
        else std::memset(static_cast<void*>(&to), 0, sizeof to);
    }
    /// With the first token.
    static void begin(Params const& p, State& state) noexcept {
        if (state.place > 0) return;
        state.place = 1;
        Begin::put(p.memory, state.memory);
    }
    using HeadChunks = std::array<kernels::MemoryChunk<T>, std::size_t(H)>;
    using HeadSlopes = std::array<kernels::MemorySlopes<T>, std::size_t(H)>;
    static HeadChunks heads(int n, Params const& p, Work const& w, GateWork const& g, T const* first,
                            Scratch& s) noexcept {
        HeadChunks all;
        for (int h = 0; h < H; ++h)
            all[std::size_t(h)] = {.form = form,
                                   .tokens = n,
                                   .q = w.features(w.fq)(h),
                                   .k = w.features(w.fk)(h),
                                   .v = w.values(w.hv)(h),
                                   .alpha = S::forgets ? g.head(0, h) : nullptr,
                                   .eta = S::momentum ? g.head(1, h) : nullptr,
                                   .theta = g.head(2, h),
                                   .first = first + h * S::numbers};
        Wrap::lay_out(p.wrap, s, all.data());
        return all;
    }
    static HeadSlopes slopes(Params const& p, Work const& d, GateWork const& g, Scratch& s) noexcept {
        HeadSlopes all;
        for (int h = 0; h < H; ++h)
            all[std::size_t(h)] = {d.features(d.fq)(h),
                                   d.features(d.fk)(h),
                                   d.values(d.hv)(h),
                                   S::forgets ? g.head(0, h) : nullptr,
                                   S::momentum ? g.head(1, h) : nullptr,
                                   g.head(2, h)};
        Wrap::lay_out(p.wrap, s, all.data());
        return all;
    }
    /// A stretch of n tokens, which moves the state.
    static void advance(int n, std::int64_t position, Params const& p, State& state, T const* x, T* y,
                        Work const& w, GateWork const& g, Scratch s) noexcept {
        state.put_past(w, 0);
        Q::apply(n, p.q, x, w.fresh_q());
        Q::apply(n, p.k, x, w.fresh_k());
        V::apply(n, p.v, x, w.fresh_v());
        Gates::map(n, p.gates, x, g);
        if constexpr (S::gates) V::apply(n, p.gate, x, w.gate);
        state.take_past(w, n);
        Keys::forward(n, position, p.keys, w, s);
        Gates::open(n, T(Spec::step_size), g);
        T const* first = state.memory;
        if constexpr (S::keeps_first) {
            if (state.place == 1) std::copy_n(state.memory, H * S::numbers, state.first());
            first = state.first();
        }
        auto const chunks = heads(n, p, w, g, first, s);
        T* const room = s.template take<T>(0);
        for (int h = 0; h < H; ++h)
            kernels::memory_chunk<W, typename Spec::Function>(chunks[std::size_t(h)], state.head(h),
                                                              state.speed(h), w.values(w.read)(h), room);
        state.place = std::int32_t(1 + (state.in_chunk() + n) % S::chunk);
        Read::forward(n, p.read, w);
        O::apply(n, p.o, w.mixed, y);
    }
    /// The way back of `advance`, from what the tokens met, the memory at their chunk's start, and what
    /// is kept in w and gw.
    template <class G>
    static void retreat(int n, std::int64_t position, Params const& p, G& g, T const* met, T const* first,
                        T* dfirst, State& dstate, T const* x, T const* dy, T* dx, Work const& w,
                        Work const& d, GateWork const& gw, GateWork const& gd, Scratch s) noexcept {
        Keys::forward(n, position, p.keys, w, s);
        Gates::open(n, T(Spec::step_size), gw);
        Read::forward(n, p.read, w);
        O::pull(n, p.o, w.mixed, dy, d.mixed, false, g.o);
        Read::backward(n, p.read, g.read, w, d);
        Scratch own = s;
        auto const chunks = heads(n, p, w, gw, first, own);
        auto const to = slopes(p, d, gd, own);
        T* const room = own.template take<T>(0);
        for (int h = 0; h < H; ++h)
            kernels::memory_chunk_backward<W, typename Spec::Function>(
                chunks[std::size_t(h)], met + h * S::numbers,
                S::momentum ? met + (H + h) * S::numbers : nullptr, d.values(d.read)(h),
                dfirst + h * S::numbers, dstate.head(h), dstate.speed(h), to[std::size_t(h)], room);
        Wrap::pull(g.wrap, to.data());
        Keys::backward(n, position, p.keys, g.keys, w, d, dstate, s);
        Q::pull(n, p.q, x, d.fresh_q(), dx, false, g.q);
        Q::pull(n, p.k, x, d.fresh_k(), dx, true, g.k);
        V::pull(n, p.v, x, d.fresh_v(), dx, true, g.v);
        Gates::pull(n, p.gates, T(Spec::step_size), x, gw, gd, dx, g.gates);
        if constexpr (S::gates) V::pull(n, p.gate, x, d.gate, dx, true, g.gate);
    }
};

} // namespace detail
} // namespace inlay::inline INLAY_ISA
