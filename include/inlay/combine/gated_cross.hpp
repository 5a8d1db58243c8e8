// SPDX-License-Identifier: BSD-3-Clause
// Exact crosses that a network over the same record may weaken, turn round or silence.
#pragma once

#include <inlay/blocks/cross.hpp>
#include <inlay/combine/stack.hpp>
#include <inlay/kernels/row_gates.hpp>

namespace inlay::inline INLAY_ISA {

/// How scores become gates: g = z - clamp(z, -1/2, 1/2), of either sign and with a hard zero, which is what a
/// gated Cross does unless told otherwise; n softmax(z) or n sparsemax(z) over the n kinds of crosses that
/// fire.
struct ThresholdGate {
    using PolicyKind = struct HowGated;
    using Map = kernels::ThresholdGates;
    static constexpr double open = 1.5;
};
struct SoftmaxGate {
    using PolicyKind = struct HowGated;
    using Map = kernels::SoftmaxGates;
    static constexpr double open = 0;
};
struct SparsemaxGate {
    using PolicyKind = struct HowGated;
    using Map = kernels::SparsemaxGates;
    static constexpr double open = 0;
};

namespace detail {
template <class Spec_, class Network, class... P> struct GatedForm {
    using Wanted = a_record;
    using Allowed = PolicyKinds<HowIndexed, Each, WhichCrosses, CrossForm, HowGated>;
    static constexpr int layers = Network::layers;
    template <class I> struct ProblemOf {
        static consteval auto find() {
            using Own = typename CrossProblem<Cross<>, I, Allowed, P...>::type;
            if constexpr (!fits<Own>) return Tag<Own>{};
            else {
                using Inner = typename Network::template Problem<I>;
                if constexpr (!fits<Inner>) return Tag<Inner>{};
                else {
                    using O = typename OutputOf<Network, I>::type;
                    if constexpr (!is_numbers<O> || is_sequence<O>)
                        return Tag<Misfit<Cross<>, Place<>, Got<Brief<O>>, Wants<a_vector>>>{};
                    else return Tag<Fits>{};
                }
            }
        }
        using type = typename decltype(find())::type;
    };
    template <class I> using Problem = typename ProblemOf<I>::type;
    template <class... F> static Tag<Shape<1>> out(Tag<Record<F...>>);

    template <class I, class R> struct Block : BlockDefaults {
        using Spec = Spec_;
        using T = typename R::type;
        using Output = Shape<1>;
        using Keys = CrossKeys<I, P...>;
        using How = typename PolicyOr<HowGated, ThresholdGate, P...>::type;
        using Body = typename Network::template Block<I, R>;
        using Hidden = typename Body::Output;
        using Shared = SharedIn<Body>;
        static constexpr int W = R::lanes, K = Keys::most + 1, slots = Keys::slots, groups = Keys::groups;
        using Scores = Shape<groups>;
        using Score = typename Dense<groups>::template Block<Hidden, R>;
        static constexpr long long parameters = slots + 1LL + Body::parameters + Score::parameters;
        static constexpr double flops = Body::flops + Score::flops + 2.0 * K + 3.0 * groups;

        struct Params {
            ColumnOf<R, slots + 1> weight;
            INLAY_EMPTY typename Body::Params body;
            typename Score::Params score;
        };
        template <int B> struct Grads {
            TableGrads<R, slots + 1, 1, B * K> weight;
            INLAY_EMPTY typename Body::template Grads<B> body;
            typename Score::Params score;
        };
        template <int B> struct Tape {
            INLAY_EMPTY typename Body::template Tape<B> body;
            Buffer<Hidden, R, B> hidden;
            Buffer<Scores, R, B> gates;
        };
        static constexpr std::size_t scratch(int B) {
            return bytes<Hidden, R>(B) + bytes<Scores, R>(B) + bytes<Scores, R>(1) + Body::scratch(B);
        }
        template <class Q, class F> static void visit(Q& p, Path const& at, F&& f) {
            f(Tag<Spec>{}, Path{&at, "weight"}, Kind::table, p.weight.ref());
            Path const gate{&at, "gate"};
            Body::visit(p.body, gate, f);
            Score::visit(p.score, Path{&gate, "score"}, f);
        }
        /// All crosses count in full at first.
        template <class C> static void initialize(C c, Params& p) noexcept {
            for (auto& w : p.weight.data) w = T(0);
            c.key = c.key.fold(0);
            Body::initialize(c, p.body);
            fill(p.score.weight.ref(), 0);
            fill(p.score.bias.ref(), How::open);
        }
        template <class C, class Tp>
        static void forward(C const& c, Params const& p, In<I, R> x, Out<Output, R> y, Tp& tape,
                            Scratch s) noexcept {
            auto const [hidden, gates] = [&] {
                if constexpr (is_recording<Tp>) return std::pair(tape.hidden.view({}), tape.gates.view({}));
                else
                    return std::pair(s.template take<Hidden, R>(c.capacity, {}),
                                     s.template take<Scores, R>(c.capacity, {}));
            }();
            if constexpr (is_recording<Tp>) Body::forward(c, p.body, x, hidden, tape.body, s);
            else Body::forward(c, p.body, x, hidden, tape, s);
            Score::apply(c.rows, p.score, hidden.data, gates.data);
            T* const room = s.take<T>(std::size_t(gates.stride));
            for (int b = 0; b < c.rows; ++b) {
                open(x.row[b], gates(b), room);
                T sum = read_weight(p.weight, 0);
                Keys::each_valued(x.row[b], [&](int k, std::int32_t row, float value) noexcept {
                    sum += gates(b)[Keys::group_of[std::size_t(k)]] * (T(value) * read_weight(p.weight, row));
                });
                kernels::clear_pads(y(b), 1, y.stride);
                y(b)[0] = sum;
            }
        }
        /// The gates of the first row, for probes.
        template <class C>
        static Out<Scores, R> gates(C const& c, Params const& p, In<I, R> x, Scratch s) noexcept {
            NoTape none;
            auto const gates = s.template take<Scores, R>(1, {});
            auto const hidden = s.template take<Hidden, R>(1, {});
            T* const room = s.take<T>(std::size_t(gates.stride));
            Body::forward(c, p.body, x, hidden, none, s);
            Score::apply(1, p.score, hidden.data, gates.data);
            open(x.row[0], gates(0), room);
            return gates;
        }
        template <class C, class Tp, class G>
        static void backward(C const& c, Params const& p, In<I, R> x, Tp const& tape, In<Output, R> dy,
                             NoGrad, G& g, Scratch s) noexcept {
            auto const gates = tape.gates.view({});
            auto const dhidden = s.template take<Hidden, R>(c.capacity, {});
            auto const dscores = s.template take<Scores, R>(c.capacity, {});
            T* const room = s.take<T>(std::size_t(gates.stride));
            for (int b = 0; b < c.rows; ++b) {
                g.weight.put(b * K, 0, dy(b), T(1));
                T* const d = dscores(b);
                kernels::clear(d, dscores.stride);
                Keys::each_valued(x.row[b], [&](int k, std::int32_t row, float value) noexcept {
                    int const q = Keys::group_of[std::size_t(k)];
                    g.weight.put(b * K + 1 + k, row, dy(b), gates(b)[q] * T(value));
                    d[q] += dy(b)[0] * (T(value) * p.weight.data[row]);
                });
                close(x.row[b], gates(b), d, room);
            }
            Score::pull(c.rows, p.score, tape.hidden.view({}).data, dscores.data, dhidden.data, false,
                        g.score);
            Body::backward(c, p.body, x, tape.body, dhidden, NoGrad{}, g.body, s);
        }

    private:
        /// Which groups fire in a row.
        struct Fired {
            int n = 0, group[std::size_t(groups)];
            explicit Fired(typename I::Row const& row) noexcept {
                bool fires[std::size_t(groups)] = {};
                Keys::each(
                    row, [&](int k, std::int32_t) noexcept { fires[Keys::group_of[std::size_t(k)]] = true; });
                for (int q = 0; q < groups; ++q)
                    if (fires[q]) group[n++] = q;
            }
        };
        /// Scores of a row become gates, zero where nothing fires.
        static void open(typename I::Row const& row, T* score, T* room) noexcept {
            Fired const f(row);
            for (int i = 0; i < f.n; ++i) room[i] = score[f.group[i]];
            How::Map::template forward<W>(f.n, room, room);
            kernels::clear(score, Out<Scores, R>::stride);
            for (int i = 0; i < f.n; ++i) score[f.group[i]] = room[i];
        }
        /// Slopes of a row's gates become those of its scores.
        static void close(typename I::Row const& row, T const* gate, T* slope, T* room) noexcept {
            Fired const f(row);
            T own[std::size_t(groups)];
            for (int i = 0; i < f.n; ++i) room[i] = gate[f.group[i]], own[i] = slope[f.group[i]];
            How::Map::template backward<W>(f.n, room, own);
            kernels::clear(slope, Out<Scores, R>::stride);
            for (int i = 0; i < f.n; ++i) slope[f.group[i]] = own[i];
        }
    };
};
} // namespace detail

/// Cross<..., Gated<Blocks...>>: exact crosses under a learned gate, y = w_0 + sum over the crosses q that
/// fire of g_q(x) w_q. The blocks take the same record and give a vector h, say `Gated<Embed<8>,
/// PreNorm<SoftmaxAttn<Heads<2>, Bidirectional>>, Flatten>`, attention over the fields; the gates come from U
/// h + c, one score for each Of and for each field under Each, by ThresholdGate, SoftmaxGate or
/// SparsemaxGate. A static cross has to repeat what it learned wherever it fires; a gated one can be told by
/// the other fields to keep still, or to mean the opposite.
///
/// A weighted id adds g_q(x) times its weight times w_q. Parameters: as without a gate, `weight [1 + slots,
/// 1]`, and `gate.0...` of the blocks, `gate.score.weight`, `gate.score.bias`. U is 0 and c as large that all
/// gates are 1 at first: it begins as the static cross. Cost: that of the blocks. Tape: theirs, h and g.
/// Backward: dw_q = g_q dy, dg_q = w_q dy; a weight multiplies both. Error: as without, and blocks that do
/// not give a vector.
template <class... Blocks> struct Gated {
    using PolicyKind = CrossForm;
    template <class Spec, class... P> using Form = detail::GatedForm<Spec, Stack<Blocks...>, P...>;
};

} // namespace inlay::inline INLAY_ISA
