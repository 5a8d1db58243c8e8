// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <inlay/blocks/linear/keys.hpp>
#include <inlay/blocks/linear/read.hpp>
#include <inlay/blocks/linear/start.hpp>

#include <cstring>

namespace inlay::inline INLAY_ISA {

/// Words of a misfit.
template <class Heads> struct a_width_for;
struct pairs_to_turn;
struct a_memory_that_only_adds;
struct the_delta_rule;

/// Attention whose past is a matrix of constant size: each head has a memory S of [keys, values], and for
/// each token
///
///     S' = Diag(e^g) S,  u = beta (v - delta k S'),  S = S' + k^T u,  o = q S / sqrt(keys)
///
/// with q = Wq x, k = Wk x, v = Wv x by heads, and y = Wo concat_h(o).
///
/// Shapes: `Shape<T, D>`, kept. Policies: `Heads<1>`; `HeadDim<D / Heads>`, or `KeyDim<N>` and `ValueDim<N>`;
/// a member by its name (`PlainLinear`, `RetNet`, `SimpleGla`, `Ssd`, `Gla`, `DeltaNet`, `GatedDelta`,
/// `Kda`), of which any part may be said otherwise: the decay (`NoDecay`, `ConstantDecay`, `ScalarGate`,
/// `VectorGate<16>`, `LogisticGate<16>`), what is written (`Adds`, `Corrects`, `NegativeEigenvalues`), the
/// features (`IdentityMap`, `EluMap`, `ReluMap`, `SquaredReluMap`, `HedgehogMap`, `TaylorMap`,
/// `CosineMap<M>`), `Normalised`, `UnitKeys`, `ShortConv<4>`, `NormHeads`, `SiluGate`, `SigmoidGate`;
/// `Rope<>`; `Chunk<32>`, a schedule. Parameters: `q.weight [H d, D]`, `k.weight`, `v.weight [H dv, D]`,
/// `o.weight [D, H dv]` from Xavier's U(-a, a), that of o divided by sqrt(2 depth), and what the policies
/// say. Cost a token: the projections' and about 4 H d (dv + C / 2), with a delta rule half again; backward 3
/// times. State: H d dv numbers, and the last ShortConv - 1 projections; a stream may run for ever. Memory:
/// the tape keeps projections and one S for each chunk. Backward: the chunk form's own (the recurrence's
/// gradient, with that into the state that came in). PyTorch: the layers of flash-linear-attention. Error:
/// what is no sequence of numbers, Heads that do not divide D without a HeadDim, a divisor for a memory that
/// fades or corrects, NegativeEigenvalues without the delta rule, an unknown or doubled policy.
template <class... Policies> struct LinearAttn {
    template <class Kind, class Default>
    using policy = typename detail::PolicyOr<Kind, Default, Policies...>::type;
    using Wanted = a_sequence;
    using Allowed =
        PolicyKinds<HowManyHeads, HowWideHeads, HowWideKeys, HowWideValues, HowLongChunks, WhichMember,
                    WhichDecay, WhichWrite, WhichStrength, WhichMap, WhichDivisor, WhichLength, WhichConv,
                    WhichHeadNorm, WhichReadGate, WhichStart, WhichPlaces>;
    static constexpr int layers = 1;
    static constexpr int heads = policy<HowManyHeads, Heads<1>>::value;
    static constexpr int chunk = policy<HowLongChunks, Chunk<32>>::value;
    using Member = policy<WhichMember, PlainLinear>;
    using Decay = policy<WhichDecay, typename Member::Decay>;
    using Write = policy<WhichWrite, typename Member::Write>;
    using Beta = policy<WhichStrength, detail::UpToOne>;
    using Map = policy<WhichMap, typename Member::Map>;
    using Divisor = policy<WhichDivisor, typename Member::Divisor>;
    using Length = policy<WhichLength, typename Member::Length>;
    using Conv = policy<WhichConv, typename Member::Conv>;
    using Norm = policy<WhichHeadNorm, typename Member::Norm>;
    using ReadGate = policy<WhichReadGate, typename Member::ReadGate>;
    using Start = policy<WhichStart, detail::EmptyStart>;
    using Places = policy<WhichPlaces, detail::NoPlaces>;
    template <int D> static constexpr int head_dim = detail::head_width<D, heads, Policies...>;
    template <int D> static constexpr int keys = policy<HowWideKeys, KeyDim<head_dim<D>>>::value;
    template <int D> static constexpr int values = policy<HowWideValues, ValueDim<head_dim<D>>>::value;

    template <class I> static consteval auto problem() {
        using Brief = LinearAttn<>; // its policies would fill the message
        using P = detail::PolicyProblem<Brief, I, Allowed, Policies...>;
        constexpr bool only_adds = std::is_same_v<Decay, NoDecay> && !Write::delta;
        if constexpr (!detail::fits<P>) return Tag<P>{};
        else if constexpr (Divisor::divides && !only_adds)
            return Tag<Misfit<Brief, Place<>, Got<Normalised>, Wants<a_memory_that_only_adds>>>{};
        else if constexpr (Beta::times != 1 && !Write::delta)
            return Tag<Misfit<Brief, Place<>, Got<NegativeEigenvalues>, Wants<the_delta_rule>>>{};
        else if constexpr (heads < 1 || keys<I::width> < 1 || values<I::width> < 1)
            return Tag<Misfit<Brief, Place<>, Got<I>, Wants<a_width_for<Heads<heads>>>>>{};
        else if constexpr (!detail::Rotation<Native, Places, keys<I::width>>::fits)
            return Tag<Misfit<Brief, Place<>, Got<KeyDim<keys<I::width>>>, Wants<pairs_to_turn>>>{};
        else return Tag<Fits>{};
    }
    template <class I> using Problem = typename decltype(problem<I>())::type;
    template <int T, int D> static Tag<Shape<T, D>> out(Tag<Shape<T, D>>);

    template <class I, class R> struct Block : BlockDefaults {
        using Spec = LinearAttn;
        using Output = I;
        using T = typename R::type;
        using S = detail::LinearShape<I, R, LinearAttn>;
        using Work = detail::LinearWork<S>;
        using Keys = detail::LinearKeys<S, Conv, Places>;
        using Fade = typename S::Fade;
        using Strength = typename S::Beta;
        using Read = detail::LinearRead<S, ReadGate>;
        using Begin = detail::LinearStart<S>;
        template <int N, class From> using Linear = typename Dense<N, NoBias>::template Block<From, R>;
        using Q = Linear<S::H * S::d, I>;
        using V = Linear<S::H * S::dv, I>;
        using O = Linear<I::width, typename S::Values>;
        using State = detail::LinearState<S>;
        static constexpr bool streams = true;
        static constexpr int W = R::lanes, H = S::H;

        struct NoGate {};
        struct Params {
            typename Q::Params q, k;
            typename V::Params v;
            typename O::Params o;
            INLAY_EMPTY typename Keys::Params keys;
            INLAY_EMPTY typename Begin::Params start;
            INLAY_EMPTY typename Fade::Params fade;
            INLAY_EMPTY typename Strength::Params strength;
            INLAY_EMPTY typename Read::Params read;
            INLAY_EMPTY std::conditional_t<S::gates, typename V::Params, NoGate> gate;
        };
        template <int> using Grads = Params;
        static constexpr std::size_t kept =
            detail::lines(sizeof(T) * (std::size_t(S::memory) + Work::kept(S::C))) / sizeof(T);
        template <int B> struct Tape {
            alignas(64) T chunk[std::size_t(B)][std::size_t(S::chunks)][kept];
        };

        static constexpr long long parameters =
            2 * Q::parameters + V::parameters + O::parameters + Keys::parameters + Begin::parameters +
            Fade::parameters + Strength::parameters + Read::parameters + (S::gates ? V::parameters : 0);
        static constexpr double flops =
            2 * Q::flops + V::flops + O::flops + Fade::flops + Strength::flops + (S::gates ? V::flops : 0) +
            2.0 * I::rows * Keys::parameters +
            double(I::rows) * H *
                (4.0 * S::features * S::held + (S::features + S::held) * double(S::C) * (S::delta ? 2 : 1) +
                 (S::delta ? 2.0 * S::features * S::held : 0));

        template <class P, class F> static void visit(P& p, Path const& at, F&& f) {
            Q::visit(p.q, Path{&at, "q"}, f);
            Q::visit(p.k, Path{&at, "k"}, f);
            V::visit(p.v, Path{&at, "v"}, f);
            O::visit(p.o, Path{&at, "o"}, f);
            Keys::visit(p.keys, at, f);
            Begin::visit(p.start, at, f);
            Fade::visit(p.fade, at, f);
            Strength::visit(p.strength, at, f);
            Read::visit(p.read, at, f);
            if constexpr (S::gates) V::visit(p.gate, Path{&at, "gate"}, f);
        }
        template <class C> static void initialize(C c, Params& p) noexcept {
            auto const key = c.key;
            auto const xavier = [&](std::uint64_t i, double scale, auto const& w) noexcept {
                detail::draw_uniform(key.fold(i), scale * std::sqrt(6.0 / (w.rows + w.width)), w);
            };
            xavier(0, 1, p.q.weight.ref()), xavier(1, 1, p.k.weight.ref()), xavier(2, 1, p.v.weight.ref());
            xavier(3, c.depth > 0 ? 1 / std::sqrt(2.0 * c.depth) : 1, p.o.weight.ref());
            if constexpr (S::gates) xavier(4, 1, p.gate.weight.ref());
            c.key = key.fold(5), Keys::initialize(c, p.keys);
            c.key = key.fold(8), Fade::initialize(c, p.fade);
            c.key = key.fold(9), Strength::initialize(c, p.strength);
            Read::initialize(p.read);
            Begin::initialize(p.start);
        }

        static constexpr std::size_t scratch(int) {
            std::size_t const work = Work::bytes(S::C) + rooms(S::C);
            return 2 * detail::lines(sizeof(State)) + 2 * work + core(S::C, true);
        }
        static constexpr std::size_t step_scratch() { return Work::bytes(1) + rooms(1) + core(1, false); }

        template <class C, class Tp>
        static void forward(C const& c, Params const& p, In<I, R> x, Out<I, R> y, Tp& tape,
                            Scratch s) noexcept {
            State& state = *s.template take<State>(1);
            Work const w = Work::take(s, S::C);
            for (int b = 0; b < c.rows; ++b) {
                int const n = x.length(b);
                start(c.template state_in<State>(b), state);
                if (n > 0) Begin::begin(p.start, state);
                for (int t = 0, j = 0; t < n; t += S::C, ++j) {
                    if constexpr (is_recording<Tp>) std::copy_n(state.memory, S::memory, tape.chunk[b][j]);
                    advance(std::min(S::C, n - t), c.position_of(b) + t, p, state, x(b, t), y(b, t), w, s);
                    if constexpr (is_recording<Tp>) w.keep(tape.chunk[b][j] + S::memory);
                }
                detail::clear_rows_from(y, b, n);
                if (auto* out = c.template state_out<State>(b)) *out = state;
            }
        }
        template <class C>
        static void step(C const& c, Params const& p, State& state, T const* x, T* y, Scratch s) noexcept {
            Work const w = Work::take(s, 1);
            Begin::begin(p.start, state);
            advance(1, c.position_of(0), p, state, x, y, w, s);
        }

        template <class C, class Tp, class DX, class G>
        static void backward(C const& c, Params const& p, In<I, R> x, Tp const& tape, In<I, R> dy, DX dx,
                             G& g, Scratch s) noexcept {
            State& dstate = *s.template take<State>(1);
            Work const w = Work::take(s, S::C), d = Work::take(s, S::C);
            for (int b = 0; b < c.rows; ++b) {
                int const n = x.length(b);
                start(c.template d_state_out<State>(b), dstate);
                for (int j = (n + S::C - 1) / S::C - 1; j >= 0; --j) {
                    int const t = j * S::C;
                    T* into = nullptr;
                    if constexpr (wants_grad<DX>) into = dx(b, t);
                    w.recall(tape.chunk[b][j] + S::memory);
                    retreat(std::min(S::C, n - t), c.position_of(b) + t, p, g, tape.chunk[b][j], dstate,
                            x(b, t), dy(b, t), into, w, d, s);
                }
                if (n > 0) Begin::pull(g.start, c.template state_in<State>(b), dstate);
                if constexpr (wants_grad<DX>) detail::clear_rows_from(dx, b, n);
                if (auto* in = c.template d_state_in<State>(b)) *in = dstate;
            }
        }

    private:
        static constexpr std::size_t numbers(std::size_t n) { return detail::lines(sizeof(T) * n); }
        static constexpr std::size_t rooms(int n) { // the largest of what is taken in turns
            return std::max({Fade::scratch(n), Keys::scratch(), numbers(std::size_t(n) * S::beta_row)});
        }
        static constexpr std::size_t core(int n, bool backward) {
            return numbers(kernels::gated_chunk_room<W>(n, S::feature_row, S::value_row, backward));
        }
        static void start(State const* from, State& to) noexcept {
            if (from) to = *from;
            else std::memset(static_cast<void*>(&to), 0, sizeof to);
        }
        /// A chunk of n tokens, which moves the state.
        static void advance(int n, std::int64_t position, Params const& p, State& state, T const* x, T* y,
                            Work const& w, Scratch s) noexcept {
            state.put_past(w, 0);
            Q::apply(n, p.q, x, w.fresh_q());
            Q::apply(n, p.k, x, w.fresh_k());
            V::apply(n, p.v, x, w.fresh_v());
            Fade::map(n, p.fade, x, w.fade, s);
            Strength::map(n, p.strength, x, w.strength);
            if constexpr (S::gates) V::apply(n, p.gate, x, w.gate);
            state.take_past(w, n);
            Keys::forward(n, position, p.keys, w, s);
            Fade::open(n, p.fade, w.fade, w.decays(), s);
            Strength::open(n, T(Beta::times), w.strength, w.strengths());
            if constexpr (S::steps) Fade::open_steps(n, p.fade, w.fade, w.strengths());
            T* const room = s.template take<T>(0);
            for (int h = 0; h < H; ++h)
                kernels::gated_chunk<W>(w.head(h, n), state.memory + h * (S::memory / H), w.values(w.read)(h),
                                        room);
            if constexpr (S::steps)
                for (int h = 0; h < H; ++h)
                    Fade::skip(n, p.fade, h, S::value_row, w.values(w.hv)(h), w.values(w.read)(h));
            Read::forward(n, p.read, w);
            O::apply(n, p.o, w.mixed, y);
        }
        /// The way back of `advance`, from the memory at the chunk's start and what is kept in w.
        template <class G>
        static void retreat(int n, std::int64_t position, Params const& p, G& g, T const* memory,
                            State& dstate, T const* x, T const* dy, T* dx, Work const& w, Work const& d,
                            Scratch s) noexcept {
            Keys::forward(n, position, p.keys, w, s);
            Fade::open(n, p.fade, w.fade, w.decays(), s);
            Strength::open(n, T(Beta::times), w.strength, w.strengths());
            if constexpr (S::steps) Fade::open_steps(n, p.fade, w.fade, w.strengths());
            Read::forward(n, p.read, w);
            O::pull(n, p.o, w.mixed, dy, d.mixed, false, g.o);
            Read::backward(n, p.read, g.read, w, d);
            T* const room = s.template take<T>(0);
            for (int h = 0; h < H; ++h) {
                std::ptrdiff_t const at = h * (S::memory / H);
                kernels::gated_chunk_backward<W>(w.head(h, n), memory + at, d.values(d.read)(h),
                                                 dstate.memory + at, d.slopes(h), room);
            }
            if constexpr (S::steps)
                for (int h = 0; h < H; ++h)
                    Fade::pull_skip(n, p.fade, g.fade, h, S::value_row, w.values(w.hv)(h),
                                    d.values(d.read)(h), d.values(d.hv)(h));
            Keys::backward(n, position, p.keys, g.keys, w, d, dstate, s);
            Q::pull(n, p.q, x, d.fresh_q(), dx, false, g.q);
            Q::pull(n, p.k, x, d.fresh_k(), dx, true, g.k);
            V::pull(n, p.v, x, d.fresh_v(), dx, true, g.v);
            Fade::pull(n, p.fade, x, w.fade, d.decays(), dx, g.fade, s,
                       S::steps ? d.strengths() : detail::HeadNumbers<T>{});
            if constexpr (S::delta)
                Strength::pull(n, p.strength, T(Beta::times), x, w.strength, d.strengths(), d.strength, dx,
                               g.strength);
            if constexpr (S::gates) V::pull(n, p.gate, x, d.gate, dx, true, g.gate);
        }
    };
};

} // namespace inlay::inline INLAY_ISA
