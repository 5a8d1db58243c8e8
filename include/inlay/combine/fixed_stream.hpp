// SPDX-License-Identifier: BSD-3-Clause
// A second stream through the same blocks, that knows nothing of the input.
#pragma once

#include <inlay/combine/stack.hpp>
#include <inlay/kernels/map.hpp>

#include <cstring>

namespace inlay::inline INLAY_ISA {

namespace detail {
template <class V> inline constexpr bool is_view = false;
template <class S, class T, int Stride> inline constexpr bool is_view<NumberView<S, T, Stride>> = true;
template <class S, class Id> inline constexpr bool is_view<IdView<S, Id>> = true;

/// Extras without side tensors, which have a row for each of the batch and none for the stream beside.
inline Nothing without_views(Nothing) noexcept { return {}; }
template <Name N, class V, class C, class O> auto without_views(With<N, V, C, O> const& w) noexcept {
    auto const outer = without_views(static_cast<O const&>(w));
    if constexpr (is_view<V>) return outer;
    else return With<N, V, C, std::remove_const_t<decltype(outer)>>{outer, w.value, w.cotangent};
}

/// Runs Rest on rows of the batch, and behind them on as many of the stream beside.
template <Name N, class Rest_, class I, class R> struct FixedStreamBlock {
    using Rest = Rest_;
    using T = typename R::type;
    using Output = typename Rest::Output;
    using Blocker = typename FirstBlocker<Rest>::type;
    using Shared = SharedIn<Rest>;
    using Params = typename Rest::Params;
    using Stream = typename Rest::State;
    struct State {
        Stream own, beside;
    };
    template <int B> using Grads = typename Rest::template Grads<2 * B>;
    template <int B> struct Tape {
        Buffer<I, R, 2 * B> input;
        INLAY_EMPTY typename Rest::template Tape<2 * B> rest;
    };
    static constexpr int W = R::lanes;
    static constexpr long long parameters = Rest::parameters;
    static constexpr double flops = 2 * Rest::flops;
    static constexpr std::size_t scratch(int B) {
        return Rest::scratch(2 * B) + bytes<I, R>(2 * B) + bytes<Output, R>(2 * B) + Rows::room(B);
    }
    static constexpr std::size_t step_scratch() { return Rest::step_scratch() + token_bytes<Output, R>(); }

    static Lengths lengths(In<I, R> x) noexcept { return lengths_of<Rest, I, R>(x); }
    template <class P, class F> static void visit(P& p, Path const& at, F&& f) { Rest::visit(p, at, f); }
    template <class F> static constexpr void describe(Path const& at, int times, F const& f) {
        describe_child<Rest>(at, times, f);
    }
    template <class C> static void initialize(C const& c, Params& p) noexcept { Rest::initialize(c, p); }

    template <class C, class Tp>
    static void forward(C const& c, Params const& p, In<I, R> x, Out<Output, R> y, Tp& tape,
                        Scratch s) noexcept {
        Rows rows(c, x, s);
        auto const run = [&](Out<I, R> input, auto& rest) noexcept {
            std::copy_n(x.data, count<I>(c.rows), input.data);
            std::copy_n(beside(c).value.data, count<I>(c.rows), input(c.rows));
            auto const all = s.template take<Output, R>(2 * c.capacity, lengths(input));
            Rest::forward(rows.context(c), p, input, all, rest, s);
            std::copy_n(all.data, count<Output>(c.rows), y.data);
        };
        if constexpr (is_recording<Tp>) run(tape.input.view(rows.lengths), tape.rest);
        else run(s.template take<I, R>(2 * c.capacity, rows.lengths), tape);
        rows.give(c);
    }
    template <class C, class Tp, class DX, class G>
    static void backward(C const& c, Params const& p, In<I, R> x, Tp const& tape, In<Output, R> dy, DX dx,
                         G& g, Scratch s) noexcept {
        Rows rows(c, x, s);
        In<I, R> const input = tape.input.view(rows.lengths);
        auto const dall = s.template take<Output, R>(2 * c.capacity, lengths(input));
        auto const dinput = s.template take<I, R>(2 * c.capacity, rows.lengths);
        std::copy_n(dy.data, count<Output>(c.rows), dall.data);
        kernels::clear(dall(c.rows), count<Output>(c.rows));
        Rest::backward(rows.context(c), p, input, tape.rest, dall, dinput, g, s);
        if constexpr (wants_grad<DX>) std::copy_n(dinput.data, count<I>(c.rows), dx.data);
        if constexpr (wants_grad<decltype(beside(c).cotangent)>)
            kernels::add<W>(count<I>(c.rows), dinput(c.rows), beside(c).cotangent.data);
        rows.give(c);
    }
    /// The stream beside goes first, and blocks of the other read what it left in its state.
    template <class C>
    static void step(C const& c, Params const& p, State& state, T const* x, T* y, Scratch s) noexcept {
        T* const unread = s.template take<T>(std::size_t(Out<Output, R>::stride));
        Rest::step(inner(c, 0), p, state.beside, static_cast<T const*>(beside(c).value.data), unread, s);
        Rest::step(inner(c, sizeof(Stream)), p, state.own, x, y, s);
    }

private:
    template <class S> static std::ptrdiff_t count(int rows) noexcept {
        return std::ptrdiff_t(rows) * S::rows * In<S, R>::stride;
    }
    template <class C> static auto const& beside(C const& c) noexcept {
        static_assert(HasSide<N, decltype(c.extras)>,
                      "inlay: FixedStream names a side tensor that no Let or Keep around it makes");
        auto const& made = side<N>(c.extras);
        static_assert(std::is_convertible_v<decltype(made.value), In<I, R>>,
                      "inlay: the side tensor of FixedStream has not the shape of its input");
        return made;
    }
    /// The extras of what runs twice; `to_beside` bytes lie between a state and that of the stream beside.
    template <class C> static auto inner(C const& c, std::size_t to_beside) noexcept {
        static_assert(!HasSide<"stream beside", decltype(c.extras)>, "inlay: FixedStream within another");
        auto const cc = c.with(without_views(c.extras));
        return cc.with(
            With<"stream beside", std::size_t, NoGrad, decltype(cc.extras)>{cc.extras, to_beside, {}});
    }

    /// Twice the rows of a batch: lengths, positions, and what they carry, which lies elsewhere outside.
    class Rows {
    public:
        static constexpr std::size_t room(int B) {
            auto const n = std::size_t(2 * B);
            return lines(n * sizeof(std::int32_t)) + lines(n * sizeof(std::int64_t)) +
                   (carries ? 4 * lines(n * sizeof(Stream)) : 0);
        }
        Lengths lengths{};

        template <class C>
        Rows(C const& c, In<I, R> x, Scratch& s) noexcept : n_(c.rows), most_(std::size_t(2 * c.capacity)) {
            auto* const length = s.template take<std::int32_t>(most_);
            position_ = s.template take<std::int64_t>(most_);
            for (int b = 0; b < n_; ++b) {
                length[b] = length[n_ + b] = x.length(b);
                position_[b] = position_[n_ + b] = c.position_of(b);
            }
            if (x.lengths.first) lengths = {length, sizeof(std::int32_t)};
            if constexpr (carries) {
                in_ = bring<State const>(s, c.carry.in, [&](int b) { return c.template state_in<State>(b); });
                d_out_ = bring<State const>(s, c.carry.d_out,
                                            [&](int b) { return c.template d_state_out<State>(b); });
                out_ = bring<State>(s, c.carry.out, [&](int) { return static_cast<State*>(nullptr); });
                d_in_ = bring<State>(s, c.carry.d_in, [&](int) { return static_cast<State*>(nullptr); });
            }
        }
        template <class C> auto context(C const& c) const noexcept {
            auto cc = inner(c, 0);
            cc.rows = 2 * c.rows, cc.capacity = 2 * c.capacity, cc.position = position_;
            cc.carry = {in_, out_, d_out_, d_in_, sizeof(Stream)};
            return cc;
        }
        /// Hands on what goes out.
        template <class C> void give(C const& c) const noexcept {
            if constexpr (carries)
                for (int b = 0; b < n_; ++b) {
                    if (out_) part(out_, b, *c.template state_out<State>(b));
                    if (d_in_) part(d_in_, b, *c.template d_state_in<State>(b));
                }
        }

    private:
        static constexpr bool carries = !std::is_empty_v<Stream>;
        int n_;
        std::size_t most_;
        std::int64_t* position_ = nullptr;
        std::byte *in_ = nullptr, *out_ = nullptr, *d_out_ = nullptr, *d_in_ = nullptr;

        /// Room where there is something outside, filled with it.
        template <class S, class Find> std::byte* bring(Scratch& s, void const* outside, Find find) noexcept {
            if (!outside) return nullptr;
            auto* const to = reinterpret_cast<std::byte*>(s.template take<Stream>(most_));
            std::memset(to, 0, most_ * sizeof(Stream));
            for (int b = 0; b < n_; ++b)
                if (S* const from = find(b)) {
                    std::memcpy(to + at(b), &from->own, sizeof(Stream));
                    std::memcpy(to + at(n_ + b), &from->beside, sizeof(Stream));
                }
            return to;
        }
        void part(std::byte const* from, int b, State& to) const noexcept {
            std::memcpy(static_cast<void*>(&to.own), from + at(b), sizeof(Stream));
            std::memcpy(static_cast<void*>(&to.beside), from + at(n_ + b), sizeof(Stream));
        }
        static std::size_t at(int b) noexcept { return std::size_t(b) * sizeof(Stream); }
    };
};

} // namespace detail

/// y = Body(x) where a second stream goes through the same blocks, row for row: its tokens are those of the
/// side tensor N, which a Let around it makes of places alone, such as RandomRows or a fixed text. Attention
/// that is `ScoredBy<RndEmbQK>` or `ScoredBy<FixedSeqQK>` takes its queries and keys from there, so that what
/// it looks at is the same for every input (arXiv 2510.11602); all other blocks run on each stream by itself.
///
/// Shapes: `Shape<T, D>` to what the body makes of it; N has the shape of the input. Parameters: the body's,
/// by its names; both streams give them gradient. Cost, tape and state: those of the body twice. Side tensors
/// from outside are not at hand inside. Error: what is no sequence of numbers, a side tensor that is not
/// there, a FixedStream within another. PyTorch: the body over `torch.cat([x, beside])`.
template <Name N, class... Specs> struct FixedStream {
    using Body = Stack<Specs...>;
    static constexpr int layers = Body::layers;
    template <class I> static consteval auto problem() {
        if constexpr (is_numbers<I> && is_sequence<I>) return Tag<typename Body::template Problem<I>>{};
        else return Tag<Misfit<FixedStream<N>, Place<>, Got<detail::Brief<I>>, Wants<a_sequence>>>{};
    }
    template <class I> using Problem = typename decltype(problem<I>())::type;
    template <class I> static Tag<typename detail::OutputOf<Body, I>::type> out(Tag<I>);

    template <class I, class R>
    struct Block : detail::FixedStreamBlock<N, typename Body::template Block<I, R>, I, R> {
        using Spec = FixedStream;
    };
};

} // namespace inlay::inline INLAY_ISA
