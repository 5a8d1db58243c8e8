// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <inlay/core/block.hpp>
#include <inlay/kernels/map.hpp>

#include <algorithm>

namespace inlay::inline INLAY_ISA {

/// y = x m / (1 - P) while training, where m is 0 with probability P and 1 otherwise; y = x at all other
/// times.
///
/// Shapes: `Shape<D>` or `Shape<T, D>`, kept. No parameters, no state, no tape: backward draws the mask
/// again. An element's bit is a pure function of the block's key, the training step, the data-set index of
/// the row and the element's index in its sequence (from the first token of the stream on), so neither the
/// place in the batch nor the number of threads changes it: draw e % 4 of Philox at (row, e / 4) under the
/// key folded with the step, kept if it is at least P 2^32. Cost in training: a Philox call for four
/// elements. `step` is the identity. PyTorch: `nn.Dropout(P)`. Error: ids or a record as input.
template <double P> struct Dropout {
    using Must = detail::Must<(P >= 0 && P < 1), a_probability_below_1>;
    using Wanted = a_vector_or_a_sequence;
    template <int... N> static Tag<Shape<N...>> out(Tag<Shape<N...>>);

    template <class I, class R> struct Block : BlockDefaults {
        using Spec = Dropout;
        using T = typename R::type;
        using Output = I;
        static constexpr int D = I::width, stride = In<I, R>::stride;
        static constexpr bool streams = true;
        static constexpr double flops = double(I::rows) * D;

        template <class C, class Tp>
        static void forward(C const& c, Params const&, In<I, R> x, Out<I, R> y, Tp&, Scratch) noexcept {
            apply(c, x, x, y);
        }
        template <class C>
        static void step(C const&, Params const&, State&, T const* x, T* y, Scratch) noexcept {
            std::copy_n(x, stride, y);
        }
        template <class C, class Tp, class DX, class G>
        static void backward(C const& c, Params const&, In<I, R> x, Tp const&, In<I, R> dy, DX dx, G&,
                             Scratch) noexcept {
            if constexpr (wants_grad<DX>) apply(c, x, dy, dx);
        }

    private:
        /// The map is linear, so backward is forward of dy.
        template <class C> static void apply(C const& c, In<I, R> x, In<I, R> from, Out<I, R> to) noexcept {
            if (P == 0 || !c.training) {
                std::copy_n(from.data, std::ptrdiff_t(c.rows) * I::rows * stride, to.data);
                return;
            }
            Key const key = c.key.fold(c.step);
            for (int b = 0; b < c.rows; ++b) {
                auto const row = std::uint64_t(c.first_row + b);
                auto const first = std::uint64_t(c.position_of(b)) * std::uint64_t(D);
                int const n = x.length(b);
                for (int t = 0; t < I::rows; ++t) {
                    if (t < n) mask(key, row, first + std::uint64_t(t) * D, from(b, t), to(b, t));
                    kernels::clear_pads(to(b, t), t < n ? D : 0, stride);
                }
            }
        }
        static void mask(Key key, std::uint64_t row, std::uint64_t first, T const* x, T* y) noexcept {
            constexpr auto limit = std::uint32_t(P * 0x1p32);
            constexpr T scale = T(1 / (1 - P));
            for (int i = 0; i < D;) {
                std::uint64_t const e = first + std::uint64_t(i);
                auto const draw = key.draw(row, e / 4);
                for (auto k = std::size_t(e % 4); k < 4 && i < D; ++k, ++i)
                    y[i] = draw[k] >= limit ? x[i] * scale : T(0);
            }
        }
    };
};

} // namespace inlay::inline INLAY_ISA
