// SPDX-License-Identifier: BSD-3-Clause
// Normalisation of each column over the batch.
#pragma once

#include <inlay/blocks/norm.hpp>
#include <inlay/kernels/batch_norm.hpp>

namespace inlay::inline INLAY_ISA {

/// The family of Momentum.
struct NormMomentum;
/// How far a BatchNorm's running statistics move towards those of a batch.
template <double M> struct Momentum {
    static_assert(M >= 0 && M <= 1, "inlay: Momentum is from 0 to 1");
    using PolicyKind = NormMomentum;
    static constexpr double value = M;
};

/// No weight and no bias: a BatchNorm that only normalises.
struct NoAffine {};

namespace detail {
template <class Row> struct AffineRows {
    Row weight, bias;
};
} // namespace detail

/// y = weight (x - mean) / sqrt(variance + eps) + bias, column by column (arXiv 1502.03167).
///
/// In training mean and variance (divided by n) are those of the n vectors of the shard: rows, or the tokens
/// of all sequences up to their lengths. A Trainer cuts a batch into eight shards, so Batch<256> normalises
/// over 32 rows. At all other times, in `step`, and for a shard of one vector, which has no variance, they
/// are the running ones. Those are buffers: backward puts momentum (statistic - running) into their slots,
/// with the variance divided by n - 1, and the Trainer adds the mean over the shards.
///
/// Shapes: `Shape<D>` or `Shape<T, D>`, kept. Parameters: `weight [D]`, ones at first, `bias [D]`, zeros;
/// buffers `running_mean [D]`, zeros, `running_var [D]`, ones, which `parameters` does not count. Policies:
/// `Eps<1e-5>`, `Momentum<0.1>`, `NoAffine`. Cost: 3 D flops a token, 7 D in training. No state. Tape: 2 D
/// numbers. Backward: with z the normalised x and means over the n vectors: dx = weight (dy - mean(dy) - z
/// mean(dy z)) / deviation, dweight += dy z, dbias += dy. PyTorch: `nn.BatchNorm1d(D)`, which refuses a batch
/// of one; `affine=False` is NoAffine. Error: ids or a record as input, an unknown or doubled policy.
template <class... Policies> struct BasicBatchNorm {
    using Wanted = a_vector_or_a_sequence;
    using Allowed = PolicyKinds<NormEpsilon, NormMomentum, NoAffine>;
    template <class I> using Problem = detail::PolicyProblem<BasicBatchNorm, I, Allowed, Policies...>;
    static constexpr double eps = detail::PolicyOr<NormEpsilon, Eps<1e-5>, Policies...>::type::value;
    static constexpr double momentum =
        detail::PolicyOr<NormMomentum, Momentum<0.1>, Policies...>::type::value;
    static constexpr bool affine = !detail::has_policy<NoAffine, Policies...>;

    template <int... N> static Tag<Shape<N...>> out(Tag<Shape<N...>>);

    template <class I, class R> struct Block : BlockDefaults {
        using Spec = BasicBatchNorm;
        using T = typename R::type;
        using Output = I;
        static constexpr int D = I::width, W = R::lanes, stride = In<I, R>::stride,
                             whole = detail::padded(D, W);
        static constexpr bool streams = true;
        static constexpr long long parameters = affine ? 2 * D : 0;
        static constexpr double flops = 3.0 * I::rows * D;

        using Row = Tensor<R, 1, D>;
        struct NoRows {};
        struct Params : std::conditional_t<affine, detail::AffineRows<Row>, NoRows> {
            Row running_mean, running_var;
        };
        template <int> using Grads = Params;
        struct Statistics {
            Row mean, variance;
        };
        template <int> using Tape = Statistics;
        static constexpr std::size_t scratch(int) { return sizeof(Statistics) + 4 * sizeof(Row); }
        static constexpr std::size_t step_scratch() { return 2 * sizeof(Row); }

        template <class P, class F> static void visit(P& p, Path const& at, F&& f) {
            if constexpr (affine) {
                f(Tag<BasicBatchNorm>{}, Path{&at, "weight"}, Kind::vector, p.weight.ref());
                f(Tag<BasicBatchNorm>{}, Path{&at, "bias"}, Kind::vector, p.bias.ref());
            }
            f(Tag<BasicBatchNorm>{}, Path{&at, "running_mean"}, Kind::buffer, p.running_mean.ref());
            f(Tag<BasicBatchNorm>{}, Path{&at, "running_var"}, Kind::buffer, p.running_var.ref());
        }
        template <class C> static void initialize(C const&, Params& p) noexcept {
            for (int i = 0; i < D; ++i) {
                if constexpr (affine) p.weight[0][i] = T(1), p.bias[0][i] = T(0);
                p.running_mean[0][i] = T(0), p.running_var[0][i] = T(1);
            }
        }
        template <class C, class Tp>
        static void forward(C const& c, Params const& p, In<I, R> x, Out<I, R> y, Tp& tape,
                            Scratch s) noexcept {
            Row& scale = *s.take<Row>(1);
            if (int const n = c.training ? count(c, x) : 0; n > 1) {
                Statistics* st;
                if constexpr (is_recording<Tp>) st = &tape;
                else st = s.take<Statistics>(1);
                measure(c, n, x, *st);
                set_scale(p, st->variance[0], scale[0]);
                apply(c, st->mean[0], scale[0], shift(p, s), x, y);
            } else {
                set_scale(p, p.running_var[0], scale[0]);
                apply(c, p.running_mean[0], scale[0], shift(p, s), x, y);
            }
        }
        template <class C>
        static void step(C const&, Params const& p, State&, T const* x, T* y, Scratch s) noexcept {
            Row& scale = *s.take<Row>(1);
            set_scale(p, p.running_var[0], scale[0]);
            kernels::centre_and_scale<W>(1, whole, x, p.running_mean[0], scale[0], shift(p, s), y, stride);
        }
        template <class C, class Tp, class DX, class G>
        static void backward(C const& c, Params const& p, In<I, R> x, Tp const& tape, In<I, R> dy, DX dx,
                             G& g, Scratch s) noexcept {
            int const n = c.training ? count(c, x) : 0;
            bool const own = n > 1;
            T const *mean = p.running_mean[0], *variance = p.running_var[0];
            if (own) mean = tape.mean[0], variance = tape.variance[0];
            Row &scale = *s.take<Row>(1), &sums = *s.take<Row>(1), &products = *s.take<Row>(1);
            kernels::clear(sums[0], stride);
            kernels::clear(products[0], stride);
            for (int b = 0; b < runs(c); ++b)
                kernels::add_slopes<W>(length(c, x, b), whole, x(b), mean, dy(b), stride, sums[0],
                                       products[0]);
            for (int i = 0; i < D; ++i) {
                if constexpr (affine) {
                    T const inverse = T(1) / std::sqrt(variance[i] + T(eps));
                    g.bias[0][i] += sums[0][i];
                    g.weight[0][i] += products[0][i] * inverse;
                }
                if (!own) continue;
                T const unbiased = variance[i] * (T(n) / T(n - 1)), m = T(momentum);
                g.running_mean[0][i] += m * (mean[i] - p.running_mean[0][i]);
                g.running_var[0][i] += m * (unbiased - p.running_var[0][i]);
            }
            if constexpr (wants_grad<DX>) {
                // What a constant statistic lets through is dy alone.
                for (int i = 0; i < D; ++i) {
                    sums[0][i] = own ? sums[0][i] / T(n) : T(0);
                    products[0][i] = own ? products[0][i] / T(n) / (variance[i] + T(eps)) : T(0);
                }
                set_scale(p, variance, scale[0]);
                for (int b = 0; b < runs(c); ++b) {
                    int const m = length(c, x, b);
                    kernels::batch_norm_backward<W>(m, whole, x(b), mean, scale[0], sums[0], products[0],
                                                    dy(b), dx(b), stride);
                    clear_past(m, dx(b));
                }
            }
        }

    private:
        /// Rows of a batch of vectors follow each other; each sequence is a run with a length of its own.
        template <class C> static int runs(C const& c) noexcept { return is_sequence<I> ? c.rows : 1; }
        template <class C> static int length(C const& c, In<I, R> x, int b) noexcept {
            return is_sequence<I> ? x.length(b) : c.rows;
        }
        static void clear_past(int n, T* y) noexcept {
            if constexpr (is_sequence<I>)
                kernels::clear(y + std::ptrdiff_t(n) * stride, std::ptrdiff_t(I::rows - n) * stride);
        }
        template <class C> static int count(C const& c, In<I, R> x) noexcept {
            int n = 0;
            for (int b = 0; b < runs(c); ++b) n += length(c, x, b);
            return n;
        }
        template <class C> static void measure(C const& c, int n, In<I, R> x, Statistics& st) noexcept {
            kernels::clear(st.mean[0], stride);
            kernels::clear(st.variance[0], stride);
            for (int b = 0; b < runs(c); ++b)
                kernels::add_rows<W>(length(c, x, b), whole, x(b), stride, st.mean[0]);
            for (int i = 0; i < D; ++i) st.mean[0][i] /= T(n);
            for (int b = 0; b < runs(c); ++b)
                kernels::add_squares<W>(length(c, x, b), whole, x(b), stride, st.mean[0], st.variance[0]);
            for (int i = 0; i < D; ++i) st.variance[0][i] /= T(n);
        }
        static void set_scale(Params const& p, T const* variance, T* scale) noexcept {
            kernels::clear(scale, stride);
            for (int i = 0; i < D; ++i) {
                T weight(1);
                if constexpr (affine) weight = p.weight[0][i];
                scale[i] = weight / std::sqrt(variance[i] + T(eps));
            }
        }
        static T const* shift(Params const& p, Scratch s) noexcept {
            if constexpr (affine) return p.bias[0];
            else {
                Row& zeros = *s.take<Row>(1);
                kernels::clear(zeros[0], stride);
                return zeros[0];
            }
        }
        template <class C>
        static void apply(C const& c, T const* mean, T const* scale, T const* shift, In<I, R> x,
                          Out<I, R> y) noexcept {
            for (int b = 0; b < runs(c); ++b) {
                int const m = length(c, x, b);
                kernels::centre_and_scale<W>(m, whole, x(b), mean, scale, shift, y(b), stride);
                clear_past(m, y(b));
            }
        }
    };
};
using BatchNorm = BasicBatchNorm<>;

} // namespace inlay::inline INLAY_ISA
