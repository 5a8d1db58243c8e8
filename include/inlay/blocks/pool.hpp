// SPDX-License-Identifier: BSD-3-Clause
// One vector for a sequence: its mean, its maximum, its last token.
#pragma once

#include <inlay/core/block.hpp>
#include <inlay/kernels/pool.hpp>

#include <algorithm>

namespace inlay::inline INLAY_ISA {

namespace detail {
/// What pools share: `Shape<T, D>` to `Shape<D>`.
struct Pool {
    using Wanted = a_sequence;
    template <int T, int D> static Tag<Shape<D>> out(Tag<Shape<T, D>>);
};
} // namespace detail

/// y = the mean of the tokens up to the true length; zeros for an empty sequence.
///
/// Shapes: `Shape<T, D>` to `Shape<D>`. No parameters. Cost: D flops a token. State: the sum and the count,
/// so a stream gives the mean of all tokens so far. Backward: every token gets dy / count. PyTorch:
/// `x.mean(1)` of sequences of one length. Error: a vector, ids or a record as input.
struct MeanPool : detail::Pool {
    template <class I, class R> struct Block : BlockDefaults {
        using Spec = MeanPool;
        using T = typename R::type;
        static constexpr int D = I::width, W = R::lanes;
        using Output = Shape<D>;
        static constexpr int stride = Out<Output, R>::stride;
        static constexpr bool streams = true;
        static constexpr double flops = double(I::rows) * D;

        struct State {
            Tensor<R, 1, D> sum;
            std::int64_t count;
        };
        template <class C, class Tp>
        static void forward(C const& c, Params const&, In<I, R> x, Out<Output, R> y, Tp&, Scratch) noexcept {
            for (int b = 0; b < c.rows; ++b) {
                int const n = x.length(b);
                auto const* in = c.template state_in<State>(b);
                std::int64_t const count = (in ? in->count : 0) + n;
                if (in) std::copy_n(in->sum[0], stride, y(b));
                else kernels::clear(y(b), stride);
                for (int t = 0; t < n; ++t) kernels::add<W>(stride, x(b, t), y(b));
                if (auto* out = c.template state_out<State>(b)) {
                    std::copy_n(y(b), stride, out->sum[0]);
                    out->count = count;
                }
                divide(count, y(b), y(b));
            }
        }
        template <class C>
        static void step(C const&, Params const&, State& s, T const* x, T* y, Scratch) noexcept {
            kernels::add<W>(stride, x, s.sum[0]);
            divide(++s.count, s.sum[0], y);
        }
        template <class C, class Tp, class DX, class G>
        static void backward(C const& c, Params const&, In<I, R> x, Tp const&, In<Output, R> dy, DX dx, G&,
                             Scratch s) noexcept {
            T* dsum = s.take<T>(std::size_t(stride));
            for (int b = 0; b < c.rows; ++b) {
                int const n = x.length(b);
                auto const* in = c.template state_in<State>(b);
                std::int64_t const count = (in ? in->count : 0) + n;
                if (count > 0) divide(count, dy(b), dsum);
                else kernels::clear(dsum, stride);
                if (auto const* d = c.template d_state_out<State>(b))
                    kernels::add<W>(stride, d->sum[0], dsum);
                if constexpr (wants_grad<DX>) {
                    for (int t = 0; t < n; ++t) std::copy_n(dsum, stride, dx(b, t));
                    detail::clear_rows_from(dx, b, n);
                }
                if (auto* d = c.template d_state_in<State>(b)) {
                    std::copy_n(dsum, stride, d->sum[0]);
                    d->count = 0;
                }
            }
        }
        static constexpr std::size_t scratch(int) { return detail::lines(sizeof(T) * std::size_t(stride)); }

    private:
        static void divide(std::int64_t count, T const* sum, T* y) noexcept {
            kernels::scale<W>(stride, T(1) / T(count > 0 ? count : 1), sum, y);
        }
    };
};

/// y = the greatest value of each element over the tokens up to the true length; zeros for an empty sequence.
///
/// Shapes: `Shape<T, D>` to `Shape<D>`. No parameters. Cost: D comparisons a token. NaN is greater than
/// everything, as in PyTorch. State: the maximum and the count, so a stream gives the maximum so far. Tape:
/// which token won. Backward: the first token that reached the maximum gets dy; what came in with the state
/// was earlier than all tokens. PyTorch: `x.amax(1)` forward, `x.max(1).values` for the gradient. Error: a
/// vector, ids or a record as input.
struct MaxPool : detail::Pool {
    template <class I, class R> struct Block : BlockDefaults {
        using Spec = MaxPool;
        using T = typename R::type;
        static constexpr int D = I::width;
        using Output = Shape<D>;
        static constexpr int stride = Out<Output, R>::stride;
        static constexpr bool streams = true;
        static constexpr double flops = double(I::rows) * D;

        struct State {
            Tensor<R, 1, D> max;
            std::int64_t count;
        };
        template <int B> struct Tape {
            std::int32_t winner[std::size_t(B)][std::size_t(D)]; ///< token, or -1 for the state that came in
        };
        template <class C, class Tp>
        static void forward(C const& c, Params const&, In<I, R> x, Out<Output, R> y, Tp& tape,
                            Scratch) noexcept {
            for (int b = 0; b < c.rows; ++b) {
                int const n = x.length(b);
                auto const* in = c.template state_in<State>(b);
                std::int64_t const count = in ? in->count : 0;
                // The maximum of nothing is not a number to compare with: the first token starts it.
                T const* const first = count > 0 ? in->max[0] : n > 0 ? x(b, 0) : nullptr;
                if (first) std::copy_n(first, stride, y(b));
                else kernels::clear(y(b), stride);
                int t = count == 0 && n > 0 ? 1 : 0;
                if constexpr (is_recording<Tp>) std::fill_n(tape.winner[b], D, t - 1);
                for (; t < n; ++t)
                    if constexpr (is_recording<Tp>) kernels::raise(D, x(b, t), y(b), t, tape.winner[b]);
                    else kernels::raise(D, x(b, t), y(b));
                if (auto* out = c.template state_out<State>(b)) {
                    std::copy_n(y(b), stride, out->max[0]);
                    out->count = count + n;
                }
            }
        }
        template <class C>
        static void step(C const&, Params const&, State& s, T const* x, T* y, Scratch) noexcept {
            if (s.count++ == 0) std::copy_n(x, stride, s.max[0]);
            else kernels::raise(D, x, s.max[0]);
            std::copy_n(s.max[0], stride, y);
        }
        template <class C, class Tp, class DX, class G>
        static void backward(C const& c, Params const&, In<I, R>, Tp const& tape, In<Output, R> dy, DX dx, G&,
                             Scratch) noexcept {
            for (int b = 0; b < c.rows; ++b) {
                auto const* in = c.template state_in<State>(b);
                auto const* d_out = c.template d_state_out<State>(b);
                auto* d_in = c.template d_state_in<State>(b);
                bool const carried = in && in->count > 0;
                if constexpr (wants_grad<DX>) detail::clear_rows_from(dx, b, 0);
                for (int i = 0; i < D; ++i) {
                    T const d = dy(b)[i] + (d_out ? d_out->max[0][i] : T(0));
                    int const t = tape.winner[b][i]; // -1 too where there was nothing at all
                    if (d_in) d_in->max[0][i] = t < 0 && carried ? d : T(0);
                    if constexpr (wants_grad<DX>)
                        if (t >= 0) dx(b, t)[i] = d;
                }
                if (d_in) {
                    kernels::clear_pads(d_in->max[0], D, stride);
                    d_in->count = 0;
                }
            }
        }
    };
};

/// y = the last token before the true length; zeros for an empty sequence.
///
/// Shapes: `Shape<T, D>` to `Shape<D>`. No parameters, no arithmetic. State: the last token, for a part of a
/// stream that brings none; a fresh one is zeros, which is what an empty stream gives. Backward: the last
/// token gets dy, the others nothing. PyTorch: `x[:, -1]`. Error: a vector, ids or a record as input. Cost: a
/// copy of one row.
struct Last : detail::Pool {
    template <class I, class R> struct Block : BlockDefaults {
        using Spec = Last;
        using T = typename R::type;
        static constexpr int D = I::width, W = R::lanes;
        using Output = Shape<D>;
        static constexpr int stride = Out<Output, R>::stride;
        static constexpr bool streams = true;

        struct State {
            Tensor<R, 1, D> token;
        };
        template <class C, class Tp>
        static void forward(C const& c, Params const&, In<I, R> x, Out<Output, R> y, Tp&, Scratch) noexcept {
            for (int b = 0; b < c.rows; ++b) {
                int const n = x.length(b);
                auto const* in = c.template state_in<State>(b);
                if (n > 0) std::copy_n(x(b, n - 1), stride, y(b));
                else if (in) std::copy_n(in->token[0], stride, y(b));
                else kernels::clear(y(b), stride);
                if (auto* out = c.template state_out<State>(b)) std::copy_n(y(b), stride, out->token[0]);
            }
        }
        template <class C>
        static void step(C const&, Params const&, State& s, T const* x, T* y, Scratch) noexcept {
            std::copy_n(x, stride, s.token[0]);
            std::copy_n(x, stride, y);
        }
        template <class C, class Tp, class DX, class G>
        static void backward(C const& c, Params const&, In<I, R> x, Tp const&, In<Output, R> dy, DX dx, G&,
                             Scratch) noexcept {
            for (int b = 0; b < c.rows; ++b) {
                int const n = x.length(b);
                auto const* d_out = c.template d_state_out<State>(b);
                auto give = [&](T* to) {
                    if (d_out)
                        kernels::zip<W>(stride, dy(b), d_out->token[0], to,
                                        [](auto a, auto e) noexcept { return a + e; });
                    else std::copy_n(dy(b), stride, to);
                };
                if constexpr (wants_grad<DX>) {
                    detail::clear_rows_from(dx, b, 0);
                    if (n > 0) give(dx(b, n - 1));
                }
                if (auto* d_in = c.template d_state_in<State>(b)) {
                    if (n == 0) give(d_in->token[0]);
                    else kernels::clear(d_in->token[0], stride);
                }
            }
        }
    };
};

} // namespace inlay::inline INLAY_ISA
