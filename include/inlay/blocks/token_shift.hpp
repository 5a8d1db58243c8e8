// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <inlay/blocks/draw.hpp>
#include <inlay/blocks/recent_rows.hpp>
#include <inlay/core/block.hpp>

namespace inlay::inline INLAY_ISA {

/// y_t = x_t + mix (x_(t-1) - x_t), channel by channel (arXiv 2305.13048); the token before the first is
/// zero.
///
/// Shapes: `Shape<T, D>`, kept. Parameters: `mix [D]`, 0.5 at first. Cost: 3 D flops a token. State: the last
/// token. PyTorch: `torch.lerp(x, F.pad(x, (0, 0, 1, -1)), mix)`. Error: what is no sequence of numbers.
struct TokenShift {
    using Wanted = a_sequence;
    template <int T, int D> static Tag<Shape<T, D>> out(Tag<Shape<T, D>>);

    template <class I, class R> struct Block : BlockDefaults {
        using Spec = TokenShift;
        using Output = I;
        using T = typename R::type;
        using V = simd::vec<T, R::lanes>;
        using State = detail::RecentRows<R, 1, I::width>;
        static constexpr int D = I::width, W = R::lanes, whole = detail::padded(D, W),
                             stride = In<I, R>::stride;
        static constexpr bool streams = true;
        static constexpr long long parameters = D;
        static constexpr double flops = 3.0 * I::rows * D;
        struct Params {
            Tensor<R, 1, D> mix;
        };
        template <int> using Grads = Params;

        template <class P, class F> static void visit(P& p, Path const& at, F&& f) {
            f(Tag<TokenShift>{}, Path{&at, "mix"}, Kind::vector, p.mix.ref());
        }
        template <class C> static void initialize(C const&, Params& p) noexcept {
            detail::fill(p.mix.ref(), 0.5);
        }

        template <class C, class Tp>
        static void forward(C const& c, Params const& p, In<I, R> x, Out<I, R> y, Tp&, Scratch) noexcept {
            for (int b = 0; b < c.rows; ++b) {
                int const n = x.length(b);
                auto const* const in = c.template state_in<State>(b);
                detail::RowsBack<State> const rows{x(b), in};
                for (int t = 0; t < n; ++t) shift(p, rows(t - 1), x(b, t), y(b, t));
                detail::clear_rows_from(y, b, n);
                if (auto* const out = c.template state_out<State>(b)) State::advance(in, n, x(b), *out);
            }
        }
        template <class C>
        static void step(C const&, Params const& p, State& s, T const* x, T* y, Scratch) noexcept {
            shift(p, s.at(s.count - 1), x, y);
            s.push(x);
        }
        template <class C, class Tp, class DX, class G>
        static void backward(C const& c, Params const& p, In<I, R> x, Tp const&, In<I, R> dy, DX dx, G& g,
                             Scratch) noexcept {
            for (int b = 0; b < c.rows; ++b) {
                int const n = x.length(b);
                auto const* const in = c.template state_in<State>(b);
                T* to = nullptr;
                if constexpr (wants_grad<DX>) {
                    to = dx(b);
                    detail::clear_rows_from(dx, b, n);
                }
                detail::RowsBack<State> const rows{x(b), in};
                detail::SlopesBack<State> const slopes{to, in, c.template d_state_in<State>(b)};
                slopes.begin(n, c.template d_state_out<State>(b));
                for (int t = 0; t < n; ++t)
                    pull(p, rows(t - 1), x(b, t), dy(b, t), slopes(t - 1), slopes(t), g.mix[0]);
            }
        }

    private:
        static V load(T const* x, int i) noexcept { return x ? V::load(x + i) : V(T(0)); }
        static void shift(Params const& p, T const* before, T const* x, T* y) noexcept {
            for (int i = 0; i < whole; i += W) {
                V const now = V::load(x + i);
                simd::fma(V::load(p.mix[0] + i), load(before, i) - now, now).store(y + i);
            }
            kernels::clear_pads(y, whole, stride);
        }
        static void pull(Params const& p, T const* before, T const* x, T const* dy, T* dbefore, T* dx,
                         T* dmix) noexcept {
            for (int i = 0; i < whole; i += W) {
                V const d = V::load(dy + i), passed = d * V::load(p.mix[0] + i);
                simd::fma(d, load(before, i) - V::load(x + i), V::load(dmix + i)).store(dmix + i);
                if (dbefore) (V::load(dbefore + i) + passed).store(dbefore + i);
                if (dx) (V::load(dx + i) + (d - passed)).store(dx + i);
            }
        }
    };
};

} // namespace inlay::inline INLAY_ISA
