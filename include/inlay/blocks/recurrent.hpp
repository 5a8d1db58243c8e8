// SPDX-License-Identifier: BSD-3-Clause
// Gated recurrences with PyTorch's gates.
#pragma once

#include <inlay/blocks/dense.hpp>
#include <inlay/kernels/recurrent.hpp>

#include <cstring>

namespace inlay::inline INLAY_ISA {
namespace detail {

/// A recurrence over tokens whose gates are a = W x + b and b = U h + c, and whose rest is a Token of
/// kernels/recurrent.hpp.
template <class Self, class Token, int H, class... Policies> struct Recurrent {
    using Must = detail::Must<(H > 0), a_positive_width>;
    using Wanted = a_sequence;
    using Allowed = PolicyKinds<NoBias>;
    template <class I> using Problem = PolicyProblem<Self, I, Allowed, Policies...>;
    static constexpr int layers = 1;
    template <int T, int D> static Tag<Shape<T, H>> out(Tag<Shape<T, D>>);

    template <class I, class R> struct Block : BlockDefaults {
        using Spec = Self;
        using T = typename R::type;
        using Output = Shape<I::rows, H>;
        static constexpr bool streams = true, biased = !has_policy<NoBias, Policies...>;
        static constexpr int W = R::lanes, G = Token::gates, rows = I::rows, row = Out<Output, R>::stride;
        using FromInput = typename Dense<G * H, Policies...>::template Block<I, R>;
        using FromState = typename Dense<G * H, Policies...>::template Block<Output, R>;
        static constexpr int gate_row = Out<typename FromInput::Output, R>::stride;
        static constexpr int part = std::min(rows, 32); ///< tokens whose input is multiplied at a time

        static constexpr long long parameters = FromInput::parameters + FromState::parameters;
        static constexpr double flops = FromInput::flops + FromState::flops + 8.0 * G * H * rows;
        struct Params {
            typename FromInput::Params ih;
            typename FromState::Params hh;
        };
        template <int> using Grads = Params;
        struct State {
            alignas(64) T h[std::size_t(Token::states)][std::size_t(row)];
        };
        /// One sequence: the states, beginning with the one that came in, and what a token keeps.
        static constexpr int apart = (rows + 1) * row;
        struct Run {
            alignas(64) T h[std::size_t(Token::states) * std::size_t(apart)];
            T keep[std::size_t(rows) * std::size_t(Token::kept * row)];
        };
        template <int B> struct Tape {
            Run run[std::size_t(B)];
        };

        template <class P, class F> static void visit(P& p, Path const& at, F&& f) {
            f(Tag<Self>{}, Path{&at, "weight_ih"}, Kind::matrix, p.ih.weight.ref());
            f(Tag<Self>{}, Path{&at, "weight_hh"}, Kind::matrix, p.hh.weight.ref());
            if constexpr (biased) {
                f(Tag<Self>{}, Path{&at, "bias_ih"}, Kind::vector, p.ih.bias.ref());
                f(Tag<Self>{}, Path{&at, "bias_hh"}, Kind::vector, p.hh.bias.ref());
            }
        }
        template <class C> static void initialize(C const& c, Params& p) noexcept {
            auto const draw = [&](std::uint64_t i, auto const& w) noexcept {
                auto const key = c.key.fold(i);
                for (int o = 0; o < w.rows; ++o)
                    for (int n = 0; n < w.width; ++n) {
                        auto const at = std::uint64_t(o) * std::uint64_t(w.width) + std::uint64_t(n);
                        w(o, n) = T((2 * key.uniform(at) - 1) / std::sqrt(double(H)));
                    }
            };
            draw(0, p.ih.weight.ref()), draw(1, p.hh.weight.ref());
            if constexpr (biased) draw(2, p.ih.bias.ref()), draw(3, p.hh.bias.ref());
        }
        static constexpr std::size_t scratch(int) {
            return lines(sizeof(State)) + 2 * gates(part) + lines(sizeof(T) * Token::kept * row);
        }
        static constexpr std::size_t step_scratch() {
            return 2 * gates(1) + lines(sizeof(T) * Token::kept * row);
        }

        template <class C, class Tp>
        static void forward(C const& c, Params const& p, In<I, R> x, Out<Output, R> y, Tp& tape,
                            Scratch s) noexcept {
            State& state = *s.template take<State>(1);
            T* const a = take_gates(s, part);
            T* const b = take_gates(s, 1);
            T* keep = s.template take<T>(Token::kept * row);
            for (int r = 0; r < c.rows; ++r) {
                int const n = x.length(r);
                start(c.template state_in<State>(r), state);
                if constexpr (is_recording<Tp>)
                    for (int i = 0; i < Token::states; ++i)
                        std::copy_n(state.h[i], row, tape.run[r].h + i * apart);
                for (int t = 0; t < n; ++t) {
                    if (t % part == 0) FromInput::apply(std::min(part, n - t), p.ih, x(r, t), a);
                    if constexpr (is_recording<Tp>) keep = tape.run[r].keep + t * Token::kept * row;
                    token(p, state, a + t % part * gate_row, b, keep, y(r, t));
                    if constexpr (is_recording<Tp>)
                        for (int i = 0; i < Token::states; ++i)
                            std::copy_n(state.h[i], row, tape.run[r].h + i * apart + (t + 1) * row);
                }
                clear_rows_from(y, r, n);
                if (auto* out = c.template state_out<State>(r)) *out = state;
            }
        }
        template <class C>
        static void step(C const&, Params const& p, State& state, T const* x, T* y, Scratch s) noexcept {
            T* const a = take_gates(s, 1);
            T* const b = take_gates(s, 1);
            FromInput::apply(1, p.ih, x, a);
            token(p, state, a, b, s.template take<T>(Token::kept * row), y);
        }

        template <class C, class Tp, class DX, class Gr>
        static void backward(C const& c, Params const& p, In<I, R> x, Tp const& tape, In<Output, R> dy, DX dx,
                             Gr& g, Scratch s) noexcept {
            State& dstate = *s.template take<State>(1);
            T* const da = take_gates(s, part);
            T* const db = take_gates(s, part);
            for (int r = 0; r < c.rows; ++r) {
                int const n = x.length(r);
                auto const& run = tape.run[r];
                start(c.template d_state_out<State>(r), dstate);
                for (int t = n - 1; t >= 0; --t) {
                    T* const da_t = da + t % part * gate_row;
                    T* const db_t = db + t % part * gate_row;
                    T const* const from = run.h + t * row;
                    kernels::add<W>(padded(H, W), dy(r, t), dstate.h[0]);
                    Token::template backward<W>(H, row, run.keep + t * Token::kept * row, from, from + row,
                                                apart, dstate.h[0], row, da_t, db_t);
                    kernels::clear_pads(da_t, G * H, gate_row), kernels::clear_pads(db_t, G * H, gate_row);
                    FromState::pull_input(1, p.hh, db_t, dstate.h[0], true);
                    if (t % part != 0) continue;
                    int const m = std::min(part, n - t);
                    FromState::pull_weights(m, from, db, g.hh);
                    T* into = nullptr;
                    if constexpr (wants_grad<DX>) into = dx(r, t);
                    FromInput::pull(m, p.ih, x(r, t), da, into, false, g.ih);
                }
                if constexpr (wants_grad<DX>) clear_rows_from(dx, r, n);
                if (auto* in = c.template d_state_in<State>(r)) *in = dstate;
            }
        }

    private:
        /// Rows of gates; a vector that begins in the last gate may end behind them.
        static constexpr std::size_t gates(int n) {
            return lines(sizeof(T) * (std::size_t(n) * gate_row + std::size_t(W)));
        }
        static T* take_gates(Scratch& s, int n) noexcept {
            return s.template take<T>(std::size_t(n) * gate_row + std::size_t(W));
        }
        static void start(State const* from, State& to) noexcept {
            if (from) to = *from;
            else std::memset(static_cast<void*>(&to), 0, sizeof to);
        }
        static void token(Params const& p, State& state, T const* a, T* b, T* keep, T* y) noexcept {
            FromState::apply(1, p.hh, state.h[0], b);
            Token::template forward<W>(H, row, a, b, state.h[0], state.h[0], row, keep);
            std::copy_n(state.h[0], row, y);
        }
    };
};

} // namespace detail

/// A gated recurrent unit (arXiv 1406.1078) with PyTorch's gates: r = sigmoid(Wr x + Ur h), z = sigmoid(Wz x
/// + Uz h), n = tanh(Wn x + r (Un h)), biases beside each product, h = (1 - z) n + z h, from h = 0.
///
/// Shapes: `Shape<T, D>` to `Shape<T, H>`. Parameters: `weight_ih [3 H, D]`, `weight_hh [3 H, H]` in the
/// order r, z, n, `bias_ih [3 H]`, `bias_hh [3 H]` (none with NoBias), all from U(-1/sqrt(H), 1/sqrt(H)).
/// Cost 6 H (D + H) flops a token; backward twice that. State: h. Backward goes through time. PyTorch:
/// `nn.GRU(D, H, batch_first=True)`. Error: what is no sequence of numbers, an unknown policy.
template <int H, class... Policies>
struct Gru : detail::Recurrent<Gru<H, Policies...>, kernels::GruToken, H, Policies...> {};

/// Long short-term memory with PyTorch's gates: i, f, o = sigmoid(W x + U h), g = tanh(W x + U h), biases
/// beside each product, c = f c + i g, h = o tanh(c), from zeros.
///
/// Shapes: `Shape<T, D>` to `Shape<T, H>`. Parameters: `weight_ih [4 H, D]`, `weight_hh [4 H, H]` in the
/// order i, f, g, o, `bias_ih [4 H]`, `bias_hh [4 H]` (none with NoBias), all from U(-1/sqrt(H), 1/sqrt(H)).
/// Cost 8 H (D + H) flops a token; backward twice that. State: h and c. Backward goes through time. PyTorch:
/// `nn.LSTM(D, H, batch_first=True)`. Error: what is no sequence of numbers, an unknown policy.
template <int H, class... Policies>
struct Lstm : detail::Recurrent<Lstm<H, Policies...>, kernels::LstmToken, H, Policies...> {};

} // namespace inlay::inline INLAY_ISA
