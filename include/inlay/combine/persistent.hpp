// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <inlay/blocks/draw.hpp>
#include <inlay/combine/stack.hpp>

namespace inlay::inline INLAY_ISA {

/// A over a sequence before which N learned tokens stand (arXiv 2501.00663): A reads [P, x], and what it
/// gives for P is dropped.
///
/// Shapes: `Shape<T, D>` to `Shape<T, O>` where A gives `Shape<N + T, O>`. Parameters: those of A, and
/// `persistent [N, D]` from N(0, 0.02^2). Cost: A's over N tokens more, once a stream. State: A's; a stream
/// reads P before its first token. Positions of x start at N. Backward: P gets the gradients of its rows, of
/// all sequences. PyTorch: `a(torch.cat([p.expand(B, -1, -1), x], 1))[:, N:]`. Error: what is no sequence of
/// numbers, an A that changes the length.
template <int N, class A> struct Persistent {
    using Must = detail::Must<(N > 0), a_positive_count>;
    using Wanted = a_sequence;
    static constexpr int layers = detail::layers_of<A>;
    template <class I> static consteval auto problem() {
        if constexpr (!is_sequence<I>)
            return Tag<Misfit<Persistent<N, void>, Place<>, Got<detail::Brief<I>>, Wants<a_sequence>>>{};
        else {
            using P = detail::Problem<A, Shape<I::rows + N, I::width>>;
            if constexpr (!detail::fits<P>) return Tag<P>{};
            else {
                using O = typename detail::OutputOf<A, Shape<I::rows + N, I::width>>::type;
                using Kept = Shape<I::rows + N, O::width>;
                if constexpr (std::is_same_v<O, Kept>) return Tag<Fits>{};
                else return Tag<Misfit<Persistent<N, void>, Place<>, Got<O>, Wants<Kept>>>{};
            }
        }
    }
    template <class I> using Problem = typename decltype(problem<I>())::type;
    template <int T, int D> static auto out(Tag<Shape<T, D>>) {
        return Tag<Shape<T, detail::OutputOf<A, Shape<T + N, D>>::type::width>>{};
    }

    template <class I, class R> struct Block : BlockDefaults {
        using Spec = Persistent;
        using T = typename R::type;
        using Longer = Shape<I::rows + N, I::width>;
        using Body = typename A::template Block<Longer, R>;
        using Given = typename Body::Output;
        using Output = Shape<I::rows, Given::width>;
        using Blocker = typename detail::BlockerOf<Body>::type;
        static constexpr int stride = In<I, R>::stride, given = In<Output, R>::stride;
        static constexpr long long parameters = Body::parameters + 1LL * N * I::width;
        static constexpr double flops = Body::flops;

        struct Params {
            Tensor<R, N, I::width> persistent;
            INLAY_EMPTY typename Body::Params body;
        };
        template <int B> struct Grads {
            Tensor<R, N, I::width> persistent;
            INLAY_EMPTY typename Body::template Grads<B> body;
        };
        template <int B> using Tape = typename Body::template Tape<B>;
        struct State {
            typename Body::State body; ///< first, so that a carry to this is one to the body
            std::int32_t begun;
        };
        static constexpr std::size_t scratch(int B) {
            auto const b = std::size_t(B);
            return 2 * (detail::bytes<Longer, R>(B) + detail::bytes<Given, R>(B)) +
                   2 * detail::lines(b * sizeof(std::int32_t)) + detail::lines(b * sizeof(std::int64_t)) +
                   Body::scratch(B);
        }
        static constexpr std::size_t step_scratch() {
            return detail::token_bytes<Given, R>() + Body::step_scratch();
        }

        template <class P, class F> static void visit(P& p, Path const& at, F&& f) {
            f(Tag<Persistent>{}, Path{&at, "persistent"}, Kind::matrix, p.persistent.ref());
            Body::visit(p.body, at, f);
        }
        template <class C> static void initialize(C const& c, Params& p) noexcept {
            detail::draw_normal(c.key.fold(std::uint64_t(N)), 0.02, p.persistent.ref());
            Body::initialize(c, p.body);
        }

        template <class C, class Tp>
        static void forward(C const& c, Params const& p, In<I, R> x, Out<Output, R> y, Tp& tape,
                            Scratch s) noexcept {
            Front const front(c, x, s);
            auto const longer = front.join(c, p, x, s);
            auto const all = s.template take<Given, R>(c.capacity, longer.lengths);
            Body::forward(front.context(c), p.body, longer, all, tape, s);
            for (int b = 0; b < c.rows; ++b) {
                int const n = x.length(b);
                std::copy_n(all(b, front.rows[b]), std::ptrdiff_t(n) * given, y(b));
                detail::clear_rows_from(y, b, n);
                if (auto* const out = c.template state_out<State>(b)) {
                    auto const* const in = c.template state_in<State>(b);
                    out->begun = n > 0 || (in && in->begun);
                }
            }
        }
        template <class C, class Tp, class DX, class G>
        static void backward(C const& c, Params const& p, In<I, R> x, Tp const& tape, In<Output, R> dy, DX dx,
                             G& g, Scratch s) noexcept {
            Front const front(c, x, s);
            auto const longer = front.join(c, p, x, s);
            auto const dall = s.template take<Given, R>(c.capacity, longer.lengths);
            auto const dlonger = s.template take<Longer, R>(c.capacity, longer.lengths);
            for (int b = 0; b < c.rows; ++b) {
                int const n = x.length(b), before = front.rows[b];
                kernels::clear(dall(b), std::ptrdiff_t(before) * given);
                std::copy_n(dy(b), std::ptrdiff_t(n) * given, dall(b, before));
                detail::clear_rows_from(dall, b, before + n);
            }
            Body::backward(front.context(c), p.body, longer, tape, dall, dlonger, g.body, s);
            for (int b = 0; b < c.rows; ++b) {
                int const n = x.length(b), before = front.rows[b];
                for (int t = 0; t < before; ++t)
                    kernels::add<R::lanes>(detail::padded(I::width, R::lanes), dlonger(b, t),
                                           g.persistent[t]);
                if constexpr (wants_grad<DX>) {
                    std::copy_n(dlonger(b, before), std::ptrdiff_t(n) * stride, dx(b));
                    detail::clear_rows_from(dx, b, n);
                }
                if (auto* const in = c.template d_state_in<State>(b)) in->begun = 0;
            }
        }
        template <class C>
        static void step(C const& c, Params const& p, State& state, T const* x, T* y, Scratch s) noexcept {
            auto own = c;
            std::int64_t place = 0;
            own.position = &place;
            if (!state.begun) {
                T* const dropped = s.template take<T>(std::size_t(given));
                for (; place < N; ++place)
                    Body::step(own, p.body, state.body, p.persistent[int(place)], dropped, s);
                state.begun = 1;
            }
            place = c.position_of(0) + N;
            Body::step(own, p.body, state.body, x, y, s);
        }

    private:
        /// How many rows of P stand before each sequence: none where a stream goes on, or nothing comes.
        struct Front {
            std::int32_t *rows, *lengths;
            std::int64_t* position;
            template <class C> Front(C const& c, In<I, R> x, Scratch& s) noexcept {
                auto const count = std::size_t(c.capacity);
                rows = s.template take<std::int32_t>(count), lengths = s.template take<std::int32_t>(count);
                position = s.template take<std::int64_t>(count);
                for (int b = 0; b < c.rows; ++b) {
                    auto const* const in = c.template state_in<State>(b);
                    bool const goes_on = in && in->begun;
                    rows[b] = goes_on || x.length(b) == 0 ? 0 : N;
                    lengths[b] = rows[b] + x.length(b);
                    position[b] = c.position_of(b) + (goes_on ? N : 0);
                }
            }
            template <class C> C context(C c) const noexcept {
                c.position = position;
                return c;
            }
            template <class C>
            Out<Longer, R> join(C const& c, Params const& p, In<I, R> x, Scratch& s) const noexcept {
                auto const to =
                    s.template take<Longer, R>(c.capacity, Lengths{lengths, sizeof(std::int32_t)});
                for (int b = 0; b < c.rows; ++b) {
                    for (int t = 0; t < rows[b]; ++t) std::copy_n(p.persistent[t], stride, to(b, t));
                    std::copy_n(x(b), std::ptrdiff_t(x.length(b)) * stride, to(b, rows[b]));
                    detail::clear_rows_from(to, b, lengths[b]);
                }
                return to;
            }
        };
    };
};

} // namespace inlay::inline INLAY_ISA
