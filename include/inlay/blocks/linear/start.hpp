// SPDX-License-Identifier: BSD-3-Clause
// What the memories of a LinearAttn hold before the first token.
#pragma once

#include <inlay/blocks/linear/work.hpp>

namespace inlay::inline INLAY_ISA {
namespace detail {

template <class S, bool Learned = S::starts> struct LinearStart {
    static constexpr long long parameters = 0;
    struct Params {};
    template <class P, class F> static void visit(P&, Path const&, F&&) {}
    static void initialize(Params&) noexcept {}
    template <class State> static void begin(Params const&, State&) noexcept {}
    template <class State> static void pull(Params&, State const*, State&) noexcept {}
};

/// A parameter; a state that is all zero has not begun, and gets it with its first token.
template <class S> struct LinearStart<S, true> {
    using R = typename S::Real;
    static constexpr int rows = S::H * S::features;
    static constexpr long long parameters = 1LL * rows * S::dv;
    struct Params {
        Tensor<R, rows, S::dv> start;
    };
    template <class P, class F> static void visit(P& p, Path const& at, F&& f) {
        f(Tag<LearnedStart>{}, Path{&at, "start"}, Kind::matrix, p.start.ref());
    }
    static void initialize(Params& p) noexcept {
        for (int r = 0; r < rows; ++r) kernels::clear(p.start[r], p.start.stride);
    }
    template <class State> static void begin(Params const& p, State& state) noexcept {
        if (state.begun.yes) return;
        state.begun.yes = 1;
        for (int r = 0; r < rows; ++r) std::copy_n(p.start[r], S::dv, state.memory + r * S::value_row);
    }
    /// The gradient at the start of a sequence goes to the parameter, unless it had begun before.
    template <class State> static void pull(Params& g, State const* in, State& dstate) noexcept {
        dstate.begun.yes = 0;
        if (in && in->begun.yes) return;
        for (int r = 0; r < rows; ++r) {
            auto* const row = dstate.memory + r * S::value_row;
            for (int i = 0; i < S::dv; ++i) g.start[r][i] += row[i];
            kernels::clear(row, S::value_row);
        }
    }
};

} // namespace detail
} // namespace inlay::inline INLAY_ISA
