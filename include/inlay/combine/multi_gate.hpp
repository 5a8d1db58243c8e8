// SPDX-License-Identifier: BSD-3-Clause
// Several tasks over shared experts.
#pragma once

#include <inlay/blocks/cross/policies.hpp>
#include <inlay/blocks/dense.hpp>
#include <inlay/combine/stack.hpp>
#include <inlay/kernels/softmax.hpp>

#include <array>

namespace inlay::inline INLAY_ISA {

/// N experts of a MultiGate that all tasks use, and N for each task alone.
template <int N> struct SharedExperts {
    using Must = detail::Must<(N >= 0), numbers_of_at_least_0>;
    using PolicyKind = struct HowManyShared;
    static constexpr int value = N;
};
template <int N> struct OwnExperts {
    using Must = detail::Must<(N >= 0), numbers_of_at_least_0>;
    using PolicyKind = struct HowManyOwn;
    static constexpr int value = N;
};

/// A row for each of N tasks, its own mixture of experts: y_k = sum over e of softmax(G_k x)_e E_e(x).
///
/// With `SharedExperts<S>` (4 unless told otherwise) this is MMoE (Ma et al. 2018); with `OwnExperts<P>`
/// besides, a task's gate sees the S shared experts and its own P: one level of PLE (Tang et al. 2020).
/// Shapes: `Shape<D>` to `Shape<N, H>`, H what an Expert gives, say `Mlp<32, 16>`; `PerRow<...>` behind it
/// gives each task a tower. Parameters: experts by number, the shared ones first, then each task's,
/// `e.0.weight`; `gate.weight [N (S + P), D]`, drawn as a Dense, `gate.bias` zero. Cost: all experts and 2 N
/// (S + P) (D + H) flops. Tape: what experts give, and gates. Backward: as Gate's. Error: an input or an
/// output of an expert that is not a vector, no experts.
template <int N, class Expert, class... Policies> struct MultiGate {
    static constexpr int shared = detail::PolicyOr<HowManyShared, SharedExperts<4>, Policies...>::type::value;
    static constexpr int own = detail::PolicyOr<HowManyOwn, OwnExperts<0>, Policies...>::type::value;
    static constexpr int seen = shared + own, experts = shared + N * own;
    using Must = detail::Must<(N > 0 && seen > 0), a_positive_count>;
    using Wanted = a_vector;
    using Allowed = PolicyKinds<HowManyShared, HowManyOwn>;
    template <class I> struct ProblemOf {
        static consteval auto find() {
            using First = detail::PolicyProblem<MultiGate, I, Allowed, Policies...>;
            if constexpr (!detail::fits<First>) return Tag<First>{};
            else {
                using P = detail::Inside<0, detail::Problem<Expert, I>>;
                if constexpr (!detail::fits<P>) return Tag<P>{};
                else {
                    using O = typename detail::OutputOf<Expert, I>::type;
                    if constexpr (is_numbers<O> && !is_sequence<O>) return Tag<Fits>{};
                    else return Tag<Misfit<MultiGate, Place<0>, Got<detail::Brief<O>>, Wants<a_vector>>>{};
                }
            }
        }
        using type = typename decltype(find())::type;
    };
    template <class I> using Problem = typename ProblemOf<I>::type;
    template <int D> static Tag<Shape<N, detail::OutputOf<Expert, Shape<D>>::type::width>> out(Tag<Shape<D>>);

    template <class I, class R> struct Block : BlockDefaults {
        using Spec = MultiGate;
        using T = typename R::type;
        using Own = typename Expert::template Block<I, R>;
        using Hidden = typename Own::Output;
        using Output = Shape<N, Hidden::width>;
        using Router = typename Dense<N * seen>::template Block<I, R>;
        using Weights = typename Router::Output;
        static constexpr int W = R::lanes, H = Hidden::width, stride = In<Output, R>::stride;
        static constexpr int parameters = experts * Own::parameters + Router::parameters;
        static constexpr double flops = experts * Own::flops + Router::flops + 2.0 * N * seen * H;
        struct Params {
            typename Own::Params expert[std::size_t(experts)];
            typename Router::Params gate;
        };
        template <int B> struct Grads {
            typename Own::template Grads<B> expert[std::size_t(experts)];
            typename Router::Params gate;
        };
        template <int B> struct Tape {
            std::array<typename Own::template Tape<B>, std::size_t(experts)> tapes;
            std::array<detail::Buffer<Hidden, R, B>, std::size_t(experts)> outputs;
            detail::Buffer<Weights, R, B> weights;
        };
        static constexpr std::size_t scratch(int B) {
            return Own::scratch(B) + detail::bytes<Hidden, R>(B) + detail::bytes<Weights, R>(B) +
                   detail::bytes<I, R>(B);
        }
        template <class P, class F> static void visit(P& p, Path const& at, F&& f) {
            for (int e = 0; e < experts; ++e) Own::visit(p.expert[e], Path{&at, nullptr, e}, f);
            Router::visit(p.gate, Path{&at, "gate"}, f);
        }
        template <class C> static void initialize(C c, Params& p) noexcept {
            Key const key = c.key;
            for (int e = 0; e < experts; ++e) {
                c.key = key.fold(std::uint64_t(e));
                Own::initialize(c, p.expert[e]);
            }
            c.key = key.fold(std::uint64_t(experts));
            Router::initialize(c, p.gate);
            kernels::clear(p.gate.bias[0], p.gate.bias.stride);
        }
        template <class C, class Tp>
        static void forward(C const& c, Params const& p, In<I, R> x, Out<Output, R> y, Tp& tape,
                            Scratch s) noexcept {
            auto const weights = [&] {
                if constexpr (is_recording<Tp>) return tape.weights.view({});
                else return s.template take<Weights, R>(c.capacity, {});
            }();
            Router::apply(c.rows, p.gate, x.data, weights.data);
            for (int b = 0; b < c.rows; ++b)
                for (int k = 0; k < N; ++k)
                    kernels::softmax<W>(1, seen, weights(b) + k * seen, 0, weights(b) + k * seen, 0);
            kernels::clear(y.data, std::ptrdiff_t(c.rows) * N * stride);
            auto const room = s.template take<Hidden, R>(c.capacity, {});
            for (int e = 0; e < experts; ++e) {
                auto const part = [&] {
                    if constexpr (is_recording<Tp>) return tape.outputs[std::size_t(e)].view({});
                    else return room;
                }();
                if constexpr (is_recording<Tp>)
                    Own::forward(child(c, e), p.expert[e], x, part, tape.tapes[std::size_t(e)], s);
                else Own::forward(child(c, e), p.expert[e], x, part, tape, s);
                each_user(e, [&](int k, int j) noexcept {
                    for (int b = 0; b < c.rows; ++b)
                        kernels::axpy<W>(stride, weights(b)[k * seen + j], part(b), y(b, k));
                });
            }
        }
        template <class C, class Tp, class DX, class G>
        static void backward(C const& c, Params const& p, In<I, R> x, Tp const& tape, In<Output, R> dy, DX dx,
                             G& g, Scratch s) noexcept {
            auto const weights = tape.weights.view({});
            auto const dweights = s.template take<Weights, R>(c.capacity, {});
            auto const dpart = s.template take<Hidden, R>(c.capacity, {});
            auto const more = s.template take<I, R>(c.capacity, {});
            std::ptrdiff_t const count = std::ptrdiff_t(c.rows) * In<I, R>::stride;
            kernels::clear(dweights.data, std::ptrdiff_t(c.rows) * dweights.stride);
            if constexpr (wants_grad<DX>) kernels::clear(dx.data, count);
            for (int e = 0; e < experts; ++e) {
                auto const part = tape.outputs[std::size_t(e)].view({});
                kernels::clear(dpart.data, std::ptrdiff_t(c.rows) * stride);
                each_user(e, [&](int k, int j) noexcept {
                    for (int b = 0; b < c.rows; ++b) {
                        kernels::axpy<W>(stride, weights(b)[k * seen + j], dy(b, k), dpart(b));
                        dweights(b)[k * seen + j] = kernels::dot<W>(H, dy(b, k), part(b));
                    }
                });
                if constexpr (wants_grad<DX>) {
                    Own::backward(child(c, e), p.expert[e], x, tape.tapes[std::size_t(e)], dpart, more,
                                  g.expert[e], s);
                    kernels::add<W>(count, more.data, dx.data);
                } else
                    Own::backward(child(c, e), p.expert[e], x, tape.tapes[std::size_t(e)], dpart, NoGrad{},
                                  g.expert[e], s);
            }
            for (int b = 0; b < c.rows; ++b)
                for (int k = 0; k < N; ++k)
                    kernels::softmax_backward<W>(1, seen, weights(b) + k * seen, 0, dweights(b) + k * seen,
                                                 dweights(b) + k * seen, 0);
            T* to = nullptr;
            if constexpr (wants_grad<DX>) to = dx.data;
            Router::pull(c.rows, p.gate, x.data, dweights.data, to, true, g.gate);
        }

    private:
        template <class C> static C child(C const& c, int e) noexcept {
            C one = c;
            one.key = c.key.fold(std::uint64_t(e));
            one.carry = {};
            return one;
        }
        /// f(task, place in its gate) for the tasks that see expert e.
        template <class F> static void each_user(int e, F f) noexcept {
            if (e < shared)
                for (int k = 0; k < N; ++k) f(k, e);
            else if constexpr (own > 0) f((e - shared) / own, shared + (e - shared) % own);
        }
    };
};

} // namespace inlay::inline INLAY_ISA
