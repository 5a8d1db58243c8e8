// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <inlay/combine/stack.hpp>

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
template <class Input, class... Specs>
using TopOf = std::conditional_t<fits<typename walk<Input, Specs...>::problem>, Tag<Stack<Specs...>>,
                                 Tag<Stack<Misfitting>>>::type;

/// One token of an input as the caller holds it.
template <class Input, class T> struct TokenSpanOf {
    using type = std::span<T const>;
};
template <int... N, class T> struct TokenSpanOf<Shape<N...>, T> {
    using type = std::span<T const, std::size_t(Shape<N...>::width)>;
};
template <class Input, class T> using TokenSpan = typename TokenSpanOf<Input, T>::type;

/// Why a block has no `step`, in a message.
template <class Blocker> consteval bool streams_through() { return std::is_void_v<Blocker>; }
} // namespace detail

/// A model bound to a scalar and a width: all that is known of it before it runs.
template <class InputShape, class R, class... Specs> struct BoundModel {
    using Input = InputShape;
    using Scalar = R;
    using T = typename R::type;
    using Top = detail::TopOf<Input, Specs...>;
    using Block = typename Top::template Block<Input, R>;
    using Output = typename Block::Output;
    using Params = typename Block::Params;

    static constexpr int parameters = Block::parameters;
    static constexpr double flops = Block::flops; ///< of forward, for one row of the batch
    static constexpr int depth = Top::layers;     ///< sequence mixers
    static constexpr bool streams = std::is_void_v<typename Block::Blocker> && !is_record<Input>;

    /// The same model in another scalar, or at another vector width.
    template <class U, class L = Lanes<native_lanes<U>>>
    using as = BoundModel<Input, Real<U, L::count>, Specs...>;

    /// What a stream carries from step to step; all zero is fresh. Saving and comparing stop at `carried`.
    struct State {
        std::int64_t position;
        INLAY_EMPTY typename Block::State carried;
        alignas(64) std::byte scratch[detail::lines(Block::step_scratch()) + 64];
    };

    /// One token of a stream: x has the width of a sequence's rows, y that of the output's.
    static void step(Params const& p, State& state, detail::TokenSpan<Input, T> x,
                     std::span<T, std::size_t(Output::width)> y) noexcept
        requires(is_sequence<Input>)
    {
        alignas(64) T in[std::size_t(detail::row_stride<R>(Input::width))]{};
        std::memcpy(in, x.data(), sizeof(T) * std::size_t(Input::width));
        run_step(p, state, static_cast<T const*>(in), y);
    }
    /// One token of a stream of ids.
    static void step(Params const& p, State& state, std::int32_t token,
                     std::span<T, std::size_t(Output::width)> y) noexcept
        requires(is_ids<Input>)
    {
        run_step(p, state, static_cast<std::int32_t const*>(&token), y);
    }

private:
    template <class X>
    static void run_step(Params const& p, State& state, X const* x,
                         std::span<T, std::size_t(Output::width)> y) noexcept {
        static_assert(detail::streams_through<typename Block::Blocker>(),
                      "inlay: this block has no streaming form, so the model has no step");
        if constexpr (streams) {
            Context<> const c{.rows = 1, .capacity = 1, .position = &state.position, .depth = depth};
            alignas(64) T out[std::size_t(detail::row_stride<R>(Output::width))];
            Block::step(c, p, state.carried, x, out, Scratch{state.scratch});
            std::memcpy(y.data(), out, sizeof(T) * std::size_t(Output::width));
            ++state.position;
        }
    }
};

/// A model: an input and the blocks that it runs through. It is only a type: `Network` owns parameters,
/// `Workspace` and `State` what a run needs. A block that does not accept what reaches it is reported here,
/// once.
template <class InputShape, class... Specs> struct Model : BoundModel<InputShape, Native, Specs...> {
    // Last, so that what uses the model is still read as a model and adds no errors of its own.
    static_assert(detail::verdict<typename detail::walk<InputShape, Specs...>::problem>(),
                  "inlay: blocks do not fit together: Misfit<block, place, what it got, what it wants>");
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
