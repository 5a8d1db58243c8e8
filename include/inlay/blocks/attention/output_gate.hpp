// SPDX-License-Identifier: BSD-3-Clause
// What heads give, weighted by the token that asked.
#pragma once

#include <inlay/blocks/attention/part.hpp>
#include <inlay/blocks/attention/policies.hpp>

namespace inlay::inline INLAY_ISA {

/// One gate for each head.
struct Headwise;
/// One gate for each number of each head.
struct Elementwise;
/// What the heads give is multiplied by sigmoid(Wg x) before the last projection (arXiv 2505.06708):
/// `gate.weight [H, D]` with Headwise, `[H d, D]` with Elementwise, from Xavier's distribution.
template <class How> struct OutputGate {
    static_assert(std::is_same_v<How, Headwise> || std::is_same_v<How, Elementwise>,
                  "inlay: OutputGate is Headwise or Elementwise");
    using PolicyKind = WhichGate;
    static constexpr bool each = std::is_same_v<How, Elementwise>;
};

namespace detail {
template <class S, class I, class Policy> struct OutputGating : NoPart<WhichGate> {
    using MixedRows = NoRows<Policy>;
};

template <class S, class I, class How> struct OutputGating<S, I, OutputGate<How>> : NoPart<WhichGate> {
    using T = typename S::T;
    using R = typename S::Real;
    static constexpr bool used = true, each = OutputGate<How>::each;
    static constexpr int W = S::W, width = each ? S::H * S::vd : S::H;
    using Mixed = Shape<S::rows, S::H * S::vd>;
    using Rows = PartRows<Shape<S::rows, width>, R>; ///< sigmoid(Wg x), or gradients
    using MixedRows = PartRows<Mixed, R>;
    using Map = typename Dense<width, NoBias>::template Block<I, R>;
    static constexpr int row = Rows::row, mixed_row = MixedRows::row;
    static constexpr long long parameters = Map::parameters;
    static constexpr double flops = Map::flops + double(S::rows) * S::H * S::vd;
    struct Params {
        typename Map::Params map;
    };

    template <class P, class F> static void visit(P& p, Path const& at, F&& f) {
        Map::visit(p.map, Path{&at, "gate"}, f);
    }
    template <class C> static void initialize(C const& c, Params& p) noexcept {
        draw_map(c.key.fold(4), 1, p.map);
    }

    /// Gates of n tokens.
    static void open(int n, Params const& p, T const* x, T* gate) noexcept {
        Map::apply(n, p.map, x, gate);
        for (int t = 0; t < n; ++t, gate += row) {
            kernels::map<W>(padded(width, W), gate, gate, [](auto v) { return simd::sigmoid(v); });
            kernels::clear_pads(gate, width, row);
        }
    }
    /// to = gate * mixed, pads included.
    static void apply(int n, T const* gate, T const* mixed, T* to) noexcept {
        for (int t = 0; t < n; ++t, gate += row, mixed += mixed_row, to += mixed_row)
            if constexpr (each)
                kernels::zip<W>(mixed_row, mixed, gate, to, [](auto a, auto b) { return a * b; });
            else {
                for (int h = 0; h < S::H; ++h)
                    kernels::scale<W>(S::vd, gate[h], mixed + h * S::vd, to + h * S::vd);
                kernels::clear_pads(to, S::H * S::vd, mixed_row);
            }
    }
    /// d = the gradient of gated numbers becomes that of mixed ones; dgate becomes that of Wg x.
    static void pull(int n, T const* gate, T const* mixed, T* d, T* dgate) noexcept {
        using V = simd::vec<T, W>;
        for (int t = 0; t < n; ++t, gate += row, mixed += mixed_row, d += mixed_row, dgate += row) {
            if constexpr (each)
                for (int i = 0; i < mixed_row; i += W) {
                    V const g = V::load(gate + i), slope = V::load(d + i);
                    (slope * V::load(mixed + i) * g * (V(T(1)) - g)).store(dgate + i);
                    (slope * g).store(d + i);
                }
            else {
                for (int h = 0; h < S::H; ++h) {
                    T const g = gate[h];
                    dgate[h] = kernels::dot<W>(S::vd, d + h * S::vd, mixed + h * S::vd) * g * (1 - g);
                    kernels::scale<W>(S::vd, g, d + h * S::vd, d + h * S::vd);
                }
                kernels::clear_pads(dgate, width, row);
            }
        }
    }
};
} // namespace detail

} // namespace inlay::inline INLAY_ISA
