// SPDX-License-Identifier: BSD-3-Clause
// How much a memory forgets, how long its steps go on and how large they are, by token and head.
#pragma once

#include <inlay/blocks/memory/shape.hpp>

namespace inlay::inline INLAY_ISA {
namespace detail {

/// alpha, eta and theta of a stretch, before their functions, in rows of tokens, and by heads.
template <class S> struct MemoryGateWork {
    using T = typename S::T;
    int capacity = 0;
    T *before = nullptr, *numbers = nullptr; ///< of three gates

    static constexpr std::size_t kept(int n) { return 3 * std::size_t(n) * S::gate_numbers; }
    static constexpr std::size_t bytes(int n) {
        return lines(sizeof(T) * kept(n)) + lines(sizeof(T) * 3 * std::size_t(n) * S::H);
    }
    static MemoryGateWork take(Scratch& s, int n) noexcept {
        return {n, s.template take<T>(kept(n)), s.template take<T>(3 * std::size_t(n) * S::H)};
    }
    T* row(int gate) const noexcept { return before + gate * capacity * S::gate_numbers; }
    HeadNumbers<T> heads(int gate) const noexcept {
        return {numbers + gate * capacity * S::H, capacity, 1, S::H, 1};
    }
    T* head(int gate, int h) const noexcept { return numbers + (gate * S::H + h) * capacity; }
};

/// `alpha.weight [H, D]` and `alpha.bias [H]`, sigmoid(-4) = 0.018 at first; `eta`, whose bias is 0 at first;
/// `theta`, a tenth of the largest step at first.
template <class S, class I> struct MemoryGates {
    using R = typename S::Real;
    using T = typename S::T;
    using Gate = HeadGate<I, R, S::H>;
    using Work = MemoryGateWork<S>;
    struct NoGate {};
    struct Params {
        INLAY_EMPTY std::conditional_t<S::forgets, typename Gate::Params, NoGate> alpha;
        INLAY_EMPTY std::conditional_t<S::momentum, typename Gate::Params, NoGate> eta;
        typename Gate::Params theta;
    };
    static constexpr int count = 1 + S::forgets + S::momentum;
    static constexpr long long parameters = count * Gate::parameters;
    static constexpr double flops = count * Gate::flops;

    template <class P, class F> static void visit(P& p, Path const& at, F&& f) {
        if constexpr (S::forgets) Gate::Map::visit(p.alpha, Path{&at, "alpha"}, f);
        if constexpr (S::momentum) Gate::Map::visit(p.eta, Path{&at, "eta"}, f);
        Gate::Map::visit(p.theta, Path{&at, "theta"}, f);
    }
    template <class C> static void initialize(C c, Params& p) noexcept {
        auto const key = c.key;
        auto const set = [&](int i, auto& gate, double bias) noexcept {
            c.key = key.fold(std::uint64_t(i));
            Gate::Map::initialize(c, gate);
            fill(gate.bias.ref(), bias);
        };
        if constexpr (S::forgets) set(0, p.alpha, -4);
        if constexpr (S::momentum) set(1, p.eta, 0);
        set(2, p.theta, -2.1972245773362196);
    }
    static void map(int n, Params const& p, T const* x, Work const& w) noexcept {
        if constexpr (S::forgets) Gate::map(n, p.alpha, x, w.row(0));
        if constexpr (S::momentum) Gate::map(n, p.eta, x, w.row(1));
        Gate::map(n, p.theta, x, w.row(2));
    }
    static void open(int n, T most, Work const& w) noexcept {
        if constexpr (S::forgets) Gate::open(n, T(1), w.row(0), w.heads(0));
        if constexpr (S::momentum) Gate::open(n, T(1), w.row(1), w.heads(1));
        Gate::open(n, most, w.row(2), w.heads(2));
    }
    static void pull(int n, Params const& p, T most, T const* x, Work const& w, Work const& d, T* dx,
                     Params& g) noexcept {
        if constexpr (S::forgets)
            Gate::pull(n, p.alpha, T(1), x, w.row(0), d.heads(0), d.row(0), dx, g.alpha);
        if constexpr (S::momentum) Gate::pull(n, p.eta, T(1), x, w.row(1), d.heads(1), d.row(1), dx, g.eta);
        Gate::pull(n, p.theta, most, x, w.row(2), d.heads(2), d.row(2), dx, g.theta);
    }
};

} // namespace detail
} // namespace inlay::inline INLAY_ISA
