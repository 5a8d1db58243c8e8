// SPDX-License-Identifier: BSD-3-Clause
// Somewhere for a head's weight to go when no token is worth it.
#pragma once

#include <inlay/blocks/attention/part.hpp>
#include <inlay/blocks/attention/policies.hpp>
#include <inlay/kernels/attention/step.hpp>

namespace inlay::inline INLAY_ISA {

namespace detail {
/// `extra` scores stand behind those of tokens in a step, and `keys` rows before them in forward.
template <class S, class Policy> struct ScoreSink : NoPart<WhichScoreSink> {
    using T = typename S::T;
    static constexpr int extra = 0, keys = 0;
    template <class P> static T const* score(P const&, int) noexcept { return nullptr; }
    template <class... A> static void put(A&&...) noexcept {}
    template <class... A> static void pull_score(A&&...) noexcept {}
    template <class... A> static void pull_keys(A&&...) noexcept {}
    template <class... A> static void step_score(A&&...) noexcept {}
    template <class... A> static void step_value(A&&...) noexcept {}
};

template <class S> struct ScoreSink<S, OffByOne> : ScoreSink<S, void> {
    using T = typename S::T;
    static constexpr bool used = true;
    static constexpr int extra = 1;
    template <class P> static T const* score(P const&, int) noexcept {
        static constexpr T zero = 0;
        return &zero;
    }
    template <class P> static void step_score(P const&, int, T, T const*, T* scores) noexcept {
        scores[0] = T(0);
    }
};

template <class S> struct ScoreSink<S, SinkLogit> : ScoreSink<S, void> {
    using T = typename S::T;
    static constexpr bool used = true;
    static constexpr int extra = 1;
    static constexpr long long parameters = S::H;
    struct Params {
        Tensor<typename S::Real, 1, S::H> score;
    };
    template <class P, class F> static void visit(P& p, Path const& at, F&& f) {
        f(Tag<SinkLogit>{}, Path{&at, "sink"}, Kind::vector, p.score.ref());
    }
    template <class C> static void initialize(C const&, Params& p) noexcept { fill(p.score.ref(), 0); }

    static T const* score(Params const& p, int h) noexcept { return p.score[0] + h; }
    /// d score = -sum_i e^(score - log_sum_i) delta_i.
    static void pull_score(Params const& p, Params& g, int h, int n, T const* log_sum,
                           T const* delta) noexcept {
        T sum = 0;
        for (int i = 0; i < n; ++i) sum += std::exp(p.score[0][h] - log_sum[i]) * delta[i];
        g.score[0][h] -= sum;
    }
    static void step_score(Params const& p, int h, T, T const*, T* scores) noexcept {
        scores[0] = p.score[0][h];
    }
};

template <class S, int N> struct ScoreSink<S, SinkKeys<N>> : ScoreSink<S, void> {
    using T = typename S::T;
    static constexpr bool used = true;
    static constexpr int extra = N, keys = N;
    static constexpr long long parameters = 2LL * S::H * N * S::d;
    struct Params {
        Tensor<typename S::Real, S::H * N, S::d> key, value;
    };
    template <class P, class F> static void visit(P& p, Path const& at, F&& f) {
        f(Tag<SinkKeys<N>>{}, Path{&at, "sink_key"}, Kind::vector, p.key.ref());
        f(Tag<SinkKeys<N>>{}, Path{&at, "sink_value"}, Kind::vector, p.value.ref());
    }
    template <class C> static void initialize(C const& c, Params& p) noexcept {
        draw_normal(c.key.fold(5), 0.02, p.key.ref());
        draw_normal(c.key.fold(6), 0.02, p.value.ref());
    }

    /// Keys and values of head h, in front of those of tokens.
    static void put(Params const& p, int h, T* key, T* value) noexcept {
        for (int i = 0; i < N; ++i) {
            std::copy_n(p.key[h * N + i], S::wide, key + i * S::wide);
            std::copy_n(p.value[h * N + i], S::wide, value + i * S::wide);
        }
    }
    static void pull_keys(Params& g, int h, T const* dkey, T const* dvalue) noexcept {
        for (int i = 0; i < N; ++i) {
            kernels::add<S::W>(S::wide, dkey + i * S::wide, g.key[h * N + i]);
            kernels::add<S::W>(S::wide, dvalue + i * S::wide, g.value[h * N + i]);
        }
    }
    static void step_score(Params const& p, int h, T scale, T const* q, T* scores) noexcept {
        for (int i = 0; i < N; ++i) scores[i] = scale * kernels::dot<S::W>(S::d, q, p.key[h * N + i]);
    }
    static void step_value(Params const& p, int h, T const* weights, T* out) noexcept {
        for (int i = 0; i < N; ++i) kernels::axpy<S::W>(S::wide, weights[i], p.value[h * N + i], out);
    }
};
} // namespace detail

} // namespace inlay::inline INLAY_ISA
