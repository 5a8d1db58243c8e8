// SPDX-License-Identifier: BSD-3-Clause
// Heads that subtract one attention from another.
#pragma once

#include <inlay/blocks/attention/part.hpp>
#include <inlay/blocks/attention/policies.hpp>

namespace inlay::inline INLAY_ISA {

/// Each head has two sets of queries and keys over one set of values, twice as wide: with P1 and P2 their
/// weights, it gives (1 - l) RMSNorm((P1 - lambda P2) V), so that what both see cancels (arXiv 2410.05258).
/// lambda = e^(lambda_q1 lambda_k1) - e^(lambda_q2 lambda_k2) + l, l = 0.8 - 0.6 e^(-0.3 layer), layers
/// counted from 0. HeadDim is that of a query, D / (2 Heads) unless said. Parameters: `lambda_q1`,
/// `lambda_k1`, `lambda_q2`, `lambda_k2 [d]` from N(0, 0.1^2), `norm.weight [2 d]`, ones at first.
struct Differential {
    using PolicyKind = WhichDifference;
    using Is = List<that_subtracts>;
    using Refuses = List<with_a_score_of_no_key, with_keys_of_no_place>;
    static constexpr int sets = 2;
};

namespace detail {
template <class S, class Policy> struct Difference : NoPart<WhichDifference> {};

template <class S> struct Difference<S, Differential> : NoPart<WhichDifference> {
    using T = typename S::T;
    using R = typename S::Real;
    using Rows = PartRows<Shape<S::rows, S::H * S::vd>, R>;
    static constexpr bool used = true;
    static constexpr int W = S::W, H = S::H, d = S::d, vd = S::vd, row = Rows::row;
    static constexpr int mixed_row = row_stride<R>(2 * H * vd);
    static constexpr long long parameters = 4 * d + vd;
    static constexpr double flops = 6.0 * S::rows * H * vd;
    struct Params {
        Tensor<R, 1, d> q1, k1, q2, k2;
        Tensor<R, 1, vd> norm;
    };
    template <class P, class F> static void visit(P& p, Path const& at, F&& f) {
        using Own = Tag<Differential>;
        f(Own{}, Path{&at, "lambda_q1"}, Kind::vector, p.q1.ref());
        f(Own{}, Path{&at, "lambda_k1"}, Kind::vector, p.k1.ref());
        f(Own{}, Path{&at, "lambda_q2"}, Kind::vector, p.q2.ref());
        f(Own{}, Path{&at, "lambda_k2"}, Kind::vector, p.k2.ref());
        Path const norm{&at, "norm"};
        f(Own{}, Path{&norm, "weight"}, Kind::vector, p.norm.ref());
    }
    template <class C> static void initialize(C const& c, Params& p) noexcept {
        draw_normal(c.key.fold(8), 0.1, p.q1.ref()), draw_normal(c.key.fold(9), 0.1, p.k1.ref());
        draw_normal(c.key.fold(10), 0.1, p.q2.ref()), draw_normal(c.key.fold(11), 0.1, p.k2.ref());
        fill(p.norm.ref(), 1);
    }

    /// out = what the heads give, from both sets' outputs.
    static void forward(int n, Params const& p, int layer, T const* mixed, T* out) noexcept {
        T const lambda = T(lambda_of(p, layer)), rest = T(1 - first(layer));
        for (int t = 0; t < n; ++t, mixed += mixed_row, out += row) {
            for (int h = 0; h < H; ++h) {
                T const *const a = mixed + 2 * h * vd, *const b = a + vd;
                T* const y = out + h * vd;
                T squares = 0;
                for (int i = 0; i < vd; ++i) {
                    y[i] = a[i] - lambda * b[i];
                    squares += y[i] * y[i];
                }
                T const s = rest / std::sqrt(squares / vd + eps);
                for (int i = 0; i < vd; ++i) y[i] *= s * p.norm[0][i];
            }
            kernels::clear_pads(out, H * vd, row);
        }
    }
    /// dmixed, and adds to g, from the gradient of what the heads gave.
    static void backward(int n, Params const& p, Params& g, int layer, T const* mixed, T const* dout,
                         T* dmixed) noexcept {
        T const lambda = T(lambda_of(p, layer)), rest = T(1 - first(layer));
        double dlambda = 0;
        for (int t = 0; t < n; ++t, mixed += mixed_row, dout += row, dmixed += mixed_row) {
            for (int h = 0; h < H; ++h) {
                T const *const a = mixed + 2 * h * vd, *const b = a + vd, *const dy = dout + h * vd;
                T *const da = dmixed + 2 * h * vd, *const db = da + vd;
                T squares = 0, products = 0;
                for (int i = 0; i < vd; ++i) {
                    T const y = a[i] - lambda * b[i];
                    squares += y * y;
                    products += y * p.norm[0][i] * dy[i];
                }
                T const s = T(1) / std::sqrt(squares / vd + eps), slope = s * s * products / vd;
                T sum = 0;
                for (int i = 0; i < vd; ++i) {
                    T const y = a[i] - lambda * b[i];
                    g.norm[0][i] += rest * dy[i] * y * s;
                    da[i] = rest * s * (p.norm[0][i] * dy[i] - y * slope);
                    db[i] = -lambda * da[i];
                    sum += da[i] * b[i];
                }
                dlambda -= double(sum);
            }
            kernels::clear_pads(dmixed, 2 * H * vd, mixed_row);
        }
        pull(p.q1[0], p.k1[0], dlambda, g.q1[0], g.k1[0]);
        pull(p.q2[0], p.k2[0], -dlambda, g.q2[0], g.k2[0]);
    }

private:
    static constexpr T eps = T(1e-6);
    static double first(int layer) noexcept { return 0.8 - 0.6 * std::exp(-0.3 * layer); }
    static double product(T const* q, T const* k) noexcept {
        double sum = 0;
        for (int i = 0; i < d; ++i) sum += double(q[i]) * double(k[i]);
        return sum;
    }
    static double lambda_of(Params const& p, int layer) noexcept {
        return std::exp(product(p.q1[0], p.k1[0])) - std::exp(product(p.q2[0], p.k2[0])) + first(layer);
    }
    /// Of e^(q k).
    static void pull(T const* q, T const* k, double slope, T* dq, T* dk) noexcept {
        T const s = T(slope * std::exp(product(q, k)));
        for (int i = 0; i < d; ++i) {
            dq[i] += s * k[i];
            dk[i] += s * q[i];
        }
    }
};
} // namespace detail

} // namespace inlay::inline INLAY_ISA
