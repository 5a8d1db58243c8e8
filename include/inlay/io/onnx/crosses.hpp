// SPDX-License-Identifier: BSD-3-Clause
// Products of features in the words of ONNX.
#pragma once

#include <inlay/blocks/senet.hpp>
#include <inlay/io/onnx/exact_crosses.hpp>

namespace inlay::inline INLAY_ISA {
namespace detail {

/// A map of the token, of a low rank perhaps.
template <int Rank>
std::string emit_gate_map(OnnxGraph& g, std::string const& at, std::string const& x, bool biased) {
    if constexpr (Rank > 0) return emit_map(g, at + "1.", emit_map(g, at + "0.", x, false), biased);
    else return emit_map(g, at, x, biased);
}
/// x' = x_0 F(x) + x.
template <int L, bool Gated, class... P> struct OnnxDcn {
    static constexpr int rank = PolicyOr<HighestRank, NoRank, P...>::type::value,
                         experts = PolicyOr<HowManyExperts, NoRank, P...>::type::value;
    template <class I> static std::string emit(OnnxGraph& g, std::string const& at, std::string const& x) {
        std::string now = x;
        for (int l = 0; l < L; ++l) {
            auto const f = factor(g, at + std::to_string(l) + ".", now);
            now = g.node("Add", {g.node("Mul", {x, f}), now});
        }
        return now;
    }

private:
    static std::string factor(OnnxGraph& g, std::string const& at, std::string const& x) {
        if constexpr (experts > 0) {
            auto const shares = g.node("Softmax", {emit_map(g, at + "gate.", x, false)}, {{"axis", -1}});
            std::string sum = g.weight(at + "bias");
            for (int e = 0; e < experts; ++e) {
                std::string const own = at + std::to_string(e) + ".";
                auto const down = g.node("Tanh", {emit_map(g, own + "0.", x, false)});
                auto const middle = g.node("Tanh", {emit_map(g, own + "2.", down, false)});
                auto const share = g.part(shares, e, e + 1, -1);
                sum = g.node("Add", {sum, g.node("Mul", {emit_map(g, own + "4.", middle, false), share})});
            }
            return sum;
        } else {
            auto const linear = emit_gate_map<rank>(g, at, x, true);
            if constexpr (!Gated) return linear;
            else {
                auto const gate = g.node("Sigmoid", {emit_gate_map<rank>(g, at + "gate.", x, false)});
                return g.node("Mul", {linear, gate});
            }
        }
    }
};
template <int L, class... P> struct OnnxCross<Dcn<L>, P...> : OnnxDcn<L, false, P...> {};
template <int L, class... P> struct OnnxCross<Gdcn<L>, P...> : OnnxDcn<L, true, P...> {};
template <int L, class... P> struct OnnxCross<DcnV1<L>, P...> {
    template <class I> static std::string emit(OnnxGraph& g, std::string const& at, std::string const& x) {
        std::string now = x;
        for (int l = 0; l < L; ++l) {
            std::string const own = at + std::to_string(l) + ".";
            auto const product = g.node("MatMul", {now, g.turned(own + "weight")});
            auto const moved = g.node("Add", {g.node("Mul", {x, product}), g.weight(own + "bias")});
            now = g.node("Add", {moved, now});
        }
        return now;
    }
};

/// e_1 ... e_n of the rows of [B, F, D], as [B, 1, D], collected row by row as the block does.
template <class I> std::vector<std::string> emit_symmetric(OnnxGraph& g, std::string const& x, int n) {
    auto const v = g.whole(x);
    std::vector<std::string> e(static_cast<std::size_t>(n));
    for (int f = 0; f < I::rows; ++f) {
        auto const row = g.part(v, f, f + 1, 1);
        for (std::size_t k = std::size_t(n); k-- > 0;) {
            if (k > 0 && e[k - 1].empty()) continue;
            auto const more = k == 0 ? row : g.node("Mul", {e[k - 1], row});
            e[k] = e[k].empty() ? more : g.node("Add", {e[k], more});
        }
    }
    for (auto& one : e)
        if (one.empty()) one = g.scaled(g.part(v, 0, 1, 1), 0);
    return e;
}
template <class... P> struct OnnxCross<BiInteraction, P...> {
    template <class I> static std::string emit(OnnxGraph& g, std::string const&, std::string const& x) {
        return g.reshape(emit_symmetric<I>(g, x, 2)[1], {0, I::width});
    }
};
template <class... P> struct OnnxCross<Fm, P...> {
    template <class I> static std::string emit(OnnxGraph& g, std::string const&, std::string const& x) {
        return g.reshape(emit_sum_of_width(g, emit_symmetric<I>(g, x, 2)[1], I::width), {0, 1});
    }
};
template <int N, class... P> struct OnnxCross<PowerSums<N>, P...> {
    template <class I> static std::string emit(OnnxGraph& g, std::string const&, std::string const& x) {
        auto all = emit_symmetric<I>(g, x, N);
        all.erase(all.begin());
        return g.node("Concat", all, {{"axis", 1}});
    }
};

/// The rows i and j of all pairs, in the order of `each(i, j)`.
struct OnnxPairs {
    OnnxGraph::Sizes first, second;
    void add(int i, int j) { first.push_back(i), second.push_back(j); }
    static std::string rows(OnnxGraph& g, std::string const& x, OnnxGraph::Sizes const& which) {
        return g.node("Gather", {x, g.sizes(which)}, {{"axis", 1}});
    }
};
template <class... P> struct OnnxCross<Dot, P...> {
    template <class I> static std::string emit(OnnxGraph& g, std::string const&, std::string const& x) {
        constexpr int F = I::rows, own = has_policy<Diagonal, P...>;
        auto const v = g.whole(x);
        auto const all = g.node("MatMul", {v, g.node("Transpose", {v}, {{"perm", {0, 2, 1}}})});
        OnnxGraph::Sizes which;
        for (int i = 0; i < F; ++i)
            for (int j = 0; j < i + own; ++j) which.push_back(i * F + j);
        return g.node("Gather", {g.reshape(all, {0, F * F}), g.sizes(which)}, {{"axis", 1}});
    }
};
template <class... P> struct OnnxCross<Ffm, P...> {
    template <class I> static std::string emit(OnnxGraph& g, std::string const&, std::string const& x) {
        constexpr int F = I::rows, k = I::width / (F - 1);
        auto const v = g.reshape(g.whole(x), {0, F * (F - 1), k});
        OnnxPairs pairs; // the vector that i has for j stands at j, less i itself
        for (int i = 0; i < F; ++i)
            for (int j = i + 1; j < F; ++j) pairs.add(i * (F - 1) + j - 1, j * (F - 1) + i);
        auto const product =
            g.node("Mul", {OnnxPairs::rows(g, v, pairs.first), OnnxPairs::rows(g, v, pairs.second)});
        constexpr int n = F * (F - 1) / 2 * k;
        return emit_sum_of_width(g, g.reshape(product, {0, n}), n);
    }
};
template <class... P> struct OnnxCross<Bilinear, P...> {
    template <class I> static std::string emit(OnnxGraph& g, std::string const& at, std::string const& x) {
        using Maps = typename PolicyOr<HowManyMaps, OneMap, P...>::type;
        constexpr int F = I::rows;
        auto const v = g.whole(x);
        std::vector<std::string> rows;
        for (int i = 0, pair = 0; i < F; ++i)
            for (int j = i + 1; j < F; ++j, ++pair) {
                std::string own = at;
                if constexpr (std::is_same_v<Maps, PerField>) own += std::to_string(i) + ".";
                if constexpr (std::is_same_v<Maps, PerPair>) own += std::to_string(pair) + ".";
                auto const turned = emit_map(g, own, g.part(v, i, i + 1, 1), false);
                rows.push_back(g.node("Mul", {turned, g.part(v, j, j + 1, 1)}));
            }
        return g.node("Concat", rows, {{"axis", 1}});
    }
};
template <int... H, class... P> struct OnnxCross<Cin<H...>, P...> {
    template <class I> static std::string emit(OnnxGraph& g, std::string const& at, std::string const& x) {
        constexpr int F = I::rows, D = I::width;
        auto const first = g.whole(x), wide = g.reshape(first, {0, F, 1, D});
        std::string now = first;
        std::vector<std::string> sums;
        int below = F, l = 0;
        auto const layer = [&](int h) {
            std::string const own = at + std::to_string(l++) + ".";
            auto const products = g.node("Mul", {wide, g.reshape(now, {0, 1, below, D})});
            auto const flat = g.reshape(products, {0, F * below, D});
            auto const bias = g.constant({h, 1}, g.numbers(own + "bias"));
            now = g.node("Add", {g.node("MatMul", {g.weight(own + "weight"), flat}), bias});
            sums.push_back(g.reshape(emit_sum_of_width(g, now, D), {0, h}));
            below = h;
        };
        (layer(H), ...);
        return g.node("Concat", sums, {{"axis", -1}});
    }
};
template <int H, class... P> struct OnnxCross<Fusion<H>, P...> {
    template <class I> static std::string emit(OnnxGraph& g, std::string const& at, std::string const& x) {
        constexpr int half = I::width / 2, k = half / H;
        std::vector<std::string> terms{emit_map(g, at, x, true)};
        for (int h = 0; h < H; ++h) {
            auto const one = g.part(x, h * k, (h + 1) * k, -1);
            auto const two = g.part(x, half + h * k, half + (h + 1) * k, -1);
            auto const turned = g.node("MatMul", {one, g.weight(at + std::to_string(h) + ".weight")});
            terms.push_back(emit_sum_of_width(g, g.node("Mul", {turned, two}), k));
        }
        return emit_sum(g, terms);
    }
};
template <int r> struct OnnxForm<Senet<r>> {
    template <class I> static std::string emit(OnnxGraph& g, std::string const& at, std::string const& x) {
        constexpr int F = I::rows;
        auto const v = g.whole(x);
        auto const mean = g.node("ReduceMean", {v}, {{"axes", {2}}, {"keepdims", 0}});
        auto const few = g.node("Relu", {emit_map(g, at + "0.", mean, false)});
        auto const open = g.node("Relu", {emit_map(g, at + "1.", few, false)});
        return g.node("Mul", {v, g.reshape(open, {0, F, 1})});
    }
};

} // namespace detail
} // namespace inlay::inline INLAY_ISA
