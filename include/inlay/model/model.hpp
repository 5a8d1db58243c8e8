// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <inlay/model/shared.hpp>

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

/// True where every block has a streaming form; otherwise its name carries the one that has none.
template <class Blocker> struct streams_through {
    consteval operator bool() const { return std::is_void_v<Blocker>; }
};
/// True where a caller's argument can be seen as a row of numbers.
template <class Argument, class Span> struct holds_one_token {
    consteval operator bool() const { return std::is_constructible_v<Span, Argument>; }
};
/// What `step` reads of an input: a span of numbers, or an id.
template <class Input, class T> struct TokenSpan {
    using type = std::int32_t;
};
template <int... N, class T> struct TokenSpan<Shape<N...>, T> {
    using type = std::span<T const, std::size_t(Shape<N...>::width)>;
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

    static constexpr int parameters = Block::parameters;
    static constexpr double flops = Block::flops; ///< of forward, for one row of the batch
    static constexpr int depth = Top::layers;     ///< sequence mixers
    using Blocker = typename Block::Blocker;      ///< the block that cannot be streamed, or void
    static constexpr bool streams = std::is_void_v<Blocker> && !is_record<Input>;

    /// The same model in another scalar, or at another vector width.
    template <class U, class L = Lanes<native_lanes<U>>>
    using as = BoundModel<Input, Real<U, L::count>, Specs...>;

    /// What a stream carries from step to step; all zero is fresh. Saving and comparing stop at `carried`.
    struct State {
        std::int64_t position;
        INLAY_EMPTY typename Block::State carried;
        alignas(64) std::byte scratch[detail::lines(Block::step_scratch()) + 64];
    };

    /// One token of a stream. x is a span or an array of the width of the input's rows, or one id for Tokens;
    /// y takes the width of the output. A model that does not stream is an error that names the block; on a
    /// Vector or a Record a step is the inference of one row.
    template <class X, class Y> static void step(Params const& p, State& state, X const& x, Y&& y) noexcept {
        using To = std::span<T, std::size_t(Output::width)>;
        using From = typename detail::TokenSpan<Input, T>::type;
        using Unstreamed = std::conditional_t<is_record<Input>, void, Blocker>;
        static_assert(detail::streams_through<Unstreamed>{}, "inlay: a block has no streaming form");
        static_assert(detail::holds_one_token<X const&, From>{}, "inlay: step reads one row of the input");
        static_assert(detail::holds_one_token<Y, To>{}, "inlay: step writes one row of the output");
        if constexpr (streams && std::is_constructible_v<From, X const&> && std::is_constructible_v<To, Y>)
            run_step(p, state, x, To(y));
    }

private:
    template <class X>
    static void run_step(Params const& p, State& state, X const& x,
                         std::span<T, std::size_t(Output::width)> y) noexcept {
        Context<> const c{.rows = 1, .capacity = 1, .position = &state.position, .depth = depth};
        alignas(64) T out[std::size_t(detail::row_stride<R>(Output::width))];
        if constexpr (is_ids<Input>) {
            std::int32_t const token = x;
            Block::step(c, p, state.carried, &token, out, Scratch{state.scratch});
        } else {
            using From = std::span<T const, std::size_t(Input::width)>;
            alignas(64) T in[std::size_t(detail::row_stride<R>(Input::width))]{};
            std::memcpy(in, From(x).data(), sizeof(T) * std::size_t(Input::width));
            Block::step(c, p, state.carried, static_cast<T const*>(in), out, Scratch{state.scratch});
        }
        std::memcpy(y.data(), out, sizeof(T) * std::size_t(Output::width));
        ++state.position;
    }
};

/// A model: an input and the blocks that it runs through. It is only a type: `Network` owns parameters,
/// `Workspace` and `State` what a run needs. A block that does not accept what reaches it is reported here,
/// once.
template <class I, class... S> struct Model : BoundModel<I, Native, S...> {
    // Last, so that what uses the model is still read as a model and adds no errors of its own. On one line
    // and without an alias, so that GCC prints Misfit<block, place, got, wants> close to the words.
    static_assert(Says<Flaw<I, S...>>{}, "inlay: blocks do not fit");
};

/// Draws all parameters from a seed.
template <class M> void initialize(typename M::Params& params, Seed seed) noexcept {
    std::memset(static_cast<void*>(&params), 0, sizeof params);
    M::Block::initialize(Context<>{.depth = M::depth, .key = Key{seed.value}}, params);
}
/// Makes a stream's state fresh.
template <class M> void reset(typename M::State& state) noexcept {
    std::memset(static_cast<void*>(&state), 0, sizeof state);
}

} // namespace inlay::inline INLAY_ISA
