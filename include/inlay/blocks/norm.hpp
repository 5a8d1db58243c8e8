// SPDX-License-Identifier: BSD-3-Clause
// Normalisation of each token over its width.
#pragma once

#include <inlay/core/block.hpp>
#include <inlay/core/policy.hpp>
#include <inlay/kernels/norm.hpp>

namespace inlay::inline INLAY_ISA {

/// The family of Eps.
struct NormEpsilon;
/// What a norm adds under its root; it keeps rows of zeros finite.
template <double E> struct Eps {
    static_assert(float(E) > 0, "inlay: Eps must be positive, as a float too");
    using PolicyKind = NormEpsilon;
    static constexpr double value = E;
};

/// y = weight x / sqrt(mean(x^2) + eps), token by token.
///
/// Shapes: `Shape<D>` or `Shape<T, D>`, kept. Parameters: `weight [D]`, ones at first. Policies: `Eps<1e-6>`.
/// Cost: 4 D flops a token. No state, no tape: backward finds the statistic again from x. Backward: with
/// z = x / rms and g = weight dy: dx = (g - z mean(g z)) / rms, dweight += dy z. PyTorch:
/// `nn.RMSNorm(D, eps=1e-6)`. Error: ids or a record as input, an unknown or doubled policy.
template <class... Policies> struct BasicRmsNorm {
    using Wanted = a_vector_or_a_sequence;
    using Allowed = PolicyKinds<NormEpsilon>;
    template <class I> using Problem = detail::PolicyProblem<BasicRmsNorm, I, Allowed, Policies...>;
    static constexpr double eps = detail::PolicyOr<NormEpsilon, Eps<1e-6>, Policies...>::type::value;

    template <int... N> static Tag<Shape<N...>> out(Tag<Shape<N...>>);

    template <class I, class R> struct Block : BlockDefaults {
        using Spec = BasicRmsNorm;
        using T = typename R::type;
        using Output = I;
        static constexpr int D = I::width, W = R::lanes, stride = In<I, R>::stride;
        static constexpr bool streams = true;
        static constexpr long long parameters = D;
        static constexpr double flops = 4.0 * I::rows * D;

        struct Params {
            Tensor<R, 1, D> weight;
        };
        template <int> using Grads = Params;

        template <class P, class F> static void visit(P& p, Path const& at, F&& f) {
            f(Tag<BasicRmsNorm>{}, Path{&at, "weight"}, Kind::vector, p.weight.ref());
        }
        template <class C> static void initialize(C const&, Params& p) noexcept {
            for (int i = 0; i < D; ++i) p.weight[0][i] = T(1);
        }
        template <class C, class Tp>
        static void forward(C const& c, Params const& p, In<I, R> x, Out<I, R> y, Tp&, Scratch) noexcept {
            kernels::rms_norm<W>(c.rows * I::rows, D, T(eps), x.data, p.weight[0], y.data, stride);
        }
        template <class C>
        static void step(C const&, Params const& p, State&, T const* x, T* y, Scratch) noexcept {
            kernels::rms_norm<W>(1, D, T(eps), x, p.weight[0], y, stride);
        }
        template <class C, class Tp, class DX, class G>
        static void backward(C const& c, Params const& p, In<I, R> x, Tp const&, In<I, R> dy, DX dx, G& g,
                             Scratch) noexcept {
            T* to = nullptr;
            if constexpr (wants_grad<DX>) to = dx.data;
            kernels::rms_norm_backward<W>(c.rows * I::rows, D, T(eps), x.data, p.weight[0], dy.data, to,
                                          g.weight[0], stride);
        }
    };
};
using RmsNorm = BasicRmsNorm<>;

/// y = weight (x - mean) / sqrt(variance + eps) + bias, token by token; the variance divides by D.
///
/// Shapes: `Shape<D>` or `Shape<T, D>`, kept. Parameters: `weight [D]`, ones at first, and `bias [D]`, zeros.
/// Policies: `Eps<1e-5>`. Cost: 7 D flops a token. No state, no tape: backward finds the statistics again
/// from x. Backward: with z the normalised row and g = weight dy: dx = (g - mean(g) - z mean(g z)) /
/// deviation, dweight += dy z, dbias += dy. PyTorch: `nn.LayerNorm(D)`. Error: ids or a record as input, an
/// unknown or doubled policy.
template <class... Policies> struct BasicLayerNorm {
    using Wanted = a_vector_or_a_sequence;
    using Allowed = PolicyKinds<NormEpsilon>;
    template <class I> using Problem = detail::PolicyProblem<BasicLayerNorm, I, Allowed, Policies...>;
    static constexpr double eps = detail::PolicyOr<NormEpsilon, Eps<1e-5>, Policies...>::type::value;

    template <int... N> static Tag<Shape<N...>> out(Tag<Shape<N...>>);

    template <class I, class R> struct Block : BlockDefaults {
        using Spec = BasicLayerNorm;
        using T = typename R::type;
        using Output = I;
        static constexpr int D = I::width, W = R::lanes, stride = In<I, R>::stride;
        static constexpr bool streams = true;
        static constexpr long long parameters = 2 * D;
        static constexpr double flops = 7.0 * I::rows * D;

        struct Params {
            Tensor<R, 1, D> weight, bias;
        };
        template <int> using Grads = Params;

        template <class P, class F> static void visit(P& p, Path const& at, F&& f) {
            f(Tag<BasicLayerNorm>{}, Path{&at, "weight"}, Kind::vector, p.weight.ref());
            f(Tag<BasicLayerNorm>{}, Path{&at, "bias"}, Kind::vector, p.bias.ref());
        }
        template <class C> static void initialize(C const&, Params& p) noexcept {
            for (int i = 0; i < D; ++i) {
                p.weight[0][i] = T(1);
                p.bias[0][i] = T(0);
            }
        }
        template <class C, class Tp>
        static void forward(C const& c, Params const& p, In<I, R> x, Out<I, R> y, Tp&, Scratch) noexcept {
            kernels::layer_norm<W>(c.rows * I::rows, D, T(eps), x.data, p.weight[0], p.bias[0], y.data,
                                   stride);
        }
        template <class C>
        static void step(C const&, Params const& p, State&, T const* x, T* y, Scratch) noexcept {
            kernels::layer_norm<W>(1, D, T(eps), x, p.weight[0], p.bias[0], y, stride);
        }
        template <class C, class Tp, class DX, class G>
        static void backward(C const& c, Params const& p, In<I, R> x, Tp const&, In<I, R> dy, DX dx, G& g,
                             Scratch) noexcept {
            T* to = nullptr;
            if constexpr (wants_grad<DX>) to = dx.data;
            kernels::layer_norm_backward<W>(c.rows * I::rows, D, T(eps), x.data, p.weight[0], dy.data, to,
                                            g.weight[0], g.bias[0], stride);
        }
    };
};
using LayerNorm = BasicLayerNorm<>;

} // namespace inlay::inline INLAY_ISA
