// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <inlay/core/block.hpp>
#include <inlay/kernels/map.hpp>

#include <cmath>

namespace inlay::inline INLAY_ISA {

/// Words of a misfit.
struct two_logits;

/// From the logits (a, b) of a click and of a conversion after it to those of the click and of both (ESMM,
/// arXiv 1804.07931): the probability of both is s(a) s(b), and its logit -log(e^-a + e^-b + e^(-a - b)).
/// Trained by `Losses<BinaryCrossEntropy, BinaryCrossEntropy>` on click and conversion over all impressions,
/// b becomes the conversion rate without the bias of having been clicked.
///
/// Shapes: `Shape<2>`, kept. No parameters. Error: any other shape. No state. Cost: three exponentials and a
/// logarithm a row. Backward: with t1, t2 and t3 the shares of e^-a, e^-b and e^(-a - b) in their sum, da =
/// dy_1 + dy_2 (t1 + t3), db = dy_2 (t2 + t3). PyTorch: `-torch.logsumexp(torch.stack([-a, -b, -a - b]), 0)`.
struct Esmm {
    using Wanted = two_logits;
    static Tag<Shape<2>> out(Tag<Shape<2>>);

    template <class I, class R> struct Block : BlockDefaults {
        using Spec = Esmm;
        using T = typename R::type;
        using Output = I;
        static constexpr double flops = 8;

        template <class C, class Tp>
        static void forward(C const& c, Params const&, In<I, R> x, Out<I, R> y, Tp&, Scratch) noexcept {
            for (int r = 0; r < c.rows; ++r) {
                Terms const t(x(r)[0], x(r)[1]);
                kernels::clear_pads(y(r), 2, y.stride);
                y(r)[0] = x(r)[0];
                y(r)[1] = -(t.top + std::log(t.first + t.second + t.both));
            }
        }
        template <class C, class Tp, class DX, class G>
        static void backward(C const& c, Params const&, In<I, R> x, Tp const&, In<I, R> dy, DX dx, G&,
                             Scratch) noexcept {
            if constexpr (wants_grad<DX>)
                for (int r = 0; r < c.rows; ++r) {
                    Terms const t(x(r)[0], x(r)[1]);
                    T const each = dy(r)[1] / (t.first + t.second + t.both);
                    kernels::clear_pads(dx(r), 2, dx.stride);
                    dx(r)[0] = dy(r)[0] + each * (t.first + t.both);
                    dx(r)[1] = each * (t.second + t.both);
                }
        }

    private:
        /// e^-a, e^-b and e^(-a - b), over e^top.
        struct Terms {
            T top, first, second, both;
            Terms(T a, T b)
                : top(std::max({-a, -b, -a - b})), first(std::exp(-a - top)), second(std::exp(-b - top)),
                  both(std::exp(-a - b - top)) {}
        };
    };
};

} // namespace inlay::inline INLAY_ISA
