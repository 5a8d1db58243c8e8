// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <inlay/blocks/attention_rows.hpp>
#include <inlay/blocks/dense.hpp>
#include <inlay/kernels/attention.hpp>
#include <inlay/kernels/attention_backward.hpp>
#include <inlay/kernels/attention_step.hpp>

namespace inlay::inline INLAY_ISA {

/// Words of a misfit.
template <class Heads> struct a_width_for;
template <class Heads> struct what_divides;
struct pairs_to_turn;

namespace detail {
template <bool Streams> struct Streaming {};
template <> struct Streaming<true> {
    static constexpr bool streams = true;
};
/// Numbers drawn from U(-bound, bound).
template <class Key, class T> void draw_uniform(Key key, double bound, TensorRef<T> const& w) noexcept {
    for (int o = 0; o < w.rows; ++o)
        for (int i = 0; i < w.width; ++i)
            w(o, i) = T(bound *
                        (2 * key.uniform(std::uint64_t(o) * std::uint64_t(w.width) + std::uint64_t(i)) - 1));
}
} // namespace detail

/// Exact attention: y_t = Wo concat_h(sum_j P_tj v_j), P_t = softmax over the keys j that t sees of
/// q_t k_j / sqrt(d), with q = Wq x, k = Wk x, v = Wv x by heads.
///
/// Shapes: `Shape<T, D>`, kept. Policies: `Heads<1>`; `KvHeads<N>`, each read by Heads / N heads of queries;
/// `HeadDim<D / Heads>`; `Causal` (the default), `Bidirectional` or `Prefix<N>`; `Window<N>` or
/// `BlockWindow<N, M>`; `Sinks<N>`; `Rope<10'000>`, `Rope<10'000, Interleaved, Rotates<16>>`; `Bias`,
/// `QkvBias`. Parameters: `q.weight [H d, D]`, `k.weight [K d, D]`, `v.weight [K d, D]`, `o.weight [D, H d]`
/// from Xavier's U(-a, a), a^2 = 6 / (in + out), that of o divided by sqrt(2 depth); biases 0. Cost a token:
/// 4 D d (H + K) for the projections and 4 H d for each key seen; backward 2.5 times. State: the keys and
/// values of the window, of the last T tokens without one (K T 2 d numbers): a stream may be longer, and
/// forgets the oldest. Memory is linear in T: the tape keeps projections, the heads' outputs and one number a
/// head and token, and backward computes weights again (arXiv 2205.14135). A token that sees nothing gets
/// zeros from its heads. PyTorch: `scaled_dot_product_attention` between four `nn.Linear`. Error: what is no
/// sequence of numbers, Heads that do not divide D without a HeadDim, KvHeads that do not divide Heads, an
/// odd number of turning numbers, an unknown or doubled policy; `step` of Bidirectional or Prefix.
template <class... Policies> struct SoftmaxAttn {
    template <class Kind, class Default>
    using policy = typename detail::PolicyOr<Kind, Default, Policies...>::type;
    using Wanted = a_sequence;
    using Allowed = PolicyKinds<HowManyHeads, HowManyKvHeads, HowWideHeads, WhichKeys, WhichWindow,
                                WhichSinks, WhichPlaces, WhichBias>;
    static constexpr int layers = 1;
    static constexpr int heads = policy<HowManyHeads, Heads<1>>::value;
    static constexpr int kv_heads = policy<HowManyKvHeads, KvHeads<heads>>::value;
    using Keys = policy<WhichKeys, Causal>;
    using Places = policy<WhichPlaces, detail::NoPlaces>;
    using Biases = policy<WhichBias, detail::NoBiases>;
    template <int D>
    static constexpr int head_dim =
        policy<HowWideHeads, HeadDim<(heads > 0 && D % heads == 0 ? D / heads : 0)>>::value;

    template <class I> static consteval auto problem() {
        using Brief = SoftmaxAttn<>; // its policies would fill the message
        using P = detail::PolicyProblem<Brief, I, Allowed, Policies...>;
        if constexpr (!detail::fits<P>) return Tag<P>{};
        else if constexpr (heads < 1 || kv_heads < 1 || heads % std::max(kv_heads, 1) != 0)
            return Tag<Misfit<Brief, Place<>, Got<KvHeads<kv_heads>>, Wants<what_divides<Heads<heads>>>>>{};
        else {
            constexpr int d = head_dim<I::width>;
            if constexpr (d < 1)
                return Tag<Misfit<Brief, Place<>, Got<I>, Wants<a_width_for<Heads<heads>>>>>{};
            else if constexpr (!detail::Rotation<Native, Places, d>::fits)
                return Tag<Misfit<Brief, Place<>, Got<HeadDim<d>>, Wants<pairs_to_turn>>>{};
            else return Tag<Fits>{};
        }
    }
    template <class I> using Problem = typename decltype(problem<I>())::type;
    template <int T, int D> static Tag<Shape<T, D>> out(Tag<Shape<T, D>>);

    template <class I, class R> struct Block : BlockDefaults, detail::Streaming<Keys::streams> {
        using Spec = SoftmaxAttn;
        using Output = I;
        using T = typename R::type;
        using S = detail::AttentionShape<R, I::rows, heads, kv_heads, head_dim<I::width>, Keys,
                                         policy<WhichWindow, detail::NoWindow>,
                                         policy<WhichSinks, detail::NoSinks>, Places>;
        using Rows = detail::AttentionRows<S>;
        static constexpr int W = R::lanes, rows = S::rows, H = S::H, K = S::K, d = S::d, wide = S::wide;
        using QueryShape = Shape<rows, H * d>;
        using KeyShape = Shape<rows, K * d>;
        template <int N, bool Biased, class From>
        using Map = typename std::conditional_t<Biased, Dense<N>, Dense<N, NoBias>>::template Block<From, R>;
        using Q = Map<H * d, Biases::inputs, I>;
        using KV = Map<K * d, Biases::inputs, I>;
        using O = Map<I::width, Biases::output, QueryShape>;
        using State = std::conditional_t<Keys::streams, typename S::Ring, BlockDefaults::State>;

        static constexpr int parameters = Q::parameters + 2 * KV::parameters + O::parameters;
        static constexpr double flops = Q::flops + 2 * KV::flops + O::flops + 4.0 * H * d * S::pairs();

        struct Params {
            typename Q::Params q;
            typename KV::Params k, v;
            typename O::Params o;
        };
        template <int> using Grads = Params;
        template <int B> struct Tape {
            detail::Buffer<QueryShape, R, B> q, mixed;
            detail::Buffer<KeyShape, R, B> k, v;
            T log_sum[std::size_t(B)][std::size_t(H * rows)];
        };

        template <class P, class F> static void visit(P& p, Path const& at, F&& f) {
            Q::visit(p.q, Path{&at, "q"}, f);
            KV::visit(p.k, Path{&at, "k"}, f);
            KV::visit(p.v, Path{&at, "v"}, f);
            O::visit(p.o, Path{&at, "o"}, f);
        }
        template <class C> static void initialize(C const& c, Params& p) noexcept {
            auto const draw = [&](auto& map, std::uint64_t i, double scale) {
                auto const w = map.weight.ref();
                detail::draw_uniform(c.key.fold(i), scale * std::sqrt(6.0 / (w.rows + w.width)), w);
                if constexpr (requires { map.bias[0]; }) kernels::clear(map.bias[0], map.bias.stride);
            };
            draw(p.q, 0, 1), draw(p.k, 1, 1), draw(p.v, 2, 1);
            draw(p.o, 3, c.depth > 0 ? 1 / std::sqrt(2.0 * c.depth) : 1);
        }

        static constexpr std::size_t scratch(int B) {
            using namespace detail;
            std::size_t const forward = Sides::bytes(1) + lines(sizeof(T) * std::size_t(H * rows)) +
                                        lines(sizeof(T) * kernels::attention_room<W, T>(d, d));
            std::size_t const backward = Sides::bytes(B) + Rows::scratch + apart(Rows::query_bytes) +
                                         lines(sizeof(T) * std::size_t(rows)) +
                                         lines(sizeof(T) * kernels::attention_backward_room<W, T>(d, d));
            return std::max(forward, backward) + Rows::scratch + S::Places::scratch;
        }
        static constexpr std::size_t step_scratch() {
            using namespace detail;
            auto const numbers = [](int n) { return lines(sizeof(T) * std::size_t(n)); };
            return numbers(query_row) + 2 * numbers(key_row) + 2 * numbers(H * wide) + numbers(K * wide) +
                   numbers(H / K * score_row) + S::Places::scratch;
        }

        template <class C, class Tp>
        static void forward(C const& c, Params const& p, In<I, R> x, Out<I, R> y, Tp& tape,
                            Scratch s) noexcept {
            T* const room = s.template take<T>(kernels::attention_room<W, T>(d, d));
            T* log_sum = s.template take<T>(std::size_t(H * rows));
            Sides side = Sides::take(s, 1);
            Rows rows_of = Rows::take(s);
            for (int b = 0; b < c.rows; ++b) {
                int const n = x.length(b);
                if constexpr (is_recording<Tp>) side = Sides::on(tape, b), log_sum = tape.log_sum[b];
                Q::apply(n, p.q, x(b), side.q);
                KV::apply(n, p.k, x(b), side.k);
                KV::apply(n, p.v, x(b), side.v);
                auto const* const in = ring_in(c, b);
                lay_out(c, b, n, side, in, rows_of, s);
                for (int h = 0; h < H; ++h)
                    kernels::attend<W>(rows_of.head(h, n, scale()), kernels::PlainScores{},
                                       static_cast<T const*>(nullptr), side.mixed + h * d, query_row,
                                       log_sum + h * rows, room);
                for (int t = 0; t < n; ++t) kernels::clear_pads(side.mixed + t * query_row, H * d, query_row);
                O::apply(n, p.o, side.mixed, y(b));
                detail::clear_rows_from(y, b, n);
                if constexpr (is_recording<Tp>) clear_from(n, side.mixed, query_row);
                if constexpr (Keys::streams)
                    if (auto* out = c.template state_out<State>(b)) rows_of.end(in, n, *out);
            }
        }

        template <class C, class Tp, class DX, class G>
        static void backward(C const& c, Params const& p, In<I, R> x, Tp const& tape, In<I, R> dy, DX dx,
                             G& g, Scratch s) noexcept {
            int const all = c.rows * rows;
            T* const room = s.template take<T>(kernels::attention_backward_room<W, T>(d, d));
            T* const delta = s.template take<T>(std::size_t(rows));
            Sides const dsides = Sides::take(s, c.capacity);
            Rows rows_of = Rows::take(s), drows = Rows::take(s);
            detail::HeadRows<T> const dheads = Rows::take_queries(s);
            O::pull(all, p.o, Sides::on(tape, 0).mixed, dy.data, dsides.mixed, false, g.o);
            for (int b = 0; b < c.rows; ++b) {
                int const n = x.length(b);
                Sides const side = Sides::on(tape, b), dside = dsides.row(b);
                lay_out(c, b, n, side, ring_in(c, b), rows_of, s);
                drows.order = rows_of.order;
                detail::split_heads<W>(n, H, d, dside.mixed, query_row, dheads);
                for (int h = 0; h < K; ++h) {
                    kernels::clear(drows.k(h), std::ptrdiff_t(drows.keys(n)) * wide);
                    kernels::clear(drows.v(h), std::ptrdiff_t(drows.keys(n)) * wide);
                }
                if constexpr (Keys::streams)
                    if (auto const* d_out = c.template d_state_out<State>(b)) drows.add(*d_out, n);
                for (int h = 0; h < H; ++h) {
                    for (int t = 0; t < n; ++t)
                        delta[t] = kernels::dot<W>(d, side.mixed + t * query_row + h * d,
                                                   dside.mixed + t * query_row + h * d);
                    kernels::attend_backward<W>(rows_of.head(h, n, scale()), kernels::PlainScores{},
                                                static_cast<T const*>(dheads(h)), wide,
                                                tape.log_sum[b] + h * rows, delta, drows.q(h),
                                                drows.k(h / (H / K)), drows.v(h / (H / K)), room);
                }
                if constexpr (Keys::streams)
                    if (auto* d_in = c.template d_state_in<State>(b)) drows.give(*d_in);
                auto const dk = drows.fresh(drows.k), dv = drows.fresh(drows.v);
                S::Places::turn(c.position_of(b), n, H, drows.q, K, dk, T(-1), s);
                detail::merge_heads<W>(n, H, d, drows.q, dside.q, query_row);
                detail::merge_heads<W>(n, K, d, dk, dside.k, key_row);
                detail::merge_heads<W>(n, K, d, dv, dside.v, key_row);
                clear_from(n, dside.q, query_row);
                clear_from(n, dside.k, key_row), clear_from(n, dside.v, key_row);
            }
            T* into = nullptr;
            if constexpr (wants_grad<DX>) into = dx.data;
            Q::pull(all, p.q, x.data, dsides.q, into, false, g.q);
            KV::pull(all, p.k, x.data, dsides.k, into, true, g.k);
            KV::pull(all, p.v, x.data, dsides.v, into, true, g.v);
        }

        template <class C>
        static void step(C const& c, Params const& p, State& state, T const* x, T* y, Scratch s) noexcept {
            T* const side = s.template take<T>(std::size_t(query_row));
            T* const key_side = s.template take<T>(std::size_t(key_row));
            T* const value_side = s.template take<T>(std::size_t(key_row));
            detail::HeadRows<T> const q{s.template take<T>(std::size_t(H * wide)), wide, wide},
                k{s.template take<T>(std::size_t(K * wide)), wide, wide},
                mixed{s.template take<T>(std::size_t(H * wide)), wide, wide};
            T* const scores = s.template take<T>(std::size_t(H / K * score_row));
            Q::apply(1, p.q, x, side);
            KV::apply(1, p.k, x, key_side);
            KV::apply(1, p.v, x, value_side);
            detail::split_heads<W>(1, H, d, side, query_row, q);
            detail::split_heads<W>(1, K, d, key_side, key_row, k);
            S::Places::turn(c.position_of(0), 1, H, q, K, k, T(1), s);
            int const slot = S::Ring::slot(state.count++), stored = state.stored();
            for (int h = 0; h < K; ++h) std::copy_n(k(h), wide, state.key[h][slot]);
            detail::split_heads<W>(1, K, d, value_side, key_row,
                                   {state.value[0][slot], S::Ring::capacity * wide, wide});
            for (int h = 0; h < K; ++h) {
                kernels::StepHead<T> const head{
                    H / K, stored, wide, wide, scale(), q(h * (H / K)), state.key[h][0], state.value[h][0],
                    wide,  wide,   wide};
                kernels::step_scores<W>(head, scores, score_row);
                if constexpr (!S::Win::sees_all) hide(state, scores);
                kernels::softmax<W>(H / K, stored, scores, score_row, scores, score_row);
                kernels::step_values<W>(head, scores, score_row, mixed(h * (H / K)), wide);
            }
            detail::merge_heads<W>(1, H, d, mixed, side, query_row);
            O::apply(1, p.o, side, y);
        }

    private:
        static constexpr int query_row = Out<QueryShape, R>::stride, key_row = Out<KeyShape, R>::stride;
        static constexpr int score_row = detail::padded(S::Ring::capacity, W);
        static T scale() noexcept { return T(1 / std::sqrt(double(d))); }

        /// Heads side by side: what the projections write, and what the last one reads.
        struct Sides {
            T *q, *k, *v, *mixed;
            static constexpr std::size_t bytes(int B) {
                return 2 * detail::apart(detail::bytes<QueryShape, R>(B)) +
                       2 * detail::apart(detail::bytes<KeyShape, R>(B));
            }
            static Sides take(Scratch& s, int B) noexcept {
                auto const some = [&](std::size_t n) {
                    return reinterpret_cast<T*>(s.template take<std::byte>(detail::apart(n)));
                };
                std::size_t const of_q = detail::bytes<QueryShape, R>(B),
                                  of_k = detail::bytes<KeyShape, R>(B);
                Sides r;
                r.q = some(of_q), r.k = some(of_k), r.v = some(of_k), r.mixed = some(of_q);
                return r;
            }
            template <class Tp> static Sides on(Tp& tape, int b) noexcept {
                auto const at = [](auto& buffer) { // a tape that is read is not written through this
                    return reinterpret_cast<T*>(const_cast<std::byte*>(buffer.data));
                };
                return Sides{at(tape.q), at(tape.k), at(tape.v), at(tape.mixed)}.row(b);
            }
            Sides row(int b) const noexcept {
                std::ptrdiff_t const r = std::ptrdiff_t(b) * rows;
                return {q + r * query_row, k + r * key_row, v + r * key_row, mixed + r * query_row};
            }
        };
        template <class C> static auto ring_in(C const& c, int b) noexcept {
            if constexpr (Keys::streams) return c.template state_in<State>(b);
            else return static_cast<typename S::Ring const*>(nullptr);
        }
        static void clear_from(int n, T* at, int stride) noexcept {
            kernels::clear(at + std::ptrdiff_t(n) * stride, std::ptrdiff_t(rows - n) * stride);
        }
        /// Heads apart, told their places, behind what the stream had stored.
        template <class C>
        static void lay_out(C const& c, int b, int n, Sides const& side, typename S::Ring const* ring,
                            Rows& to, Scratch s) noexcept {
            to.begin(ring, n);
            auto const k = to.fresh(to.k);
            detail::split_heads<W>(n, H, d, side.q, query_row, to.q);
            detail::split_heads<W>(n, K, d, side.k, key_row, k);
            detail::split_heads<W>(n, K, d, side.v, key_row, to.fresh(to.v));
            S::Places::turn(c.position_of(b), n, H, to.q, K, k, T(1), s);
        }
        /// Scores of what is stored and not seen any more.
        static void hide(State const& state, T* scores) noexcept {
            auto const sight = S::sight(state.count - 1);
            for (int slot = 0; slot < state.stored(); ++slot) {
                auto const place = state.place(slot);
                if (place < sight.always || (sight.first <= place && place < sight.last)) continue;
                for (int h = 0; h < H / K; ++h)
                    scores[h * score_row + slot] = -std::numeric_limits<T>::infinity();
            }
        }
    };
};

} // namespace inlay::inline INLAY_ISA
