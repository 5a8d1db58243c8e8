// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <inlay/blocks/dense.hpp>
#include <inlay/combine/parallel.hpp>
#include <inlay/kernels/softmax.hpp>

#include <array>

namespace inlay::inline INLAY_ISA {

namespace detail {
template <class I, class... Specs> struct GateProblem;
} // namespace detail

/// y = sum over branches k of g_k(x) A_k(x) with g = softmax(W x + b), token by token: a dense mixture of
/// experts.
///
/// Input: vectors or sequences of D numbers. All outputs are of one shape, with the input's positions.
/// Parameters: those of the branches, named by branch (`1.0.weight`), `gate.weight [branches, D]` from
/// U(-1/sqrt(D), 1/sqrt(D)) and `gate.bias [branches]`, zero at first. Cost: all branches and 2 branches (D +
/// O) flops a token. Backward, with w_k = dy . A_k(x): dA_k = g_k dy, d logit_k = g_k (w_k - sum_j g_j w_j).
/// The tape keeps the branches' outputs and g. PyTorch: `sum(g[..., k:k+1] * a[k](x) for k in range(n))` with
/// `g = gate(x).softmax(-1)`. Error: ids or a record as input, branches that differ, or that change the
/// length. State: the branches'.
template <class First, class... Rest> struct Gate {
    static constexpr int branches = 1 + int(sizeof...(Rest));
    static constexpr int layers = detail::layers_of<First> + (detail::layers_of<Rest> + ... + 0);
    template <class I> using Problem = typename detail::GateProblem<I, First, Rest...>::type;
    template <class I> static Tag<typename detail::OutputOf<First, I>::type> out(Tag<I>);

    template <class I, class R>
    struct Block : detail::Branches<std::index_sequence_for<First, Rest...>, I, R, First, Rest...> {
        using Spec = Gate;
        using Base = detail::Branches<std::index_sequence_for<First, Rest...>, I, R, First, Rest...>;
        using Router = typename Dense<branches>::template Block<I, R>;
        using T = typename R::type;
        using State = typename Base::State;
        using Output = typename detail::OutputOf<First, I>::type;
        using Weights = typename Router::Output;
        static constexpr int W = R::lanes, rows = I::rows, O = Output::width, stride = In<Output, R>::stride;
        static constexpr long long parameters = Base::parameters + Router::parameters;
        static constexpr double flops = Base::flops + Router::flops + 2.0 * branches * rows * O;

        struct Params {
            INLAY_EMPTY typename Base::Params branches;
            typename Router::Params gate;
        };
        template <int B> struct Grads {
            INLAY_EMPTY typename Base::template Grads<B> branches;
            typename Router::template Grads<B> gate;
        };
        template <int B> struct Tape {
            INLAY_EMPTY typename Base::template Tapes<B> tapes;
            std::array<detail::Buffer<Output, R, B>, Base::N> outputs;
            detail::Buffer<Weights, R, B> weights;
        };
        static constexpr std::size_t scratch(int B) {
            return Base::scratch(B) + detail::bytes<Output, R>(B) + detail::bytes<Weights, R>(B) +
                   Base::input_bytes(B);
        }
        static constexpr std::size_t step_scratch() {
            return Base::step_scratch() + detail::token_bytes<Output, R>() +
                   detail::token_bytes<Weights, R>();
        }

        template <class P, class F> static void visit(P& p, Path const& at, F&& f) {
            Base::visit(p.branches, at, f);
            Router::visit(p.gate, Path{&at, "gate"}, f);
        }
        template <class F> static constexpr void describe(Path const& at, int times, F const& f) {
            Base::describe(at, times, f);
            detail::describe_child<Router>(Path{&at, "gate"}, times, f);
        }
        template <class C> static void initialize(C const& c, Params& p) noexcept {
            Base::initialize(c, p.branches);
            Router::initialize(Context<>{.key = c.key.fold(Base::N)}, p.gate);
            kernels::clear(p.gate.bias[0], p.gate.bias.stride);
        }

        template <class C, class Tp>
        static void forward(C const& c, Params const& p, In<I, R> x, Out<Output, R> y, Tp& tape,
                            Scratch s) noexcept {
            auto const weights = [&] {
                if constexpr (is_recording<Tp>) return tape.weights.view(x.lengths);
                else return s.template take<Weights, R>(c.capacity, x.lengths);
            }();
            weigh(c, p, x, weights, s);
            auto const room = [&] {
                if constexpr (is_recording<Tp>) return y; // every branch has its own room on the tape
                else return s.template take<Output, R>(c.capacity, y.lengths);
            }();
            detail::each<Base::N>([&](auto j) noexcept {
                auto const cc = c.template child<j, State>(Base::layers_before(j));
                auto const part = [&] {
                    if constexpr (is_recording<Tp>) return tape.outputs[j].view(y.lengths);
                    else return room;
                }();
                [[maybe_unused]] auto const seen = Base::template observed<j>(c, p.branches, x, part);
                if constexpr (is_recording<Tp>)
                    Base::template child<j>::forward(cc, get<j>(p.branches), x, part, get<j>(tape.tapes), s);
                else Base::template child<j>::forward(cc, get<j>(p.branches), x, part, tape, s);
                for (int r = 0; r < c.rows * rows; ++r) mix(int(j), weights(0, r), part(0, r), y(0, r));
            });
        }
        template <class C, class Tp, class DX, class G>
        static void backward(C const& c, Params const& p, In<I, R> x, Tp const& tape, In<Output, R> dy, DX dx,
                             G& g, Scratch s) noexcept {
            auto const weights = tape.weights.view(x.lengths);
            auto const dlogits = s.template take<Weights, R>(c.capacity, x.lengths);
            for (int r = 0; r < c.rows * rows; ++r) {
                T const* w = weights(0, r);
                T* d = dlogits(0, r);
                T mean(0);
                for (int k = 0; k < branches; ++k) {
                    d[k] = kernels::dot<W>(O, dy(0, r), tape.outputs[std::size_t(k)].view({})(0, r));
                    mean += w[k] * d[k];
                }
                for (int k = 0; k < branches; ++k) d[k] = w[k] * (d[k] - mean);
                kernels::clear_pads(d, branches, dlogits.stride);
            }
            auto const part = s.template take<Output, R>(c.capacity, dy.lengths);
            auto const weighted = [&](auto j) noexcept {
                for (int r = 0; r < c.rows * rows; ++r)
                    kernels::scale<W>(stride, weights(0, r)[j], dy(0, r), part(0, r));
                return In<Output, R>(part);
            };
            Base::backward(c, p.branches, x, tape.tapes, weighted, dx, g.branches, s);
            if constexpr (wants_grad<DX>) {
                auto const more = s.template take<I, R>(c.capacity, x.lengths);
                Router::backward(c, p.gate, x, NoTape{}, dlogits, more, g.gate, s);
                kernels::add<W>(std::ptrdiff_t(c.rows) * rows * DX::stride, more.data, dx.data);
            } else Router::backward(c, p.gate, x, NoTape{}, dlogits, NoGrad{}, g.gate, s);
        }
        template <class C>
        static void step(C const& c, Params const& p, State& state, T const* x, T* y, Scratch s) noexcept {
            T* weights = s.template take<T>(std::size_t(Out<Weights, R>::stride));
            T* part = s.template take<T>(std::size_t(stride));
            typename Router::State none;
            Router::step(c, p.gate, none, x, weights, s);
            kernels::softmax<W>(1, branches, weights, 0, weights, 0);
            detail::each<Base::N>([&](auto j) noexcept {
                Base::template child<j>::step(c.template child<j, State>(Base::layers_before(j)),
                                              get<j>(p.branches), get<j>(state), x, part, s);
                mix(int(j), weights, part, y);
            });
        }

    private:
        template <class C>
        static void weigh(C const& c, Params const& p, In<I, R> x, Out<Weights, R> weights,
                          Scratch s) noexcept {
            NoTape none;
            [[maybe_unused]] auto const seen =
                detail::observe<Router>(c, {nullptr, "gate"}, p.gate, x, weights);
            Router::forward(c, p.gate, x, weights, none, s);
            kernels::softmax<W>(c.rows * rows, branches, weights.data, weights.stride, weights.data,
                                weights.stride);
        }
        /// y (+)= weight of branch j times its output.
        static void mix(int j, T const* weights, T const* part, T* y) noexcept {
            if (j == 0) kernels::scale<W>(stride, weights[j], part, y);
            else kernels::axpy<W>(stride, weights[j], part, y);
        }
    };
};

namespace detail {
template <class I, class... Specs> struct GateProblem {
    static consteval auto find() {
        if constexpr (!is_numbers<I>)
            return Tag<Misfit<Gate<void>, Place<>, Got<Brief<I>>, Wants<a_vector_or_a_sequence>>>{};
        else {
            using P = typename MatchingBranches<Gate<void>, SameShape, I, Specs...>::type;
            if constexpr (!fits<P>) return Tag<P>{};
            else {
                using O = typename OutputOf<At<0, Specs...>, I>::type;
                if constexpr (std::is_same_v<typename WithWidth<I, O::width>::type, O>) return Tag<Fits>{};
                else
                    return Tag<
                        Misfit<Gate<void>, Place<0>, Got<O>, Wants<typename WithWidth<I, O::width>::type>>>{};
            }
        }
    }
    using type = typename decltype(find())::type;
};
} // namespace detail

} // namespace inlay::inline INLAY_ISA
