// SPDX-License-Identifier: BSD-3-Clause
// What a layer of a deep cross multiplies its first input by: a map of a token to as many numbers.
#pragma once

#include <inlay/blocks/draw.hpp>
#include <inlay/blocks/gate_map.hpp>
#include <inlay/kernels/hadamard.hpp>
#include <inlay/kernels/softmax.hpp>

namespace inlay::inline INLAY_ISA {
namespace detail {

/// z = F(x) for n tokens; `kept` spans of n tokens are left for the way back, which adds to dx unless it is
/// null.
template <class I, class R, int Rank> struct LinearFactor {
    using T = typename R::type;
    using Map = GateMap<I, R, I::width, Rank>;
    using Params = typename Map::Params;
    static constexpr int kept = 0;
    static constexpr long long parameters = Map::parameters;
    static constexpr double flops = Map::flops;
    static constexpr std::size_t scratch(int n) { return Map::scratch(n); }
    template <class P, class F> static void visit(P& p, Path const& at, F&& f) { Map::visit(p, at, f); }
    static void forward(int n, Params const& p, T const* x, T* z, T*, Scratch s) noexcept {
        Map::apply(n, p, x, z, s);
    }
    template <class G>
    static void backward(int n, Params const& p, T const* x, T const*, T const* dz, T* dx, G& g,
                         Scratch s) noexcept {
        Map::pull(n, p, x, dz, dx, g, s);
    }
};

/// z = (W x + b) sigmoid(W_g x); both factors are kept.
template <class I, class R, int Rank> struct GatedFactor {
    using T = typename R::type;
    using Map = GateMap<I, R, I::width, Rank>;
    using GatedBy = GateMap<I, R, I::width, Rank, NoBias>;
    static constexpr int W = R::lanes, kept = 2;
    static constexpr long long parameters = Map::parameters + GatedBy::parameters;
    static constexpr double flops = Map::flops + GatedBy::flops;
    static constexpr std::ptrdiff_t stride = In<I, R>::stride;
    struct Params {
        typename Map::Params map;
        typename GatedBy::Params gate;
    };
    static constexpr std::size_t room(int n) { return lines(sizeof(T) * std::size_t(n * stride)); }
    static constexpr std::size_t scratch(int n) {
        return 2 * room(n) + std::max(Map::scratch(n), GatedBy::scratch(n));
    }
    template <class P, class F> static void visit(P& p, Path const& at, F&& f) {
        Map::visit(p.map, at, f);
        GatedBy::visit(p.gate, Path{&at, "gate"}, f);
    }
    static void forward(int n, Params const& p, T const* x, T* z, T* keep, Scratch s) noexcept {
        T *const linear = keep, *const gate = keep + n * stride;
        Map::apply(n, p.map, x, linear, s);
        GatedBy::apply(n, p.gate, x, gate, s);
        kernels::map<W>(n * stride, gate, gate, [](auto v) { return simd::sigmoid(v); });
        kernels::multiply<W>(n * stride, linear, gate, z);
    }
    template <class G>
    static void backward(int n, Params const& p, T const* x, T const* keep, T const* dz, T* dx, G& g,
                         Scratch s) noexcept {
        T const *const linear = keep, *const gate = keep + n * stride;
        T* const dlinear = s.take<T>(std::size_t(n * stride));
        T* const dgate = s.take<T>(std::size_t(n * stride));
        using V = simd::vec<T, W>;
        for (std::ptrdiff_t i = 0; i < n * stride; i += W) {
            V const d = V::load(dz + i) * V::load(gate + i);
            d.store(dlinear + i);
            (d * V::load(linear + i) * (V(T(1)) - V::load(gate + i))).store(dgate + i);
        }
        Map::pull(n, p.map, x, dlinear, dx, g.map, s);
        GatedBy::pull(n, p.gate, x, dgate, dx, g.gate, s);
    }
};

/// z = sum over e of softmax(G x)_e U_e tanh(C_e tanh(V_e x)) + b.
template <class I, class R, int Rank, int E> struct MixtureFactor {
    using T = typename R::type;
    using Narrow = Shape<I::rows, Rank>;
    using Router = typename Dense<E, NoBias>::template Block<I, R>;
    using Down = typename Dense<Rank, NoBias>::template Block<I, R>;
    using Middle = typename Dense<Rank, NoBias>::template Block<Narrow, R>;
    using Up = typename Dense<I::width, NoBias>::template Block<Narrow, R>;
    static constexpr int W = R::lanes, kept = 0, D = I::width;
    static constexpr long long parameters =
        Router::parameters + D + E * (Down::parameters + Middle::parameters + Up::parameters);
    static constexpr double flops = Router::flops + E * (Down::flops + Middle::flops + Up::flops);
    static constexpr std::ptrdiff_t stride = In<I, R>::stride, narrow = In<Narrow, R>::stride,
                                    experts = Out<typename Router::Output, R>::stride;
    struct Expert {
        typename Down::Params down;
        typename Middle::Params middle;
        typename Up::Params up;
    };
    struct Params {
        typename Router::Params gate;
        Expert expert[std::size_t(E)];
        Tensor<R, 1, D> bias;
    };
    static constexpr std::size_t room(int n, std::ptrdiff_t width) {
        return lines(sizeof(T) * std::size_t(n * width));
    }
    static constexpr std::size_t scratch(int n) {
        return room(n, stride) + 3 * room(n, narrow) + 2 * room(n, experts);
    }
    template <class P, class F> static void visit(P& p, Path const& at, F&& f) {
        Router::visit(p.gate, Path{&at, "gate"}, f);
        for (int e = 0; e < E; ++e) {
            Path const here{&at, nullptr, e};
            Down::visit(p.expert[e].down, Path{&here, nullptr, 0}, f);
            Middle::visit(p.expert[e].middle, Path{&here, nullptr, 2}, f); // 1 and 3 are the tanhs
            Up::visit(p.expert[e].up, Path{&here, nullptr, 4}, f);
        }
        f(Tag<MixtureFactor>{}, Path{&at, "bias"}, Kind::vector, p.bias.ref());
    }
    static void forward(int n, Params const& p, T const* x, T* z, T*, Scratch s) noexcept {
        Rooms const r(n, s);
        weigh(n, p, x, r);
        for (int t = 0; t < n; ++t) std::copy_n(p.bias[0], stride, z + t * stride);
        for (int e = 0; e < E; ++e) {
            run(n, p.expert[e], x, r);
            for (int t = 0; t < n; ++t)
                kernels::axpy<W>(int(stride), r.weights[t * experts + e], r.own + t * stride, z + t * stride);
        }
    }
    template <class G>
    static void backward(int n, Params const& p, T const* x, T const*, T const* dz, T* dx, G& g,
                         Scratch s) noexcept {
        Rooms const r(n, s);
        weigh(n, p, x, r);
        kernels::clear(r.dweights, n * experts);
        for (int e = 0; e < E; ++e) {
            run(n, p.expert[e], x, r);
            for (int t = 0; t < n; ++t) {
                T* const own = r.own + t * stride;
                r.dweights[t * experts + e] = kernels::dot<W>(D, dz + t * stride, own);
                kernels::scale<W>(int(stride), r.weights[t * experts + e], dz + t * stride, own);
            }
            auto& ge = g.expert[e];
            Up::pull(n, p.expert[e].up, r.second, r.own, r.slope, false, ge.up);
            bend(n, r.second, r.slope);
            Middle::pull(n, p.expert[e].middle, r.first, r.slope, r.second, false, ge.middle);
            bend(n, r.first, r.second);
            Down::pull(n, p.expert[e].down, x, r.second, dx, true, ge.down);
        }
        kernels::softmax_backward<W>(n, E, r.weights, experts, r.dweights, r.dweights, experts);
        Router::pull(n, p.gate, x, r.dweights, dx, true, g.gate);
        for (int t = 0; t < n; ++t) kernels::add<W>(stride, dz + t * stride, g.bias[0]);
    }

private:
    struct Rooms {
        T *own, *first, *second, *slope, *weights, *dweights;
        Rooms(int n, Scratch s)
            : own(s.take<T>(std::size_t(n * stride))), first(s.take<T>(std::size_t(n * narrow))),
              second(s.take<T>(std::size_t(n * narrow))), slope(s.take<T>(std::size_t(n * narrow))),
              weights(s.take<T>(std::size_t(n * experts))), dweights(s.take<T>(std::size_t(n * experts))) {}
    };
    static void weigh(int n, Params const& p, T const* x, Rooms const& r) noexcept {
        Router::apply(n, p.gate, x, r.weights);
        kernels::softmax<W>(n, E, r.weights, experts, r.weights, experts);
    }
    static void run(int n, Expert const& p, T const* x, Rooms const& r) noexcept {
        auto const tanh = [](auto v) { return simd::tanh(v); };
        Down::apply(n, p.down, x, r.first);
        kernels::map<W>(n * narrow, r.first, r.first, tanh);
        Middle::apply(n, p.middle, r.first, r.second);
        kernels::map<W>(n * narrow, r.second, r.second, tanh);
        Up::apply(n, p.up, r.second, r.own);
    }
    /// dy becomes the slope before the tanh that gave y.
    static void bend(int n, T const* y, T* dy) noexcept {
        kernels::zip<W>(n * narrow, y, dy, dy, [](auto v, auto d) { return d - d * v * v; });
    }
};

} // namespace detail
} // namespace inlay::inline INLAY_ISA
