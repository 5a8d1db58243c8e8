// SPDX-License-Identifier: BSD-3-Clause
// Pointwise attention over a history, without softmax.
#pragma once

#include <inlay/blocks/attention/policies.hpp>
#include <inlay/blocks/dense.hpp>
#include <inlay/blocks/draw.hpp>
#include <inlay/blocks/hstu/time_bias.hpp>
#include <inlay/blocks/recent_rows.hpp>
#include <inlay/kernels/hadamard.hpp>

namespace inlay::inline INLAY_ISA {

/// A layer of a hierarchical sequential transduction unit (HSTU, arXiv 2402.17152), for
/// `Residual<Hstu<Heads<2>>>`.
///
/// [U, V, Q, K] = silu(W LN(x)), each H heads of d = D / H numbers; A_ij = silu(q_i k_j + b_(i-j)) / T for
/// the last T tokens j <= i, T the capacity, not normalised, so that the number of similar items counts; y =
/// W_o (U * LN(A V)) + b_o. LN has eps 1e-6 and no weights. `TimeBuckets<"time">` adds a number by the time
/// between i and j to the score.
///
/// Shapes: `Shape<T, D>`, kept. Parameters: `uvqk.weight [4 D, D]` from N(0, 0.02^2), `position [1, T]` from
/// the same, by distance, `time [1, 129]` from the same, by time, `o.weight [D, D]` by Xavier, `o.bias [D]`
/// zero. Cost: 10 D^2 + 4 T D flops a token. State: keys, values and times of T - 1 tokens. Tape: none;
/// backward computes the sequence again. PyTorch: `F.silu(q @ k.mT + bias).tril() / T @ v`. Error: a vector,
/// a D that H does not divide; asserted: a side tensor of times that is not there.
template <class... Policies> struct Hstu {
    using Wanted = a_sequence;
    static constexpr int layers = 1;
    static constexpr int H = detail::PolicyOr<HowManyHeads, Heads<1>, Policies...>::type::value;
    using Allowed = PolicyKinds<HowManyHeads, HowTimeCounts>;
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
        using Time = detail::TimeBias<R, typename detail::PolicyOr<HowTimeCounts, void, Policies...>::type>;
        static constexpr int W = R::lanes, L = I::rows, D = I::width, d = D / H, stride = In<I, R>::stride,
                             wide = Out<Parts, R>::stride, dp = detail::padded(d, W);
        /// Of a token later ones need values, keys and the time.
        using State = detail::RecentRows<R, std::max(1, L - 1), 2 * D + Time::numbers>;
        static constexpr int kept = State::stride, keys = State::rows + L, lp = detail::padded(keys, W);
        static constexpr bool streams = true;
        static constexpr long long parameters = 5LL * D * D + L + Time::parameters + D;
        static constexpr double flops = 2.0 * L * (5.0 * D * D + 2.0 * L * D);
        struct Params {
            typename Split::Params uvqk;
            Tensor<R, 1, L> position;
            INLAY_EMPTY typename Time::Params time;
            typename Join::Params o;
        };
        template <int> using Grads = Params;
        static constexpr std::size_t room(int numbers) {
            return detail::lines(sizeof(T) * std::size_t(numbers));
        }
        static constexpr std::size_t scratch(int) {
            return 5 * room(L * stride) + 3 * room(L * wide) + 2 * room(L * kept) + 2 * room(L * dp) +
                   4 * room(keys * dp) + 3 * room(L * lp) + 2 * room(L);
        }
        static constexpr std::size_t step_scratch() {
            return 2 * room(stride) + room(wide) + room(kept) + room(1);
        }
        template <class P, class F> static void visit(P& p, Path const& at, F&& f) {
            auto own = [&](auto, Path const& path, Kind kind, auto ref) { f(Tag<Spec>{}, path, kind, ref); };
            Split::visit(p.uvqk, Path{&at, "uvqk"}, own);
            f(Tag<Spec>{}, Path{&at, "position"}, Kind::vector, p.position.ref());
            Time::visit(Tag<Spec>{}, p.time, at, f);
            Join::visit(p.o, Path{&at, "o"}, own);
        }
        template <class C> static void initialize(C const& c, Params& p) noexcept {
            detail::draw_normal(c.key.fold(0), 0.02, p.uvqk.weight.ref());
            detail::draw_normal(c.key.fold(1), 0.02, p.position.ref());
            detail::draw_map(c.key.fold(2), 1, p.o);
            Time::initialize(c.key.fold(3), p.time);
        }
        template <class C, class Tp>
        static void forward(C const& c, Params const& p, In<I, R> x, Out<I, R> y, Tp&, Scratch s) noexcept {
            Rooms const r(s);
            for (int b = 0; b < c.rows; ++b) {
                int const n = x.length(b);
                auto const* const in = c.template state_in<State>(b);
                run(c, b, n, p, x(b), in, r);
                Join::apply(n, p.o, r.gated, y(b));
                detail::clear_rows_from(y, b, n);
                if (auto* const out = c.template state_out<State>(b)) State::advance(in, n, r.kv, *out);
            }
        }
        template <class C>
        static void step(C const& c, Params const& p, State& state, T const* x, T* y, Scratch s) noexcept {
            auto const take = [&](int numbers) { return s.template take<T>(std::size_t(numbers)); };
            T *const normed = take(stride), *const mix = take(stride), *const parts = take(wide),
                     *const kv = take(kept), *const scale = take(1);
            norm(1, x, normed, scale);
            Split::apply(1, p.uvqk, normed, parts);
            kernels::map<W>(wide, parts, parts, [](auto v) { return v * simd::sigmoid(v); });
            keep(c, 0, 1, parts, kv);
            kernels::clear(mix, stride);
            detail::RowsBack<State> const rows{kv, &state};
            for (int back = 0, n = std::min(L, before(&state) + 1); back < n; ++back) {
                T const* const row = rows(-back);
                T const bias = p.position[0][back] + Time::of(p.time, kv + 2 * D, row + 2 * D);
                for (int h = 0; h < H; ++h) {
                    T const z = kernels::dot<W>(d, parts + 2 * D + h * d, row + D + h * d) + bias;
                    kernels::axpy<W>(d, z / (T(1) + std::exp(-z)) / T(L), row + h * d, mix + h * d);
                }
            }
            norm(1, mix, normed, scale);
            for (int i = 0; i < D; ++i) normed[i] *= parts[i];
            Join::apply(1, p.o, normed, y);
            state.push(kv);
        }
        template <class C, class Tp, class DX, class G>
        static void backward(C const& c, Params const& p, In<I, R> x, Tp const&, In<I, R> dy, DX dx, G& g,
                             Scratch s) noexcept {
            Rooms const r(s);
            for (int b = 0; b < c.rows; ++b) {
                int const n = x.length(b);
                auto const* const in = c.template state_in<State>(b);
                run(c, b, n, p, x(b), in, r);
                Join::pull(n, p.o, r.gated, dy(b), r.dgated, false, g.o);
                kernels::clear(r.dparts, std::ptrdiff_t(n) * wide);
                for (int t = 0; t < n; ++t)
                    for (int i = 0; i < D; ++i) {
                        T const dz = r.dgated[t * stride + i];
                        r.dparts[t * wide + i] = dz * r.normed_mix[t * stride + i];
                        r.dgated[t * stride + i] = dz * r.parts[t * wide + i];
                    }
                pull_norm(n, r.normed_mix, r.mix_scale, r.dgated);
                detail::SlopesBack<State> const slopes{r.dkv, in, c.template d_state_in<State>(b)};
                slopes.begin(n, c.template d_state_out<State>(b));
                for (int h = 0; h < H; ++h) pull_head(n, h, p, in, slopes, r, g);
                for (int t = 0; t < n; ++t) {
                    Time::pull(c, b, t, r.dkv + t * kept + 2 * D);
                    kernels::axpy<W>(D, T(1), r.dkv + t * kept, r.dparts + t * wide + D);
                    kernels::axpy<W>(D, T(1), r.dkv + t * kept + D, r.dparts + t * wide + 3 * D);
                    kernels::zip<W>(wide, r.before + t * wide, r.dparts + t * wide, r.dparts + t * wide,
                                    [](auto v, auto slope) { return slope * silu_slope(v); });
                }
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
            T *normed, *mix, *normed_mix, *gated, *dgated, *before, *parts, *dparts, *kv, *dkv, *q, *o, *k,
                *v, *dk, *dv, *scores, *weights, *slopes, *scale, *mix_scale;
            explicit Rooms(Scratch s) {
                auto const take = [&](int numbers) { return s.template take<T>(std::size_t(numbers)); };
                for (T** at : {&normed, &mix, &normed_mix, &gated, &dgated}) *at = take(L * stride);
                for (T** at : {&before, &parts, &dparts}) *at = take(L * wide);
                for (T** at : {&kv, &dkv}) *at = take(L * kept);
                for (T** at : {&q, &o}) *at = take(L * dp);
                for (T** at : {&k, &v, &dk, &dv}) *at = take(keys * dp);
                for (T** at : {&scores, &weights, &slopes}) *at = take(L * lp);
                for (T** at : {&scale, &mix_scale}) *at = take(L);
            }
        };
        template <class V> static V silu_slope(V x) noexcept {
            V const g = simd::sigmoid(x);
            return g * (V(T(1)) + x * (V(T(1)) - g));
        }
        /// Tokens of the stream whose keys are still there.
        static int before(State const* in) noexcept {
            return in ? int(std::min<std::int64_t>(in->count, State::rows)) : 0;
        }
        /// The keys that query i sees, among m from before and what is new: [first, m + i].
        static int first(int m, int i) noexcept { return std::max(0, m + i - (L - 1)); }

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
        /// What later tokens need of n tokens of row b.
        template <class C> static void keep(C const& c, int b, int n, T const* parts, T* kv) noexcept {
            for (int t = 0; t < n; ++t, parts += wide, kv += kept) {
                std::copy_n(parts + D, D, kv);
                std::copy_n(parts + 3 * D, D, kv + D);
                Time::tell(c, b, t, kv + 2 * D);
                kernels::clear_pads(kv, 2 * D + Time::numbers, kept);
            }
        }
        /// Scores and weights of head h; its queries, keys and values are picked.
        static void weigh(int n, int h, Params const& p, State const* in, Rooms const& r) noexcept {
            int const m = before(in);
            detail::RowsBack<State> const rows{r.kv, in};
            auto const pick = [](T const* from, T* to) noexcept {
                std::copy_n(from, d, to);
                kernels::clear_pads(to, d, dp);
            };
            for (int t = 0; t < n; ++t) pick(r.parts + t * wide + 2 * D + h * d, r.q + t * dp);
            for (int j = 0; j < m + n; ++j) {
                pick(rows(j - m) + h * d, r.v + j * dp);
                pick(rows(j - m) + D + h * d, r.k + j * dp);
            }
            kernels::gemm_nt<W>(n, m + n, lp, dp, r.q, dp, r.k, dp, r.scores, lp, false);
            for (int i = 0; i < n; ++i) {
                T* const row = r.scores + i * lp;
                for (int j = first(m, i); j <= m + i; ++j)
                    row[j] += p.position[0][m + i - j] +
                              Time::of(p.time, r.kv + i * kept + 2 * D, rows(j - m) + 2 * D);
                kernels::map<W>(lp, row, r.weights + i * lp,
                                [](auto x) { return x * simd::sigmoid(x) * decltype(x)(T(1) / T(L)); });
                hide(m, i, r.weights + i * lp);
            }
        }
        /// Zeros for keys that query i does not see.
        static void hide(int m, int i, T* row) noexcept {
            kernels::clear(row, first(m, i));
            kernels::clear_pads(row, m + i + 1, lp);
        }
        template <class C>
        static void run(C const& c, int b, int n, Params const& p, T const* x, State const* in,
                        Rooms const& r) noexcept {
            norm(n, x, r.normed, r.scale);
            Split::apply(n, p.uvqk, r.normed, r.before);
            kernels::map<W>(std::ptrdiff_t(n) * wide, r.before, r.parts,
                            [](auto v) { return v * simd::sigmoid(v); });
            keep(c, b, n, r.parts, r.kv);
            kernels::clear(r.mix, std::ptrdiff_t(n) * stride);
            for (int h = 0; h < H; ++h) {
                weigh(n, h, p, in, r);
                kernels::gemm<W>(n, dp, before(in) + n, r.weights, lp, 1, r.v, dp, r.o, dp, false);
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
        static void pull_head(int n, int h, Params const& p, State const* in,
                              detail::SlopesBack<State> const& back, Rooms const& r, G& g) noexcept {
            int const m = before(in);
            detail::RowsBack<State> const rows{r.kv, in};
            weigh(n, h, p, in, r);
            for (int t = 0; t < n; ++t) {
                std::copy_n(r.dgated + t * stride + h * d, d, r.o + t * dp);
                kernels::clear_pads(r.o + t * dp, d, dp);
            }
            kernels::gemm<W>(m + n, dp, n, r.weights, 1, lp, r.o, dp, r.dv, dp, false);
            kernels::gemm_nt<W>(n, m + n, lp, dp, r.o, dp, r.v, dp, r.slopes, lp, false);
            for (int i = 0; i < n; ++i) {
                T* const row = r.slopes + i * lp;
                kernels::zip<W>(lp, r.scores + i * lp, row, row, [](auto x, auto slope) {
                    return slope * silu_slope(x) * decltype(x)(T(1) / T(L));
                });
                hide(m, i, row);
                for (int j = first(m, i); j <= m + i; ++j) {
                    g.position[0][m + i - j] += row[j];
                    Time::put(g.time, r.kv + i * kept + 2 * D, rows(j - m) + 2 * D, row[j]);
                }
            }
            kernels::gemm<W>(m + n, dp, n, r.slopes, 1, lp, r.q, dp, r.dk, dp, false);
            for (int j = 0; j < m + n; ++j)
                if (T* const to = back(j - m)) {
                    kernels::axpy<W>(d, T(1), r.dv + j * dp, to + h * d);
                    kernels::axpy<W>(d, T(1), r.dk + j * dp, to + D + h * d);
                }
            kernels::gemm<W>(n, dp, m + n, r.slopes, lp, 1, r.k, dp, r.o, dp, false);
            for (int t = 0; t < n; ++t) std::copy_n(r.o + t * dp, d, r.dparts + t * wide + 2 * D + h * d);
        }
    };
};

} // namespace inlay::inline INLAY_ISA
