// SPDX-License-Identifier: BSD-3-Clause
// Convolutions over time that read the past.
#pragma once

#include <inlay/blocks/attention/policies.hpp>
#include <inlay/blocks/conv/taps.hpp>
#include <inlay/blocks/draw.hpp>
#include <inlay/core/block.hpp>

namespace inlay::inline INLAY_ISA {

/// The families of a convolution's policies.
struct WhichChannels;
struct HowFarApart;
/// All channels of the input give each of N channels.
template <int N> struct Channels {
    static_assert(N > 0, "inlay: Channels needs a positive count");
    using PolicyKind = WhichChannels;
    static constexpr int value = N;
};
/// Taps are N tokens apart.
template <int N> struct Dilation {
    static_assert(N > 0, "inlay: Dilation needs a positive distance");
    using PolicyKind = HowFarApart;
    static constexpr int value = N;
};

namespace detail {
struct Depthwise {
    static constexpr int value = 0;
};
} // namespace detail

/// y_t = b + sum over i < Taps of c_i * x_(t - i Dilation), channel by channel; with Channels<O>, c_i is a
/// matrix. Tokens before the first are zero.
///
/// Shapes: `Shape<T, D>`, kept, or to `Shape<T, O>` with Channels<O>. Policies: `Channels<O>`, `Dilation<1>`,
/// `Bias`. Parameters: `weight [D, Taps]`, or `[O, D Taps]` with tap i of channel d in column d Taps + i; the
/// last tap is for the token itself; both, and `bias`, from U(-a, a), a^2 = 1 / Taps or 1 / (D Taps). Cost: 2
/// D Taps flops a token, or 2 D O Taps. State: the last (Taps - 1) Dilation tokens. PyTorch:
/// `nn.Conv1d(D, D, Taps, groups=D, dilation=...)` on a sequence padded on the left with zeros. Error: what
/// is no sequence of numbers, an unknown or doubled policy.
template <int Taps, class... Policies> struct CausalConv1d {
    using Must = detail::Must<(Taps > 0), a_positive_count>;
    using Wanted = a_sequence;
    using Allowed = PolicyKinds<WhichChannels, HowFarApart, WhichBias>;
    template <class I> using Problem = detail::PolicyProblem<CausalConv1d, I, Allowed, Policies...>;
    static constexpr int channels =
        detail::PolicyOr<WhichChannels, detail::Depthwise, Policies...>::type::value;
    static constexpr int apart = detail::PolicyOr<HowFarApart, Dilation<1>, Policies...>::type::value;
    static constexpr bool has_bias = detail::has_policy<WhichBias, Policies...>;

    template <int T, int D> static Tag<Shape<T, channels == 0 ? D : channels>> out(Tag<Shape<T, D>>);

    template <class I, class R> struct Block : BlockDefaults {
        using Spec = CausalConv1d;
        using T = typename R::type;
        static constexpr int D = I::width, rows = I::rows, W = R::lanes;
        using Output = typename decltype(CausalConv1d::out(Tag<I>{}))::type;
        using Conv = detail::ConvTaps<R, D, channels, Taps, apart>;
        using State = typename Conv::Recent;
        static constexpr int back = (Taps - 1) * apart, O = Output::width;
        static constexpr bool streams = true;
        static constexpr long long parameters = Conv::Weight::parameters + (has_bias ? O : 0);
        static constexpr double flops = Conv::flops * rows;

        struct NoVector {};
        struct Params {
            typename Conv::Weight weight;
            INLAY_EMPTY std::conditional_t<has_bias, Tensor<R, 1, O>, NoVector> bias;
        };
        template <int> using Grads = Params;

        template <class P, class F> static void visit(P& p, Path const& at, F&& f) {
            f(Tag<CausalConv1d>{}, Path{&at, "weight"}, Kind::matrix, p.weight.ref());
            if constexpr (has_bias) f(Tag<CausalConv1d>{}, Path{&at, "bias"}, Kind::vector, p.bias.ref());
        }
        template <class C> static void initialize(C const& c, Params& p) noexcept {
            double const bound = 1 / std::sqrt(double(Conv::fan_in));
            detail::draw_uniform(c.key.fold(0), bound, p.weight.ref());
            if constexpr (has_bias) detail::draw_uniform(c.key.fold(1), bound, p.bias.ref());
        }

        template <class C, class Tp>
        static void forward(C const& c, Params const& p, In<I, R> x, Out<Output, R> y, Tp&,
                            Scratch) noexcept {
            for (int b = 0; b < c.rows; ++b) {
                int const n = x.length(b);
                auto const* const in = c.template state_in<State>(b);
                Conv::forward(n, p.weight, bias(p), {x(b), in}, y(b));
                detail::clear_rows_from(y, b, n);
                if (auto* const out = c.template state_out<State>(b)) State::advance(in, n, x(b), *out);
            }
        }
        template <class C, class Tp, class DX, class G>
        static void backward(C const& c, Params const& p, In<I, R> x, Tp const&, In<Output, R> dy, DX dx,
                             G& g, Scratch) noexcept {
            for (int b = 0; b < c.rows; ++b) {
                int const n = x.length(b);
                auto const* const in = c.template state_in<State>(b);
                T* to = nullptr;
                if constexpr (wants_grad<DX>) {
                    to = dx(b);
                    detail::clear_rows_from(dx, b, n);
                }
                detail::SlopesBack<State> const slopes{to, in, c.template d_state_in<State>(b)};
                slopes.begin(n, c.template d_state_out<State>(b));
                Conv::backward(n, p.weight, {x(b), in}, slopes, dy(b), g.weight);
                if constexpr (has_bias)
                    for (int t = 0; t < n; ++t) kernels::add<W>(detail::padded(O, W), dy(b, t), g.bias[0]);
            }
        }
        template <class C>
        static void step(C const&, Params const& p, State& s, T const* x, T* y, Scratch) noexcept {
            Conv::forward(1, p.weight, bias(p), {x, &s}, y);
            s.push(x);
        }

    private:
        static T const* bias(Params const& p) noexcept {
            if constexpr (has_bias) return p.bias[0];
            else return nullptr;
        }
    };
};

} // namespace inlay::inline INLAY_ISA
