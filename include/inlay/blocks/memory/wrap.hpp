// SPDX-License-Identifier: BSD-3-Clause
// The norm behind a memory's layers: its weights by heads, each with zeros up to a whole vector.
#pragma once

#include <inlay/blocks/draw.hpp>
#include <inlay/blocks/memory/shape.hpp>

namespace inlay::inline INLAY_ISA {
namespace detail {

template <class S, bool Used = S::wraps> struct MemoryWrap {
    using T = typename S::T;
    static constexpr long long parameters = 0;
    static constexpr std::size_t scratch = 0;
    struct Params {};
    template <class P, class F> static void visit(P&, Path const&, F&&) {}
    static void initialize(Params&) noexcept {}
    static void lay_out(Params const&, Scratch&, kernels::MemoryChunk<T>*) noexcept {}
    static void lay_out(Params const&, Scratch&, kernels::MemorySlopes<T>*) noexcept {}
    static void pull(Params&, kernels::MemorySlopes<T> const*) noexcept {}
};

template <class S> struct MemoryWrap<S, true> {
    using T = typename S::T;
    static constexpr int H = S::H, dv = S::dv, row = S::value_row;
    static constexpr long long parameters = 2LL * H * dv;
    static constexpr std::size_t scratch = 2 * lines(sizeof(T) * 2 * std::size_t(H) * row);
    struct Params {
        Tensor<typename S::Real, 1, H * dv> weight, bias;
    };
    template <class P, class F> static void visit(P& p, Path const& at, F&& f) {
        Path const norm{&at, "inner_norm"};
        f(Tag<InnerNorm>{}, Path{&norm, "weight"}, Kind::vector, p.weight.ref());
        f(Tag<InnerNorm>{}, Path{&norm, "bias"}, Kind::vector, p.bias.ref());
    }
    static void initialize(Params& p) noexcept { fill(p.weight.ref(), 1), fill(p.bias.ref(), 0); }
    /// The weights of H heads.
    static void lay_out(Params const& p, Scratch& s, kernels::MemoryChunk<T>* heads) noexcept {
        T* const room = s.template take<T>(2 * std::size_t(H) * row);
        kernels::clear(room, 2 * H * row);
        for (int h = 0; h < H; ++h) {
            T* const to = room + 2 * h * row;
            heads[h].weight = std::copy_n(p.weight[0] + h * dv, dv, to) - dv;
            heads[h].bias = std::copy_n(p.bias[0] + h * dv, dv, to + row) - dv;
        }
    }
    /// Room for their gradients, zero at first.
    static void lay_out(Params const&, Scratch& s, kernels::MemorySlopes<T>* heads) noexcept {
        T* const room = s.template take<T>(2 * std::size_t(H) * row);
        kernels::clear(room, 2 * H * row);
        for (int h = 0; h < H; ++h)
            heads[h].weight = room + 2 * h * row, heads[h].bias = heads[h].weight + row;
    }
    static void pull(Params& g, kernels::MemorySlopes<T> const* heads) noexcept {
        for (int h = 0; h < H; ++h)
            for (int i = 0; i < dv; ++i) {
                g.weight[0][h * dv + i] += heads[h].weight[i];
                g.bias[0][h * dv + i] += heads[h].bias[i];
            }
    }
};

} // namespace detail
} // namespace inlay::inline INLAY_ISA
