// SPDX-License-Identifier: BSD-3-Clause
// Several tasks over shared experts.
#pragma once

#include <inlay/blocks/cross/policies.hpp>
#include <inlay/blocks/dense.hpp>
#include <inlay/combine/stack.hpp>
#include <inlay/kernels/softmax.hpp>

#include <array>
#include <utility>

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
/// A MultiGate gives one more row, a mixture of all experts, for a MultiGate behind it.
struct SharedRow {};

/// Words of a misfit.
template <int N> struct a_vector_or_a_sequence_of_rows;

/// A row for each of N tasks, its own mixture of experts: y_k = sum over e of softmax(G_k x)_e E_e(x).
///
/// With `SharedExperts<S>` (4 unless told otherwise) this is MMoE (Ma et al. 2018); with `OwnExperts<P>`
/// besides, a task's gate sees the S shared experts and its own P: one level of PLE (Tang et al. 2020). With
/// `SharedRow` a last row is the mixture of all experts, and the next level takes these rows apart: task k's
/// gate and experts read row k, the shared ones the last row. Shapes: `Shape<D>` or `Shape<N + 1, D>` to
/// `Shape<N, H>`, `Shape<N + 1, H>` with SharedRow, H what an Expert gives, say `Mlp<32, 16>`; `PerRow<...>`
/// behind it gives each task a tower. Rows past the true length are read as zeros. Parameters: experts by
/// number, the shared ones first, then each task's, `e.0.weight`; `gate.weight [N (S + P), D]`, with
/// SharedRow S + N P rows more, drawn as a Dense, `gate.bias` zero. Cost: all experts and 2 N (S + P) (D + H)
/// flops; gates that read rows are computed for all of them. Tape: what experts give, and gates. Backward: as
/// Gate's. Error: an input or an output of an expert that is not a vector, another number of rows, no
/// experts. No streaming form. PyTorch: `torch.einsum("bke,beh->bkh", gates.softmax(-1), experts)`.
template <int N, class Expert, class... Policies> struct MultiGate {
    static constexpr int shared = detail::PolicyOr<HowManyShared, SharedExperts<4>, Policies...>::type::value;
    static constexpr int own = detail::PolicyOr<HowManyOwn, OwnExperts<0>, Policies...>::type::value;
    static constexpr int seen = shared + own, experts = shared + N * own;
    static constexpr int rows = N + detail::count_policy<SharedRow, Policies...>;
    using Must = detail::Must<(N > 0 && seen > 0), a_positive_count>;
    using Allowed = PolicyKinds<HowManyShared, HowManyOwn, SharedRow>;
    template <class I> static consteval bool takes() {
        if constexpr (is_numbers<I>) return !is_sequence<I> || I::rows == N + 1;
        else return false;
    }
    template <class I> struct ProblemOf {
        static consteval auto find() {
            using First =
                typename detail::PolicyWalk<MultiGate, Allowed, List<Policies...>, Policies...>::type;
            if constexpr (!detail::fits<First>) return Tag<First>{};
            else if constexpr (!takes<I>())
                return Tag<Misfit<MultiGate<N, void>, Place<>, Got<detail::Brief<I>>,
                                  Wants<a_vector_or_a_sequence_of_rows<N + 1>>>>{};
            else {
                using Row = Shape<I::width>;
                using P = detail::Inside<0, detail::Problem<Expert, Row>>;
                if constexpr (!detail::fits<P>) return Tag<P>{};
                else {
                    using O = typename detail::OutputOf<Expert, Row>::type;
                    if constexpr (is_numbers<O> && !is_sequence<O>) return Tag<Fits>{};
                    else return Tag<Misfit<MultiGate, Place<0>, Got<detail::Brief<O>>, Wants<a_vector>>>{};
                }
            }
        }
        using type = typename decltype(find())::type;
    };
    template <class I> using Problem = typename ProblemOf<I>::type;
    template <int D>
    static Tag<Shape<rows, detail::OutputOf<Expert, Shape<D>>::type::width>> out(Tag<Shape<D>>);
    template <int D>
    static Tag<Shape<rows, detail::OutputOf<Expert, Shape<D>>::type::width>> out(Tag<Shape<N + 1, D>>);

    template <class I, class R> struct Block : BlockDefaults {
        using Spec = MultiGate;
        using T = typename R::type;
        using Row = Shape<I::width>;
        using Own = typename Expert::template Block<Row, R>;
        using Hidden = typename Own::Output;
        using Output = Shape<rows, Hidden::width>;
        using Router = typename Dense<N * seen + (rows - N) * experts>::template Block<Row, R>;
        using Weights = typename Router::Output;
        static constexpr bool by_row = is_sequence<I>;
        static constexpr int W = R::lanes, H = Hidden::width, stride = In<Output, R>::stride,
                             sources = I::rows, in_stride = In<Row, R>::stride;
        static constexpr long long parameters = 1LL * experts * Own::parameters + Router::parameters;
        static constexpr double flops =
            experts * Own::flops + sources * Router::flops + 2.0 * Weights::width * H;
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
            return Own::scratch(B) + detail::bytes<Hidden, R>(B) + 2 * detail::bytes<Weights, R>(B) +
                   (by_row ? 3 : 1) * detail::bytes<Row, R>(B);
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
            weigh(c, p, x, weights, s);
            kernels::clear(y.data, std::ptrdiff_t(c.rows) * rows * stride);
            auto const room = s.template take<Hidden, R>(c.capacity, {});
            for (int e = 0; e < experts; ++e) {
                auto const part = [&] {
                    if constexpr (is_recording<Tp>) return tape.outputs[std::size_t(e)].view({});
                    else return room;
                }();
                auto const from = row_of(c, x, source_of(e), s);
                if constexpr (is_recording<Tp>)
                    Own::forward(child(c, e), p.expert[e], from.first, part, tape.tapes[std::size_t(e)],
                                 from.second);
                else Own::forward(child(c, e), p.expert[e], from.first, part, tape, from.second);
                each_user(e, [&](int k, int at) noexcept {
                    for (int b = 0; b < c.rows; ++b)
                        kernels::axpy<W>(stride, weights(b)[at], part(b), y(b, k));
                });
            }
        }
        template <class C, class Tp, class DX, class G>
        static void backward(C const& c, Params const& p, In<I, R> x, Tp const& tape, In<Output, R> dy, DX dx,
                             G& g, Scratch s) noexcept {
            auto const weights = tape.weights.view({});
            auto const dweights = s.template take<Weights, R>(c.capacity, {});
            auto const dpart = s.template take<Hidden, R>(c.capacity, {});
            auto const more = s.template take<Row, R>(c.capacity, {});
            kernels::clear(dweights.data, std::ptrdiff_t(c.rows) * dweights.stride);
            if constexpr (wants_grad<DX>)
                kernels::clear(dx.data, std::ptrdiff_t(c.rows) * I::rows * in_stride);
            auto const add = [&](int source) noexcept {
                if constexpr (wants_grad<DX>)
                    for (int b = 0; b < c.rows; ++b)
                        if (!by_row || source < x.length(b))
                            kernels::add<W>(in_stride, more(b), dx(b, source));
            };
            for (int e = 0; e < experts; ++e) {
                auto const part = tape.outputs[std::size_t(e)].view({});
                kernels::clear(dpart.data, std::ptrdiff_t(c.rows) * stride);
                each_user(e, [&](int k, int at) noexcept {
                    for (int b = 0; b < c.rows; ++b) {
                        kernels::axpy<W>(stride, weights(b)[at], dy(b, k), dpart(b));
                        dweights(b)[at] = kernels::dot<W>(H, dy(b, k), part(b));
                    }
                });
                auto const from = row_of(c, x, source_of(e), s);
                auto const pull = [&](auto to) noexcept {
                    Own::backward(child(c, e), p.expert[e], from.first, tape.tapes[std::size_t(e)], dpart, to,
                                  g.expert[e], from.second);
                };
                if constexpr (wants_grad<DX>) pull(more);
                else pull(NoGrad{});
                add(source_of(e));
            }
            for (int b = 0; b < c.rows; ++b)
                for (int k = 0; k < rows; ++k)
                    kernels::softmax_backward<W>(1, width_of(k), weights(b) + k * seen, 0,
                                                 dweights(b) + k * seen, dweights(b) + k * seen, 0);
            auto const dlogits = s.template take<Weights, R>(c.capacity, {});
            for (int r = 0; r < sources; ++r) {
                auto const from = row_of(c, x, r, s);
                kernels::clear(dlogits.data, std::ptrdiff_t(c.rows) * dlogits.stride);
                copy_part(c, r, dweights, dlogits);
                T* to = nullptr;
                if constexpr (wants_grad<DX>) to = more.data;
                Router::pull(c.rows, p.gate, from.first.data, dlogits.data, to, false, g.gate);
                add(r);
            }
        }

    private:
        /// Row r of the input as a batch of vectors, and the scratch behind it.
        template <class C>
        static std::pair<In<Row, R>, Scratch> row_of(C const& c, In<I, R> x, int r, Scratch s) noexcept {
            if constexpr (by_row) {
                auto const row = s.template take<Row, R>(c.capacity, {});
                for (int b = 0; b < c.rows; ++b)
                    if (r < x.length(b)) std::copy_n(x(b, r), in_stride, row(b));
                    else kernels::clear(row(b), in_stride);
                return {row, s};
            } else return {x, s};
        }
        static constexpr int source_of(int e) noexcept {
            if constexpr (!by_row) return 0;
            else if constexpr (own > 0) return e < shared ? N : (e - shared) / own;
            else return N;
        }
        /// The gates of task k, or of the shared row, begin at k * seen.
        static constexpr int width_of(int k) noexcept { return k < N ? seen : experts; }
        /// The gates that read source r.
        template <class C>
        static void copy_part(C const& c, int r, Out<Weights, R> from, Out<Weights, R> to) noexcept {
            int const first = by_row ? r * seen : 0, last = !by_row ? Weights::width
                                                            : r < N ? first + seen
                                                                    : Weights::width;
            for (int b = 0; b < c.rows; ++b) std::copy(from(b) + first, from(b) + last, to(b) + first);
        }
        template <class C>
        static void weigh(C const& c, Params const& p, In<I, R> x, Out<Weights, R> weights,
                          Scratch s) noexcept {
            auto const logits = s.template take<Weights, R>(c.capacity, {});
            for (int r = 0; r < sources; ++r) {
                auto const from = row_of(c, x, r, s);
                Router::apply(c.rows, p.gate, from.first.data, logits.data);
                copy_part(c, r, logits, weights);
            }
            for (int b = 0; b < c.rows; ++b) {
                for (int k = 0; k < rows; ++k)
                    kernels::softmax<W>(1, width_of(k), weights(b) + k * seen, 0, weights(b) + k * seen, 0);
                kernels::clear_pads(weights(b), Weights::width, weights.stride);
            }
        }
        template <class C> static C child(C const& c, int e) noexcept {
            C one = c;
            one.key = c.key.fold(std::uint64_t(e));
            one.carry = {};
            return one;
        }
        /// f(row, place among all gates) for the rows that see expert e.
        template <class F> static void each_user(int e, F f) noexcept {
            if (e < shared)
                for (int k = 0; k < N; ++k) f(k, k * seen + e);
            else if constexpr (own > 0) {
                int const k = (e - shared) / own;
                f(k, k * seen + shared + (e - shared) % own);
            }
            if constexpr (rows > N) f(N, N * seen + e);
        }
    };
};

} // namespace inlay::inline INLAY_ISA
