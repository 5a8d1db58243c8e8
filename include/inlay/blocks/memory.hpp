// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <inlay/blocks/linear_keys.hpp>
#include <inlay/blocks/linear_read.hpp>
#include <inlay/blocks/memory_gates.hpp>
#include <inlay/blocks/memory_start.hpp>
#include <inlay/blocks/memory_wrap.hpp>

#include <array>
#include <cstring>

namespace inlay::inline INLAY_ISA {

/// Words of a misfit.
template <class Heads> struct a_width_for;
struct keys_as_wide_as_values;
struct a_memory_that_is_learned;

/// A memory that learns while it reads (Titans, arXiv 2501.00663): each head has a small network M, and each
/// token takes a step of gradient descent that makes M give the token's value for its key, then asks M:
///
///     S_t = eta_t S_(t-1) - theta_t grad l(M_c; k_t, v_t),  M_t = (1 - alpha_t) M_(t-1) + S_t,  o_t =
///     M_t(q_t)
///
/// with l = c / 2 |M(k) - v|^2, and M_c the memory at the start of the token's chunk: the length of a chunk
/// is part of the meaning. alpha = sigmoid(alpha x + b), eta and theta alike; y = Wo concat_h(o).
///
/// Shapes: `Shape<T, D>`, kept. Policies: `Heads<1>`; `HeadDim<D / Heads>`, or `KeyDim<N>` and `ValueDim<N>`;
/// `Chunk<16>`; `Depth<2>` layers, `Expansion<2>` and `Inner<Silu>` between them; `InnerResidual` or
/// `InnerNorm`; `Post`,
/// `Pre` or `PreviousChunk`; `NeverForgets`, `NoMomentum`, `StepSize<1 / Chunk>`, `LossScale<1>`,
/// `GradientLimit<Norm>`, `ZeroStart`; `FirstOrder`; `ShortConv<4>`, `UnitKeys` or `FreeKeys`, `NormHeads`,
/// `SiluGate`, `SigmoidGate`. Parameters: `q.weight [H d, D]`, `k.weight`, `v.weight [H dv, D]`,
/// `o.weight [D, H dv]` and `q_conv.weight` as LinearAttn's; `memory.0 [H d, d_1]` and so on; `alpha.weight
/// [H, D]`, `alpha.bias [H]`, `eta`, `theta`. Cost a token: the projections' and about 8 flops for each
/// number of a memory and 4 more with momentum; backward 3 times. State: M, S and M_c, three times the
/// memories' numbers, and the last ShortConv - 1 projections; a stream may run for ever, and learns on after
/// training. Memory: the tape keeps projections, and M and S for each chunk. Backward: through the gradients
/// that the memory took (second order). PyTorch: `NeuralMemory` of titans-pytorch is a relative. Error: what
/// is no sequence of numbers, Heads that do not divide D without a HeadDim, InnerResidual where keys and
/// values differ in width, ZeroStart of more than one layer, an unknown or doubled policy.
template <class... Policies> struct Memory {
    template <class Kind, class Default>
    using policy = typename detail::PolicyOr<Kind, Default, Policies...>::type;
    using Wanted = a_sequence;
    using Allowed =
        PolicyKinds<HowManyHeads, HowWideHeads, HowWideKeys, HowWideValues, HowLongChunks, HowDeep,
                    HowManyTimesWider, WhichInner, WhichWrapper, WhichRead, WhichMomentum, WhichForgetfulness,
                    HowLargeSteps, HowLargeLoss, HowLargeGradients, WhichOrder, WhichFirstMemory, WhichLength,
                    WhichConv, WhichHeadNorm, WhichReadGate>;
    static constexpr int layers = 1;
    static constexpr int heads = policy<HowManyHeads, Heads<1>>::value;
    static constexpr int chunk = policy<HowLongChunks, Chunk<16>>::value;
    static constexpr int depth = policy<HowDeep, Depth<2>>::value;
    static constexpr int expansion = policy<HowManyTimesWider, Expansion<2>>::value;
    static constexpr double step_size = policy<HowLargeSteps, StepSize<1.0 / chunk>>::value;
    using Function = typename policy<WhichInner, Inner<Silu>>::Function;
    using Wrapper = policy<WhichWrapper, detail::BareMemory>;
    using Reading = policy<WhichRead, Post>;
    using Momentum = policy<WhichMomentum, detail::HasMomentum>;
    using Forgetfulness = policy<WhichForgetfulness, detail::Forgets>;
    using Loss = policy<HowLargeLoss, LossScale<1>>;
    using Limit = policy<HowLargeGradients, detail::NoGradientLimit>;
    using Order = policy<WhichOrder, detail::SecondOrder>;
    using First = policy<WhichFirstMemory, detail::LearnedMemory>;
    using Length = policy<WhichLength, UnitKeys>;
    using Conv = policy<WhichConv, ShortConv<4>>;
    using Norm = policy<WhichHeadNorm, BareHeads>;
    using ReadGate = policy<WhichReadGate, NoReadGate>;
    template <int D>
    static constexpr int head_dim =
        policy<HowWideHeads, HeadDim<(heads > 0 && D % heads == 0 ? D / heads : 0)>>::value;
    template <int D> static constexpr int keys = policy<HowWideKeys, KeyDim<head_dim<D>>>::value;
    template <int D> static constexpr int values = policy<HowWideValues, ValueDim<head_dim<D>>>::value;

    template <class I> static consteval auto problem() {
        using Brief = Memory<>; // its policies would fill the message
        using P = detail::PolicyProblem<Brief, I, Allowed, Policies...>;
        if constexpr (!detail::fits<P>) return Tag<P>{};
        else if constexpr (heads < 1 || keys<I::width> < 1 || values<I::width> < 1)
            return Tag<Misfit<Brief, Place<>, Got<I>, Wants<a_width_for<Heads<heads>>>>>{};
        else if constexpr (Wrapper::residual && keys<I::width> != values<I::width>)
            return Tag<Misfit<Brief, Place<>, Got<KeyDim<keys<I::width>>>, Wants<keys_as_wide_as_values>>>{};
        else if constexpr (!First::learned && depth > 1)
            return Tag<Misfit<Brief, Place<>, Got<Depth<depth>>, Wants<a_memory_that_is_learned>>>{};
        else return Tag<Fits>{};
    }
    template <class I> using Problem = typename decltype(problem<I>())::type;
    template <int T, int D> static Tag<Shape<T, D>> out(Tag<Shape<T, D>>);

    template <class I, class R> struct Block : BlockDefaults {
        using Spec = Memory;
        using Output = I;
        using T = typename R::type;
        using S = detail::MemoryShape<I, R, Memory>;
        using Work = detail::LinearWork<S>;
        using Keys = detail::LinearKeys<S, Conv, detail::NoPlaces>;
        using Gates = detail::MemoryGates<S, I>;
        using GateWork = detail::MemoryGateWork<S>;
        using Read = detail::LinearRead<S, ReadGate>;
        using Begin = detail::MemoryStart<S, 0>;
        using Wrap = detail::MemoryWrap<S>;
        template <int N, class From> using Linear = typename Dense<N, NoBias>::template Block<From, R>;
        using Q = Linear<S::H * S::d, I>;
        using V = Linear<S::H * S::dv, I>;
        using O = Linear<I::width, typename S::Values>;
        using State = detail::MemoryState<S>;
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
            detail::lines(sizeof(T) * (std::size_t(S::met) + Work::kept(C) + GateWork::kept(C))) / sizeof(T);
        template <int B> struct Tape {
            alignas(64) T stretch[std::size_t(B)][std::size_t(S::stretches)][kept];
        };

        static constexpr int parameters =
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
            detail::draw_map(key.fold(0), 1, p.q), detail::draw_map(key.fold(1), 1, p.k);
            detail::draw_map(key.fold(2), 1, p.v);
            detail::draw_map(key.fold(3), c.depth > 0 ? 1 / std::sqrt(2.0 * c.depth) : 1, p.o);
            if constexpr (S::gates) detail::draw_map(key.fold(4), 1, p.gate);
            c.key = key.fold(5), Keys::initialize(c, p.keys);
            c.key = key.fold(8), Gates::initialize(c, p.gates);
            Begin::initialize(key.fold(9), p.memory);
            Wrap::initialize(p.wrap);
            Read::initialize(p.read);
        }

        static constexpr std::size_t scratch(int) {
            return 2 * detail::lines(sizeof(State)) + detail::lines(sizeof(T) * S::numbers * H) +
                   2 * (Work::bytes(C) + GateWork::bytes(C)) + Keys::scratch() + Wrap::scratch +
                   core(C, true);
        }
        static constexpr std::size_t step_scratch() {
            return Work::bytes(1) + GateWork::bytes(1) + Keys::scratch() + Wrap::scratch + core(1, false);
        }

        template <class X, class Tp>
        static void forward(X const& c, Params const& p, In<I, R> x, Out<I, R> y, Tp& tape,
                            Scratch s) noexcept {
            State& state = *s.template take<State>(1);
            Work const w = Work::take(s, C);
            GateWork const g = GateWork::take(s, C);
            for (int b = 0; b < c.rows; ++b) {
                int const n = x.length(b);
                start(c.template state_in<State>(b), state);
                if (n > 0) begin(p, state);
                detail::Stretches<S> const cut(state.in_chunk(), n);
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
                detail::clear_rows_from(y, b, n);
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
        static void backward(X const& c, Params const& p, In<I, R> x, Tp const& tape, In<I, R> dy, DX dx,
                             G& g, Scratch s) noexcept {
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
                detail::Stretches<S> const cut(in ? in->in_chunk() : 0, n);
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
                if constexpr (wants_grad<DX>) detail::clear_rows_from(dx, b, n);
                if (auto* to = c.template d_state_in<State>(b)) *to = dstate;
            }
        }

    private:
        static constexpr std::size_t core(int n, bool backward) {
            return detail::lines(sizeof(T) * kernels::memory_chunk_room<W>(n, form, backward));
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
            Gates::open(n, T(step_size), g);
            T const* first = state.memory;
            if constexpr (S::keeps_first) {
                if (state.place == 1) std::copy_n(state.memory, H * S::numbers, state.first());
                first = state.first();
            }
            auto const chunks = heads(n, p, w, g, first, s);
            T* const room = s.template take<T>(0);
            for (int h = 0; h < H; ++h)
                kernels::memory_chunk<W, Function>(chunks[std::size_t(h)], state.head(h), state.speed(h),
                                                   w.values(w.read)(h), room);
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
            Gates::open(n, T(step_size), gw);
            Read::forward(n, p.read, w);
            O::pull(n, p.o, w.mixed, dy, d.mixed, false, g.o);
            Read::backward(n, p.read, g.read, w, d);
            Scratch own = s;
            auto const chunks = heads(n, p, w, gw, first, own);
            auto const to = slopes(p, d, gd, own);
            T* const room = own.template take<T>(0);
            for (int h = 0; h < H; ++h)
                kernels::memory_chunk_backward<W, Function>(
                    chunks[std::size_t(h)], met + h * S::numbers,
                    S::momentum ? met + (H + h) * S::numbers : nullptr, d.values(d.read)(h),
                    dfirst + h * S::numbers, dstate.head(h), dstate.speed(h), to[std::size_t(h)], room);
            Wrap::pull(g.wrap, to.data());
            Keys::backward(n, position, p.keys, g.keys, w, d, dstate, s);
            Q::pull(n, p.q, x, d.fresh_q(), dx, false, g.q);
            Q::pull(n, p.k, x, d.fresh_k(), dx, true, g.k);
            V::pull(n, p.v, x, d.fresh_v(), dx, true, g.v);
            Gates::pull(n, p.gates, T(step_size), x, gw, gd, dx, g.gates);
            if constexpr (S::gates) V::pull(n, p.gate, x, d.gate, dx, true, g.gate);
        }
    };
};

} // namespace inlay::inline INLAY_ISA
