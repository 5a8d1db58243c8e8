// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <inlay/blocks/batch_norm.hpp>

namespace inlay::inline INLAY_ISA {

/// y = p x + (1 - p) alpha x with p = sigmoid((x - mean) / sqrt(variance + 1e-9)), column by column: a PRelu
/// whose step is smooth and follows the data (DIN, arXiv 1706.06978).
///
/// Mean and variance are those of BatchNorm: in training of the shard's vectors, else running ones.
/// Shapes: `Shape<D>` or `Shape<T, D>`, kept. Parameters: `alpha [D]`, zeros at first; buffers `running_mean
/// [D]`, `running_var [D]`, moved by 0.01. Cost: 20 D flops a token. No state. Tape: 2 D numbers. Backward:
/// with z the normalised x, dz = dy x (1 - alpha) p (1 - p), dx = dy (p + (1 - p) alpha) + what BatchNorm
/// makes of dz, dalpha += dy (1 - p) x. PyTorch: `p = torch.sigmoid(nn.BatchNorm1d(D, eps=1e-9,
/// momentum=0.01, affine=False)(x)); p * x + (1 - p) * alpha * x`. Error: ids or a record as input.
struct Dice {
    using Wanted = a_vector_or_a_sequence;
    using Norm = BasicBatchNorm<Eps<1e-9>, Momentum<0.01>, NoAffine>;
    template <int... N> static Tag<Shape<N...>> out(Tag<Shape<N...>>);

    template <class I, class R> struct Block : BlockDefaults {
        using Spec = Dice;
        using T = typename R::type;
        using Output = I;
        using Norm = typename Dice::Norm::template Block<I, R>;
        static constexpr int D = I::width, W = R::lanes, stride = In<I, R>::stride;
        static constexpr bool streams = true;
        static constexpr long long parameters = D;
        static constexpr double flops = 20.0 * I::rows * D;
        struct Params {
            Tensor<R, 1, D> alpha;
            typename Norm::Params norm;
        };
        template <int> using Grads = Params;
        template <int B> using Tape = typename Norm::template Tape<B>;
        static constexpr std::size_t scratch(int B) { return 2 * detail::bytes<I, R>(B) + Norm::scratch(B); }
        static constexpr std::size_t step_scratch() { return Norm::step_scratch(); }

        template <class P, class F> static void visit(P& p, Path const& at, F&& f) {
            f(Tag<Dice>{}, Path{&at, "alpha"}, Kind::vector, p.alpha.ref());
            Norm::visit(p.norm, at, [&](auto, Path const& path, Kind kind, auto ref) {
                f(Tag<Dice>{}, path, kind, ref);
            });
        }
        template <class C> static void initialize(C const& c, Params& p) noexcept {
            kernels::clear(p.alpha[0], p.alpha.stride);
            Norm::initialize(c, p.norm);
        }
        template <class C, class Tp>
        static void forward(C const& c, Params const& p, In<I, R> x, Out<I, R> y, Tp& tape,
                            Scratch s) noexcept {
            Norm::forward(c, p.norm, x, y, tape, s);
            for (int r = 0; r < c.rows * I::rows; ++r)
                mix(p, x.data + std::ptrdiff_t(r) * stride, y.data + std::ptrdiff_t(r) * stride);
            for (int b = 0; b < c.rows; ++b) detail::clear_rows_from(y, b, x.length(b));
        }
        template <class C>
        static void step(C const& c, Params const& p, State& state, T const* x, T* y, Scratch s) noexcept {
            Norm::step(c, p.norm, state, x, y, s);
            mix(p, x, y);
        }
        template <class C, class Tp, class DX, class G>
        static void backward(C const& c, Params const& p, In<I, R> x, Tp const& tape, In<I, R> dy, DX dx,
                             G& g, Scratch s) noexcept {
            using V = simd::vec<T, W>;
            auto const z = s.template take<I, R>(c.capacity, x.lengths);
            auto const dz = s.template take<I, R>(c.capacity, x.lengths);
            NoTape none;
            Norm::forward(c, p.norm, x, z, none, s);
            for (std::ptrdiff_t r = 0; r < std::ptrdiff_t(c.rows) * I::rows; ++r)
                for (int i = 0; i < stride; i += W) {
                    std::ptrdiff_t const at = r * stride + i;
                    V const v = V::load(x.data + at), d = V::load(dy.data + at) * v;
                    V const up = simd::sigmoid(V::load(z.data + at)), down = V(T(1)) - up;
                    simd::fma(d, down, V::load(g.alpha[0] + i)).store(g.alpha[0] + i);
                    (d * (V(T(1)) - V::load(p.alpha[0] + i)) * up * down).store(dz.data + at);
                }
            if constexpr (wants_grad<DX>) {
                Norm::backward(c, p.norm, x, tape, dz, dx, g.norm, s);
                for (std::ptrdiff_t r = 0; r < std::ptrdiff_t(c.rows) * I::rows; ++r)
                    for (int i = 0; i < stride; i += W) {
                        std::ptrdiff_t const at = r * stride + i;
                        V const up = simd::sigmoid(V::load(z.data + at));
                        V const slope = simd::fma(V(T(1)) - up, V::load(p.alpha[0] + i), up);
                        simd::fma(V::load(dy.data + at), slope, V::load(dx.data + at)).store(dx.data + at);
                    }
            } else Norm::backward(c, p.norm, x, tape, dz, NoGrad{}, g.norm, s);
        }

    private:
        /// y is normalised x and becomes the output; pads of x are zero.
        static void mix(Params const& p, T const* x, T* y) noexcept {
            using V = simd::vec<T, W>;
            for (int i = 0; i < stride; i += W) {
                V const up = simd::sigmoid(V::load(y + i));
                (V::load(x + i) * simd::fma(V(T(1)) - up, V::load(p.alpha[0] + i), up)).store(y + i);
            }
        }
    };
};

} // namespace inlay::inline INLAY_ISA
