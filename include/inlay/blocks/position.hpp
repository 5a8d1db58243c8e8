// SPDX-License-Identifier: BSD-3-Clause
// Places in a sequence, added to its tokens.
#pragma once

#include <inlay/core/block.hpp>
#include <inlay/kernels/rope.hpp>

#include <algorithm>

namespace inlay::inline INLAY_ISA {

/// Words of a misfit.
struct a_sequence_of_even_width;

namespace detail {
/// A block that adds to each token what depends on its place alone: gradients pass through it.
template <class I_, class R> struct AddsPlaces : BlockDefaults {
    using I = I_;
    using T = typename R::type;
    using Output = I;
    static constexpr int rows = I::rows, D = I::width, W = R::lanes, stride = In<I, R>::stride;
    static constexpr bool streams = true;
    static constexpr double flops = double(rows) * D;

    template <class DX> static void pass_on(int batch, In<I, R> dy, DX dx) noexcept {
        if constexpr (wants_grad<DX>) std::copy_n(dy.data, std::ptrdiff_t(batch) * rows * stride, dx.data);
    }
};
} // namespace detail

/// y_t = x_t + weight_p, where p is the place of token t in its stream: learned absolute positions.
///
/// Shapes: `Shape<T, D>`, kept. Parameters: `weight [T, D]` from N(0, 0.02^2); a stream that runs longer than
/// T stays at the last row. Cost: D flops a token. No state, no tape. PyTorch: `x +
/// embedding(torch.arange(T))` of `nn.Embedding(T, D)`. Error: what is no sequence of numbers.
struct LearnedPositions {
    using Wanted = a_sequence;
    template <int T, int D> static Tag<Shape<T, D>> out(Tag<Shape<T, D>>);

    template <class I, class R> struct Block : detail::AddsPlaces<I, R> {
        using Spec = LearnedPositions;
        using Base = detail::AddsPlaces<I, R>;
        using Base::D, Base::rows, Base::stride, Base::W;
        using typename Base::State, typename Base::T;
        static constexpr int parameters = rows * D;
        struct Params {
            Tensor<R, rows, D> weight;
        };
        template <int> using Grads = Params;

        template <class P, class F> static void visit(P& p, Path const& at, F&& f) {
            f(Tag<LearnedPositions>{}, Path{&at, "weight"}, Kind::table, p.weight.ref());
        }
        template <class C> static void initialize(C const& c, Params& p) noexcept {
            for (int t = 0; t < rows; ++t)
                for (int i = 0; i < D; ++i)
                    p.weight[t][i] = T(0.02 * c.key.normal(std::uint64_t(t), std::uint64_t(i)));
        }
        template <class C, class Tp>
        static void forward(C const& c, Params const& p, In<I, R> x, Out<I, R> y, Tp&, Scratch) noexcept {
            for (int b = 0; b < c.rows; ++b) {
                int const n = x.length(b);
                for (int t = 0; t < n; ++t) add(p, c.position_of(b) + t, x(b, t), y(b, t));
                detail::clear_rows_from(y, b, n);
            }
        }
        template <class C, class Tp, class DX, class G>
        static void backward(C const& c, Params const&, In<I, R> x, Tp const&, In<I, R> dy, DX dx, G& g,
                             Scratch) noexcept {
            for (int b = 0; b < c.rows; ++b)
                for (int t = 0, n = x.length(b); t < n; ++t)
                    kernels::add<W>(stride, dy(b, t), g.weight[row(c.position_of(b) + t)]);
            Base::pass_on(c.rows, dy, dx);
        }
        template <class C>
        static void step(C const& c, Params const& p, State&, T const* x, T* y, Scratch) noexcept {
            add(p, c.position_of(0), x, y);
        }

    private:
        static int row(std::int64_t place) noexcept { return int(std::min<std::int64_t>(place, rows - 1)); }
        static void add(Params const& p, std::int64_t place, T const* x, T* y) noexcept {
            kernels::zip<W>(stride, x, p.weight[row(place)], y, [](auto a, auto b) { return a + b; });
        }
    };
};

/// y_t = x_t + s_p, with s_p[2 i] = sin(p 10000^(-2 i / D)) and s_p[2 i + 1] its cosine, where p is the place
/// of token t in its stream (arXiv 1706.03762).
///
/// Shapes: `Shape<T, D>` of even D, kept. No parameters, no state, no tape; a stream may run for ever. Angles
/// are computed in double. Cost: D flops a token, and D / 2 sines and cosines. PyTorch: `x + s[:T]`. Error:
/// what is no sequence of numbers, or of odd width.
struct SinusoidalPositions {
    using Wanted = a_sequence_of_even_width;
    template <int T, int D>
        requires(D % 2 == 0)
    static Tag<Shape<T, D>> out(Tag<Shape<T, D>>);

    template <class I, class R> struct Block : detail::AddsPlaces<I, R> {
        using Spec = SinusoidalPositions;
        using Base = detail::AddsPlaces<I, R>;
        using Base::D, Base::stride;
        using typename Base::Params, typename Base::State, typename Base::T;
        static constexpr int pairs = D / 2, room = kernels::detail::angle_room(pairs);

        static constexpr std::size_t scratch(int) {
            return detail::lines(room * sizeof(double)) + 2 * detail::lines(room * sizeof(T));
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
        template <class C, class Tp, class DX, class G>
        static void backward(C const& c, Params const&, In<I, R>, Tp const&, In<I, R> dy, DX dx, G&,
                             Scratch) noexcept {
            Base::pass_on(c.rows, dy, dx);
        }
        template <class C>
        static void step(C const& c, Params const&, State&, T const* x, T* y, Scratch s) noexcept {
            Angles(s).add(c.position_of(0), x, y);
        }

    private:
        struct Angles {
            double* frequency;
            T *cos, *sin;
            explicit Angles(Scratch s) noexcept
                : frequency(s.template take<double>(room)), cos(s.template take<T>(room)),
                  sin(s.template take<T>(room)) {
                kernels::rope_frequencies(pairs, 10'000, frequency);
            }
            void add(std::int64_t place, T const* x, T* y) const noexcept {
                kernels::rope_angles(place, pairs, frequency, cos, sin);
                for (int m = 0; m < pairs; ++m) {
                    y[2 * m] = x[2 * m] + sin[m];
                    y[2 * m + 1] = x[2 * m + 1] + cos[m];
                }
                kernels::clear_pads(y, D, stride);
            }
        };
    };
};

} // namespace inlay::inline INLAY_ISA
