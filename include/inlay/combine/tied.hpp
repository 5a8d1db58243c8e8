// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <inlay/blocks/embed.hpp>
#include <inlay/combine/stack.hpp>

namespace inlay::inline INLAY_ISA {

/// Words of a misfit.
struct an_Embed_then_a_body;
struct tokens;

/// Something else than an Embed without policies and blocks behind it.
template <class...> struct Tied {
    template <class I>
    using Problem = Misfit<Tied, Place<>, Got<detail::Brief<I>>, Wants<an_Embed_then_a_body>>;
};

/// A language model's frame: one table reads tokens in and scores them out, logits = Body(E[x]) E^T.
///
/// Input `Tokens<T, V>`, output `Shape<T, V>`; the body, a stack, gives `[T, D]` back. Parameters:
/// `embed.weight [V, D]` from N(0, 0.02^2), and the body's by place (`1.weight`). Rows of the table are
/// padded to whole vectors, as its scores are a product of matrices. Cost: the body and 2 V D flops a token,
/// backward twice that. State: the body's. Backward: dE = dlogits^T h, to which row x_t adds what the body's
/// input gets; every row is touched, so the gradient is dense. Rows past the length are zero and cost no
/// product. PyTorch: `head = nn.Linear(D, V, bias=False); head.weight = embedding.weight`. Error: an input
/// that is not tokens, a body that gives another shape, an Embed with policies.
template <int D, class First, class... Rest> struct Tied<Embed<D>, First, Rest...> {
    using Body = Stack<First, Rest...>;
    static constexpr int layers = Body::layers;

    template <class I> struct ProblemOf {
        using type = Misfit<Tied<>, Place<>, Got<detail::Brief<I>>, Wants<tokens>>;
    };
    template <int L, int V> struct ProblemOf<Tokens<L, V>> {
        static consteval auto find() {
            using H = Shape<L, D>;
            using P = typename Body::template Problem<H>;
            if constexpr (!detail::fits<P>) return Tag<P>{};
            else {
                using O = typename detail::OutputOf<Body, H>::type;
                if constexpr (std::is_same_v<O, H>) return Tag<Fits>{};
                else return Tag<Misfit<Tied<>, Place<>, Got<detail::Brief<O>>, Wants<H>>>{};
            }
        }
        using type = typename decltype(find())::type;
    };
    template <class I> using Problem = typename ProblemOf<I>::type;
    template <int L, int V> static Tag<Shape<L, V>> out(Tag<Tokens<L, V>>);

    template <class I, class R> struct Block {
        using Spec = Tied;
        using T = typename R::type;
        static constexpr int L = I::rows, V = I::vocabulary, W = R::lanes, width = detail::padded(D, W);
        using Hidden = Shape<L, D>;
        using Output = Shape<L, V>;
        using A = typename Body::template Block<Hidden, R>;
        using Blocker = typename detail::BlockerOf<A>::type;
        using Shared = typename A::Shared;
        static constexpr long long parameters = 1LL * V * D + A::parameters;
        static constexpr double flops = A::flops + 2.0 * L * V * D;
        static constexpr int hs = In<Hidden, R>::stride, ys = In<Output, R>::stride;

        /// In fewer bits where there are enough tokens for whole vectors of scores.
        static constexpr bool stored = detail::stores_less<R> && V >= W;
        using Table = std::conditional_t<stored, detail::StoredMatrix<R, V, D>, Tensor<R, V, D>>;
        struct Params {
            Table table;
            INLAY_EMPTY typename A::Params body;
        };
        template <int B> struct Grads {
            Tensor<R, V, D> table;
            INLAY_EMPTY typename A::template Grads<B> body;
        };
        template <int B> struct Tape {
            detail::Buffer<Hidden, R, B> embedded, hidden;
            INLAY_EMPTY typename A::template Tape<B> body;
        };
        using State = typename A::State;
        static constexpr std::size_t scratch(int B) {
            return A::scratch(B) + 2 * detail::bytes<Hidden, R>(B);
        }
        static constexpr std::size_t step_scratch() {
            return A::step_scratch() + 2 * detail::token_bytes<Hidden, R>();
        }

        template <class P, class F> static void visit(P& p, Path const& at, F&& f) {
            Path const embed{&at, "embed"};
            f(Tag<Embed<D>>{}, Path{&embed, "weight"}, Kind::table, p.table.ref());
            A::visit(p.body, at, f);
        }
        /// The table's row: its scores, as reading tokens in costs nothing.
        struct Scores {
            using Spec = Embed<D>;
            using Output = Shape<L, V>;
            static constexpr long long parameters = 1LL * V * D;
            static constexpr double flops = 2.0 * L * V * D;
        };
        template <class F> static constexpr void describe(Path const& at, int times, F const& f) {
            f(Path{&at, "embed"}, Tag<Scores>{}, times);
            detail::describe_child<A>(at, times, f);
        }
        template <class C> static void initialize(C const& c, Params& p) noexcept {
            detail::draw_table(c.key.fold(sizeof...(Rest) + 1), p.table.ref(),
                               0.02); // behind the body's keys
            A::initialize(c, p.body);
        }

        template <class C, class Tp>
        static void forward(C const& c, Params const& p, In<I, R> x, Out<Output, R> y, Tp& tape,
                            Scratch s) noexcept {
            detail::inference_only<R, Tp>();
            if constexpr (is_recording<Tp>)
                run(c, p, x, tape.embedded.view(x.lengths), tape.hidden.view(x.lengths), y, tape.body, s);
            else {
                auto const embedded = s.template take<Hidden, R>(c.capacity, x.lengths);
                run(c, p, x, embedded, s.template take<Hidden, R>(c.capacity, x.lengths), y, tape, s);
            }
        }
        template <class C, class Tp, class G>
        static void backward(C const& c, Params const& p, In<I, R> x, Tp const& tape, In<Output, R> dy,
                             NoGrad, G& g, Scratch s) noexcept {
            auto const dh = s.template take<Hidden, R>(c.capacity, x.lengths);
            auto const de = s.template take<Hidden, R>(c.capacity, x.lengths);
            auto const h = tape.hidden.view(x.lengths);
            for (int b = 0; b < c.rows; ++b) {
                int const n = x.length(b);
                kernels::gemm<W>(n, width, V, dy(b), ys, 1, p.table.data, p.table.stride, dh(b), hs, false);
                for (int t = 0; t < L; ++t) kernels::clear_pads(dh(b, t), t < n ? width : 0, hs);
                kernels::gemm<W>(V, width, n, dy(b), 1, ys, h(b), hs, g.table.data, g.table.stride, true);
            }
            A::backward(c, p.body, tape.embedded.view(x.lengths), tape.body, dh, de, g.body, s);
            for (int b = 0; b < c.rows; ++b)
                for (int t = 0, n = x.length(b); t < n; ++t)
                    kernels::add<W>(width, de(b, t), g.table[x(b)[t]]);
        }
        template <class C>
        static void step(C const& c, Params const& p, State& state, std::int32_t const* x, T* y,
                         Scratch s) noexcept {
            T* embedded = s.template take<T>(std::size_t(hs));
            T* hidden = s.template take<T>(std::size_t(hs));
            read(p, *x, embedded);
            A::step(c, p.body, state, embedded, hidden, s);
            score(1, p, hidden, y);
        }

    private:
        template <class C, class Tp>
        static void run(C const& c, Params const& p, In<I, R> x, Out<Hidden, R> embedded,
                        Out<Hidden, R> hidden, Out<Output, R> y, Tp& tape, Scratch s) noexcept {
            for (int b = 0; b < c.rows; ++b) {
                int const n = x.length(b);
                for (int t = 0; t < L; ++t) {
                    if (t < n) read(p, x(b)[t], embedded(b, t));
                    else kernels::clear(embedded(b, t), hs);
                }
            }
            A::forward(c, p.body, embedded, hidden, tape, s);
            for (int b = 0; b < c.rows; ++b) {
                int const n = x.length(b);
                score(n, p, hidden(b), y(b));
                kernels::clear(y(b) + std::ptrdiff_t(n) * ys, std::ptrdiff_t(L - n) * ys);
            }
        }
        static void read(Params const& p, std::int32_t id, T* to) noexcept {
            if constexpr (stored) {
                p.table.read(id, to);
                kernels::clear_pads(to, D, hs);
            } else std::copy_n(p.table[id], hs, to);
        }
        static void score(int n, Params const& p, T const* hidden, T* y) noexcept {
            if constexpr (stored) detail::stored_product(n, p.table, hidden, hs, nullptr, y, ys);
            else kernels::gemm_nt<W>(n, V, ys, width, hidden, hs, p.table.data, p.table.stride, y, ys, false);
        }
    };
};

} // namespace inlay::inline INLAY_ISA
