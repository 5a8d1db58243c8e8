// SPDX-License-Identifier: BSD-3-Clause
// How fast a memory fades and how strongly it is written, token by token.
#pragma once

#include <inlay/blocks/gate_map.hpp>
#include <inlay/blocks/linear/policies.hpp>

namespace inlay::inline INLAY_ISA {
namespace detail {

/// Numbers of a chunk by heads: `each` to a token, from a row that holds them head by head, and back. Heads
/// lie `head` apart, tokens `row`.
template <class T> struct HeadNumbers {
    T* data = nullptr;
    std::ptrdiff_t head = 0, row = 1;
    int heads = 0, each = 1;

    void put(int t, T const* from) const noexcept {
        for (int h = 0; h < heads; ++h) {
            T* const to = data + h * head + t * row;
            for (int i = 0; i < each; ++i) to[i] = from[h * each + i];
            kernels::clear_pads(to, each, int(row));
        }
    }
    void get(int t, T* to) const noexcept {
        for (int h = 0; h < heads; ++h)
            for (int i = 0; i < each; ++i) to[h * each + i] = data[h * head + t * row + i];
    }
};

/// A policy's log decays: `width` numbers a token before their function, `per_token` of it to a head. `map`
/// makes rows of the former from x, `open` the latter, `pull` goes back, adding to dx where it is not null.
template <class I, class R, int H, int d, class Policy> struct Fading {
    using T = typename R::type;
    static constexpr int width = 0, each = 0;
    static constexpr long long parameters = 0;
    static constexpr bool steps = false;
    static constexpr double flops = 0;
    struct Params {};
    static constexpr std::size_t scratch(int) { return 0; }
    template <class P, class F> static void visit(P&, Path const&, F&&) {}
    template <class C> static void initialize(C const&, Params&) noexcept {}
    template <class... A> static void map(A&&...) noexcept {}
    template <class... A> static void open(A&&...) noexcept {}
    template <class... A> static void pull(A&&...) noexcept {}
};

template <class I, class R, int H, int d>
struct Fading<I, R, H, d, ConstantDecay> : Fading<I, R, H, d, NoDecay> {
    using T = typename R::type;
    static constexpr int each = 1;
    template <class P> static void open(int n, P const&, T const*, HeadNumbers<T> g, Scratch) noexcept {
        for (int h = 0; h < H; ++h)
            std::fill_n(g.data + h * g.head, n, T(std::log1p(-std::exp2(-5.0 - double(h)))));
    }
};

/// The gates: a linear map, a constant for each of its numbers perhaps, and a Function of both.
template <class I, class R, int H, int Each, int Rank, class Function, class... Bias> struct GatedFading {
    using T = typename R::type;
    static constexpr int each = Each, width = H * Each, W = R::lanes;
    static constexpr bool steps = false;
    using Map = GateMap<I, R, width, Rank, Bias...>;
    static constexpr int row = Out<Shape<1, width>, R>::stride;
    using Constants = typename Function::template Constants<R, H, width>;
    static constexpr long long parameters = Map::parameters + Constants::parameters;
    static constexpr double flops = Map::flops;
    struct Params {
        typename Map::Params map;
        INLAY_EMPTY Constants constants;
    };
    static constexpr std::size_t scratch(int n) {
        return lines(sizeof(T) * std::size_t(n) * row) + 4 * lines(sizeof(T) * row) + Map::scratch(n);
    }
    template <class P, class F> static void visit(P& p, Path const& at, F&& f) {
        Map::visit(p.map, Path{&at, "a"}, f);
        Constants::visit(p.constants, at, f);
    }
    template <class C> static void initialize(C c, Params& p) noexcept {
        Map::initialize(c, p.map);
        c.key = c.key.fold(2);
        p.constants.initialize(c.key);
    }
    static void map(int n, Params const& p, T const* x, T* pre, Scratch s) noexcept {
        Map::apply(n, p.map, x, pre, s);
    }
    static void open(int n, Params const& p, T const* pre, HeadNumbers<T> g, Scratch s) noexcept {
        T* const rate = s.template take<T>(row);
        T* const now = s.template take<T>(row);
        p.constants.rates(rate);
        for (int t = 0; t < n; ++t) {
            for (int i = 0; i < row; i += W)
                Function::value(p.constants.shifted(i, V::load(pre + t * row + i)), V::load(rate + i))
                    .store(now + i);
            g.put(t, now);
        }
    }
    template <class G>
    static void pull(int n, Params const& p, T const* x, T const* pre, HeadNumbers<T> dg, T* dx, G& grads,
                     Scratch s, HeadNumbers<T> dstep = {}) noexcept {
        T* const rate = s.template take<T>(row);
        T* const now = s.template take<T>(row);
        T* const of_rate = s.template take<T>(row);
        T* const step = s.template take<T>(row);
        T* const dpre = s.template take<T>(std::size_t(n) * row);
        p.constants.rates(rate);
        kernels::clear(now, row), kernels::clear(step, row);
        for (int t = 0; t < n; ++t) {
            dg.get(t, now);
            if (dstep.data) dstep.get(t, step);
            for (int i = 0; i < row; i += W) {
                V const at = p.constants.shifted(i, V::load(pre + t * row + i)), g = V::load(now + i);
                (g * Function::slope(at, V::load(rate + i)) + V::load(step + i) * simd::sigmoid(at))
                    .store(dpre + t * row + i);
                (g * Function::value(at, V::load(rate + i))).store(of_rate + i);
            }
            grads.constants.add(dpre + t * row, of_rate);
        }
        Map::pull(n, p.map, x, dpre, dx, grads.map, s);
    }

private:
    using V = simd::vec<T, W>;
};

/// -e^(A_log) softplus(a + dt_bias), A_log one a head.
struct SoftplusFading {
    template <class V> static V value(V x, V rate) noexcept { return rate * simd::softplus(x); }
    template <class V> static V slope(V x, V rate) noexcept { return rate * simd::sigmoid(x); }
    template <class R, int H, int N> struct Constants {
        using T = typename R::type;
        static constexpr long long parameters = H + N;
        Tensor<R, 1, H> a_log;
        Tensor<R, 1, N> dt_bias;

        template <class P, class F> static void visit(P& p, Path const& at, F&& f) {
            f(Tag<SoftplusFading>{}, Path{&at, "A_log"}, Kind::vector, p.a_log.ref());
            f(Tag<SoftplusFading>{}, Path{&at, "dt_bias"}, Kind::vector, p.dt_bias.ref());
        }
        /// e^A_log from U(1, 16); softplus(dt_bias) log-uniform in [0.001, 0.1].
        template <class Key> void initialize(Key key) noexcept {
            for (int h = 0; h < H; ++h) a_log[0][h] = T(std::log(1 + 15 * key.uniform(std::uint64_t(h))));
            for (int i = 0; i < N; ++i) {
                double const dt = 1e-3 * std::pow(100.0, double(key.uniform(std::uint64_t(i), 1)));
                dt_bias[0][i] = T(dt + std::log(-std::expm1(-dt)));
            }
        }
        void rates(T* to) const noexcept {
            for (int i = 0; i < N; ++i) to[i] = -std::exp(a_log[0][i / (N / H)]);
            kernels::clear_pads(to, N, dt_bias.stride);
        }
        template <class V> V shifted(int i, V x) const noexcept { return x + V::load(dt_bias[0] + i); }
        void add(T const* dpre, T const* of_rate) noexcept {
            for (int i = 0; i < N; ++i) {
                dt_bias[0][i] += dpre[i];
                a_log[0][i / (N / H)] += of_rate[i];
            }
        }
    };
};
/// log sigmoid(a) / 16.
struct LogisticFading {
    template <class V> static V part() noexcept { return V(typename V::value_type(0.0625)); }
    template <class V> static V value(V x, V) noexcept { return -part<V>() * simd::softplus(-x); }
    template <class V> static V slope(V x, V) noexcept { return part<V>() * simd::sigmoid(-x); }
    template <class R, int H, int N> struct Constants {
        using T = typename R::type;
        static constexpr long long parameters = 0;
        template <class... A> static void visit(A&&...) {}
        template <class Key> void initialize(Key) noexcept {}
        void rates(T* to) const noexcept { kernels::clear(to, Out<Shape<1, N>, R>::stride); }
        template <class V> V shifted(int, V x) const noexcept { return x; }
        void add(T const*, T const*) noexcept {}
    };
};
template <class I, class R, int H, int d>
struct Fading<I, R, H, d, ScalarGate> : GatedFading<I, R, H, 1, 0, SoftplusFading, NoBias> {};
/// The step is the softplus, and the strength of what is written.
template <class I, class R, int H, int d>
struct Fading<I, R, H, d, StepGate> : GatedFading<I, R, H, 1, 0, SoftplusFading, NoBias> {
    using T = typename R::type;
    using Base = GatedFading<I, R, H, 1, 0, SoftplusFading, NoBias>;
    static constexpr bool steps = true;
    static constexpr long long parameters = Base::parameters + H;
    struct Params : Base::Params {
        Tensor<R, 1, H> skip;
    };
    template <class P, class F> static void visit(P& p, Path const& at, F&& f) {
        Base::Map::visit(p.map, Path{&at, "dt"}, f);
        Base::Constants::visit(p.constants, at, f);
        f(Tag<StepGate>{}, Path{&at, "skip"}, Kind::vector, p.skip.ref());
    }
    template <class C> static void initialize(C const& c, Params& p) noexcept {
        Base::initialize(c, p);
        for (int h = 0; h < H; ++h) p.skip[0][h] = T(1);
    }
    static void open_steps(int n, Params const& p, T const* pre, HeadNumbers<T> beta) noexcept {
        using V = simd::vec<T, 1>;
        for (int h = 0; h < H; ++h)
            for (int t = 0; t < n; ++t)
                simd::softplus(V(pre[t * Base::row + h] + p.constants.dt_bias[0][h]))
                    .store(beta.data + h * beta.head + t);
    }
    static void skip(int n, Params const& p, int h, int width, T const* v, T* read) noexcept {
        kernels::axpy<R::lanes>(n * width, p.skip[0][h], v, read);
    }
    static void pull_skip(int n, Params const& p, Params& g, int h, int width, T const* v, T const* dread,
                          T* dv) noexcept {
        g.skip[0][h] += kernels::dot<R::lanes>(n * width, v, dread);
        kernels::axpy<R::lanes>(n * width, p.skip[0][h], dread, dv);
    }
};
template <class I, class R, int H, int d, int Rank>
struct Fading<I, R, H, d, VectorGate<Rank>> : GatedFading<I, R, H, d, Rank, SoftplusFading, NoBias> {};
template <class I, class R, int H, int d, int Rank>
struct Fading<I, R, H, d, LogisticGate<Rank>> : GatedFading<I, R, H, d, Rank, LogisticFading> {};

/// times sigmoid(w x) or of w x + b, one number a head. `open` and `pull` get what `map` made.
template <class I, class R, int H, class... Bias> struct HeadGate {
    using T = typename R::type;
    using Map = typename Dense<H, Bias...>::template Block<I, R>;
    using Params = typename Map::Params;
    static constexpr int width = H, row = Out<Shape<1, H>, R>::stride;
    static constexpr long long parameters = Map::parameters;
    static constexpr double flops = Map::flops;
    static void map(int n, Params const& p, T const* x, T* pre) noexcept { Map::apply(n, p, x, pre); }
    static void open(int n, T times, T const* pre, HeadNumbers<T> gate) noexcept {
        for (int h = 0; h < H; ++h)
            for (int t = 0; t < n; ++t) gate.data[h * gate.head + t] = times * sigmoid(pre[t * row + h]);
    }
    /// `dpre` is for n rows.
    template <class G>
    static void pull(int n, Params const& p, T times, T const* x, T const* pre, HeadNumbers<T> dgate, T* dpre,
                     T* dx, G& g) noexcept {
        for (int t = 0; t < n; ++t) {
            for (int h = 0; h < H; ++h) {
                T const b = sigmoid(pre[t * row + h]);
                dpre[t * row + h] = times * dgate.data[h * dgate.head + t] * b * (1 - b);
            }
            kernels::clear_pads(dpre + t * row, H, row);
        }
        Map::pull(n, p, x, dpre, dx, true, g);
    }
};

/// beta = times sigmoid(b x), one a head.
template <class I, class R, int H, bool Used> struct Strength {
    static constexpr int width = 0;
    static constexpr long long parameters = 0;
    static constexpr double flops = 0;
    struct Params {};
    template <class P, class F> static void visit(P&, Path const&, F&&) {}
    template <class C> static void initialize(C const&, Params&) noexcept {}
    template <class... A> static void map(A&&...) noexcept {}
    template <class... A> static void open(A&&...) noexcept {}
    template <class... A> static void pull(A&&...) noexcept {}
};
template <class I, class R, int H> struct Strength<I, R, H, true> : HeadGate<I, R, H, NoBias> {
    using Map = typename HeadGate<I, R, H, NoBias>::Map;
    template <class P, class F> static void visit(P& p, Path const& at, F&& f) {
        Map::visit(p, Path{&at, "beta"}, f);
    }
    template <class C> static void initialize(C const& c, typename Map::Params& p) noexcept {
        Map::initialize(c, p);
    }
};

} // namespace detail
} // namespace inlay::inline INLAY_ISA
