// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <inlay/inlay.hpp>

namespace test {
using namespace inlay;

/// What Documents reads: a new document every four tokens.
struct EveryFour {
    template <int T, int D> static Tag<Shape<T, 1>> out(Tag<Shape<T, D>>);
    template <class I, class R> struct Block : BlockDefaults {
        using Spec = EveryFour;
        using Output = Shape<I::rows, 1>;
        using T = typename R::type;
        static constexpr bool streams = true;
        static constexpr int stride = Out<Output, R>::stride;
        template <class C, class Tp>
        static void forward(C const& c, Params const&, In<I, R>, Out<Output, R> y, Tp&, Scratch) noexcept {
            kernels::clear(y.data, std::ptrdiff_t(c.rows) * I::rows * stride);
            for (int b = 0; b < c.rows; ++b)
                for (int t = 0; t < I::rows; ++t) y(b, t)[0] = T((c.position_of(b) + t) / 4);
        }
        template <class C>
        static void step(C const& c, Params const&, State&, T const*, T* y, Scratch) noexcept {
            kernels::clear(y, stride);
            y[0] = T(c.position_of(0) / 4);
        }
        template <class C, class Tp, class DX, class G>
        static void backward(C const& c, Params const&, In<I, R>, Tp const&, In<Output, R>, DX dx, G&,
                             Scratch) noexcept {
            if constexpr (wants_grad<DX>)
                kernels::clear(dx.data, std::ptrdiff_t(c.rows) * I::rows * In<I, R>::stride);
        }
    };
};

} // namespace test
