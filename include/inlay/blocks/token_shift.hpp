// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <inlay/core/block.hpp>
#include <inlay/kernels/map.hpp>

#include <algorithm>

namespace inlay::inline INLAY_ISA {

/// y_t = x_t + weight (x_(t - 1) - x_t), channel by channel: each is mixed with the token before (arXiv
/// 2305.13048). What is before the first token is zero.
///
/// Shapes: `Shape<T, D>`, kept. Parameters: `weight [D]`, 1/2 at first. Cost: 3 D flops a token. State: the
/// last token. No tape. Backward: dx_t = (1 - weight) dy_t + weight dy_(t + 1), dweight += sum dy_t (x_(t -
/// 1)
/// - x_t). PyTorch: `x + weight * (F.pad(x, (0, 0, 1, -1)) - x)`. Error: what is no sequence of numbers.
struct TokenShift {
    using Wanted = a_sequence;
    template <int T, int D> static Tag<Shape<T, D>> out(Tag<Shape<T, D>>);

    template <class I, class R> struct Block : BlockDefaults {
        using Spec = TokenShift;
        using T = typename R::type;
        using Output = I;
        static constexpr int D = I::width, W = R::lanes, stride = In<I, R>::stride;
        static constexpr bool streams = true;
        static constexpr int parameters = D;
        static constexpr double flops = 3.0 * I::rows * D;
        struct Params {
            Tensor<R, 1, D> weight;
        };
        template <int> using Grads = Params;
        struct State {
            alignas(64) T last[std::size_t(stride)];
        };

        template <class P, class F> static void visit(P& p, Path const& at, F&& f) {
            f(Tag<TokenShift>{}, Path{&at, "weight"}, Kind::vector, p.weight.ref());
        }
        template <class C> static void initialize(C const&, Params& p) noexcept {
            std::fill_n(p.weight[0], D, T(0.5));
        }
        template <class C, class Tp>
        static void forward(C const& c, Params const& p, In<I, R> x, Out<I, R> y, Tp&, Scratch) noexcept {
            static constexpr State fresh{};
            for (int b = 0; b < c.rows; ++b) {
                int const n = x.length(b);
                auto const* const in = c.template state_in<State>(b);
                T const* before = in ? in->last : fresh.last;
                for (int t = 0; t < n; ++t) {
                    mix(p, before, x(b, t), y(b, t));
                    before = x(b, t);
                }
                detail::clear_rows_from(y, b, n);
                if (auto* const out = c.template state_out<State>(b))
                    if (before != out->last) std::copy_n(before, stride, out->last);
            }
        }
        template <class C, class Tp, class DX, class G>
        static void backward(C const& c, Params const& p, In<I, R> x, Tp const&, In<I, R> dy, DX dx, G& g,
                             Scratch) noexcept {
            static constexpr State none{};
            using V = simd::vec<T, W>;
            T const* const w = p.weight[0];
            for (int b = 0; b < c.rows; ++b) {
                int const n = x.length(b);
                auto const* const in = c.template state_in<State>(b);
                auto const* const d_out = c.template d_state_out<State>(b);
                T const* const from_end = d_out ? d_out->last : none.last;
                T const* before = in ? in->last : none.last;
                for (int t = 0; t < n; ++t) {
                    T const *const now = x(b, t), *const slope = dy(b, t);
                    for (int i = 0; i < stride; i += W)
                        simd::fma(V::load(slope + i), V::load(before + i) - V::load(now + i),
                                  V::load(g.weight[0] + i))
                            .store(g.weight[0] + i);
                    before = now;
                    if constexpr (wants_grad<DX>) {
                        // The last token of a sequence is read by what comes behind it, through the state.
                        for (int i = 0; i < stride; i += W) {
                            V const k = V::load(w + i), own = V::load(slope + i);
                            V const next = t + 1 < n ? k * V::load(dy(b, t + 1) + i) : V::load(from_end + i);
                            (own - k * own + next).store(dx(b, t) + i);
                        }
                    }
                }
                if constexpr (wants_grad<DX>) detail::clear_rows_from(dx, b, n);
                if (auto* const d_in = c.template d_state_in<State>(b)) {
                    if (n > 0)
                        kernels::zip<W>(stride, w, dy(b, 0), d_in->last,
                                        [](auto k, auto d) { return k * d; });
                    else std::copy_n(from_end, stride, d_in->last);
                }
            }
        }
        template <class C>
        static void step(C const&, Params const& p, State& s, T const* x, T* y, Scratch) noexcept {
            mix(p, s.last, x, y);
            std::copy_n(x, stride, s.last);
        }

    private:
        static void mix(Params const& p, T const* before, T const* x, T* y) noexcept {
            using V = simd::vec<T, W>;
            for (int i = 0; i < stride; i += W) {
                V const now = V::load(x + i);
                simd::fma(V::load(p.weight[0] + i), V::load(before + i) - now, now).store(y + i);
            }
        }
    };
};

} // namespace inlay::inline INLAY_ISA
