// SPDX-License-Identifier: BSD-3-Clause
// Queries and keys of bounded size, so that scores are bounded.
#pragma once

#include <inlay/blocks/attention/head_rows.hpp>
#include <inlay/blocks/attention/part.hpp>
#include <inlay/blocks/attention/policies.hpp>
#include <inlay/kernels/norm.hpp>

namespace inlay::inline INLAY_ISA {

/// RMSNorm of the queries and keys of each head, before they are told their places: `q_norm.weight [d]` and
/// `k_norm.weight [d]`, shared by heads, ones at first (arXiv 2302.05442).
struct QkNorm {
    using PolicyKind = WhichNorm;
};
/// Queries and keys of length 1 and a learned temperature in the place of 1 / sqrt(d): `temperature [H]`,
/// sqrt(d) at first (arXiv 2010.04245).
struct QkUnit {
    using PolicyKind = WhichNorm;
};

namespace detail {
template <class S, class Policy> struct HeadNorm : NoPart<WhichNorm> {
    static constexpr bool scaled = true; ///< products are divided by sqrt(d)
    template <class... A> static void forward(A&&...) noexcept {}
    template <class... A> static void backward(A&&...) noexcept {}
};

template <class S> struct HeadNorm<S, QkNorm> : NoPart<WhichNorm> {
    using T = typename S::T;
    using R = typename S::Real;
    using Heads = HeadRows<T>;
    static constexpr bool used = true, scaled = true;
    static constexpr long long parameters = 2 * S::d;
    struct Params {
        Tensor<R, 1, S::d> q, k;
    };
    template <class P, class F> static void visit(P& p, Path const& at, F&& f) {
        Path const q{&at, "q_norm"}, k{&at, "k_norm"};
        f(Tag<QkNorm>{}, Path{&q, "weight"}, Kind::vector, p.q.ref());
        f(Tag<QkNorm>{}, Path{&k, "weight"}, Kind::vector, p.k.ref());
    }
    template <class C> static void initialize(C const&, Params& p) noexcept {
        fill(p.q.ref(), 1), fill(p.k.ref(), 1);
    }
    static void forward(Params const& p, int n, Heads q, Heads k, Scratch) noexcept {
        for (int h = 0; h < S::asks; ++h) norm(n, p.q[0], q(h));
        for (int h = 0; h < S::answers; ++h) norm(n, p.k[0], k(h));
    }
    /// From what the rows were before, and gradients that are overwritten.
    static void backward(Params const& p, Params& g, int n, Heads q, Heads k, Heads dq, Heads dk,
                         Scratch) noexcept {
        for (int h = 0; h < S::asks; ++h) pull(n, p.q[0], q(h), dq(h), g.q[0]);
        for (int h = 0; h < S::answers; ++h) pull(n, p.k[0], k(h), dk(h), g.k[0]);
    }

private:
    static constexpr T eps = T(1e-6);
    static void norm(int n, T const* weight, T* x) noexcept {
        kernels::rms_norm<S::W>(n, S::d, eps, x, weight, x, S::wide);
    }
    static void pull(int n, T const* weight, T const* x, T* dx, T* dweight) noexcept {
        kernels::rms_norm_backward<S::W>(n, S::d, eps, x, weight, dx, dx, dweight, S::wide);
    }
};

/// x / sqrt(x x + eps) is an RMSNorm whose weights are all 1 / sqrt(d).
template <class S> struct HeadNorm<S, QkUnit> : NoPart<WhichNorm> {
    using T = typename S::T;
    using R = typename S::Real;
    using Heads = HeadRows<T>;
    static constexpr bool used = true, scaled = false;
    static constexpr long long parameters = S::H;
    struct Params {
        Tensor<R, 1, S::H> temperature;
    };
    static constexpr std::size_t scratch = 2 * lines(sizeof(T) * std::size_t(S::wide));
    template <class P, class F> static void visit(P& p, Path const& at, F&& f) {
        f(Tag<QkUnit>{}, Path{&at, "temperature"}, Kind::vector, p.temperature.ref());
    }
    template <class C> static void initialize(C const&, Params& p) noexcept {
        fill(p.temperature.ref(), std::sqrt(double(S::d)));
    }
    static void forward(Params const& p, int n, Heads q, Heads k, Scratch s) noexcept {
        T* const weight = s.template take<T>(S::wide);
        for (int h = 0; h < S::asks; ++h) {
            all(weight, p.temperature[0][h / S::sets] * one());
            kernels::rms_norm<S::W>(n, S::d, eps, q(h), weight, q(h), S::wide);
        }
        all(weight, one());
        for (int h = 0; h < S::answers; ++h)
            kernels::rms_norm<S::W>(n, S::d, eps, k(h), weight, k(h), S::wide);
    }
    static void backward(Params const& p, Params& g, int n, Heads q, Heads k, Heads dq, Heads dk,
                         Scratch s) noexcept {
        T* const weight = s.template take<T>(S::wide);
        T* const slope = s.template take<T>(S::wide);
        auto const pull = [&](T const* x, T* dx) noexcept {
            kernels::rms_norm_backward<S::W>(n, S::d, eps, x, weight, dx, dx, slope, S::wide);
        };
        for (int h = 0; h < S::asks; ++h) {
            all(weight, p.temperature[0][h / S::sets] * one());
            kernels::clear(slope, S::wide);
            pull(q(h), dq(h));
            T sum = 0;
            for (int i = 0; i < S::d; ++i) sum += slope[i];
            g.temperature[0][h / S::sets] += sum * one();
        }
        all(weight, one());
        for (int h = 0; h < S::answers; ++h) pull(k(h), dk(h));
    }

private:
    static constexpr T eps = T(1e-6 / S::d);
    static T one() noexcept { return T(1 / std::sqrt(double(S::d))); }
    static void all(T* weight, T x) noexcept {
        for (int i = 0; i < S::wide; ++i) weight[i] = i < S::d ? x : T(0);
    }
};
} // namespace detail

} // namespace inlay::inline INLAY_ISA
