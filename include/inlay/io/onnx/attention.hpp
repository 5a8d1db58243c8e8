// SPDX-License-Identifier: BSD-3-Clause
// Attention in the words of ONNX: masks and angles are constants, as the length is.
#pragma once

#include <inlay/blocks/sparse_attn.hpp>
#include <inlay/io/onnx/blocks.hpp>

namespace inlay::inline INLAY_ISA {
namespace detail {

/// None of what has no form here: weights other than softmax, differences, selections, documents.
template <class S>
inline constexpr bool is_plain_attention =
    std::is_same_v<typename S::Docs, NoDocuments> && std::is_same_v<typename S::Weights, NoWeights> &&
    std::is_same_v<typename S::Diff, NoDifference> && std::is_same_v<typename S::Select, NoSelection> &&
    std::is_same_v<typename S::Asks, ScoredBy<Standard>>;

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

template <int T, int D> struct OnnxTurn<Alibi, T, D> : OnnxTurn<NoPlaces, T, D> {};
template <int T, int D> struct OnnxTurn<LearnedAlibi, T, D> : OnnxTurn<NoPlaces, T, D> {};

/// A number for each query and key, [T, T].
template <int T, class F> std::string emit_pairs(OnnxGraph& g, F const& of) {
    std::vector<float> all;
    for (int i = 0; i < T; ++i)
        for (int j = 0; j < T; ++j) all.push_back(float(of(i, j)));
    return g.constant({T, T}, all);
}
/// What is added to a score that is no key's: 0 where `kept` is 1, and very little where it is 0.
inline std::string emit_hidden(OnnxGraph& g, std::string const& kept) {
    return g.scaled(g.node("Sub", {kept, g.constant(1)}), 1e30);
}
/// 1 where one of the N largest of the T numbers in the last extent stands, of equals the earliest.
inline std::string emit_largest(OnnxGraph& g, std::string const& x, int N, int T) {
    auto const places = g.nodes("TopK", {x, g.sizes({N})}, 2, {{"axis", -1}})[1];
    auto const each = g.node("OneHot", {places, g.sizes({T}), g.constant({2}, {0, 1})}, {{"axis", -1}});
    return g.node("ReduceMax", {each}, {{"axes", {-2}}, {"keepdims", 0}});
}

/// What attention of H heads over T tokens by a spec has at hand for its pattern of keys: scores of what is
/// seen [B, H, T, T], queries and keys [B, H or K, T, d].
struct OnnxScores {
    std::string at, x, scores, q, k;
    int H, K, d;
};
/// Scores of keys that a pattern leaves out become very small.
template <class Pattern, int T> struct OnnxPattern {
    static std::string choose(OnnxGraph&, OnnxScores const& s) { return s.scores; }
};
template <int N, int T> struct OnnxPattern<TopTokens<N>, T> {
    static std::string choose(OnnxGraph& g, OnnxScores const& s) {
        return g.node("Add", {s.scores, emit_hidden(g, emit_largest(g, s.scores, std::min(N, T), T))});
    }
};
/// What a token is worth by itself says who is kept, and log sigmoid of it is added to scores.
template <int N, int T> struct OnnxPattern<HardSelect<N>, T> {
    static std::string choose(OnnxGraph& g, OnnxScores const& s) {
        auto const worth = g.reshape(emit_map(g, s.at + "select.", s.x, false), {0, 1, 1, T});
        auto const past = emit_pairs<T>(g, [](int i, int j) { return j <= i ? 0 : -1e30; });
        auto const kept = emit_largest(g, g.node("Add", {worth, past}), std::min(N, T), T);
        auto const level = g.node("Softplus", {g.scaled(worth, -1)});
        return g.node("Add", {g.node("Sub", {s.scores, level}), emit_hidden(g, kept)});
    }
};
/// A query's own block, and some of those before by what their summaries promise.
template <class Pattern, int T> struct OnnxBlocks {
    static constexpr int size = Pattern::block, count = T / size;
    static std::string choose(OnnxGraph& g, OnnxScores const& s) {
        auto kept = emit_pairs<T>(g, [](int i, int j) { return i / size == j / size; });
        if constexpr (count > 0 && Pattern::others > 0) {
            std::vector<float> before, hidden, members;
            for (int i = 0; i < T; ++i)
                for (int b = 0; b < count; ++b) {
                    before.push_back(b < i / size ? 1.0F : 0.0F);
                    hidden.push_back(b < i / size ? 0.0F : -1e30F);
                }
            for (int b = 0; b < count; ++b)
                for (int j = 0; j < T; ++j) members.push_back(j / size == b ? 1.0F : 0.0F);
            auto const all = g.reshape(promised(g, s), {0, s.H, T, count});
            auto const past = g.node("Add", {all, g.constant({T, count}, hidden)});
            auto const largest = emit_largest(g, past, std::min(Pattern::others, count), count);
            auto const chosen = g.node("Mul", {largest, g.constant({T, count}, before)});
            auto const tokens = g.node("MatMul", {chosen, g.constant({count, T}, members)});
            kept = g.node("Add", {kept, tokens});
        }
        return g.node("Add", {s.scores, emit_hidden(g, kept)});
    }

private:
    static std::string promised(OnnxGraph& g, OnnxScores const& s) {
        auto const asks = g.reshape(s.q, {0, s.K, s.H / s.K * T, s.d});
        auto const times = [&](std::string const& queries, std::string const& summary) {
            return g.node("MatMul", {queries, g.node("Transpose", {summary}, {{"perm", {0, 1, 3, 2}}})});
        };
        auto const by_block = [&](char const* op) {
            auto const whole = g.part(s.k, 0, count * size, 2);
            auto const apart = g.reshape(whole, {0, s.K, count, size * s.d});
            std::string found;
            for (int j = 0; j < size; ++j) { // token j of all blocks at once
                auto const one = g.part(apart, j * s.d, (j + 1) * s.d, 3);
                found = j == 0 ? one : g.node(op, {found, one});
            }
            return found;
        };
        if constexpr (std::is_same_v<typename Pattern::Summary, MeanKeys>)
            return times(asks, g.scaled(by_block("Add"), 1.0 / size));
        else {
            auto const below = g.node("Relu", {g.scaled(asks, -1)});
            return g.node("Sub",
                          {times(g.node("Relu", {asks}), by_block("Max")), times(below, by_block("Min"))});
        }
    }
};
template <int N, int B, int T> struct OnnxPattern<TopBlocks<N, B>, T> : OnnxBlocks<TopBlocks<N, B>, T> {};
template <int N, int B, int T> struct OnnxPattern<Quest<N, B>, T> : OnnxBlocks<Quest<N, B>, T> {};

template <class Pattern> inline constexpr bool is_spread = requires { Pattern::spread; };
/// Patterns with a form: those whose keys are known beforehand, and some that choose.
template <class Pattern> inline constexpr bool is_chooser = false;
template <int N> inline constexpr bool is_chooser<TopTokens<N>> = true;
template <int N> inline constexpr bool is_chooser<HardSelect<N>> = true;
template <int N, int B> inline constexpr bool is_chooser<TopBlocks<N, B>> = true;
template <int N, int B> inline constexpr bool is_chooser<Quest<N, B>> = true;
template <class Pattern>
inline constexpr bool has_onnx_pattern = !Pattern::used || is_spread<Pattern> || is_chooser<Pattern>;
template <int N> inline constexpr bool has_onnx_pattern<LocalTokens<N>> = true;

/// Whether query i sees key j, as far as it is known beforehand.
template <class S, int T> bool sees(int i, int j) {
    using Pattern = typename S::Pattern;
    using Win = typename decltype([] {
        if constexpr (Pattern::used) return Tag<typename Pattern::template Over<T>>{};
        else return Tag<typename S::Win>{};
    }())::type;
    Sight const sight = sight_of<typename S::Keys, Win, typename S::Sink>(i);
    if (j < sight.always || (j >= sight.first && j < sight.last)) return true;
    if constexpr (is_chooser<Pattern>) return j <= i;
    if constexpr (is_spread<Pattern>) {
        constexpr int globals = S::Sink::value;
        if (i < globals || j < globals) return false;
        std::int64_t const before = Pattern::members_before(Pattern::class_of(i), j);
        if (Pattern::member(Pattern::class_of(i), before) != j) return false;
        return (j >= Pattern::distant_from(i) && j < Pattern::distant_end(i)) ||
               (!S::Keys::streams && j >= Pattern::near_end(i));
    }
    return false;
}

template <class Spec> struct OnnxAttention {
    template <class I> static std::string emit(OnnxGraph& g, std::string const& at, std::string const& x) {
        constexpr int T = I::rows, K = Spec::kv_heads, d = Spec::template head_dim<I::width>;
        using Pattern = OnnxPattern<typename Spec::Pattern, T>;
        auto const project = [&](char const* name, int heads) {
            auto const all = emit_map(g, at + name, x, Spec::Biases::inputs);
            return g.node("Transpose", {g.reshape(all, {0, T, heads, d})}, {{"perm", {0, 2, 1, 3}}});
        };
        using Turn = OnnxTurn<typename Spec::Places, T, d>;
        auto const q = Turn::of(g, normed(g, at + "q_norm.weight", project("q.", H), d));
        auto const k = Turn::of(g, normed(g, at + "k_norm.weight", project("k.", K), d));
        auto const v = project("v.", K);
        // The queries of all heads that read one head of keys stand one below the other.
        auto const turned = g.node("Transpose", {k}, {{"perm", {0, 1, 3, 2}}});
        auto const products = g.node("MatMul", {g.reshape(q, {0, K, H / K * T, d}), turned});
        OnnxScores s{at, x, levelled<T>(g, at, x, g.reshape(products, {0, H, T, T}), d), q, k, H, K, d};
        auto const unseen = emit_pairs<T>(g, [](int i, int j) { return sees<Spec, T>(i, j) ? 0.0 : -1e30; });
        s.scores = g.node("Add", {s.scores, unseen});
        if (auto const mask = g.mask(x); !mask.empty())
            s.scores = g.node("Add", {s.scores, emit_hidden(g, g.reshape(mask, {0, 1, 1, T}))});
        auto const shares = softmax(g, at, Pattern::choose(g, s), T);
        auto const mixed = g.node("MatMul", {g.reshape(shares, {0, K, H / K * T, T}), v});
        auto const rows = g.node("Transpose", {g.reshape(mixed, {0, H, T, d})}, {{"perm", {0, 2, 1, 3}}});
        return emit_map(g, at + "o.", gated<T>(g, at, x, rows, d), Spec::Biases::output);
    }

private:
    static constexpr int H = Spec::heads;
    static std::string normed(OnnxGraph& g, std::string const& weight, std::string const& x, int d) {
        if constexpr (std::is_same_v<typename Spec::Norm, QkNorm>) return emit_rms_norm(g, weight, x, 1e-6);
        else if constexpr (std::is_same_v<typename Spec::Norm, QkUnit>) {
            auto const square = emit_sum_of_width(g, g.node("Mul", {x, x}), d);
            return g.node("Div", {x, g.node("Sqrt", {g.node("Add", {square, g.constant(1e-6)})})});
        } else return x;
    }
    /// Scores by scale and cap, with what places and forgetting add.
    template <int T>
    static std::string levelled(OnnxGraph& g, std::string const& at, std::string const& x,
                                std::string const& products, int d) {
        std::string scores;
        if constexpr (std::is_same_v<typename Spec::Norm, QkUnit>)
            scores = g.node("Mul", {products, g.constant({H, 1, 1}, g.numbers(at + "temperature"))});
        else scores = g.scaled(products, 1 / std::sqrt(double(d)));
        if constexpr (!std::is_same_v<typename Spec::Cap, NoCap>) {
            double const cap = Spec::Cap::template of<double>().cap;
            scores = g.scaled(g.node("Tanh", {g.scaled(scores, 1 / cap)}), cap);
        }
        using Places = typename Spec::Places;
        if constexpr (std::is_same_v<Places, Alibi> || std::is_same_v<Places, LearnedAlibi>) {
            std::vector<float> slopes;
            for (int h = 0; h < H; ++h) slopes.push_back(float(alibi_slope(h, H)));
            if constexpr (std::is_same_v<Places, LearnedAlibi>) slopes = g.numbers(at + "slopes");
            auto const distance = emit_pairs<T>(g, [](int i, int j) { return j - i; });
            scores = g.node("Add", {scores, g.node("Mul", {g.constant({H, 1, 1}, slopes), distance})});
        }
        if constexpr (!std::is_same_v<typename Spec::Forget, NoForgetting>) {
            auto const logits = g.scaled(emit_map(g, at + "forget.", x, true), -1);
            auto const log = g.scaled(g.node("Softplus", {logits}), -1); // of a sigmoid
            auto const before = emit_pairs<T>(g, [](int i, int j) { return j <= i; });
            auto const sums = g.node("Transpose", {g.node("MatMul", {before, log})}, {{"perm", {0, 2, 1}}});
            auto const apart = g.node("Sub", {g.reshape(sums, {0, H, T, 1}), g.reshape(sums, {0, H, 1, T})});
            scores = g.node("Add", {scores, apart});
        }
        return scores;
    }
    /// With a score of no key, whose share is left out again.
    static std::string softmax(OnnxGraph& g, std::string const& at, std::string const& scores, int T) {
        using Sink = typename Spec::ScoreSink;
        auto const shares = [&](std::string const& of) { return g.node("Softmax", {of}, {{"axis", -1}}); };
        if constexpr (std::is_same_v<Sink, NoScoreSink>) return shares(scores);
        std::vector<float> level(std::size_t(H), 0.0F);
        if constexpr (std::is_same_v<Sink, SinkLogit>) level = g.numbers(at + "sink");
        auto const none = g.scaled(g.part(scores, 0, 1, -1), 0);
        auto const sink = g.node("Add", {none, g.constant({H, 1, 1}, level)});
        return g.part(shares(g.node("Concat", {scores, sink}, {{"axis", -1}})), 0, T, -1);
    }
    /// Rows [B, T, H, d] of the heads, gated, as [B, T, H d].
    template <int T>
    static std::string gated(OnnxGraph& g, std::string const& at, std::string const& x,
                             std::string const& rows, int d) {
        using Gate = typename Spec::Gate;
        if constexpr (std::is_same_v<Gate, NoGate>) return g.reshape(rows, {0, T, H * d});
        auto const gate = g.node("Sigmoid", {emit_map(g, at + "gate.", x, false)});
        auto const by_head = g.reshape(gate, {0, T, H, std::is_same_v<Gate, OutputGate<Headwise>> ? 1 : d});
        return g.reshape(g.node("Mul", {rows, by_head}), {0, T, H * d});
    }
};
template <class S>
inline constexpr bool has_onnx_attention =
    is_plain_attention<S> && has_onnx_pattern<typename S::Pattern> && S::ScoreSink::keys == 0;
template <class... P>
    requires(has_onnx_attention<SoftmaxAttn<P...>>)
struct OnnxForm<SoftmaxAttn<P...>> : OnnxAttention<SoftmaxAttn<P...>> {};
template <class... P>
    requires(has_onnx_attention<SparseAttn<P...>>)
struct OnnxForm<SparseAttn<P...>> : OnnxAttention<SparseAttn<P...>> {};

} // namespace detail
} // namespace inlay::inline INLAY_ISA
