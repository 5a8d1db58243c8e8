// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <inlay/core/block.hpp>
#include <inlay/core/observe.hpp>
#include <inlay/core/shared.hpp>

#include <algorithm>
#include <array>

namespace inlay::inline INLAY_ISA {

namespace detail {
/// The path of a child: its name if it has one, else its place.
template <class Spec> constexpr Path child_path(Path const& outer, int index) noexcept {
    if constexpr (requires { Spec::given_name; }) return {&outer, Spec::given_name.text, 0};
    else return {&outer, nullptr, index};
}
/// The I-th element of a tape, or no tape.
template <std::size_t I, class Tape> auto& tape_of(Tape& tapes) noexcept {
    if constexpr (is_recording<Tape>) return get<I>(tapes);
    else return tapes;
}
/// Bytes of one token of a shape, on its way through `step`.
template <class S, class R> constexpr std::size_t token_bytes() {
    if constexpr (is_numbers<S>)
        return lines(sizeof(typename R::type) * std::size_t(row_stride<R>(S::width)));
    else return 64;
}
template <class S, class R> using TokenOf = std::conditional_t<is_numbers<S>, typename R::type, std::int32_t>;

/// Descends into a block that describes its children; another is a leaf.
template <class B, class F> constexpr void describe_child(Path const& at, int times, F const& f) {
    if constexpr (requires { B::describe(at, times, f); }) B::describe(at, times, f);
    else f(at, Tag<B>{}, times);
}

/// At inference a block with `forward_then` takes in the elementwise function behind it, where that keeps 0.
template <class B, class Next> constexpr bool takes_in() {
    if constexpr (requires { Next::elementwise; })
        return Next::elementwise && requires { &B::template step_then<typename Next::Spec>; };
    else return false;
}
/// The function of an elementwise block.
template <class Function> struct ValueOf {
    template <class V> INLAY_INLINE V operator()(V x) const noexcept { return Function::value(x); }
};

template <class Index, class I, class R, class... Specs> struct StackBlock;

template <std::size_t... K, class I, class R, class... Specs>
struct StackBlock<std::index_sequence<K...>, I, R, Specs...> {
    using Shapes = walk<I, Specs...>;
    using Output = typename Shapes::output;
    static constexpr std::size_t N = sizeof...(Specs);
    template <std::size_t J>
    using shape = shape_at<J, Shapes>; // of the input of child J; shape<N> is the output
    template <std::size_t J> using child = typename At<J, Specs...>::template Block<shape<J>, R>;
    using Blocker = typename FirstBlocker<child<K>...>::type;
    using Shared = SharedIn<child<K>...>;

    static constexpr long long parameters = (child<K>::parameters + ... + 0LL);
    static constexpr double flops = (child<K>::flops + ... + 0.0);
    using Params = Leaves<typename child<K>::Params...>;
    template <int B> using Grads = Leaves<typename child<K>::template Grads<B>...>;
    using State = Leaves<typename child<K>::State...>;

    struct Last {};
    template <int B> struct Tape {
        INLAY_EMPTY Leaves<typename child<K>::template Tape<B>...> tapes;
        /// The input of each child but the first: what backward reads in the place of outputs.
        INLAY_EMPTY Leaves<std::conditional_t<K + 1 < N, Buffer<shape<K + 1>, R, B>, Last>...> between;
    };
    static constexpr std::size_t widest(int B) {
        std::size_t m = 0;
        ((K + 1 < N ? m = std::max(m, bytes<shape<K + 1>, R>(B)) : 0), ...);
        return m;
    }
    static constexpr std::size_t scratch(int B) {
        std::size_t m = 0;
        ((m = std::max(m, child<K>::scratch(B))), ...);
        return m + 2 * widest(B);
    }
    static constexpr std::size_t widest_token() {
        return std::max({std::size_t(0), token_bytes<shape<K + 1>, R>()...});
    }
    static constexpr std::size_t step_scratch() {
        std::size_t m = 0;
        ((m = std::max(m, child<K>::step_scratch())), ...);
        return m + 2 * widest_token();
    }
    /// Children that another one in front of them takes in, by place; and which of the two buffers child j
    /// reads at inference.
    static constexpr std::array<bool, N + 1> taken_in() {
        std::array<bool, N + 1> taken{};
        each<N - 1>([&](auto j) { taken[j + 1] = takes_in<child<j>, child<j + 1>>(); });
        return taken;
    }
    template <bool Joins = true> static constexpr int slot(std::size_t j) {
        if (!Joins) return int(j % 2);
        int n = 0;
        for (std::size_t i = 0; i < j; ++i) n += !taken_in()[i];
        return n % 2;
    }
    static constexpr int layers_before(std::size_t j) {
        int n = 0;
        ((K < j ? n += layers_of<Specs> : 0), ...);
        return n;
    }

    static Lengths lengths(In<I, R> x) noexcept {
        Lengths l;
        each<N>([&](auto j) noexcept {
            if constexpr (j == 0) l = lengths_of<child<j>, I, R>(x);
            else {
                In<shape<j>, R> in{};
                in.lengths = l;
                l = lengths_of<child<j>, shape<j>, R>(in);
            }
        });
        return l;
    }

    template <class P, class F> static void visit(P& p, Path const& at, F&& f) {
        (child<K>::visit(get<K>(p), child_path<Specs>(at, int(K)), f), ...);
    }
    /// Calls f for each block below, with its place: what `summary` prints.
    template <class F> static constexpr void describe(Path const& at, int times, F const& f) {
        (describe_child<child<K>>(child_path<Specs>(at, int(K)), times, f), ...);
    }
    template <class C> static void initialize(C const& c, Params& p) noexcept {
        (child<K>::initialize(c.template child<K, State>(layers_before(K)), get<K>(p)), ...);
    }

    template <class C, class Tp>
    static void forward(C const& c, Params const& p, In<I, R> x, Out<Output, R> y, Tp& tape,
                        Scratch s) noexcept {
        std::byte* turn[2]{};
        if constexpr (!is_recording<Tp>)
            for (auto& t : turn) t = s.template take<std::byte>(widest(c.capacity));
        Lengths lengths = x.lengths;
        // An observer sees each child by itself.
        constexpr bool joins = !is_recording<Tp> && !is_observed<C>;
        each<N>([&](auto j) noexcept {
            if constexpr (!joins || !taken_in()[j]) {
                constexpr bool joined = joins && taken_in()[j + 1];
                constexpr std::size_t next = j + 1 + joined;
                auto const cc = c.template child<j, State>(layers_before(j));
                auto& own = children(tape);
                auto const in = input<j, joins>(x, tape, turn, lengths);
                auto const out = [&] {
                    if constexpr (next == N) return y;
                    else return between<next, joins>(tape, turn, lengths_of<child<j>, shape<j>, R>(in));
                }();
                [[maybe_unused]] auto const seen =
                    observe<child<j>>(cc, child_path<At<j, Specs...>>({}, int(j)), get<j>(p), in, out);
                if constexpr (joined)
                    child<j>::forward_then(cc, get<j>(p), in, out, ValueOf<typename child<j + 1>::Spec>{});
                else child<j>::forward(cc, get<j>(p), in, out, tape_of<j>(own), s);
                if constexpr (next < N) lengths = out.lengths;
            }
        });
    }
    template <class C, class Tp, class DX, class G>
    static void backward(C const& c, Params const& p, In<I, R> x, Tp const& tape, In<Output, R> dy, DX dx,
                         G& g, Scratch s) noexcept {
        std::byte* turn[2] = {s.template take<std::byte>(widest(c.capacity)),
                              s.template take<std::byte>(widest(c.capacity))};
        Lengths lengths[N + 1] = {x.lengths};
        each<N>([&](auto j) noexcept {
            if constexpr (j + 1 < N) {
                lengths[j + 1] = lengths_of<child<j>, shape<j>, R>(input<j>(x, tape, turn, lengths[j]));
            }
        });
        each_reversed<N>([&](auto j) noexcept {
            auto const cc = c.template child<j, State>(layers_before(j));
            auto const in = input<j>(x, tape, turn, lengths[j]);
            auto const dout = [&] {
                if constexpr (j + 1 == N) return dy;
                else if constexpr (is_numbers<shape<j + 1>>)
                    return In<shape<j + 1>, R>(view_at<shape<j + 1>, R>(turn[(j + 1) % 2], lengths[j + 1]));
                else return NoGrad{};
            }();
            auto const din = [&] {
                if constexpr (j == 0) return dx;
                else if constexpr (is_numbers<shape<j>>) return view_at<shape<j>, R>(turn[j % 2], lengths[j]);
                else return NoGrad{};
            }();
            // Nothing flows into ids, so nothing below them has a gradient to find.
            if constexpr (wants_grad<decltype(dout)>)
                child<j>::backward(cc, get<j>(p), in, get<j>(tape.tapes), dout, din, get<j>(g), s);
        });
    }
    template <class C, class X>
    static void step(C const& c, Params const& p, State& state, X const* x, TokenOf<Output, R>* y,
                     Scratch s) noexcept {
        std::byte* turn[2] = {s.template take<std::byte>(widest_token()),
                              s.template take<std::byte>(widest_token())};
        each<N>([&](auto j) noexcept {
            if constexpr (!taken_in()[j]) {
                constexpr std::size_t next = j + 1 + taken_in()[j + 1];
                auto const cc = c.template child<j, State>(layers_before(j));
                auto const* in = [&] {
                    if constexpr (j == 0) return x;
                    else return reinterpret_cast<TokenOf<shape<j>, R> const*>(turn[slot(j)]);
                }();
                auto* out = [&] {
                    if constexpr (next == N) return y;
                    else return reinterpret_cast<TokenOf<shape<next>, R>*>(turn[slot(next)]);
                }();
                if constexpr (next > j + 1)
                    child<j>::step_then(get<j>(p), in, out, ValueOf<typename child<j + 1>::Spec>{});
                else child<j>::step(cc, get<j>(p), get<j>(state), in, out, s);
            }
        });
    }

private:
    template <class Tp> static auto& children(Tp& tape) noexcept {
        if constexpr (is_recording<Tp>) return tape.tapes;
        else return tape;
    }
    /// What child J reads.
    template <std::size_t J, bool Joins = true, class Tp>
    static In<shape<J>, R> input(In<I, R> x, Tp const& tape, std::byte* const* turn,
                                 Lengths lengths) noexcept {
        if constexpr (J == 0) return x;
        else if constexpr (is_recording<Tp>) return get<J - 1>(tape.between).view(lengths);
        else return view_at<shape<J>, R>(turn[slot<Joins>(J)], lengths);
    }
    /// Where what child J reads is written.
    template <std::size_t J, bool Joins, class Tp>
    static Out<shape<J>, R> between(Tp& tape, std::byte* const* turn, Lengths lengths) noexcept {
        if constexpr (is_recording<Tp>) return get<J - 1>(tape.between).view(lengths);
        else return view_at<shape<J>, R>(turn[slot<Joins>(J)], lengths);
    }
};
} // namespace detail

/// Blocks one behind the other. Each takes the shape that the one before it gives; the first misfit is
/// reported with its place. Parameters are named by place: `2.weight`. PyTorch: `nn.Sequential(...)`. Cost
/// and state: the blocks' together. Backward: from the last to the first. Error: blocks that do not fit.
template <class... Specs> struct Stack {
    static_assert(sizeof...(Specs) > 0, "inlay: a Stack needs a block");
    static constexpr int layers = (detail::layers_of<Specs> + ... + 0);
    template <class I> using Problem = typename detail::walk<I, Specs...>::problem;
    template <class I> static Tag<typename detail::walk<I, Specs...>::output> out(Tag<I>);

    template <class I, class R>
    struct Block : detail::StackBlock<std::index_sequence_for<Specs...>, I, R, Specs...> {
        using Spec = Stack;
    };
};

namespace detail {
/// The problem of a Combine whose body has to give the shape that it takes, which is of numbers.
template <class Combine, class Body, class I> struct KeepsShape {
    static consteval auto find() {
        using P = typename Body::template Problem<I>;
        if constexpr (!fits<P>) return Tag<P>{};
        else if constexpr (!is_numbers<I>)
            return Tag<Misfit<Combine, Place<>, Got<Brief<I>>, Wants<a_vector_or_a_sequence>>>{};
        else {
            using O = typename OutputOf<Body, I>::type;
            if constexpr (std::is_same_v<O, I>) return Tag<Fits>{};
            else return Tag<Misfit<Combine, Place<>, Got<O>, Wants<I>>>{};
        }
    }
    using type = typename decltype(find())::type;
};
} // namespace detail

} // namespace inlay::inline INLAY_ISA
