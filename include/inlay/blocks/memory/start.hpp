// SPDX-License-Identifier: BSD-3-Clause
// What the memories of a Memory hold before the first token.
#pragma once

#include <inlay/blocks/draw.hpp>
#include <inlay/blocks/memory/shape.hpp>

namespace inlay::inline INLAY_ISA {
namespace detail {

/// The layers from the L-th on: `memory.0 [H width_0, width_1]`, `memory.1` and so on, head below head, from
/// Xavier's distribution; or zeros.
template <class S, int L, bool Learned = S::learned && (L < S::layers)> struct MemoryStart {
    static constexpr long long parameters = 0;
    struct Params {};
    template <class P, class F> static void visit(P&, Path const&, F&&) {}
    template <class Key> static void initialize(Key, Params&) noexcept {}
    template <class T> static void put(Params const&, T*) noexcept {}
    template <class T> static void pull(Params&, T const*) noexcept {}
};
template <class S, int L> struct MemoryStart<S, L, true> {
    using T = typename S::T;
    using Rest = MemoryStart<S, L + 1>;
    static constexpr kernels::MemoryForm form = S::form();
    static constexpr int in = form.width[L], out = form.width[L + 1], row = form.row[L + 1];
    static constexpr long long parameters = 1LL * S::H * in * out + Rest::parameters;
    struct Params {
        Tensor<typename S::Real, S::H * in, out> weight;
        INLAY_EMPTY typename Rest::Params rest;
    };
    template <class P, class F> static void visit(P& p, Path const& at, F&& f) {
        f(Tag<LearnedMemory>{}, Path{&at, nullptr, L}, Kind::matrix, p.weight.ref());
        Rest::visit(p.rest, at, f);
    }
    template <class Key> static void initialize(Key key, Params& p) noexcept {
        draw_uniform(key.fold(L), std::sqrt(6.0 / (in + out)), p.weight.ref());
        Rest::initialize(key, p.rest);
    }
    /// Into the memories of all heads, whose pads are zero.
    static void put(Params const& p, T* memory) noexcept {
        walk(p.weight, memory, [](T const* weight, T* held) noexcept { std::copy_n(weight, out, held); });
        Rest::put(p.rest, memory);
    }
    static void pull(Params& g, T const* dmemory) noexcept {
        walk(g.weight, dmemory, [](T* weight, T const* held) noexcept {
            for (int i = 0; i < out; ++i) weight[i] += held[i];
        });
        Rest::pull(g.rest, dmemory);
    }

private:
    template <class Weight, class Memory, class F>
    static void walk(Weight& weight, Memory* memory, F const& f) noexcept {
        for (int h = 0; h < S::H; ++h)
            for (int r = 0; r < in; ++r)
                f(weight[h * in + r], memory + h * S::numbers + form.numbers(L) + r * row);
    }
};

} // namespace detail
} // namespace inlay::inline INLAY_ISA
