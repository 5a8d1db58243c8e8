// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <inlay/core/block.hpp>
#include <inlay/kernels/map.hpp>

namespace inlay::inline INLAY_ISA {

/// Words of a misfit.
struct ids_below_2_to_the_24th;

/// The ids themselves as numbers: times of events, counted in minutes, hours or days.
///
/// Shapes: `Tokens<T, V>` to `Shape<T, 1>`. No parameters, no gradient, no state. PyTorch: `ids[..., None]
/// .float()`. Error: what is no sequence of ids, more ids than float can tell apart, 2^24. Cost: a conversion
/// an id.
struct AsNumbers {
    using Wanted = ids_below_2_to_the_24th;
    template <int T, int V>
        requires(V <= 1 << 24)
    static Tag<Shape<T, 1>> out(Tag<Tokens<T, V>>);

    template <class I, class R> struct Block : BlockDefaults {
        using Spec = AsNumbers;
        using Output = Shape<I::rows, 1>;
        using T = typename R::type;
        static constexpr bool streams = true;
        static constexpr int stride = Out<Output, R>::stride;

        template <class C, class Tp>
        static void forward(C const& c, Params const&, In<I, R> x, Out<Output, R> y, Tp&, Scratch) noexcept {
            for (int b = 0; b < c.rows; ++b) {
                for (int t = 0; t < x.length(b); ++t) write(x(b)[t], y(b, t));
                detail::clear_rows_from(y, b, x.length(b));
            }
        }
        template <class C>
        static void step(C const&, Params const&, State&, std::int32_t const* x, T* y, Scratch) noexcept {
            write(*x, y);
        }
        template <class C, class Tp, class G>
        static void backward(C const&, Params const&, In<I, R>, Tp const&, In<Output, R>, NoGrad, G&,
                             Scratch) noexcept {}

    private:
        static void write(std::int32_t id, T* y) noexcept {
            kernels::clear(y, stride);
            y[0] = T(id);
        }
    };
};

} // namespace inlay::inline INLAY_ISA
