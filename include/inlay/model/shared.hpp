// SPDX-License-Identifier: BSD-3-Clause
// A model's blocks, and the tables that they share.
#pragma once

#include <inlay/combine/stack.hpp>
#include <inlay/core/input.hpp>
#include <inlay/core/shared.hpp>

namespace inlay::inline INLAY_ISA {

namespace detail {
template <class Top, class Tables, class I, class R> struct WithShared;
/// Owns shared tables, and their gradients, in front of those of the top block, which reaches them through
/// the extras of its context. Tables are named by their share: `items.weight`.
template <class Top, class... S, class I, class R> struct WithShared<Top, List<S...>, I, R> {
    using Spec = typename Top::Spec;
    using Output = typename Top::Output;
    using State = typename Top::State;
    using Blocker = typename Top::Blocker;
    static constexpr std::size_t N = sizeof...(S);
    static constexpr long long parameters = (Top::parameters + ... + S::parameters);
    static constexpr double flops = Top::flops;

    struct Params {
        Leaves<typename S::template Params<R>...> tables;
        INLAY_EMPTY typename Top::Params blocks;
    };
    template <int B> struct Grads {
        Leaves<typename S::template Grads<R, B>...> tables;
        INLAY_EMPTY typename Top::template Grads<B> blocks;
    };
    template <int B> using Tape = typename Top::template Tape<B>;
    static constexpr std::size_t scratch(int B) { return Top::scratch(B); }
    static constexpr std::size_t step_scratch() { return Top::step_scratch(); }
    static Lengths lengths(In<I, R> x) noexcept { return lengths_of<Top, I, R>(x); }

    template <class P, class F> static void visit(P& p, Path const& at, F&& f) {
        each<N>([&](auto j) {
            using Table = At<j, S...>;
            Table::visit(get<j>(p.tables), Path{&at, Table::name.text}, f);
        });
        Top::visit(p.blocks, at, f);
    }
    template <class F> static constexpr void describe(Path const& at, int times, F const& f) {
        each<N>([&](auto j) {
            using Table = At<j, S...>;
            f(Path{&at, Table::name.text}, Tag<Table>{}, times);
        });
        describe_child<Top>(at, times, f);
    }
    template <class C> static void initialize(C const& c, Params& p) noexcept {
        // From the other end of the keys than the blocks, so that sharing changes no other initial value.
        each<N>([&](auto j) noexcept {
            At<j, S...>::initialize(c.key.fold(~std::uint64_t(j)), get<j>(p.tables));
        });
        Top::initialize(c, p.blocks);
    }
    template <class C, class Tp>
    static void forward(C const& c, Params const& p, In<I, R> x, Out<Output, R> y, Tp& tape,
                        Scratch s) noexcept {
        NoGrad none;
        Top::forward(reach<0>(c, p.tables, none), p.blocks, x, y, tape, s);
    }
    template <class C, class Tp, class DX, class G>
    static void backward(C const& c, Params const& p, In<I, R> x, Tp const& tape, In<Output, R> dy, DX dx,
                         G& g, Scratch s) noexcept {
        each<N>([&](auto j) noexcept { get<j>(g.tables).weight.begin(); });
        Top::backward(reach<0>(c, p.tables, g.tables), p.blocks, x, tape, dy, dx, g.blocks, s);
    }
    template <class C, class X, class Y>
    static void step(C const& c, Params const& p, State& state, X const* x, Y* y, Scratch s) noexcept {
        NoGrad none;
        Top::step(reach<0>(c, p.tables, none), p.blocks, state, x, y, s);
    }

private:
    /// The context in which table J and those behind it are at hand.
    template <std::size_t J, class C, class P, class G>
    static auto reach(C const& c, P const& tables, G& grads) noexcept {
        if constexpr (J == N) return c;
        else {
            auto const* table = &get<J>(tables);
            auto cotangent = [&] {
                if constexpr (wants_grad<G>) return &get<J>(grads);
                else return NoGrad{};
            }();
            using E = With<At<J, S...>::name, decltype(table), decltype(cotangent), decltype(c.extras)>;
            return reach<J + 1>(c.with(E{c.extras, table, cotangent}), tables, grads);
        }
    }
};

/// The top block, in what owns its shared tables if there are any.
template <class Top, class I, class R> struct OwnerFor {
    static consteval auto find() {
        using Tables = typename Owned<SharedIn<Top>>::tables;
        if constexpr (std::is_same_v<Tables, List<>>) return Tag<Top>{};
        else return Tag<WithShared<Top, Tables, I, R>>{};
    }
    using type = typename decltype(find())::type;
};
template <class Top, class I, class R> using OwnerOf = typename OwnerFor<Top, I, R>::type;

/// Why a model does not fit together, if it does not: its input, its blocks, or the tables that they share.
template <class I, class R, class... Specs> struct ModelProblemOf {
    static consteval auto find() {
        if constexpr (!fits<InputProblem<I>>) return Tag<InputProblem<I>>{};
        else if constexpr (!fits<Problem<Stack<Specs...>, I>>) return Tag<Problem<Stack<Specs...>, I>>{};
        else return Tag<typename Owned<SharedIn<typename Stack<Specs...>::template Block<I, R>>>::problem>{};
    }
    using type = typename decltype(find())::type;
};
template <class I, class R, class... Specs>
using ModelProblem = typename ModelProblemOf<I, R, Specs...>::type;
/// The same at the machine's own width: Misfit<block, place, got, wants>, or Fits.
template <class I, class... Specs> using Flaw = ModelProblem<I, Native, Specs...>;
} // namespace detail

} // namespace inlay::inline INLAY_ISA
