// SPDX-License-Identifier: BSD-3-Clause
// Side tensors: what one block gives, at hand for blocks further on.
#pragma once

#include <inlay/combine/stack.hpp>
#include <inlay/kernels/map.hpp>

namespace inlay::inline INLAY_ISA {

namespace detail {
/// What Keep and Let have in common. Body starts from A's output if Through, else from the input.
template <Name N, bool Through, class A, class Body, class I, class R> struct SideBlock {
    using T = typename R::type;
    using Maker = typename A::template Block<I, R>;
    using Side = typename Maker::Output;
    using From = std::conditional_t<Through, Side, I>;
    using Rest = typename Body::template Block<From, R>;
    using Output = typename Rest::Output;
    using Blocker = typename FirstBlocker<Maker, Rest>::type;
    using Shared = SharedIn<Maker, Rest>;
    static constexpr int W = R::lanes;
    static constexpr long long parameters = Maker::parameters + Rest::parameters;
    static constexpr double flops = Maker::flops + Rest::flops;
    using Params = Leaves<typename Maker::Params, typename Rest::Params>;
    using State = Leaves<typename Maker::State, typename Rest::State>;
    template <int B>
    using Grads = Leaves<typename Maker::template Grads<B>, typename Rest::template Grads<B>>;
    template <int B> struct Tape {
        INLAY_EMPTY typename Maker::template Tape<B> maker;
        Buffer<Side, R, B> value;
        INLAY_EMPTY typename Rest::template Tape<B> rest;
    };
    /// Backward holds the side's cotangent and that of the body's input, or of A's for Let.
    static constexpr std::size_t scratch(int B) {
        std::size_t second = 0;
        if constexpr (is_numbers<From>) second = bytes<From, R>(B);
        return std::max(Maker::scratch(B), Rest::scratch(B)) + bytes<Side, R>(B) + second;
    }
    static constexpr std::size_t step_scratch() {
        return std::max(Maker::step_scratch(), Rest::step_scratch()) + token_bytes<Side, R>();
    }

    static Lengths lengths(In<I, R> x) noexcept {
        return lengths_of<Rest, From, R>(from(x, value_of(x, {})));
    }
    template <class P, class F> static void visit(P& p, Path const& at, F&& f) {
        Maker::visit(get<0>(p), Path{&at, N.text}, f);
        Rest::visit(get<1>(p), at, f);
    }
    template <class F> static constexpr void describe(Path const& at, int times, F const& f) {
        describe_child<Maker>(Path{&at, N.text}, times, f);
        describe_child<Rest>(at, times, f);
    }
    template <class C> static void initialize(C const& c, Params& p) noexcept {
        Maker::initialize(maker(c), get<0>(p));
        Rest::initialize(c.template child<1, State>(layers_of<A>), get<1>(p));
    }

    template <class C, class Tp>
    static void forward(C const& c, Params const& p, In<I, R> x, Out<Output, R> y, Tp& tape,
                        Scratch s) noexcept {
        auto const l = lengths_of<Maker, I, R>(x);
        if constexpr (is_recording<Tp>) {
            auto const value = tape.value.view(l);
            make(c, p, x, value, tape.maker, s);
            Rest::forward(rest(c, value, NoGrad{}), get<1>(p), from(x, value), y, tape.rest, s);
        } else {
            auto const value = s.template take<Side, R>(c.capacity, l);
            make(c, p, x, value, tape, s);
            Rest::forward(rest(c, value, NoGrad{}), get<1>(p), from(x, value), y, tape, s);
        }
    }
    template <class C, class Tp, class DX, class G>
    static void backward(C const& c, Params const& p, In<I, R> x, Tp const& tape, In<Output, R> dy, DX dx,
                         G& g, Scratch s) noexcept {
        auto const l = lengths_of<Maker, I, R>(x);
        auto const value = tape.value.view(l);
        auto const dside = s.template take<Side, R>(c.capacity, l);
        kernels::clear(dside.data, count<Side>(c.capacity));
        auto const cc = rest(c, value, dside);
        if constexpr (Through) {
            auto const dvalue = s.template take<Side, R>(c.capacity, l);
            Rest::backward(cc, get<1>(p), value, tape.rest, dy, dvalue, get<1>(g), s);
            kernels::add<W>(count<Side>(c.rows), dvalue.data, dside.data);
            Maker::backward(maker(c), get<0>(p), x, tape.maker, dside, dx, get<0>(g), s);
        } else {
            Rest::backward(cc, get<1>(p), x, tape.rest, dy, dx, get<1>(g), s);
            if constexpr (wants_grad<DX>) {
                auto const more = s.template take<I, R>(c.capacity, x.lengths);
                Maker::backward(maker(c), get<0>(p), x, tape.maker, dside, more, get<0>(g), s);
                kernels::add<W>(count<I>(c.rows), more.data, dx.data);
            } else Maker::backward(maker(c), get<0>(p), x, tape.maker, dside, dx, get<0>(g), s);
        }
    }
    template <class C, class X>
    static void step(C const& c, Params const& p, State& state, X const* x, TokenOf<Output, R>* y,
                     Scratch s) noexcept {
        // Of a sequence there is one token at a time, at (0, 0).
        Out<Side, R> const value{s.template take<T>(std::size_t(Out<Side, R>::stride)), {}};
        Maker::step(maker(c), get<0>(p), get<0>(state), x, value.data, s);
        auto const cc = rest(c, value, NoGrad{});
        if constexpr (Through)
            Rest::step(cc, get<1>(p), get<1>(state), static_cast<T const*>(value.data), y, s);
        else Rest::step(cc, get<1>(p), get<1>(state), x, y, s);
    }

private:
    template <class C, class Tp>
    static void make(C const& c, Params const& p, In<I, R> x, Out<Side, R> value, Tp& tape,
                     Scratch s) noexcept {
        [[maybe_unused]] auto const seen = observe<Maker>(c, {nullptr, N.text}, get<0>(p), x, value);
        Maker::forward(maker(c), get<0>(p), x, value, tape, s);
    }
    template <class S> static std::ptrdiff_t count(int rows) noexcept {
        return std::ptrdiff_t(rows) * S::rows * In<S, R>::stride;
    }
    static In<Side, R> value_of(In<I, R> x, T const* data) noexcept {
        return {data, lengths_of<Maker, I, R>(x)};
    }
    static In<From, R> from(In<I, R> x, In<Side, R> value) noexcept {
        if constexpr (Through) return value;
        else return x;
    }
    template <class C> static C maker(C const& c) noexcept { return c.template child<0, State>(0); }
    template <class C, class D> static auto rest(C const& c, In<Side, R> value, D cotangent) noexcept {
        auto const cc = c.template child<1, State>(layers_of<A>);
        return cc.with(With<N, In<Side, R>, D, decltype(cc.extras)>{cc.extras, value, cotangent});
    }
};

/// The problem of A, then that of what A gives as a side tensor, then that of the body.
template <class Combine, bool Through, class A, class Body, class I> struct SideProblem {
    static consteval auto find() {
        using P = detail::Problem<A, I>;
        if constexpr (!fits<P>) return Tag<P>{};
        else {
            using Side = typename OutputOf<A, I>::type;
            if constexpr (!is_numbers<Side>)
                return Tag<Misfit<Combine, Place<>, Got<Brief<Side>>, Wants<a_vector_or_a_sequence>>>{};
            else return Tag<typename Body::template Problem<std::conditional_t<Through, Side, I>>>{};
        }
    }
    using type = typename decltype(find())::type;
};
} // namespace detail

/// y = Body(A(x)), with A(x) at hand for the body's blocks as the side tensor N.
///
/// A gives a vector or a sequence of numbers; the body is the stack of the blocks given. A block reads the
/// side tensor as `side<"e">(ctx.extras).value` and, on the way back, adds to `.cotangent`; in a stream the
/// value's (0, 0) is the current token. A reader outside of its Keep cannot be seen where shapes are checked,
/// so it says so itself: `static_assert(HasSide<"e", decltype(ctx.extras)>, "inlay: ...")`. Parameters: A's
/// under the tensor's name (`e.weight`), the body's by place (`0.weight`). Cost and state: those of both; the
/// tape keeps A(x). Backward: A gets the sum of the cotangents of the body's input and of its readers.
/// PyTorch: `e = a(x); body(e, e)`. Error: an A that gives ids.
template <Name N, class A, class... Specs> struct Keep {
    using Body = Stack<Specs...>;
    static constexpr int layers = detail::layers_of<A> + Body::layers;
    template <class I> using Problem = typename detail::SideProblem<Keep<N, void>, true, A, Body, I>::type;
    template <class I>
    static Tag<typename detail::OutputOf<Body, typename detail::OutputOf<A, I>::type>::type> out(Tag<I>);

    template <class I, class R> struct Block : detail::SideBlock<N, true, A, Body, I, R> {
        using Spec = Keep;
    };
};

/// y = Body(x), with A(x) at hand for the body's blocks as the side tensor N; all else as for Keep. Backward:
/// dx is the sum of the body's and A's. PyTorch: `body(x, a(x))`. Shapes, parameters, cost, state and errors
/// as Keep's, but that the body takes x.
template <Name N, class A, class... Specs> struct Let {
    using Body = Stack<Specs...>;
    static constexpr int layers = detail::layers_of<A> + Body::layers;
    template <class I> using Problem = typename detail::SideProblem<Let<N, void>, false, A, Body, I>::type;
    template <class I> static Tag<typename detail::OutputOf<Body, I>::type> out(Tag<I>);

    template <class I, class R> struct Block : detail::SideBlock<N, false, A, Body, I, R> {
        using Spec = Let;
    };
};

} // namespace inlay::inline INLAY_ISA
