// SPDX-License-Identifier: BSD-3-Clause
// Two vectors side by side, crossed.
#pragma once

#include <inlay/blocks/cross/policies.hpp>
#include <inlay/blocks/dense.hpp>
#include <inlay/blocks/draw.hpp>

namespace inlay::inline INLAY_ISA {

/// Words of a misfit.
struct two_vectors_in_heads;

namespace detail {
/// b + <w, [o1, o2]> + sum over heads of o1_h^T W_h o2_h.
template <class Spec_, int H, class... P> struct FusionForm {
    using Wanted = two_vectors_in_heads;
    using Allowed = PolicyKinds<CrossForm>;
    template <class I> using Problem = PolicyProblem<Spec_, I, Allowed, P...>;
    template <int D>
        requires(D % (2 * H) == 0)
    static Tag<Shape<1>> out(Tag<Shape<D>>);

    template <class I, class R> struct Block : BlockDefaults {
        using Spec = Spec_;
        using T = typename R::type;
        using Output = Shape<1>;
        static constexpr int W = R::lanes, half = I::width / 2, k = half / H, stride = In<I, R>::stride;
        using Linear = typename Dense<1>::template Block<I, R>;
        using Weight = Tensor<R, k, k>;
        static constexpr long long parameters = Linear::parameters + 1LL * H * k * k;
        static constexpr double flops = Linear::flops + 2.0 * H * k * (k + 1);
        struct Params {
            typename Linear::Params linear;
            Weight weight[std::size_t(H)];
        };
        template <int> using Grads = Params;

        template <class Q, class F> static void visit(Q& p, Path const& at, F&& f) {
            auto own = [&](auto, Path const& path, Kind kind, auto ref) { f(Tag<Spec>{}, path, kind, ref); };
            Linear::visit(p.linear, at, own);
            for (int h = 0; h < H; ++h) {
                Path const here{&at, nullptr, h};
                f(Tag<Spec>{}, Path{&here, "weight"}, Kind::matrix, p.weight[h].ref());
            }
        }
        template <class C> static void initialize(C const& c, Params& p) noexcept {
            draw_map(c.key, 1, p.linear);
            for (int h = 0; h < H; ++h)
                draw_uniform(c.key.fold(std::uint64_t(h)), std::sqrt(3.0 / k), p.weight[h].ref());
        }
        template <class C, class Tp>
        static void forward(C const& c, Params const& p, In<I, R> x, Out<Output, R> y, Tp&,
                            Scratch) noexcept {
            Linear::apply(c.rows, p.linear, x.data, y.data);
            for (int b = 0; b < c.rows; ++b)
                for (int h = 0; h < H; ++h)
                    for (int i = 0; i < k; ++i)
                        y(b)[0] += x(b)[h * k + i] * kernels::dot<W>(k, p.weight[h][i], second(x, b, h));
        }
        template <class C, class Tp, class DX, class G>
        static void backward(C const& c, Params const& p, In<I, R> x, Tp const&, In<Output, R> dy, DX dx,
                             G& g, Scratch) noexcept {
            T* to = nullptr;
            if constexpr (wants_grad<DX>) to = dx.data;
            Linear::pull(c.rows, p.linear, x.data, dy.data, to, false, g.linear);
            for (int b = 0; b < c.rows; ++b)
                for (int h = 0; h < H; ++h)
                    for (int i = 0; i < k; ++i) {
                        T const d = dy(b)[0], first = x(b)[h * k + i];
                        kernels::axpy<W>(k, d * first, second(x, b, h), g.weight[h][i]);
                        if constexpr (wants_grad<DX>) {
                            dx(b)[h * k + i] += d * kernels::dot<W>(k, p.weight[h][i], second(x, b, h));
                            kernels::axpy<W>(k, d * first, p.weight[h][i], dx(b) + half + h * k);
                        }
                    }
        }

    private:
        static T const* second(In<I, R> x, int b, int h) noexcept { return x(b) + half + h * k; }
    };
};
} // namespace detail

/// Cross<Fusion<H>>: two vectors o1 and o2 of equal width side by side, crossed in H heads (FinalMLP, arXiv
/// 2304.00902): y = b + <w, [o1, o2]> + sum over h of o1_h^T W_h o2_h, `Shape<2 D>` to `Shape<1>`.
/// Parameters: `weight [1, 2 D]`, `bias [1]`, `h.weight [D / H, D / H]`, drawn by Xavier, the bias 0. Cost: 2
/// D^2 / H flops.
template <int H> struct Fusion {
    using Must = detail::Must<(H > 0), a_positive_count>;
    using PolicyKind = CrossForm;
    template <class Spec, class... P> using Form = detail::FusionForm<Spec, H, P...>;
};

} // namespace inlay::inline INLAY_ISA
