// SPDX-License-Identifier: BSD-3-Clause
// Histories, several tasks and side tensors in the words of ONNX.
#pragma once

#include <inlay/blocks/aligned_codes.hpp>
#include <inlay/blocks/esmm.hpp>
#include <inlay/blocks/hstu.hpp>
#include <inlay/blocks/item_to_item.hpp>
#include <inlay/combine/keep.hpp>
#include <inlay/combine/multi_gate.hpp>
#include <inlay/combine/per_row.hpp>
#include <inlay/combine/target_first.hpp>
#include <inlay/io/onnx/blocks.hpp>

namespace inlay::inline INLAY_ISA {
namespace detail {

/// What A makes is the side tensor N while the body runs.
template <Name N, bool Through, class A, class... Body> struct OnnxSide {
    using Inside = List<A, Body...>;
    template <class I> static std::string emit(OnnxGraph& g, std::string const& at, std::string const& x) {
        auto const made = emit_onnx<A, I>(g, at + N.text + ".", x);
        auto const outer = std::exchange(g.sides[N.text], made);
        using From = std::conditional_t<Through, typename OutputOf<A, I>::type, I>;
        auto const y = emit_onnx<Stack<Body...>, From>(g, at, Through ? made : x);
        g.sides[N.text] = outer;
        return y;
    }
};
template <Name N, class A, class... Body>
struct OnnxForm<Let<N, A, Body...>> : OnnxSide<N, false, A, Body...> {};
template <Name N, class A, class... Body>
struct OnnxForm<Keep<N, A, Body...>> : OnnxSide<N, true, A, Body...> {};

template <Name N, class... S> struct OnnxForm<TargetAttn<N, S...>> {
    using Inside = List<S...>;
    template <class I> static std::string emit(OnnxGraph& g, std::string const& at, std::string const& x) {
        constexpr int T = I::rows, D = I::width;
        auto const goal = g.reshape(g.sides[N.text], {0, 1, D});
        auto const apart = g.node("Sub", {goal, x});
        auto const all = g.node("Add", {g.node("Mul", {apart, g.constant(0)}), goal});
        auto const pairs = g.node("Concat", {all, x, apart, g.node("Mul", {goal, x})}, {{"axis", -1}});
        g.set_mask(pairs, g.mask(x));
        auto const weights = emit_onnx<Stack<S...>, Shape<T, 4 * D>>(g, at, pairs);
        auto const weighed = g.node("Mul", {g.whole(x), weights});
        return g.reshape(g.summed(weighed, T), {0, D});
    }
};
/// Place j > 0 holds row n - j of a history of n: a matrix of zeros and ones turns it round.
template <Name N, class... S> struct OnnxForm<TargetFirst<N, S...>> {
    using Inside = List<S...>;
    template <class I> static std::string emit(OnnxGraph& g, std::string const& at, std::string const& x) {
        constexpr int T = I::rows, D = I::width;
        std::vector<float> sums;
        for (int j = 1; j <= T; ++j)
            for (int t = 0; t < T; ++t) sums.push_back(float(t + j));
        auto const mask = g.mask(x);
        auto const length = mask.empty() ? g.constant({1, 1, 1}, {float(T)}) : g.summed(mask, T);
        auto const places = g.node("Equal", {g.constant({1, T, T}, sums), length});
        auto const turned = g.node("MatMul", {g.cast(places, OnnxGraph::float_type), x});
        auto const all = g.node("Concat", {g.reshape(g.sides[N.text], {0, 1, D}), turned}, {{"axis", 1}});
        if (!mask.empty()) g.set_mask(all, g.node("Pad", {mask, g.sizes({0, 1, 0, 0, 0, 0}), g.constant(1)}));
        return emit_onnx<Stack<S...>, Shape<T + 1, D>>(g, at, all);
    }
};

/// The bias of scores by the time between tokens, [B, 1, T, T]; empty without one.
template <class Policy> struct OnnxTimes {
    static std::string of(OnnxGraph&, std::string const&, int) { return {}; }
};
template <Name Side, int Count, double Unit> struct OnnxTimes<BasicTimeBuckets<Side, Count, Unit>> {
    static std::string of(OnnxGraph& g, std::string const& at, int T) {
        auto const times = g.cast(g.sides[Side.text], OnnxGraph::double_type);
        auto const between = g.node("Sub", {times, g.reshape(times, {0, 1, T})});
        auto const apart = g.node("Div", {g.node("Abs", {between}), g.constant_double(Unit)});
        auto const log = g.node("Log", {g.node("Max", {apart, g.constant_double(1)})});
        auto const step = g.node("Floor", {g.node("Div", {log, g.constant_double(0.301)})});
        auto const bucket = g.node("Min", {step, g.constant_double(Count)});
        auto const table = g.constant({Count + 1}, g.numbers(at + "time"));
        return g.reshape(g.node("Gather", {table, g.cast(bucket, OnnxGraph::int64_type)}), {0, 1, T, T});
    }
};
template <class... P> struct OnnxForm<Hstu<P...>> {
    template <class I> static std::string emit(OnnxGraph& g, std::string const& at, std::string const& x) {
        constexpr int T = I::rows, D = I::width, H = Hstu<P...>::H, d = D / H;
        auto const norm = [&](std::string const& z) {
            std::vector<float> const ones(std::size_t(D), 1.0F);
            return g.node("LayerNormalization", {z, g.constant({D}, ones)},
                          {{"axis", -1}, {"epsilon", 1e-6}});
        };
        auto const parts = OnnxForm<Silu>::of(g, emit_map(g, at + "uvqk.", norm(x), false));
        auto const heads = [&](int which) {
            auto const own = g.part(parts, which * D, (which + 1) * D, -1);
            return g.node("Transpose", {g.reshape(own, {0, T, H, d})}, {{"perm", {0, 2, 1, 3}}});
        };
        auto const k = g.node("Transpose", {heads(3)}, {{"perm", {0, 1, 3, 2}}});
        std::vector<float> bias, seen;
        auto const& position = g.numbers(at + "position");
        for (int i = 0; i < T; ++i)
            for (int j = 0; j < T; ++j) {
                bias.push_back(j <= i ? position[std::size_t(i - j)] : 0);
                seen.push_back(j <= i ? 1 / float(T) : 0);
            }
        auto scores = g.node("Add", {g.node("MatMul", {heads(2), k}), g.constant({T, T}, bias)});
        using Times = OnnxTimes<typename PolicyOr<HowTimeCounts, void, P...>::type>;
        if (auto const more = Times::of(g, at, T); !more.empty()) scores = g.node("Add", {scores, more});
        auto const shares = g.node("Mul", {OnnxForm<Silu>::of(g, scores), g.constant({T, T}, seen)});
        auto const mixed =
            g.node("Transpose", {g.node("MatMul", {shares, heads(1)})}, {{"perm", {0, 2, 1, 3}}});
        auto const gated = g.node("Mul", {g.part(parts, 0, D, -1), norm(g.reshape(mixed, {0, T, D}))});
        return emit_map(g, at + "o.", gated, true);
    }
};

template <int N, class Expert, class... P> struct OnnxForm<MultiGate<N, Expert, P...>> {
    using Inside = List<Expert>;
    using Spec = MultiGate<N, Expert, P...>;
    template <class I> static std::string emit(OnnxGraph& g, std::string const& at, std::string const& x) {
        using Row = Shape<I::width>;
        constexpr int H = OutputOf<Expert, Row>::type::width, seen = Spec::seen, shared = Spec::shared;
        auto const whole = g.whole(x);
        auto const source = [&](int r) {
            if constexpr (is_sequence<I>) return g.reshape(g.part(whole, r, r + 1, 1), {0, I::width});
            else return r < 0 ? x : x;
        };
        std::vector<std::string> experts, rows;
        for (int e = 0; e < Spec::experts; ++e) {
            int const row = e < shared ? N : (e - shared) / std::max(1, Spec::own);
            experts.push_back(emit_onnx<Expert, Row>(g, at + std::to_string(e) + ".", source(row)));
        }
        for (int k = 0; k < Spec::rows; ++k) {
            int const width = k < N ? seen : Spec::experts;
            auto const logits =
                g.part(emit_map(g, at + "gate.", source(k), true), k * seen, k * seen + width, -1);
            auto const shares = g.node("Softmax", {logits}, {{"axis", -1}});
            std::string sum;
            for (int s = 0; s < width; ++s) {
                int const e = k == N || s < shared ? s : s + k * Spec::own;
                auto const part = g.node("Mul", {experts[std::size_t(e)], g.part(shares, s, s + 1, -1)});
                sum = s == 0 ? part : g.node("Add", {sum, part});
            }
            rows.push_back(g.reshape(sum, {0, 1, H}));
        }
        return g.node("Concat", rows, {{"axis", 1}});
    }
};
template <class... S> struct OnnxForm<PerRow<S...>> {
    using Inside = List<S...>;
    template <class I> static std::string emit(OnnxGraph& g, std::string const& at, std::string const& x) {
        auto const whole = g.whole(x);
        std::vector<std::string> parts;
        each<sizeof...(S)>([&](auto j) {
            using Child = At<j, S...>;
            auto const row = g.reshape(g.part(whole, int(j), int(j) + 1, 1), {0, I::width});
            parts.push_back(emit_onnx<Child, Shape<I::width>>(g, child_place<Child>(at, int(j)), row));
        });
        return g.node("Concat", parts, {{"axis", -1}});
    }
};
template <> struct OnnxForm<Esmm> {
    template <class I> static std::string emit(OnnxGraph& g, std::string const&, std::string const& x) {
        auto const a = g.scaled(g.part(x, 0, 1, -1), -1), b = g.scaled(g.part(x, 1, 2, -1), -1);
        auto const both = g.node("Add", {a, b}), top = g.node("Max", {a, b, both});
        auto const over = [&](std::string const& z) { return g.node("Exp", {g.node("Sub", {z, top})}); };
        auto const sum = g.node("Add", {g.node("Add", {over(a), over(b)}), over(both)});
        auto const logit = g.scaled(g.node("Add", {top, g.node("Log", {sum})}), -1);
        return g.node("Concat", {g.part(x, 0, 1, -1), logit}, {{"axis", -1}});
    }
};
template <> struct OnnxForm<ItemToItem> {
    template <class I> static std::string emit(OnnxGraph& g, std::string const& at, std::string const& x) {
        constexpr auto N = std::size_t(I::width);
        auto const& weight = g.numbers(at + "weight");
        std::vector<float> turned(N * N, 0.0F);
        for (std::size_t i = 0; i < N; ++i)
            for (std::size_t j = 0; j < N; ++j)
                if (i != j) turned[j * N + i] = weight[i * N + j];
        return g.node("MatMul", {x, g.constant({I::width, I::width}, turned)});
    }
};
/// The rows that codes mean are known when the file is written.
template <int D, int K, int Thousandths, int Rounds>
struct OnnxForm<BasicAlignedCodes<D, K, Thousandths, Rounds>> {
    template <class I> static std::string emit(OnnxGraph& g, std::string const& at, std::string const& x) {
        auto const &weight = g.numbers(at + "weight"), &permutation = g.numbers(at + "permutation");
        std::vector<float> rows(std::size_t(I::vocabulary) * D);
        std::vector<double> r(static_cast<std::size_t>(K * K));
        for (int group = 0; group < I::vocabulary; group += K) {
            for (int i = 0; i < K * K; ++i)
                r[std::size_t(i)] = double(permutation[std::size_t(group * K + i)]) * 1000 / Thousandths;
            for (int n = 0; n < 2 * Rounds; ++n) normalise(r, n % 2 == 0 ? K : 1, n % 2 == 0 ? 1 : K);
            for (int c = 0; c < K; ++c)
                for (int i = 0; i < D; ++i) {
                    double sum = 0;
                    for (int k = 0; k < K; ++k)
                        sum += std::exp(r[std::size_t(c * K + k)]) *
                               double(weight[std::size_t((group + k) * D + i)]);
                    rows[std::size_t((group + c) * D + i)] = float(sum);
                }
        }
        return g.node("Gather", {g.constant({I::vocabulary, D}, rows), x});
    }

private:
    /// The exponentials of each line sum to 1: lines stand `line` apart, their numbers `step`.
    static void normalise(std::vector<double>& r, int line, int step) {
        for (int l = 0; l < K; ++l) {
            double sum = 0;
            for (int i = 0; i < K; ++i) sum += std::exp(r[std::size_t(l * line + i * step)]);
            for (int i = 0; i < K; ++i) r[std::size_t(l * line + i * step)] -= std::log(sum);
        }
    }
};

} // namespace detail
} // namespace inlay::inline INLAY_ISA
