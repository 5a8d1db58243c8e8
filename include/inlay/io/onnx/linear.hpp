// SPDX-License-Identifier: BSD-3-Clause
// LinearAttn in the words of ONNX: its recurrence as a Scan over tokens.
#pragma once

#include <inlay/blocks/linear_attn.hpp>
#include <inlay/io/onnx/attention.hpp>
#include <inlay/io/onnx/recurrent.hpp>

namespace inlay::inline INLAY_ISA {
namespace detail {

/// Queries or keys [B, H, T, d] to their features; `at` is the place of the map's parameters.
template <class Map, int H, int T, int d> struct OnnxFeatures {
    static std::string of(OnnxGraph& g, std::string const& at, std::string const& x) {
        auto const positive = [&] { return g.node("Relu", {x}); };
        if constexpr (std::is_same_v<Map, IdentityMap>) return x;
        else if constexpr (std::is_same_v<Map, EluMap>)
            return g.node("Add", {g.node("Elu", {x}), g.constant(1)});
        else if constexpr (std::is_same_v<Map, ReluMap>) return positive();
        else if constexpr (std::is_same_v<Map, SquaredReluMap>) {
            auto const r = positive();
            return g.node("Mul", {r, r});
        } else if constexpr (std::is_same_v<Map, HedgehogMap>) {
            std::vector<float> turned; // [H, in, out]
            auto const& weight = g.numbers(at + "weight");
            for (int h = 0; h < H; ++h)
                for (int i = 0; i < d; ++i)
                    for (int o = 0; o < d; ++o) turned.push_back(weight[std::size_t((h * d + o) * d + i)]);
            auto const product = g.node("MatMul", {x, g.constant({H, d, d}, turned)});
            auto const y = g.node("Add", {product, g.constant({H, 1, d}, g.numbers(at + "bias"))});
            auto const both = g.node("Concat", {y, g.node("Mul", {y, g.constant(-1)})}, {{"axis", -1}});
            return g.node("Softmax", {both}, {{"axis", -1}});
        } else if constexpr (std::is_same_v<Map, TaylorMap>) {
            OnnxGraph::Sizes first, second;
            std::vector<float> times;
            auto const pair = [&](int i, int j) {
                first.push_back(i), second.push_back(j);
                times.push_back(float(1 / std::sqrt(double(d) * (i == j ? 2 : 1))));
            };
            for (int i = 0; i < d; ++i) pair(i, i);
            for (int i = 0; i < d; ++i)
                for (int j = i + 1; j < d; ++j) pair(i, j);
            auto const pick = [&](OnnxGraph::Sizes const& which) {
                return g.node("Gather", {x, g.sizes(which)}, {{"axis", -1}});
            };
            auto const products = g.node("Mul", {pick(first), pick(second)});
            auto const squares = g.node("Mul", {products, g.constant({int(times.size())}, times)});
            auto const once = g.node("Mul", {x, g.constant(std::pow(double(d), -0.25))});
            auto const all = g.node("Concat", {once, squares}, {{"axis", -1}});
            return g.node("Pad", {all, g.sizes({0, 0, 0, 1, 0, 0, 0, 0}), g.constant(1)});
        } else return waves(g, positive(), Tag<Map>{});
    }
    template <int M> static std::string waves(OnnxGraph& g, std::string const& r, Tag<CosineMap<M>>) {
        std::vector<float> cos, sin;
        for (int t = 0; t < T; ++t) {
            double const angle = 1.5707963267948966 * t / M;
            cos.push_back(float(std::cos(angle))), sin.push_back(float(std::sin(angle)));
        }
        auto const by = [&](auto const& wave) { return g.node("Mul", {r, g.constant({T, 1}, wave)}); };
        return g.node("Concat", {by(cos), by(sin)}, {{"axis", -1}});
    }
};

/// What a memory keeps, as [B, H, T, each, 1], and the step of StepGate, as [B, H, T, 1, 1]; empty where
/// there is none.
struct OnnxFading {
    std::string kept, step;
};
template <class Decay, int H, int T, int each>
OnnxFading emit_fading(OnnxGraph& g, std::string const& at, std::string const& x) {
    auto const by_heads = [&](std::string const& y, int n) {
        return g.node("Transpose", {g.reshape(y, {0, T, H, n, 1})}, {{"perm", {0, 2, 1, 3, 4}}});
    };
    // What the gate's map makes of x, of a low rank perhaps.
    auto const mapped = [&](bool biased) {
        constexpr bool low = requires { requires(Decay::rank > 0); };
        std::string const a = at + (std::is_same_v<Decay, StepGate> ? "dt." : "a.");
        if constexpr (low) return emit_map(g, a + "1.", emit_map(g, a + "0.", x, false), biased);
        else return emit_map(g, a, x, biased);
    };
    constexpr bool logistic = requires { []<int N>(Tag<LogisticGate<N>>) {}(Tag<Decay>{}); };
    if constexpr (std::is_same_v<Decay, NoDecay>) return {};
    else if constexpr (std::is_same_v<Decay, ConstantDecay>) {
        std::vector<float> kept;
        for (int h = 0; h < H; ++h) kept.push_back(float(1 - std::exp2(-5.0 - h)));
        return {g.constant({H, 1, 1}, kept), {}};
    } else if constexpr (logistic) {
        auto const below = g.node("Softplus", {g.node("Mul", {mapped(true), g.constant(-1)})});
        return {by_heads(g.node("Exp", {g.node("Mul", {below, g.constant(-0.0625)})}), each), {}};
    } else {
        auto const shift = g.weight(at + "dt_bias");
        auto const step = g.node("Softplus", {g.node("Add", {mapped(false), shift})});
        std::vector<float> rates;
        for (float const a : g.numbers(at + "A_log")) rates.insert(rates.end(), each, -std::exp(a));
        auto const log = g.node("Mul", {step, g.constant({H * each}, rates)});
        return {by_heads(g.node("Exp", {log}), each),
                std::is_same_v<Decay, StepGate> ? by_heads(step, 1) : std::string()};
    }
}

template <class... P> struct OnnxForm<LinearAttn<P...>> {
    using Spec = LinearAttn<P...>;
    template <class I> static std::string emit(OnnxGraph& g, std::string const& at, std::string const& x) {
        using S = LinearShape<I, Native, Spec>;
        constexpr int T = I::rows, H = S::H, d = S::d, dv = S::dv, F = S::features, held = S::held;
        auto const project = [&](std::string const& name, int width) {
            auto y = emit_map(g, at + name + ".", x, false);
            if constexpr (S::convolves) {
                auto const& taps = g.numbers(at + name + "_conv.weight");
                y = OnnxForm<Silu>::of(
                    g, emit_conv(g, y, {H * width, 1, Spec::Conv::width}, taps, 1, H * width));
            }
            return g.node("Transpose", {g.reshape(y, {0, T, H, width})}, {{"perm", {0, 2, 1, 3}}});
        };
        auto const key = [&](std::string const& name) {
            auto y = project(name, d);
            if constexpr (S::unit) {
                auto const ones = g.constant({d, 1}, std::vector<float>(d, 1.0F));
                auto const square = g.node("MatMul", {g.node("Mul", {y, y}), ones});
                y = g.node("Div", {y, g.node("Sqrt", {g.node("Add", {square, g.constant(1e-6)})})});
            }
            y = OnnxTurn<typename Spec::Places, T, d>::of(g, y);
            return OnnxFeatures<typename Spec::Map, H, T, d>::of(g, at + name + "_map.", y);
        };
        auto q = key("q");
        if constexpr (S::Map::scaled && !S::steps)
            q = g.node("Mul", {q, g.constant(1 / std::sqrt(double(F)))});
        auto const k = key("k"), v = project("v", dv);
        auto const fading = emit_fading<typename Spec::Decay, H, T, S::Fade::each>(g, at, x);
        std::string strength = fading.step;
        if constexpr (S::delta) {
            auto const open = g.node("Sigmoid", {emit_map(g, at + "beta.", x, false)});
            auto const beta = g.node("Mul", {open, g.constant(Spec::Beta::times)});
            strength = g.node("Transpose", {g.reshape(beta, {0, T, H, 1, 1})}, {{"perm", {0, 2, 1, 3, 4}}});
        }
        auto written = v;
        if constexpr (S::divides) // a column of ones sums the keys
            written = g.node("Pad", {v, g.sizes({0, 0, 0, 0, 0, 0, 0, 1}), g.constant(1)});

        std::vector<std::string> tokens{g.reshape(q, {0, H, T, 1, F}), g.reshape(k, {0, H, T, F, 1}),
                                        g.reshape(written, {0, H, T, 1, held})};
        constexpr bool fades_by_token = S::Fade::width > 0;
        if constexpr (fades_by_token) tokens.push_back(fading.kept);
        if (!strength.empty()) tokens.push_back(strength);
        auto const read = g.scan(first<S>(g, at, x), tokens, 2, [&](auto const& state, auto const& token) {
            auto memory = state;
            std::size_t next = 3;
            if constexpr (fades_by_token) memory = g.node("Mul", {memory, token[next++]});
            else if (!fading.kept.empty()) memory = g.node("Mul", {memory, fading.kept});
            auto value = token[2];
            if constexpr (S::delta) {
                auto const asked = g.node("Transpose", {token[1]}, {{"perm", {0, 1, 3, 2}}});
                value = g.node("Sub", {value, g.node("MatMul", {asked, memory})});
            }
            if (!strength.empty()) value = g.node("Mul", {value, token[next]});
            memory = g.node("Add", {memory, g.node("MatMul", {token[1], value})});
            return std::pair{memory, g.node("MatMul", {token[0], memory})};
        });
        auto mixed = g.reshape(read, {0, H, T, held});
        if constexpr (S::divides) {
            auto const part = [&](int from, int to) {
                return g.node("Slice", {mixed, g.sizes({from}), g.sizes({to}), g.sizes({-1})});
            };
            auto const sum = g.node("Add", {part(dv, dv + 1), g.constant(1e-6)});
            mixed = g.node("Div", {part(0, dv), sum});
        }
        if constexpr (S::steps) {
            auto const skip = g.node("Mul", {v, g.constant({H, 1, 1}, g.numbers(at + "skip"))});
            mixed = g.node("Add", {mixed, skip});
        }
        if constexpr (S::norms) mixed = emit_rms_norm(g, at + "norm.weight", mixed, 1e-6);
        auto const rows = g.node("Transpose", {mixed}, {{"perm", {0, 2, 1, 3}}});
        auto merged = g.reshape(rows, {0, T, H * dv});
        if constexpr (S::gates) {
            auto const gate = emit_map(g, at + "gate.", x, false);
            merged = g.node("Mul", {merged, OnnxForm<typename Spec::ReadGate::Function>::of(g, gate)});
        }
        return emit_map(g, at + "o.", merged, false);
    }

private:
    /// The memories before the first token, for as many sequences as there are.
    template <class S> static std::string first(OnnxGraph& g, std::string const& at, std::string const& x) {
        std::vector<float> start(std::size_t(S::H * S::features * S::held), 0.0F);
        if constexpr (S::starts) start = g.numbers(at + "start");
        auto const batch = g.node("Slice", {g.node("Shape", {x}), g.sizes({0}), g.sizes({1})});
        auto const shape = g.node("Concat", {batch, g.sizes({S::H, S::features, S::held})}, {{"axis", 0}});
        return g.node("Expand", {g.constant({1, S::H, S::features, S::held}, start), shape});
    }
};

} // namespace detail
} // namespace inlay::inline INLAY_ISA
