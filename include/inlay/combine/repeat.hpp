// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <inlay/combine/stack.hpp>

#include <array>

namespace inlay::inline INLAY_ISA {

namespace detail {
/// N equal structs; an empty one stays empty, however often it is repeated.
template <class T, int N>
using Copies = std::conditional_t<std::is_empty_v<T>, T, std::array<T, std::size_t(N)>>;

template <class T> T& nth(T& one, int) noexcept { return one; }
template <class T, std::size_t N> T& nth(std::array<T, N>& all, int n) noexcept {
    return all[std::size_t(n)];
}
template <class T, std::size_t N> T const& nth(std::array<T, N> const& all, int n) noexcept {
    return all[std::size_t(n)];
}
} // namespace detail

/// The stack of the blocks given, N times one behind the other, each with parameters of its own.
///
/// Input and output: one shape, `Shape<D>` or `Shape<T, D>`, which the stack keeps. Parameters are named by
/// repetition, then by place: `3.0.weight`. Cost, state and tape are N times the body's. The repetitions run
/// in a loop, so compile time and code size do not grow with N. PyTorch: `nn.Sequential(*[Body() for _ in
/// range(N)])`. Error: a body that changes the shape, ids or a record as input.
template <int N, class... Specs> struct Repeat {
    using Must = detail::Must<(N > 0), a_positive_count>;
    using Body = Stack<Specs...>;
    static constexpr int layers = N * Body::layers;
    template <class I> using Problem = typename detail::KeepsShape<Repeat<N>, Body, I>::type;
    template <class I> static Tag<I> out(Tag<I>);

    template <class I, class R> struct Block {
        using Spec = Repeat;
        using A = typename Body::template Block<I, R>;
        using T = typename R::type;
        using Output = I;
        using Blocker = typename detail::BlockerOf<A>::type;
        using Shared = typename A::Shared;
        static constexpr long long parameters = 1LL * N * A::parameters;
        static constexpr double flops = N * A::flops;
        using Params = detail::Copies<typename A::Params, N>;
        using State = detail::Copies<typename A::State, N>;
        template <int B> using Grads = detail::Copies<typename A::template Grads<B>, N>;

        struct Alone {};
        template <int B> struct Tape {
            INLAY_EMPTY detail::Copies<typename A::template Tape<B>, N> tapes;
            /// The input of each repetition but the first.
            using Between = std::array<detail::Buffer<I, R, B>, std::size_t(N > 1 ? N - 1 : 1)>;
            INLAY_EMPTY std::conditional_t<(N > 1), Between, Alone> between;
        };
        static constexpr std::size_t scratch(int B) {
            return A::scratch(B) + (N > 1 ? 2 * detail::bytes<I, R>(B) : 0);
        }
        static constexpr std::size_t step_scratch() {
            return A::step_scratch() + 2 * detail::token_bytes<I, R>();
        }

        template <class P, class F> static void visit(P& p, Path const& at, F&& f) {
            for (int n = 0; n < N; ++n) A::visit(detail::nth(p, n), Path{&at, nullptr, n}, f);
        }
        template <class F> static constexpr void describe(Path const& at, int times, F const& f) {
            detail::describe_child<A>(Path{&at, "*"}, N * times, f);
        }
        template <class C> static void initialize(C const& c, Params& p) noexcept {
            for (int n = 0; n < N; ++n) A::initialize(nth(c, n), detail::nth(p, n));
        }

        template <class C, class Tp>
        static void forward(C const& c, Params const& p, In<I, R> x, Out<I, R> y, Tp& tape,
                            Scratch s) noexcept {
            std::byte* turn[2]{};
            if constexpr (!is_recording<Tp> && N > 1)
                for (auto& t : turn) t = s.template take<std::byte>(detail::bytes<I, R>(c.capacity));
            for (int n = 0; n < N; ++n) {
                auto const out = [&] {
                    if constexpr (N > 1)
                        if (n + 1 < N) {
                            if constexpr (is_recording<Tp>)
                                return detail::nth(tape.between, n).view(x.lengths);
                            else return detail::view_at<I, R>(turn[n % 2], x.lengths);
                        }
                    return y;
                }();
                [[maybe_unused]] auto const seen =
                    detail::observe<A>(c, {nullptr, nullptr, n}, detail::nth(p, n), x, out);
                if constexpr (is_recording<Tp>)
                    A::forward(nth(c, n), detail::nth(p, n), x, out, detail::nth(tape.tapes, n), s);
                else A::forward(nth(c, n), detail::nth(p, n), x, out, tape, s);
                x = out;
            }
        }
        template <class C, class Tp, class DX, class G>
        static void backward(C const& c, Params const& p, In<I, R> x, Tp const& tape, In<I, R> dy, DX dx,
                             G& g, Scratch s) noexcept {
            if constexpr (N > 1) {
                std::byte* turn[2];
                for (auto& t : turn) t = s.template take<std::byte>(detail::bytes<I, R>(c.capacity));
                for (int n = N; n-- > 1;) {
                    auto const din = detail::view_at<I, R>(turn[n % 2], x.lengths);
                    A::backward(nth(c, n), detail::nth(p, n),
                                detail::nth(tape.between, n - 1).view(x.lengths), detail::nth(tape.tapes, n),
                                dy, din, detail::nth(g, n), s);
                    dy = din;
                }
            }
            A::backward(nth(c, 0), detail::nth(p, 0), x, detail::nth(tape.tapes, 0), dy, dx,
                        detail::nth(g, 0), s);
        }
        template <class C>
        static void step(C const& c, Params const& p, State& state, T const* x, T* y, Scratch s) noexcept {
            std::byte* turn[2];
            for (auto& t : turn) t = s.template take<std::byte>(detail::token_bytes<I, R>());
            for (int n = 0; n < N; ++n) {
                T* out = n + 1 == N ? y : reinterpret_cast<T*>(turn[n % 2]);
                A::step(nth(c, n), detail::nth(p, n), detail::nth(state, n), x, out, s);
                x = out;
            }
        }

    private:
        template <class C> static C nth(C const& c, int n) noexcept {
            using S = typename A::State;
            return c.repeated(n, std::is_empty_v<S> ? 0 : sizeof(S), Body::layers);
        }
    };
};

} // namespace inlay::inline INLAY_ISA
