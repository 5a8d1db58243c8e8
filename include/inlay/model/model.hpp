// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <inlay/blocks/stored.hpp>
#include <inlay/model/shared.hpp>

#include <array>
#include <cstring>
#include <span>

namespace inlay::inline INLAY_ISA {

namespace detail {
/// Stands in for a model that does not fit together, so that one error is all there is to read.
struct Misfitting {
    template <class I> static Tag<Shape<1>> out(Tag<I>);
    template <class I, class R> struct Block : BlockDefaults {
        using Spec = Misfitting;
        using Output = Shape<1>;
        static constexpr bool streams = true;
        template <class... A> static void forward(A&&...) noexcept {}
        template <class... A> static void backward(A&&...) noexcept {}
        template <class... A> static void step(A&&...) noexcept {}
    };
};
template <class Input, class R, class... Specs>
using TopOf = std::conditional_t<fits<ModelProblem<Input, R, Specs...>>, Tag<Stack<Specs...>>,
                                 Tag<Stack<Misfitting>>>::type;

/// What is no input is read as one number, so that it is reported and nothing else is.
template <class I> using InputOf = std::conditional_t<is_input<I>, Tag<I>, Tag<Shape<1>>>::type;

template <class S> inline constexpr int width_of = 1;
template <int... N> inline constexpr int width_of<Shape<N...>> = Shape<N...>::width;

/// True where every block has a streaming form; otherwise its name carries the one that has none.
template <class Blocker> struct streams_through {
    consteval operator bool() const { return std::is_void_v<Blocker>; }
};
/// True where a caller's argument can be seen as a row of numbers.
template <class Argument, class Span> struct holds_one_token {
    consteval operator bool() const { return std::is_constructible_v<Span, Argument>; }
};
/// What `step` reads of an input: a span of numbers, an id, or a record's row.
template <class Input, class T> struct TokenSpan {
    using type = std::int32_t;
};
template <int... N, class T> struct TokenSpan<Shape<N...>, T> {
    using type = std::span<T const, std::size_t(Shape<N...>::width)>;
};
template <class... F, class T> struct TokenSpan<Record<F...>, T> {
    using type = typename Record<F...>::Row const&;
};
} // namespace detail

/// A model bound to a scalar and a width: all that is known of it before it runs.
template <class InputShape, class R, class... Specs> struct BoundModel {
    using Input = InputShape;
    using Scalar = R;
    using T = typename R::type;
    using Top = detail::TopOf<Input, R, Specs...>;
    using Block = detail::OwnerOf<typename Top::template Block<Input, R>, Input, R>;
    using Output = typename Block::Output;
    using Params = typename Block::Params;

    static constexpr long long parameters = Block::parameters;
    static constexpr double flops = Block::flops; ///< of forward, for one row of the batch
    static constexpr int depth = Top::layers;     ///< sequence mixers
    using Blocker = typename Block::Blocker;      ///< the block that cannot be streamed, or void
    static constexpr bool by_row = !is_sequence<Input> && !is_ids<Input>; ///< a step is one row's inference
    static constexpr bool streams = by_row || std::is_void_v<Blocker>;

    /// The same model in another scalar, or at another vector width.
    template <class U, class L = Lanes<native_lanes<U>>>
    using as = BoundModel<Input, Real<U, L::count>, Specs...>;
    /// The same model for inference, with weights of fewer bits: `with<Weights<Int8>>`.
    template <class Weights>
    using with = BoundModel<Input, Real<T, R::lanes, typename Weights::type>, Specs...>;
    /// The same model with weights in the scalar that it computes in.
    using Trained = BoundModel<Input, Real<T, R::lanes>, Specs...>;

    /// Bytes of temporaries of one step.
    static constexpr std::size_t step_bytes() {
        if constexpr (by_row) return detail::bytes<Output, R>(1) + Block::scratch(1);
        else return Block::step_scratch();
    }
    /// Numbers that a step writes: one row of the output, or all of them where a step is one row's inference.
    static constexpr int step_width = by_row ? Output::rows * Output::width : Output::width;

    /// What a stream carries from step to step; all zero is fresh. Saving and comparing stop at `carried`.
    struct State {
        std::int64_t position;
        INLAY_EMPTY typename Block::State carried;
        alignas(64) std::byte scratch[detail::lines(step_bytes()) + 64];
    };

    /// One token of a stream. x is a span or an array of the width of the input's rows, or one id for Tokens;
    /// y takes the width of the output. A model that does not stream is an error that names the block; on a
    /// Vector or a Record a step is the inference of one row.
    template <class X, class Y> static void step(Params const& p, State& state, X const& x, Y&& y) noexcept {
        using To = std::span<T, std::size_t(step_width)>;
        using From = typename detail::TokenSpan<Input, T>::type;
        using Unstreamed = std::conditional_t<by_row, void, Blocker>;
        static_assert(detail::streams_through<Unstreamed>{}, "inlay: a block has no streaming form");
        static_assert(detail::holds_one_token<X const&, From>{}, "inlay: step reads one row of the input");
        static_assert(detail::holds_one_token<Y, To>{}, "inlay: step writes one row of the output");
        if constexpr (streams && std::is_constructible_v<From, X const&> && std::is_constructible_v<To, Y>) {
            Context<> const c{.rows = 1, .capacity = 1, .position = &state.position, .depth = depth};
            if constexpr (by_row) run_row(c, p, state, From(x), To(y));
            else run_token(c, p, state, From(x), To(y));
            ++state.position;
        }
    }

private:
    using Numbers = std::array<T, std::size_t(detail::row_stride<R>(detail::width_of<Input>))>;
    template <class From> static Numbers padded(From x) noexcept {
        Numbers in{};
        std::memcpy(in.data(), x.data(), x.size_bytes());
        return in;
    }
    template <class From, class To>
    static void run_token(Context<> const& c, Params const& p, State& state, From x, To y) noexcept {
        alignas(64) T out[std::size_t(detail::row_stride<R>(Output::width))];
        if constexpr (is_ids<Input>)
            Block::step(c, p, state.carried, static_cast<std::int32_t const*>(&x), out,
                        Scratch{state.scratch});
        else {
            alignas(64) Numbers const in = padded(x);
            Block::step(c, p, state.carried, in.data(), out, Scratch{state.scratch});
        }
        std::memcpy(y.data(), out, y.size_bytes());
    }
    template <class From, class To>
    static void run_row(Context<> const& c, Params const& p, State& state, From&& x, To y) noexcept {
        Scratch s{state.scratch};
        auto const out = s.template take<Output, R>(1, {});
        NoTape none;
        if constexpr (is_record<Input>) Block::forward(c, p, In<Input, R>{&x}, out, none, s);
        else {
            alignas(64) Numbers const in = padded(x);
            Block::forward(c, p, In<Input, R>{in.data()}, out, none, s);
        }
        for (int t = 0; t < Output::rows; ++t)
            std::memcpy(y.data() + t * Output::width, out(0, t), sizeof(T) * std::size_t(Output::width));
    }
};

/// A model: an input and the blocks that it runs through. It is only a type: `Network` owns parameters,
/// `Workspace` and `State` what a run needs. A block that does not accept what reaches it is reported here,
/// once.
template <class I, class... S> struct Model : BoundModel<detail::InputOf<I>, Native, S...> {
    // Last, so that what uses the model is still read as a model and adds no errors of its own. On one line
    // and without an alias, so that GCC prints Misfit<block, place, got, wants> close to the words.
    static_assert(Says<detail::Flaw<I, S...>>{}, "inlay: blocks do not fit");
};

/// Draws all parameters from a seed; those of fewer bits are left zero, for `store` to fill.
template <class M> void initialize(typename M::Params& params, Seed seed) noexcept {
    std::memset(static_cast<void*>(&params), 0, sizeof params);
    if constexpr (!detail::stores_less<typename M::Scalar>)
        M::Block::initialize(Context<>{.depth = M::depth, .key = Key{seed.value}}, params);
}
/// Makes a stream's state fresh.
template <class M> void reset(typename M::State& state) noexcept {
    std::memset(static_cast<void*>(&state), 0, sizeof state);
}

} // namespace inlay::inline INLAY_ISA
