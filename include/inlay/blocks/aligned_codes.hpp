// SPDX-License-Identifier: BSD-3-Clause
// Rows of product codes under a learned exchange of their meanings.
#pragma once

#include <inlay/blocks/draw.hpp>
#include <inlay/core/block.hpp>
#include <inlay/core/policy.hpp>
#include <inlay/kernels/sinkhorn.hpp>

#include <vector>

namespace inlay::inline INLAY_ISA {

/// Words of a misfit.
template <int K> struct groups_of;

/// Embed for codes that a new quantizer made: its centres do not lie where those of the table did, so each
/// group learns which of its codes mean what (VQ-Rec, arXiv 2210.12316).
///
/// Ids are m K + c, code c of group m, as for ProductQuantizer. y = sum over k of P_m(c, k) weight[m K + k],
/// P_m doubly stochastic: r = (permutation + Gumbel noise, in training) / temperature, Rounds times made sum
/// to 1 along rows, then along columns, all in logarithms (Sinkhorn). Train the permutation with the rest
/// kept still, then `params.write_to(table)` puts what each code reads most into the table of a plain Embed,
/// which costs nothing more. The authors take the largest of a row on the way forward and the slopes of P on
/// the way back; here both are of P, so that gradients are those of what is computed.
///
/// The temperature is given in thousandths. Shapes: `Tokens<T, V>` to `Shape<T, D>`, V a multiple of K.
/// Parameters: `weight [V, D]` from N(0, 0.05^2), `permutation [V, K]` from N(0, 1). Cost: 2 K D flops a
/// token, and for each group that occurs 2 Rounds K^2 exponentials a batch, or a step. Tape: none; backward
/// computes P again, in 2 Rounds + 1 matrices of scratch. PyTorch: `E[ids]` with `E = P @ weight` group by
/// group. Error: what is no ids, or does not fall into groups of K. No state.
template <int D, int K, int Thousandths, int Rounds> struct BasicAlignedCodes {
    static constexpr double temperature = Thousandths / 1000.0;
    using Must = detail::Must<(D > 0 && K > 0 && Thousandths > 0 && Rounds > 0), a_positive_number>;
    using Wanted = groups_of<K>;
    template <int T, int V>
        requires(V % K == 0)
    static Tag<Shape<T, D>> out(Tag<Tokens<T, V>>);

    template <class I, class R> struct Block : BlockDefaults {
        using Spec = BasicAlignedCodes;
        using T = typename R::type;
        using Output = Shape<I::rows, D>;
        using Matrix = Tensor<R, K, K>;
        static constexpr int W = R::lanes, V = I::vocabulary, L = I::rows, row = Matrix::stride;
        static constexpr bool streams = true;
        static constexpr long long parameters = 1LL * V * D + 1LL * V * K;
        static constexpr double flops = 2.0 * L * K * D + 30.0 * Rounds * V * K;
        struct Params {
            Tensor<R, V, D, Layout::packed> weight;
            Tensor<R, V, K> permutation;

            /// Fills a table [V, D], by its `ref()`, with the row that each code reads most.
            template <class Ref> void write_to(Ref const& table) const {
                std::vector<std::byte> room(scratch(1) + 64);
                auto const at = (reinterpret_cast<std::uintptr_t>(room.data()) + 63) / 64 * 64;
                for (int g = 0; g < V / K; ++g) {
                    Steps const steps(Scratch{reinterpret_cast<std::byte*>(at)});
                    steps.run(*this, g, nullptr);
                    for (int c = 0; c < K; ++c) {
                        T const* const p = steps.weights(c);
                        T const* const from = weight[g * K + int(std::max_element(p, p + K) - p)];
                        for (int i = 0; i < D; ++i) table(g * K + c, i) = from[i];
                    }
                }
            }
        };
        template <int> struct Grads {
            TableGrads<R, V, D, 0, true> weight;
            Tensor<R, V, K> permutation;
        };
        static constexpr std::size_t scratch(int) {
            return (2 * Rounds + 2) * sizeof(Matrix) + 2 * sizeof(T) * std::size_t(row) + 64;
        }
        static constexpr std::size_t step_scratch() { return scratch(1); }

        template <class P, class F> static void visit(P& p, Path const& at, F&& f) {
            f(Tag<Spec>{}, Path{&at, "weight"}, Kind::table, p.weight.ref());
            f(Tag<Spec>{}, Path{&at, "permutation"}, Kind::matrix, p.permutation.ref());
        }
        template <class C> static void initialize(C const& c, Params& p) noexcept {
            detail::draw_normal(c.key.fold(0), 0.05, p.weight.ref());
            detail::draw_normal(c.key.fold(1), 1, p.permutation.ref());
        }
        template <class C, class Tp>
        static void forward(C const& c, Params const& p, In<I, R> x, Out<Output, R> y, Tp&,
                            Scratch s) noexcept {
            Steps const steps(s);
            Key const noise = c.key.fold(c.step);
            for (int g = 0; g < V / K; ++g) {
                bool begun = false;
                each(c, x, g, [&](int b, int t, int code) noexcept {
                    if (!begun) steps.run(p, g, c.training ? &noise : nullptr);
                    begun = true;
                    read(p, g, steps.weights(code), y(b, t));
                });
            }
            for (int b = 0; b < c.rows; ++b) detail::clear_rows_from(y, b, x.length(b));
        }
        template <class C>
        static void step(C const&, Params const& p, State&, std::int32_t const* x, T* y, Scratch s) noexcept {
            Steps const steps(s);
            steps.run(p, *x / K, nullptr);
            read(p, *x / K, steps.weights(*x % K), y);
        }
        template <class C, class Tp, class G>
        static void backward(C const& c, Params const& p, In<I, R> x, Tp const&, In<Output, R> dy, NoGrad,
                             G& g, Scratch s) noexcept {
            Steps const steps(s);
            Key const noise = c.key.fold(c.step);
            for (int m = 0; m < V / K; ++m) {
                bool begun = false;
                each(c, x, m, [&](int b, int t, int code) noexcept {
                    if (!begun) {
                        steps.run(p, m, c.training ? &noise : nullptr);
                        kernels::clear(steps.slope[0][0], K * row);
                    }
                    begun = true;
                    T const* const share = steps.weights(code);
                    T* const slope = steps.slope[0][code];
                    for (int k = 0; k < K; ++k) {
                        g.weight.put(0, m * K + k, dy(b, t), share[k]);
                        slope[k] += kernels::dot<W>(D, dy(b, t), p.weight[m * K + k]);
                    }
                });
                if (!begun) continue;
                steps.pull();
                for (int i = 0; i < K; ++i)
                    kernels::axpy<W>(K, T(1 / temperature), steps.slope[0][i], g.permutation[m * K + i]);
            }
        }

    private:
        /// The logarithms after each step of a group, the shares, and slopes.
        struct Steps {
            Matrix *r, *share, *slope;
            T* room;
            explicit Steps(Scratch s) noexcept
                : r(s.template take<Matrix>(2 * Rounds)), share(s.template take<Matrix>(1)),
                  slope(s.template take<Matrix>(1)), room(s.template take<T>(2 * std::size_t(row))) {}

            T const* weights(int code) const noexcept { return (*share)[code]; }
            void run(Params const& p, int g, Key const* noise) const noexcept {
                for (int i = 0; i < K; ++i) {
                    T* const to = r[0][i];
                    for (int j = 0; j < K; ++j) {
                        T gumbel(0);
                        if (noise) {
                            double const u = noise->uniform(std::uint64_t(g * K + i), std::uint64_t(j));
                            gumbel = T(-std::log(-std::log((u + 0x1p-54) * (1 - 0x1p-52))));
                        }
                        to[j] = (p.permutation[g * K + i][j] + gumbel) / T(temperature);
                    }
                    kernels::clear_pads(to, K, row);
                }
                for (int n = 0; n < 2 * Rounds; ++n) {
                    if (n > 0) r[n] = r[n - 1];
                    if (n % 2 == 0) kernels::log_normalise_rows<W>(K, r[n][0], row, room);
                    else kernels::log_normalise_columns<W>(K, r[n][0], row, room);
                }
                kernels::map<W>(std::ptrdiff_t(K) * row, r[2 * Rounds - 1][0], (*share)[0],
                                [](auto v) noexcept { return simd::exp(v); });
            }
            /// Slopes of the shares become those of the permutation times the temperature.
            void pull() const noexcept {
                kernels::zip<W>(std::ptrdiff_t(K) * row, (*share)[0], (*slope)[0], (*slope)[0],
                                [](auto p, auto d) noexcept { return p * d; });
                for (int n = 2 * Rounds - 1; n >= 0; --n)
                    if (n % 2 == 0) kernels::log_rows_backward<W>(K, r[n][0], (*slope)[0], row, room);
                    else kernels::log_columns_backward<W>(K, r[n][0], (*slope)[0], row, room);
            }
        };
        /// f(sequence, token, code) for the tokens of a group.
        template <class C, class F> static void each(C const& c, In<I, R> x, int g, F f) noexcept {
            for (int b = 0; b < c.rows; ++b)
                for (int t = 0, n = x.length(b); t < n; ++t)
                    if (x(b)[t] / K == g) f(b, t, x(b)[t] % K);
        }
        static void read(Params const& p, int g, T const* share, T* y) noexcept {
            kernels::clear(y, row_stride_of_output);
            for (int k = 0; k < K; ++k) kernels::axpy<W>(D, share[k], p.weight[g * K + k], y);
        }
        static constexpr int row_stride_of_output = Out<Output, R>::stride;
    };
};
/// At the authors' temperature and rounds: `AlignedCodes<64, 256>`.
template <int D, int K> using AlignedCodes = BasicAlignedCodes<D, K, 700, 3>;

} // namespace inlay::inline INLAY_ISA
