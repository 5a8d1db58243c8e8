// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <inlay/core/block.hpp>
#include <inlay/kernels/map.hpp>

#include <algorithm>

namespace inlay::inline INLAY_ISA {

/// All rows of a sequence side by side: `Shape<T, D>` to `Shape<T * D>`. Rows past the true length read as
/// zero and get no gradient. No parameters, no streaming form. PyTorch: `nn.Flatten(1)`. Error: a vector, ids
/// or a record. Cost: a copy.
struct Flatten {
    using Wanted = a_sequence;
    template <int T, int D> static Tag<Shape<T * D>> out(Tag<Shape<T, D>>);

    template <class I, class R> struct Block : BlockDefaults {
        using Spec = Flatten;
        using T = typename R::type;
        static constexpr int D = I::width;
        using Output = Shape<I::rows * D>;

        template <class C, class Tp>
        static void forward(C const& c, Params const&, In<I, R> x, Out<Output, R> y, Tp&, Scratch) noexcept {
            for (int b = 0; b < c.rows; ++b) {
                int const n = x.length(b);
                for (int t = 0; t < n; ++t) std::copy_n(x(b, t), D, y(b) + std::ptrdiff_t(t) * D);
                kernels::clear_pads(y(b), n * D, Out<Output, R>::stride);
            }
        }
        template <class C, class Tp, class DX, class G>
        static void backward(C const& c, Params const&, In<I, R> x, Tp const&, In<Output, R> dy, DX dx, G&,
                             Scratch) noexcept {
            if constexpr (wants_grad<DX>)
                for (int b = 0; b < c.rows; ++b) {
                    int const n = x.length(b);
                    for (int t = 0; t < I::rows; ++t) {
                        if (t < n) std::copy_n(dy(b) + std::ptrdiff_t(t) * D, D, dx(b, t));
                        kernels::clear_pads(dx(b, t), t < n ? D : 0, DX::stride);
                    }
                }
        }
    };
};

} // namespace inlay::inline INLAY_ISA
