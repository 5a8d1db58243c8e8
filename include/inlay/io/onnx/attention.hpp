// SPDX-License-Identifier: BSD-3-Clause
// Attention in the words of ONNX: masks and angles are constants, as the length is.
#pragma once

#include <inlay/io/onnx/blocks.hpp>

namespace inlay::inline INLAY_ISA {
namespace detail {

/// Scores as they are, and none of what has no constant form.
template <class S>
inline constexpr bool is_plain_attention =
    std::is_same_v<typename S::Norm, NoNorm> && std::is_same_v<typename S::Cap, NoCap> &&
    std::is_same_v<typename S::Gate, NoGate> && std::is_same_v<typename S::ScoreSink, NoScoreSink> &&
    std::is_same_v<typename S::Forget, NoForgetting> && std::is_same_v<typename S::Docs, NoDocuments> &&
    std::is_same_v<typename S::Weights, NoWeights> && std::is_same_v<typename S::Diff, NoDifference> &&
    std::is_same_v<typename S::Select, NoSelection> && std::is_same_v<typename S::Asks, ScoredBy<Standard>>;

/// Heads [B, H, T, d] turned by their places.
template <class Places, int T, int D> struct OnnxTurn;
template <int T, int D> struct OnnxTurn<NoPlaces, T, D> {
    static std::string of(OnnxGraph&, std::string const& x) { return x; }
};
template <auto Base, class... How, int T, int D> struct OnnxTurn<Rope<Base, How...>, T, D> {
    using Policy = Rope<Base, How...>;
    static constexpr int turning = Policy::turning(D), pairs = turning / 2;
    static std::string of(OnnxGraph& g, std::string const& x) {
        if constexpr (!Policy::interleaved) return halves(g, x);
        OnnxGraph::Sizes apart(D), back(D); // neighbours go to their halves, and back again
        for (int i = 0; i < D; ++i) {
            int const half = i < turning ? i / 2 + i % 2 * pairs : i;
            apart[std::size_t(half)] = i, back[std::size_t(i)] = half;
        }
        auto const pick = [&](std::string const& from, OnnxGraph::Sizes const& which) {
            return g.node("Gather", {from, g.sizes(which)}, {{"axis", -1}});
        };
        return pick(halves(g, pick(x, apart)), back);
    }

private:
    static std::string halves(OnnxGraph& g, std::string const& x) {
        std::vector<float> cos, sin;
        for (int t = 0; t < T; ++t)
            for (int m = 0; m < pairs; ++m) {
                double const angle = t * std::pow(Policy::base, -double(m) / pairs);
                cos.push_back(float(std::cos(angle)));
                sin.push_back(float(std::sin(angle)));
            }
        auto const c = g.constant({T, pairs}, cos), s = g.constant({T, pairs}, sin);
        auto const part = [&](int from, int to) {
            return g.node("Slice", {x, g.sizes({from}), g.sizes({to}), g.sizes({-1})});
        };
        auto const a = part(0, pairs), b = part(pairs, turning);
        auto const first = g.node("Sub", {g.node("Mul", {a, c}), g.node("Mul", {b, s})});
        auto const second = g.node("Add", {g.node("Mul", {a, s}), g.node("Mul", {b, c})});
        if constexpr (turning < D) return g.node("Concat", {first, second, part(turning, D)}, {{"axis", -1}});
        else return g.node("Concat", {first, second}, {{"axis", -1}});
    }
};

template <class... P>
    requires(is_plain_attention<SoftmaxAttn<P...>>)
struct OnnxForm<SoftmaxAttn<P...>> {
    using Spec = SoftmaxAttn<P...>;
    template <class I> static std::string emit(OnnxGraph& g, std::string const& at, std::string const& x) {
        constexpr int T = I::rows, H = Spec::heads, K = Spec::kv_heads, d = Spec::template head_dim<I::width>;
        auto const project = [&](char const* name, int heads) {
            auto const all = emit_map(g, at + name, x, Spec::Biases::inputs);
            return g.node("Transpose", {g.reshape(all, {0, T, heads, d})}, {{"perm", {0, 2, 1, 3}}});
        };
        using Turn = OnnxTurn<typename Spec::Places, T, d>;
        auto const q = Turn::of(g, project("q.", H)), k = Turn::of(g, project("k.", K)), v = project("v.", K);
        // The queries of all heads that read one head of keys stand one below the other.
        auto const scores = g.node("MatMul", {g.reshape(q, {0, K, H / K * T, d}),
                                              g.node("Transpose", {k}, {{"perm", {0, 1, 3, 2}}})});
        auto const scaled = g.node("Mul", {scores, g.constant(1 / std::sqrt(double(d)))});
        std::vector<float> unseen;
        for (int i = 0; i < T; ++i) {
            Sight const sight = sight_of<typename Spec::Keys, typename Spec::Win, typename Spec::Sink>(i);
            for (int j = 0; j < T; ++j) {
                bool const seen = j < sight.always || (j >= sight.first && j < sight.last);
                unseen.push_back(seen ? 0.0F : -1e30F);
            }
        }
        auto const masked = g.node("Add", {g.reshape(scaled, {0, H, T, T}), g.constant({T, T}, unseen)});
        auto const shares = g.reshape(g.node("Softmax", {masked}, {{"axis", -1}}), {0, K, H / K * T, T});
        auto const mixed = g.reshape(g.node("MatMul", {shares, v}), {0, H, T, d});
        auto const rows = g.node("Transpose", {mixed}, {{"perm", {0, 2, 1, 3}}});
        return emit_map(g, at + "o.", g.reshape(rows, {0, T, H * d}), Spec::Biases::output);
    }
};

} // namespace detail
} // namespace inlay::inline INLAY_ISA
