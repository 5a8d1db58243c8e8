// SPDX-License-Identifier: BSD-3-Clause
// The contract of a block: what every specialisation of `Spec::Block<Input, Real>` offers, and defaults for
// what most blocks do not need.
#pragma once

#include <inlay/core/context.hpp>
#include <inlay/core/fit.hpp>

namespace inlay::inline INLAY_ISA {

/// What a block without parameters, memory or temporaries inherits.
struct BlockDefaults {
    static constexpr long long parameters = 0;
    static constexpr double flops = 0; ///< floating-point operations of forward, one row of the batch
    struct Params {};
    template <int> struct Grads {};
    template <int> struct Tape {};
    struct State {};
    /// Bytes of temporaries of forward and backward for a batch of at most B, and of one step.
    static constexpr std::size_t scratch(int) { return 0; }
    static constexpr std::size_t step_scratch() { return 0; }
    template <class P, class F> static void visit(P&, Path const&, F&&) {}
    template <class C> static void initialize(C const&, Params&) noexcept {}
};

/// What the block at Input, bound to R, promises. Combinators and Model ask for no more.
template <class B, class Input, class R>
concept Block = requires(typename B::Params& p, Context<> const& c, Path const& path) {
    typename B::Output;
    typename B::State;
    typename B::template Grads<2>;
    typename B::template Tape<2>;
    { B::parameters } -> std::convertible_to<long long>;
    { B::flops } -> std::convertible_to<double>;
    { B::scratch(2) } -> std::convertible_to<std::size_t>;
    { B::step_scratch() } -> std::convertible_to<std::size_t>;
    B::initialize(c, p);
    B::visit(p, path, [](auto, Path const&, Kind, auto) {});
};

namespace detail {
template <class Spec> inline constexpr int layers_of = 0;
template <class Spec>
    requires requires { Spec::layers; }
inline constexpr int layers_of<Spec> = Spec::layers;

/// The block that keeps another from being streamed, or void. A composite says so; a leaf without `step` is
/// it.
template <class B> struct BlockerOf {
    using type = std::conditional_t<requires { B::streams; }, void, typename B::Spec>;
};
template <class B>
    requires requires { typename B::Blocker; }
struct BlockerOf<B> {
    using type = typename B::Blocker;
};
template <class... B> struct FirstBlocker {
    using type = void;
};
template <class B, class... Rest> struct FirstBlocker<B, Rest...> {
    using own = typename BlockerOf<B>::type;
    using type = typename std::conditional_t<std::is_void_v<own>, FirstBlocker<Rest...>, Tag<own>>::type;
};
} // namespace detail

} // namespace inlay::inline INLAY_ISA
