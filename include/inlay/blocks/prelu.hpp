// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <inlay/core/block.hpp>
#include <inlay/core/policy.hpp>
#include <inlay/kernels/map.hpp>

namespace inlay::inline INLAY_ISA {

/// y = max(x, 0) + weight min(x, 0), column by column (arXiv 1502.01852).
///
/// Shapes: `Shape<D>` or `Shape<T, D>`, kept. Parameters: `weight [D]`, 0.25 at first. Cost: 3 D flops a
/// token. No state, no tape. Backward: dx = dy or weight dy, dweight += dy min(x, 0). PyTorch:
/// `nn.PReLU(D)`. Error: ids or a record as input.
struct PRelu {
    using Wanted = a_vector_or_a_sequence;
    template <int... N> static Tag<Shape<N...>> out(Tag<Shape<N...>>);

    template <class I, class R> struct Block : BlockDefaults {
        using Spec = PRelu;
        using T = typename R::type;
        using Output = I;
        static constexpr int D = I::width, W = R::lanes, stride = In<I, R>::stride,
                             whole = detail::padded(D, W);
        static constexpr bool streams = true;
        static constexpr long long parameters = D;
        static constexpr double flops = 3.0 * I::rows * D;
        struct Params {
            Tensor<R, 1, D> weight;
        };
        template <int> using Grads = Params;

        template <class P, class F> static void visit(P& p, Path const& at, F&& f) {
            f(Tag<PRelu>{}, Path{&at, "weight"}, Kind::vector, p.weight.ref());
        }
        template <class C> static void initialize(C const&, Params& p) noexcept {
            for (int i = 0; i < D; ++i) p.weight[0][i] = T(0.25);
        }
        template <class C, class Tp>
        static void forward(C const& c, Params const& p, In<I, R> x, Out<I, R> y, Tp&, Scratch) noexcept {
            apply(c.rows * I::rows, p, x.data, y.data);
        }
        template <class C>
        static void step(C const&, Params const& p, State&, T const* x, T* y, Scratch) noexcept {
            apply(1, p, x, y);
        }
        template <class C, class Tp, class DX, class G>
        static void backward(C const& c, Params const& p, In<I, R> x, Tp const&, In<I, R> dy, DX dx, G& g,
                             Scratch) noexcept {
            using V = simd::vec<T, W>;
            V const zero(T(0));
            for (std::ptrdiff_t r = 0; r < std::ptrdiff_t(c.rows) * I::rows; ++r)
                for (int i = 0; i < whole; i += W) {
                    std::ptrdiff_t const at = r * stride + i;
                    V const v = V::load(x.data + at), d = V::load(dy.data + at);
                    simd::fma(d, simd::select_greater(v, zero, zero, v), V::load(g.weight[0] + i))
                        .store(g.weight[0] + i);
                    if constexpr (wants_grad<DX>)
                        simd::select_greater(v, zero, d, d * V::load(p.weight[0] + i)).store(dx.data + at);
                }
            if constexpr (wants_grad<DX> && whole != stride)
                for (int r = 0; r < c.rows * I::rows; ++r)
                    kernels::clear_pads(dx.data + std::ptrdiff_t(r) * stride, whole, stride);
        }

    private:
        static void apply(int m, Params const& p, T const* x, T* y) noexcept {
            for (int r = 0; r < m; ++r, x += stride, y += stride)
                kernels::zip<W>(stride, x, p.weight[0], y, [](auto v, auto slope) noexcept {
                    return simd::select_greater(v, decltype(v)(T(0)), v, slope * v);
                });
        }
    };
};

} // namespace inlay::inline INLAY_ISA
