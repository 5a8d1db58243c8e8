// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <inlay/blocks/norm.hpp>
#include <inlay/combine/stack.hpp>
#include <inlay/kernels/map.hpp>

namespace inlay::inline INLAY_ISA {

/// y = x + A(x), where A is the stack of the blocks given; it keeps its input's shape. Backward: dx = dy +
/// A'(dy). Parameters are those of the stack. Error: a stack that changes the shape. Shapes: what the stack
/// keeps. Cost: the stack and an addition. State: the stack's. PyTorch: `x + a(x)`.
template <class... Specs> struct Residual {
    using Body = Stack<Specs...>;
    static constexpr int layers = Body::layers;

    template <class I> using Problem = typename detail::KeepsShape<Residual<>, Body, I>::type;
    template <class I> static Tag<I> out(Tag<I>);

    template <class I, class R> struct Block : Body::template Block<I, R> {
        using Spec = Residual;
        using A = typename Body::template Block<I, R>;
        using T = typename R::type;
        using Params = typename A::Params;
        static constexpr int W = R::lanes, stride = In<I, R>::stride;
        static constexpr double flops = A::flops + double(I::rows) * I::width;

        template <class C, class Tp>
        static void forward(C const& c, Params const& p, In<I, R> x, Out<I, R> y, Tp& tape,
                            Scratch s) noexcept {
            A::forward(c, p, x, y, tape, s);
            kernels::add<W>(std::ptrdiff_t(c.rows) * I::rows * stride, x.data, y.data);
        }
        template <class C, class Tp, class DX, class G>
        static void backward(C const& c, Params const& p, In<I, R> x, Tp const& tape, In<I, R> dy, DX dx,
                             G& g, Scratch s) noexcept {
            A::backward(c, p, x, tape, dy, dx, g, s);
            if constexpr (wants_grad<DX>)
                kernels::add<W>(std::ptrdiff_t(c.rows) * I::rows * stride, dy.data, dx.data);
        }
        template <class C>
        static void step(C const& c, Params const& p, typename A::State& state, T const* x, T* y,
                         Scratch s) noexcept {
            A::step(c, p, state, x, y, s);
            kernels::add<W>(stride, x, y);
        }
    };
};

/// y = x + A(RmsNorm(x)): the pre-norm residual branch of transformers.
template <class... Specs> using PreNorm = Residual<RmsNorm, Specs...>;

} // namespace inlay::inline INLAY_ISA
