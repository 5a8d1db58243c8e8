// SPDX-License-Identifier: BSD-3-Clause
// Positions added to tokens.
#pragma once

#include <inlay/blocks/draw.hpp>
#include <inlay/core/block.hpp>
#include <inlay/core/policy.hpp>
#include <inlay/kernels/rope.hpp>

namespace inlay::inline INLAY_ISA {

/// y_t = x_t + sines and cosines of the position (arXiv 1706.03762): sin(p Base^(-2 m / D)) in number 2 m,
/// the cosine in 2 m + 1.
///
/// Shapes: `Shape<T, D>`, kept. No parameters, no state: the position is that of the stream, and may pass T.
/// Error: what is no sequence of numbers. Cost: D sines and cosines a token. PyTorch: `x + table[p]`, the
/// table a buffer.
template <auto Base> struct BasicSinusoidal {
    using Wanted = a_sequence;
    template <int T, int D> static Tag<Shape<T, D>> out(Tag<Shape<T, D>>);

    template <class I, class R> struct Block : BlockDefaults {
        using Spec = BasicSinusoidal;
        using Output = I;
        using T = typename R::type;
        static constexpr int D = I::width, stride = In<I, R>::stride, pairs = (D + 1) / 2;
        static constexpr int room = kernels::detail::angle_room(pairs);
        static constexpr bool streams = true;
        static constexpr double flops = 20.0 * I::rows * D;
        static constexpr std::size_t scratch(int) {
            return detail::lines(sizeof(double) * std::size_t(room)) +
                   2 * detail::lines(sizeof(T) * std::size_t(room));
        }
        static constexpr std::size_t step_scratch() { return scratch(1); }

        template <class C, class Tp>
        static void forward(C const& c, Params const&, In<I, R> x, Out<I, R> y, Tp&, Scratch s) noexcept {
            Angles const angles(s);
            for (int b = 0; b < c.rows; ++b) {
                int const n = x.length(b);
                for (int t = 0; t < n; ++t) angles.add(c.position_of(b) + t, x(b, t), y(b, t));
                detail::clear_rows_from(y, b, n);
            }
        }
        template <class C>
        static void step(C const& c, Params const&, State&, T const* x, T* y, Scratch s) noexcept {
            Angles(s).add(c.position_of(0), x, y);
        }
        template <class C, class Tp, class DX, class G>
        static void backward(C const& c, Params const&, In<I, R>, Tp const&, In<I, R> dy, DX dx, G&,
                             Scratch) noexcept {
            if constexpr (wants_grad<DX>)
                std::copy_n(dy.data, std::ptrdiff_t(c.rows) * I::rows * stride, dx.data);
        }

    private:
        struct Angles {
            double* frequencies;
            T *cos, *sin;
            explicit Angles(Scratch s) noexcept
                : frequencies(s.template take<double>(std::size_t(room))),
                  cos(s.template take<T>(std::size_t(room))), sin(s.template take<T>(std::size_t(room))) {
                kernels::rope_frequencies(pairs, D / 2.0, double(Base), frequencies);
            }
            void add(std::int64_t position, T const* x, T* y) const noexcept {
                kernels::rope_angles(position, pairs, frequencies, cos, sin);
                for (int i = 0; i < D; ++i) y[i] = x[i] + (i % 2 ? cos : sin)[i / 2];
                kernels::clear_pads(y, D, stride);
            }
        };
    };
};
using Sinusoidal = BasicSinusoidal<10'000>;

/// y_t = x_t + weight[p], a learned vector for each of the T positions.
///
/// Shapes: `Shape<T, D>`, kept. Parameters: `weight [T, D]`, from N(0, 0.02^2). No state: the position is
/// that of the stream; from T on it is T - 1. Backward: dweight[p] += dy_t. PyTorch: `x + nn.Embedding(T,
/// D)(p)`. Error: what is no sequence of numbers. Cost: D additions a token.
struct LearnedPosition {
    using Wanted = a_sequence;
    template <int T, int D> static Tag<Shape<T, D>> out(Tag<Shape<T, D>>);

    template <class I, class R> struct Block : BlockDefaults {
        using Spec = LearnedPosition;
        using Output = I;
        using T = typename R::type;
        static constexpr int D = I::width, W = R::lanes, stride = In<I, R>::stride;
        static constexpr bool streams = true;
        static constexpr long long parameters = 1LL * I::rows * D;
        static constexpr double flops = double(I::rows) * D;
        struct Params {
            Tensor<R, I::rows, D> weight;
        };
        template <int> using Grads = Params;

        template <class P, class F> static void visit(P& p, Path const& at, F&& f) {
            f(Tag<LearnedPosition>{}, Path{&at, "weight"}, Kind::matrix, p.weight.ref());
        }
        template <class C> static void initialize(C const& c, Params& p) noexcept {
            detail::draw_normal(c.key, 0.02, p.weight.ref());
        }
        template <class C, class Tp>
        static void forward(C const& c, Params const& p, In<I, R> x, Out<I, R> y, Tp&, Scratch) noexcept {
            for (int b = 0; b < c.rows; ++b) {
                int const n = x.length(b);
                for (int t = 0; t < n; ++t) add(p.weight[row(c, b, t)], x(b, t), y(b, t));
                detail::clear_rows_from(y, b, n);
            }
        }
        template <class C>
        static void step(C const& c, Params const& p, State&, T const* x, T* y, Scratch) noexcept {
            add(p.weight[row(c, 0, 0)], x, y);
        }
        template <class C, class Tp, class DX, class G>
        static void backward(C const& c, Params const&, In<I, R> x, Tp const&, In<I, R> dy, DX dx, G& g,
                             Scratch) noexcept {
            for (int b = 0; b < c.rows; ++b)
                for (int t = 0; t < x.length(b); ++t)
                    kernels::add<W>(stride, dy(b, t), g.weight[row(c, b, t)]);
            if constexpr (wants_grad<DX>)
                std::copy_n(dy.data, std::ptrdiff_t(c.rows) * I::rows * stride, dx.data);
        }

    private:
        template <class C> static int row(C const& c, int b, int t) noexcept {
            return int(std::min<std::int64_t>(c.position_of(b) + t, I::rows - 1));
        }
        static void add(T const* weight, T const* x, T* y) noexcept {
            kernels::zip<W>(stride, x, weight, y, [](auto a, auto b) { return a + b; });
        }
    };
};

} // namespace inlay::inline INLAY_ISA
