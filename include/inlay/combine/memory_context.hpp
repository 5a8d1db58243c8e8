// SPDX-License-Identifier: BSD-3-Clause
// A memory's answers as the context of attention: forward, step by step and back, segment by segment.
#pragma once

#include <inlay/blocks/memory/ask.hpp>
#include <inlay/combine/memory_gate.hpp>
#include <inlay/combine/persistent.hpp>

namespace inlay::inline INLAY_ISA {
namespace detail {

template <class Spec, class I, class R> struct MemoryContext : BlockDefaults {
    using Output = I;
    using T = typename R::type;
    static constexpr int C = Spec::segment, N = Spec::persistent;
    using Long = Shape<N + 2 * C, I::width>;
    using Part = Shape<C, I::width>;
    using Attn = typename Spec::Reader::template Block<Long, R>;
    using Mem = typename Spec::Learner::template Block<Part, R>;
    using Ask = MemoryAsk<Mem>;
    using Opened = MemoryGate<I, R>;
    using Blocker = typename BlockerOf<Attn>::type;
    static constexpr int W = R::lanes, stride = In<I, R>::stride, numbers = Ask::numbers;
    static constexpr int stretches = I::rows / C + 2;

    struct NoTokens {};
    struct Params {
        INLAY_EMPTY std::conditional_t<(N > 0), Tensor<R, std::max(N, 1), I::width>, NoTokens> persistent;
        typename Attn::Params attn;
        typename Mem::Params memory;
        typename Opened::Params norms;
    };
    template <int B> struct Grads {
        INLAY_EMPTY std::conditional_t<(N > 0), Tensor<R, std::max(N, 1), I::width>, NoTokens> persistent;
        typename Attn::template Grads<1> attn;
        typename Mem::template Grads<1> memory;
        typename Opened::Params norms;
    };
    /// A stream stands in a segment; of gradients, the same.
    struct State {
        typename Attn::State attn; ///< of the segment
        typename Mem::State memory;
        alignas(64) T asked[std::size_t(numbers)]; ///< the memories as the segment began
        INLAY_EMPTY typename Ask::Past past;
        std::int32_t place; ///< 1 + tokens of the segment; 0 before the first token

        int in_segment() const noexcept { return place > 0 ? place - 1 : 0; }
    };
    /// Of a part of a segment.
    struct Kept {
        typename Mem::State met;
        INLAY_EMPTY typename Ask::Past past;
        typename Attn::template Tape<1> attn_tape;
        typename Mem::template Tape<1> memory_tape;
        Buffer<Long, R, 1> read;
        Buffer<Part, R, 1> attn, memory;
    };
    template <int B> struct Tape {
        Kept part[std::size_t(B)][std::size_t(stretches)];
    };

    static constexpr long long parameters =
        1LL * N * I::width + Attn::parameters + Mem::parameters + Opened::parameters;
    static constexpr double flops =
        double(I::rows) / C * (Attn::flops + Mem::flops) + 20.0 * I::rows * I::width;

    template <class P, class F> static void visit(P& p, Path const& at, F&& f) {
        if constexpr (N > 0) f(Tag<Spec>{}, Path{&at, "persistent"}, Kind::matrix, p.persistent.ref());
        Attn::visit(p.attn, Path{&at, "attn"}, f);
        Mem::visit(p.memory, Path{&at, "memory"}, f);
        Opened::visit(p.norms, at, f);
    }
    template <class X> static void initialize(X c, Params& p) noexcept {
        auto const key = c.key;
        if constexpr (N > 0) draw_normal(key.fold(2), 0.02, p.persistent.ref());
        c.key = key.fold(0), Attn::initialize(c, p.attn);
        c.key = key.fold(1), c.layer += layers_of<typename Spec::Reader>, Mem::initialize(c, p.memory);
        Opened::initialize(p.norms);
    }

    static constexpr std::size_t scratch(int) {
        return 4 * lines(sizeof(State)) + 3 * bytes<Long, R>(1) + 5 * bytes<Part, R>(1) +
               std::max({Attn::scratch(1), Mem::scratch(1), Ask::scratch(C), Opened::scratch});
    }
    static constexpr std::size_t step_scratch() {
        return 3 * token_bytes<I, R>() +
               std::max({Attn::step_scratch(), Mem::step_scratch(), Ask::scratch(1), Opened::scratch});
    }

    template <class X, class Tp>
    static void forward(X const& c, Params const& p, In<I, R> x, Out<I, R> y, Tp& tape, Scratch s) noexcept {
        State& state = *s.template take<State>(1);
        State& next = *s.template take<State>(1);
        auto const read = s.template take<Long, R>(1, {}), given = s.template take<Long, R>(1, {});
        auto const attn = s.template take<Part, R>(1, {}), memory = s.template take<Part, R>(1, {});
        auto const h = s.template take<Part, R>(1, {});
        for (int b = 0; b < c.rows; ++b) {
            int const n = x.length(b);
            start(c.template state_in<State>(b), state);
            for (int t = 0, j = 0, m; t < n; t += m, ++j) {
                int const place = state.in_segment();
                m = std::min(C - place, n - t);
                if (place == 0) begin_segment(p, state);
                if constexpr (is_recording<Tp>)
                    tape.part[b][j].met = state.memory, tape.part[b][j].past = state.past;
                Ask::forward(m, p.memory, state.asked, state.past, x(b, t), h.data, s);
                std::int32_t const count = m, all = join(p, place, m, h.data, x(b, t), read);
                auto sub = c;
                std::int64_t at = place > 0 ? N + 2 * place : 0;
                inside(sub, b, &at);
                Lengths const long_rows{&all, 0}, rows{&count, 0};
                In<Long, R> const to_read{read.data, long_rows};
                Out<Long, R> const to{given.data, long_rows};
                sub.carry.in = place > 0 ? bytes_of(state.attn) : nullptr;
                sub.carry.out = bytes_of(next.attn);
                if constexpr (is_recording<Tp>)
                    Attn::forward(sub, p.attn, to_read, to, tape.part[b][j].attn_tape, s);
                else Attn::forward(sub, p.attn, to_read, to, tape, s);
                state.attn = next.attn;
                for (int i = 0; i < m; ++i)
                    std::copy_n(given(0, all - 2 * m + 2 * i + 1), stride, attn(0, i));
                clear_rows_from(attn, 0, m);
                sub.layer += layers_of<typename Spec::Reader>;
                at = c.position_of(b) + t;
                sub.carry.in = bytes_of(state.memory), sub.carry.out = bytes_of(next.memory);
                In<Part, R> const learned{attn.data, rows};
                Out<Part, R> const answered{memory.data, rows};
                if constexpr (is_recording<Tp>)
                    Mem::forward(sub, p.memory, learned, answered, tape.part[b][j].memory_tape, s);
                else Mem::forward(sub, p.memory, learned, answered, tape, s);
                state.memory = next.memory;
                Opened::forward(m, p.norms, attn.data, memory.data, y(b, t), s);
                state.place = std::int32_t(1 + (place + m) % C);
                if constexpr (is_recording<Tp>) {
                    Kept& kept = tape.part[b][j];
                    std::copy_n(read.data, std::ptrdiff_t(Long::rows) * stride, kept.read.view({}).data);
                    std::copy_n(attn.data, std::ptrdiff_t(C) * stride, kept.attn.view({}).data);
                    std::copy_n(memory.data, std::ptrdiff_t(C) * stride, kept.memory.view({}).data);
                }
            }
            clear_rows_from(y, b, n);
            if (auto* out = c.template state_out<State>(b)) *out = state;
        }
    }
    template <class X>
    static void step(X const& c, Params const& p, State& state, T const* x, T* y, Scratch s) noexcept {
        T *const h = s.template take<T>(std::size_t(stride)), *const attn = s.template take<T>(stride);
        T* const memory = s.template take<T>(std::size_t(stride));
        int const place = state.in_segment();
        auto sub = c;
        std::int64_t at = 0;
        sub.position = &at;
        if (place == 0) {
            begin_segment(p, state);
            if constexpr (N > 0)
                for (; at < N; ++at) Attn::step(sub, p.attn, state.attn, p.persistent[int(at)], attn, s);
        }
        at = N + 2 * place;
        Ask::forward(1, p.memory, state.asked, state.past, x, h, s);
        Attn::step(sub, p.attn, state.attn, h, attn, s);
        ++at;
        Attn::step(sub, p.attn, state.attn, x, attn, s);
        sub.layer += layers_of<typename Spec::Reader>;
        at = c.position_of(0);
        Mem::step(sub, p.memory, state.memory, attn, memory, s);
        Opened::forward(1, p.norms, attn, memory, y, s);
        state.place = std::int32_t(1 + (place + 1) % C);
    }

    template <class X, class Tp, class DX, class G>
    static void backward(X const& c, Params const& p, In<I, R> x, Tp const& tape, In<I, R> dy, DX dx, G& g,
                         Scratch s) noexcept {
        State& d = *s.template take<State>(1);
        State& before = *s.template take<State>(1);
        auto const dgiven = s.template take<Long, R>(1, {}), dread = s.template take<Long, R>(1, {});
        auto const dattn = s.template take<Part, R>(1, {}), dmemory = s.template take<Part, R>(1, {});
        auto const dlearned = s.template take<Part, R>(1, {}), dh = s.template take<Part, R>(1, {});
        auto const dtoken = s.template take<Part, R>(1, {});
        for (int b = 0; b < c.rows; ++b) {
            int const n = x.length(b);
            auto const* const in = c.template state_in<State>(b);
            start(c.template d_state_out<State>(b), d);
            int const first = in ? in->in_segment() : 0;
            int j = n > 0 ? (first + n - 1) / C : -1;
            for (int end = n, t; end > 0; end = t, --j) {
                t = std::max(0, (first + end - 1) / C * C - first);
                int const place = (first + t) % C, m = end - t;
                Kept const& kept = tape.part[b][j];
                std::int32_t const count = m, all = rows_read(place, m);
                Lengths const long_rows{&all, 0}, rows{&count, 0};
                In<Part, R> const attn{kept.attn.view({}).data, rows};
                Opened::backward(m, p.norms, g.norms, attn.data, kept.memory.view({}).data, dy(b, t),
                                 dattn.data, dmemory.data, s);
                clear_rows_from(dmemory, 0, m);
                auto sub = c;
                std::int64_t at = c.position_of(b) + t;
                inside(sub, b, &at);
                sub.layer += layers_of<typename Spec::Reader>;
                sub.carry.in = bytes_of(kept.met);
                sub.carry.d_out = bytes_of(std::as_const(d.memory));
                sub.carry.d_in = bytes_of(before.memory);
                Mem::backward(sub, p.memory, attn, kept.memory_tape, In<Part, R>{dmemory.data, rows},
                              Out<Part, R>{dlearned.data, rows}, g.memory, s);
                d.memory = before.memory;
                kernels::add<W>(std::ptrdiff_t(m) * stride, dlearned.data, dattn.data);

                kernels::clear(dgiven.data, std::ptrdiff_t(Long::rows) * stride);
                for (int i = 0; i < m; ++i)
                    std::copy_n(dattn(0, i), stride, dgiven(0, all - 2 * m + 2 * i + 1));
                sub.layer = c.layer;
                at = place > 0 ? N + 2 * place : 0;
                sub.carry.in = place > 0 ? bytes_of(in->attn) : nullptr;
                sub.carry.d_out = bytes_of(std::as_const(d.attn));
                sub.carry.d_in = place > 0 ? bytes_of(before.attn) : nullptr;
                Attn::backward(sub, p.attn, In<Long, R>{kept.read.view({}).data, long_rows}, kept.attn_tape,
                               In<Long, R>{dgiven.data, long_rows}, Out<Long, R>{dread.data, long_rows},
                               g.attn, s);
                if (place > 0) d.attn = before.attn;
                else zero(d.attn);
                if constexpr (N > 0)
                    if (place == 0)
                        for (int i = 0; i < N; ++i)
                            kernels::add<W>(padded(I::width, W), dread(0, i), g.persistent[i]);
                for (int i = 0; i < m; ++i) {
                    std::copy_n(dread(0, all - 2 * m + 2 * i), stride, dh(0, i));
                    std::copy_n(dread(0, all - 2 * m + 2 * i + 1), stride, dtoken(0, i));
                }
                Ask::backward(m, p.memory, g.memory, place > 0 ? in->asked : kept.met.memory, kept.past,
                              x(b, t), dh.data, dtoken.data, d.asked, d.past, s);
                if constexpr (wants_grad<DX>) std::copy_n(dtoken.data, std::ptrdiff_t(m) * stride, dx(b, t));
                if (place == 0) { // the memory that was asked was the one that learned on
                    kernels::add<W>(numbers, d.asked, d.memory.memory);
                    kernels::clear(d.asked, numbers);
                }
            }
            d.place = 0;
            if (n > 0 && !(in && in->place > 0)) {
                Mem::Begin::pull(g.memory.memory, d.memory.memory);
                kernels::clear(d.memory.memory, numbers);
            }
            if constexpr (wants_grad<DX>) clear_rows_from(dx, b, n);
            if (auto* to = c.template d_state_in<State>(b)) *to = d;
        }
    }

private:
    template <class S> static std::byte* bytes_of(S& s) noexcept { return reinterpret_cast<std::byte*>(&s); }
    template <class S> static std::byte const* bytes_of(S const& s) noexcept {
        return reinterpret_cast<std::byte const*>(&s);
    }
    template <class S> static void zero(S& s) noexcept {
        if constexpr (!std::is_empty_v<S>) std::memset(static_cast<void*>(&s), 0, sizeof s);
    }
    static void start(State const* from, State& to) noexcept {
        if (from) to = *from;
        else zero(to);
    }
    /// One sequence, with what it carries to be said.
    template <class X> static void inside(X& c, int b, std::int64_t const* position) noexcept {
        c.rows = c.capacity = 1;
        c.first_row += b;
        c.position = position;
        c.carry = {};
    }
    static void begin_segment(Params const& p, State& state) noexcept {
        if (state.memory.place == 0) {
            state.memory.place = 1;
            Mem::Begin::put(p.memory.memory, state.memory.memory);
        }
        std::copy_n(state.memory.memory, numbers, state.asked);
        zero(state.attn);
    }
    static int rows_read(int place, int m) noexcept { return (place == 0 ? N : 0) + 2 * m; }
    /// What attention reads: learned tokens where a segment begins, then answers and tokens in turns.
    static int join(Params const& p, int place, int m, T const* h, T const* x, Out<Long, R> to) noexcept {
        int at = 0;
        if constexpr (N > 0)
            if (place == 0)
                for (; at < N; ++at) std::copy_n(p.persistent[at], stride, to(0, at));
        for (int i = 0; i < m; ++i, at += 2) {
            std::copy_n(h + i * stride, stride, to(0, at));
            std::copy_n(x + i * stride, stride, to(0, at + 1));
        }
        clear_rows_from(to, 0, at);
        return at;
    }
};

} // namespace detail
} // namespace inlay::inline INLAY_ISA
