// SPDX-License-Identifier: BSD-3-Clause
// The laws bite: a correct recurrence passes, and each flaw that is planted in it is named.
#include "../laws.hpp"

namespace {

enum class Flaw {
    none,
    sign,             // dx has the wrong sign
    dropped_term,     // the state's part of the gradient of w is missing
    overwrites,       // parameter gradients are assigned
    adds_to_dx,       // dx is added to
    sees_future,      // y_t holds some of x_{t+1}
    pads,             // pads are left as they were
    allocates,        // in step
    steps_wrong,      // step forgets its state
    forgets_carry,    // forward ignores the state that comes in
    cuts_gradient,    // nothing flows into the state that came in
    halves_gradient,  // half of it does
    reads_past_end,   // lengths are not looked at
    touches_past_end, // a gradient behind the end
    scratch_short,    // more scratch than was asked for
    mixes_rows,       // a row sees its neighbour
    counts_calls,     // not the same twice
    reads_output,     // backward trusts scratch to hold what forward left
    infers_wrong,     // inference differs
    overflows,        // squares a large number
    fresh_is_one,     // the fresh state is not zero
    throws,           // not noexcept
    loose_float       // computes in float what should be double
};

/// s_t = w s_{t-1} + x_t, y_t = s_t; the state is s.
template <Flaw flaw> struct Decay {
    template <int T, int D> static Tag<Shape<T, D>> out(Tag<Shape<T, D>>);
    template <class I, class R> struct Block : BlockDefaults {
        using Spec = Decay;
        using T = typename R::type;
        using Output = I;
        static constexpr int D = I::width, S = In<I, R>::stride, parameters = D;
        static constexpr bool streams = true, safe = flaw != Flaw::throws;
        struct Params {
            Tensor<R, 1, D> weight;
        };
        template <int> using Grads = Params;
        template <int B> struct Tape {
            T state[std::size_t(B)][std::size_t(I::rows + 1)][std::size_t(D)];
        };
        struct State {
            T value[std::size_t(D)];
            std::int32_t steps;
        };
        static constexpr std::size_t scratch(int B) { return detail::lines(sizeof(T) * std::size_t(B)); }

        template <class P, class F> static void visit(P& p, Path const& at, F&& f) {
            f(Tag<Decay>{}, Path{&at, "weight"}, Kind::vector, p.weight.ref());
        }
        template <class C> static void initialize(C const&, Params& p) noexcept {
            for (int i = 0; i < D; ++i) p.weight[0][i] = T(0.5);
        }
        template <class C, class Tp>
        static void forward(C const& c, Params const& p, In<I, R> x, Out<I, R> y, Tp& tape,
                            Scratch room) noexcept(safe) {
            static int calls = 0;
            ++calls;
            T* const mark = room.take<T>(std::size_t(c.capacity));
            if constexpr (flaw == Flaw::scratch_short) *room.take<T>(1) = T(1);
            for (int b = 0; b < c.rows; ++b) {
                mark[b] = T(1);
                T s[std::size_t(D)]{};
                State const* in = c.template state_in<State>(b);
                if constexpr (flaw == Flaw::fresh_is_one)
                    if (!in) std::fill_n(s, D, T(1));
                if (in && flaw != Flaw::forgets_carry) std::copy_n(in->value, D, s);
                if constexpr (is_recording<Tp>) std::copy_n(s, D, tape.state[b][0]);
                int const n = flaw == Flaw::reads_past_end ? I::rows : x.length(b);
                for (int t = 0; t < I::rows; ++t) {
                    for (int i = 0; i < D; ++i) {
                        if (t < n) s[i] = p.weight[0][i] * s[i] + x(b, t)[i];
                        T v = t < n ? s[i] : T(0);
                        if constexpr (flaw == Flaw::sees_future)
                            if (t + 1 < n) v += x(b, t + 1)[i];
                        if constexpr (flaw == Flaw::mixes_rows) v += x(0, t)[i] + x(c.rows - 1, t)[i];
                        if constexpr (flaw == Flaw::counts_calls) v += T(calls);
                        if constexpr (flaw == Flaw::infers_wrong && !is_recording<Tp>) v += T(1e-6);
                        if constexpr (flaw == Flaw::loose_float) v = T(float(v) * 1.0000001f);
                        if constexpr (flaw == Flaw::overflows) {
                            T const v10 = v * v * v * v * v * v * v * v * v * v;
                            v += (v10 * T(0));
                        }
                        y(b, t)[i] = v;
                        if constexpr (is_recording<Tp>) tape.state[b][t + 1][i] = s[i];
                    }
                    if constexpr (flaw != Flaw::pads) kernels::clear_pads(y(b, t), D, S);
                }
                if (State* out = c.template state_out<State>(b)) {
                    std::copy_n(s, D, out->value);
                    out->steps = (in ? in->steps : 0) + n;
                }
            }
        }
        template <class C, class Tp, class DX, class G>
        static void backward(C const& c, Params const& p, In<I, R> x, Tp const& tape, In<I, R> dy, DX dx,
                             G& g, Scratch room) noexcept {
            T const* const mark = room.take<T>(std::size_t(c.capacity));
            for (int b = 0; b < c.rows; ++b) {
                T ds[std::size_t(D)]{};
                if (State const* d = c.template d_state_out<State>(b)) std::copy_n(d->value, D, ds);
                int const n = flaw == Flaw::reads_past_end ? I::rows : x.length(b);
                for (int t = I::rows; t-- > 0;)
                    for (int i = 0; i < S; ++i) {
                        T from = T(flaw == Flaw::touches_past_end && i < D && t >= n ? 1 : 0);
                        if (i < D && t < n) {
                            ds[i] += dy(b, t)[i];
                            T const dw =
                                ds[i] * (flaw == Flaw::dropped_term && t == 1 ? T(0) : tape.state[b][t][i]);
                            if constexpr (flaw == Flaw::overwrites)
                                g.weight[0][i] = b == 0 && t == n - 1 ? dw : g.weight[0][i] + dw;
                            else g.weight[0][i] += dw;
                            from = flaw == Flaw::sign ? -ds[i] : ds[i];
                            if constexpr (flaw == Flaw::reads_output) from *= mark[b];
                            ds[i] *= p.weight[0][i];
                        }
                        if constexpr (wants_grad<DX>) {
                            if (i >= D && flaw == Flaw::pads) continue;
                            if constexpr (flaw == Flaw::adds_to_dx) dx(b, t)[i] += from;
                            else dx(b, t)[i] = from;
                        }
                    }
                if (State* d = c.template d_state_in<State>(b))
                    for (int i = 0; i < D; ++i)
                        d->value[i] = flaw == Flaw::cuts_gradient     ? T(0)
                                      : flaw == Flaw::halves_gradient ? ds[i] / 2
                                                                      : ds[i];
            }
            static_cast<void>(mark);
        }
        template <class C>
        static void step(C const&, Params const& p, State& s, T const* x, T* y, Scratch) noexcept {
            if constexpr (flaw == Flaw::allocates) {
                int* volatile leak = new int(1);
                delete leak;
            }
            for (int i = 0; i < D; ++i) {
                s.value[i] = (flaw == Flaw::steps_wrong ? T(0) : p.weight[0][i] * s.value[i]) + x[i];
                y[i] = s.value[i];
            }
            ++s.steps;
            if constexpr (flaw != Flaw::pads) kernels::clear_pads(y, D, S);
        }
    };
};

reference::Result decay(reference::Parameters const& p, reference::Sequence const& x) {
    reference::Result y{x, reference::absolute(x)};
    for (std::size_t t = 1; t < x.size(); ++t)
        for (std::size_t i = 0; i < x[t].size(); ++i) {
            double const w = p["weight"](0, int(i));
            y.value[t][i] += w * y.value[t - 1][i];
            y.magnitude[t][i] += std::abs(w) * y.magnitude[t - 1][i];
        }
    return y;
}

#if INLAY_LAWS_SIZES > 2
template <Flaw flaw> void caught(std::string const& law) {
    auto const report = check_laws<Decay<flaw>, Sequence<6, 5>>();
    CAPTURE(law);
    CAPTURE(report.text());
    CHECK_FALSE(report.ok());
    CHECK(report.breaks(law));
}

#endif

} // namespace

TEST_CASE("laws: a correct recurrence passes") {
    laws<Decay<Flaw::none>, Sequence<6, 5>>(decay);
    auto const report = check_gradients<Decay<Flaw::none>, Sequence<6, 5>>();
    CHECK_MESSAGE(report.ok(), report.text());
}

TEST_CASE("laws: a state is carried through every combinator") {
    using A = Decay<Flaw::none>;
    laws<Stack<A, Repeat<2, Residual<A, Dense<5>>>, Sum<A, Dense<5>>>, Sequence<6, 5>>();
    laws<Stack<Concat<A, Dense<2>>, Gate<A, A>, Named<"last", A>, Last>, Sequence<6, 5>>();
    laws<Tied<Embed<5>, Let<"e", A, A, Keep<"f", A, A>>>, Tokens<6, 7>>();
}

#if INLAY_LAWS_SIZES > 2 // one build is enough
TEST_CASE("laws: planted flaws of backward are named") {
    caught<Flaw::sign>("gradients");
    caught<Flaw::dropped_term>("gradients");
    caught<Flaw::overwrites>("accumulation");
    caught<Flaw::adds_to_dx>("gradients");
    caught<Flaw::cuts_gradient>("gradients");
    caught<Flaw::halves_gradient>("split");
    caught<Flaw::reads_output>("gradients");
}
TEST_CASE("laws: planted flaws of sequences are named") {
    caught<Flaw::sees_future>("causality");
    caught<Flaw::steps_wrong>("step");
    caught<Flaw::forgets_carry>("split");
    caught<Flaw::reads_past_end>("split");
    caught<Flaw::touches_past_end>("lengths");
    caught<Flaw::fresh_is_one>("fresh state");
}
TEST_CASE("laws: planted flaws of memory and numbers are named") {
    caught<Flaw::pads>("pads");
    caught<Flaw::scratch_short>("memory");
    caught<Flaw::mixes_rows>("rows");
    caught<Flaw::counts_calls>("repetition");
    caught<Flaw::infers_wrong>("inference");
    caught<Flaw::overflows>("extremes");
    caught<Flaw::throws>("noexcept");
    caught<Flaw::loose_float>("gradients");
#if INLAY_TESTS_OWN_NEW
    caught<Flaw::allocates>("allocation");
#endif
}
#endif
