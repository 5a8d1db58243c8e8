// SPDX-License-Identifier: BSD-3-Clause
// Pointwise attention over a history, without softmax.
#pragma once

#include <inlay/blocks/attention/policies.hpp>
#include <inlay/blocks/dense.hpp>
#include <inlay/blocks/draw.hpp>
#include <inlay/kernels/hadamard.hpp>

namespace inlay::inline INLAY_ISA {

/// A layer of a hierarchical sequential transduction unit (HSTU, arXiv 2402.17152), for
/// `Residual<Hstu<Heads<2>>>`.
///
/// [U, V, Q, K] = silu(W LN(x)), each H heads of d = D / H numbers; A_ij = silu(q_i k_j + b_(i-j)) / T for j
/// <= i, T the capacity, not normalised, so that the number of similar items counts; y = W_o (U * LN(A V)) +
/// b_o. LN has eps 1e-6 and no weights.
///
/// Shapes: `Shape<T, D>`, kept. Parameters: `uvqk.weight [4 D, D]` from N(0, 0.02^2), `position [1, T]` from
/// the same, by distance, `o.weight [D, D]` by Xavier, `o.bias [D]` zero. Cost: 10 D^2 + 4 T D flops a token.
/// Tape: none; backward computes the sequence again. No streaming form. PyTorch: `F.silu(q @ k.mT +
/// bias).tril() / T @ v`. Error: a vector, a D that H does not divide.
template <class... Policies> struct Hstu {
    using Wanted = a_sequence;
    static constexpr int layers = 1;
    static constexpr int H = detail::PolicyOr<HowManyHeads, Heads<1>, Policies...>::type::value;
    using Allowed = PolicyKinds<HowManyHeads>;
    template <class I> using Problem = detail::PolicyProblem<Hstu, I, Allowed, Policies...>;
    template <int T, int D>
        requires(D % H == 0)
    static Tag<Shape<T, D>> out(Tag<Shape<T, D>>);

    template <class I, class R> struct Block : BlockDefaults {
        using Spec = Hstu;
        using T = typename R::type;
        using Output = I;
        using Parts = Shape<I::rows, 4 * I::width>;
        using Split = typename Dense<4 * I::width, NoBias>::template Block<I, R>;
        using Join = typename Dense<I::width>::template Block<I, R>;
        static constexpr int W = R::lanes, L = I::rows, D = I::width, d = D / H, stride = In<I, R>::stride,
                             wide = Out<Parts, R>::stride, dp = detail::padded(d, W),
                             lp = detail::padded(L, W);
        static constexpr int parameters = 4 * D * D + L + D * D + D;
        static constexpr double flops = 2.0 * L * (5.0 * D * D + 2.0 * L * D);
        struct Params {
            typename Split::Params uvqk;
            Tensor<R, 1, L> position;
            typename Join::Params o;
        };
        template <int> using Grads = Params;
        static constexpr std::size_t room(int numbers) {
            return detail::lines(sizeof(T) * std::size_t(numbers));
        }
        static constexpr std::size_t scratch(int) {
            return 7 * room(L * stride) + 3 * room(L * wide) + 6 * room(L * dp) + 3 * room(L * lp) +
                   2 * room(L);
        }
        template <class P, class F> static void visit(P& p, Path const& at, F&& f) {
            auto own = [&](auto, Path const& path, Kind kind, auto ref) { f(Tag<Spec>{}, path, kind, ref); };
            Split::visit(p.uvqk, Path{&at, "uvqk"}, own);
            f(Tag<Spec>{}, Path{&at, "position"}, Kind::vector, p.position.ref());
            Join::visit(p.o, Path{&at, "o"}, own);
        }
        template <class C> static void initialize(C const& c, Params& p) noexcept {
            detail::draw_normal(c.key.fold(0), 0.02, p.uvqk.weight.ref());
            detail::draw_normal(c.key.fold(1), 0.02, p.position.ref());
            detail::draw_map(c.key.fold(2), 1, p.o);
        }
        template <class C, class Tp>
        static void forward(C const& c, Params const& p, In<I, R> x, Out<I, R> y, Tp&, Scratch s) noexcept {
            Rooms const r(s);
            for (int b = 0; b < c.rows; ++b) {
                int const n = x.length(b);
                run(n, p, x(b), r);
                Join::apply(n, p.o, r.gated, y(b));
                detail::clear_rows_from(y, b, n);
            }
        }
        template <class C, class Tp, class DX, class G>
        static void backward(C const& c, Params const& p, In<I, R> x, Tp const&, In<I, R> dy, DX dx, G& g,
                             Scratch s) noexcept {
            Rooms const r(s);
            for (int b = 0; b < c.rows; ++b) {
                int const n = x.length(b);
                run(n, p, x(b), r);
                Join::pull(n, p.o, r.gated, dy(b), r.dgated, false, g.o);
                kernels::clear(r.dparts, std::ptrdiff_t(n) * wide);
                for (int t = 0; t < n; ++t)
                    for (int i = 0; i < D; ++i) {
                        T const dz = r.dgated[t * stride + i];
                        r.dparts[t * wide + i] = dz * r.normed_mix[t * stride + i];
                        r.dgated[t * stride + i] = dz * r.parts[t * wide + i];
                    }
                pull_norm(n, r.normed_mix, r.mix_scale, r.dgated);
                for (int h = 0; h < H; ++h) pull_head(n, h, p, r, g);
                for (int t = 0; t < n; ++t)
                    kernels::zip<W>(wide, r.before + t * wide, r.dparts + t * wide, r.dparts + t * wide,
                                    [](auto v, auto slope) { return slope * silu_slope(v); });
                T* to = nullptr;
                if constexpr (wants_grad<DX>) to = dx(b);
                Split::pull(n, p.uvqk, r.normed, r.dparts, to, false, g.uvqk);
                if constexpr (wants_grad<DX>) {
                    pull_norm(n, r.normed, r.scale, to);
                    detail::clear_rows_from(dx, b, n);
                }
            }
        }

    private:
        struct Rooms {
            T *normed, *mix, *normed_mix, *gated, *dgated, *before, *parts, *dparts, *q, *k, *v, *o, *dq, *dk,
                *scores, *weights, *slopes, *scale, *mix_scale;
            explicit Rooms(Scratch s) {
                auto const take = [&](int numbers) { return s.template take<T>(std::size_t(numbers)); };
                for (T** at : {&normed, &mix, &normed_mix, &gated, &dgated}) *at = take(L * stride);
                for (T** at : {&before, &parts, &dparts}) *at = take(L * wide);
                for (T** at : {&q, &k, &v, &o, &dq, &dk}) *at = take(L * dp);
                for (T** at : {&scores, &weights, &slopes}) *at = take(L * lp);
                for (T** at : {&scale, &mix_scale}) *at = take(L);
            }
        };
        template <class V> static V silu_slope(V x) noexcept {
            V const g = simd::sigmoid(x);
            return g * (V(T(1)) + x * (V(T(1)) - g));
        }
        /// y = (x - mean) / deviation, row by row; scale gets one over the deviation.
        static void norm(int n, T const* x, T* y, T* scale) noexcept {
            for (int t = 0; t < n; ++t, x += stride, y += stride) {
                T mean(0), squares(0);
                for (int i = 0; i < D; ++i) mean += x[i];
                mean /= T(D);
                for (int i = 0; i < D; ++i) squares += (x[i] - mean) * (x[i] - mean);
                scale[t] = T(1) / std::sqrt(squares / T(D) + T(1e-6));
                for (int i = 0; i < D; ++i) y[i] = (x[i] - mean) * scale[t];
                kernels::clear_pads(y, D, stride);
            }
        }
        /// dy becomes dx.
        static void pull_norm(int n, T const* y, T const* scale, T* dy) noexcept {
            for (int t = 0; t < n; ++t, y += stride, dy += stride) {
                T mean(0), product(0);
                for (int i = 0; i < D; ++i) mean += dy[i], product += dy[i] * y[i];
                for (int i = 0; i < D; ++i) dy[i] = scale[t] * (dy[i] - mean / T(D) - y[i] * product / T(D));
            }
        }
        /// Head h of section `part` of the projections, rows padded.
        static void pick(int n, int part, int h, T const* parts, T* to) noexcept {
            for (int t = 0; t < n; ++t) {
                std::copy_n(parts + t * wide + part * D + h * d, d, to + t * dp);
                kernels::clear_pads(to + t * dp, d, dp);
            }
        }
        /// Scores and weights of head h; q, k and v are picked.
        static void weigh(int n, int h, Params const& p, Rooms const& r) noexcept {
            pick(n, 1, h, r.parts, r.v);
            pick(n, 2, h, r.parts, r.q);
            pick(n, 3, h, r.parts, r.k);
            kernels::gemm_nt<W>(n, n, lp, dp, r.q, dp, r.k, dp, r.scores, lp, false);
            for (int i = 0; i < n; ++i) {
                T* const row = r.scores + i * lp;
                for (int j = 0; j <= i; ++j) row[j] += p.position[0][i - j];
                kernels::map<W>(lp, row, r.weights + i * lp,
                                [](auto x) { return x * simd::sigmoid(x) * decltype(x)(T(1) / T(L)); });
                kernels::clear_pads(r.weights + i * lp, i + 1, lp);
            }
        }
        static void run(int n, Params const& p, T const* x, Rooms const& r) noexcept {
            norm(n, x, r.normed, r.scale);
            Split::apply(n, p.uvqk, r.normed, r.before);
            kernels::map<W>(std::ptrdiff_t(n) * wide, r.before, r.parts,
                            [](auto v) { return v * simd::sigmoid(v); });
            kernels::clear(r.mix, std::ptrdiff_t(n) * stride);
            for (int h = 0; h < H; ++h) {
                weigh(n, h, p, r);
                kernels::gemm<W>(n, dp, n, r.weights, lp, 1, r.v, dp, r.o, dp, false);
                for (int t = 0; t < n; ++t) std::copy_n(r.o + t * dp, d, r.mix + t * stride + h * d);
            }
            norm(n, r.mix, r.normed_mix, r.mix_scale);
            kernels::clear(r.gated, std::ptrdiff_t(n) * stride);
            for (int t = 0; t < n; ++t)
                for (int i = 0; i < D; ++i)
                    r.gated[t * stride + i] = r.parts[t * wide + i] * r.normed_mix[t * stride + i];
        }
        /// r.dgated holds the slopes of what the heads gave.
        template <class G>
        static void pull_head(int n, int h, Params const& p, Rooms const& r, G& g) noexcept {
            auto const put = [&](int part, T const* from) {
                for (int t = 0; t < n; ++t)
                    std::copy_n(from + t * dp, d, r.dparts + t * wide + part * D + h * d);
            };
            weigh(n, h, p, r);
            for (int t = 0; t < n; ++t) {
                std::copy_n(r.dgated + t * stride + h * d, d, r.o + t * dp);
                kernels::clear_pads(r.o + t * dp, d, dp);
            }
            kernels::gemm<W>(n, dp, n, r.weights, 1, lp, r.o, dp, r.dk, dp, false);
            put(1, r.dk);
            kernels::gemm_nt<W>(n, n, lp, dp, r.o, dp, r.v, dp, r.slopes, lp, false);
            for (int i = 0; i < n; ++i) {
                T* const row = r.slopes + i * lp;
                kernels::zip<W>(lp, r.scores + i * lp, row, row, [](auto x, auto slope) {
                    return slope * silu_slope(x) * decltype(x)(T(1) / T(L));
                });
                kernels::clear_pads(row, i + 1, lp);
                for (int j = 0; j <= i; ++j) g.position[0][i - j] += row[j];
            }
            kernels::gemm<W>(n, dp, n, r.slopes, lp, 1, r.k, dp, r.dq, dp, false);
            put(2, r.dq);
            kernels::gemm<W>(n, dp, n, r.slopes, 1, lp, r.q, dp, r.dk, dp, false);
            put(3, r.dk);
        }
    };
};

} // namespace inlay::inline INLAY_ISA
