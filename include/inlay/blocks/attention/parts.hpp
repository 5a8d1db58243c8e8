// SPDX-License-Identifier: BSD-3-Clause
// What a block of attention is made of: its shape, projections and options, their parameters, state and room.
#pragma once

#include <inlay/blocks/attention/differential.hpp>
#include <inlay/blocks/attention/head_norm.hpp>
#include <inlay/blocks/attention/output_gate.hpp>
#include <inlay/blocks/attention/score_levels.hpp>
#include <inlay/blocks/attention/score_sink.hpp>
#include <inlay/blocks/attention/scored_by.hpp>
#include <inlay/blocks/attention/selective.hpp>
#include <inlay/blocks/attention/sides.hpp>
#include <inlay/blocks/attention/weights.hpp>
#include <inlay/blocks/document.hpp>
#include <inlay/blocks/sparse/cache_choice.hpp>
#include <inlay/blocks/sparse/chosen_blocks.hpp>
#include <inlay/blocks/sparse/chosen_tokens.hpp>
#include <inlay/blocks/sparse/kept_tokens.hpp>
#include <inlay/blocks/sparse/native_sparse.hpp>
#include <inlay/blocks/sparse/prompt_choices.hpp>
#include <inlay/blocks/sparse/spread_keys.hpp>

namespace inlay::inline INLAY_ISA {
namespace detail {

template <bool Streams> struct Streaming {};
template <> struct Streaming<true> {
    static constexpr bool streams = true;
};
/// What a stream of attention carries.
template <class Ring, class Levels, class Document, class Selected, class Chosen, class Asked>
struct AttentionState {
    Ring keys;
    INLAY_EMPTY Levels levels;
    INLAY_EMPTY Document document;
    INLAY_EMPTY Selected selected;
    INLAY_EMPTY Chosen chosen;
    INLAY_EMPTY Asked asked;
};

/// How attention is computed: as a choice of keys says, if there is one.
template <class Choice, class All> struct WorkOf {
    using type = All;
};
template <class Choice, class All>
    requires Choice::used
struct WorkOf<Choice, All> {
    using type = typename Choice::Work;
};

template <class Spec, class I, class R>
struct AttentionParts : BlockDefaults, Streaming<Spec::Keys::streams> {
    using Output = I;
    using T = typename R::type;
    using S = AttentionShape<Spec, I, R>;
    using Rows = AttentionRows<S>;
    using Sides = AttentionSides<S>;
    static constexpr int W = R::lanes, rows = S::rows, H = S::H, K = S::K, group = H / K, sets = S::sets,
                         d = S::d, vd = S::vd, wide = S::wide, vwide = S::vwide;

    template <int N, bool Biased, class From>
    using Map = typename std::conditional_t<Biased, Dense<N>, Dense<N, NoBias>>::template Block<From, R>;
    using Q = Map<S::asks * d, Spec::Biases::inputs, I>;
    using Key = Map<S::answers * d, Spec::Biases::inputs, I>;
    using Value = Map<K * vd, Spec::Biases::inputs, I>;
    using O = Map<I::width, Spec::Biases::output, Shape<rows, H * vd>>;
    using Turn = Rotation<R, typename Spec::Places, d>;
    using Norm = HeadNorm<S, typename Spec::Norm>;
    using Diff = Difference<S, typename Spec::Diff>;
    using Sink = ScoreSink<S, typename Spec::ScoreSink>;
    using Gate = OutputGating<S, I, typename Spec::Gate>;
    using Place = PlaceLevels<S, typename Spec::Places>;
    using Forget = ForgetLevels<S, I, typename Spec::Forget>;
    using Docs = DocumentMask<S, typename Spec::Docs>;
    using Cap = decltype(Spec::Cap::template of<T>());
    using Select = Selection<S, Cap, typename Spec::Select>;
    using Choice = KeyChoice<S, typename Spec::Pattern>;
    using Weights = typename WorkOf<Choice, WeightsOf<S, typename Spec::Weights>>::type;
    static constexpr bool has_levels = Place::used || Forget::used;
    static constexpr bool streams_at_all = Spec::Keys::streams;
    using Ring = typename S::Ring;
    using Asked = AskedFrom<typename Spec::Asks>;
    using AskedMemory = typename Asked::template Memory<T, row_stride<R>(I::width)>;
    using State =
        std::conditional_t<streams_at_all,
                           AttentionState<Ring, typename Forget::Memory, typename Docs::Memory,
                                          typename Select::Memory, typename Choice::Memory, AskedMemory>,
                           BlockDefaults::State>;

    static constexpr long long parameters = Q::parameters + Key::parameters + Value::parameters +
                                            O::parameters + Norm::parameters + Diff::parameters +
                                            Sink::parameters + Gate::parameters + Place::parameters +
                                            Forget::parameters + Choice::parameters;
    static constexpr double flops = Q::flops + Key::flops + Value::flops + O::flops + Diff::flops +
                                    Gate::flops + Forget::flops + Choice::flops +
                                    2.0 * S::asks * (d + vd) * (Choice::pairs() + double(S::front) * rows) +
                                    H * Choice::choosing();

    struct Params {
        typename Q::Params q;
        typename Key::Params k;
        typename Value::Params v;
        typename O::Params o;
        INLAY_EMPTY typename Norm::Params norm;
        INLAY_EMPTY typename Diff::Params diff;
        INLAY_EMPTY typename Sink::Params sink;
        INLAY_EMPTY typename Gate::Params gate;
        INLAY_EMPTY typename Place::Params place;
        INLAY_EMPTY typename Forget::Params forget;
        INLAY_EMPTY typename Choice::Params choice;
    };
    template <int> using Grads = Params;
    template <int B> struct Tape {
        typename Sides::template Tape<B> sides;
        T kept[std::size_t(B)][std::size_t(S::asks * rows)];
        INLAY_EMPTY typename Gate::Rows::template Tape<B> gate;
        INLAY_EMPTY typename Forget::Rows::template Tape<B> forget;
        INLAY_EMPTY typename Choice::template Tape<B> choice;
    };

    template <class P, class F> static void visit(P& p, Path const& at, F&& f) {
        Q::visit(p.q, Path{&at, "q"}, f);
        Key::visit(p.k, Path{&at, "k"}, f);
        Value::visit(p.v, Path{&at, "v"}, f);
        O::visit(p.o, Path{&at, "o"}, f);
        Norm::visit(p.norm, at, f);
        Diff::visit(p.diff, at, f);
        Sink::visit(p.sink, at, f);
        Gate::visit(p.gate, at, f);
        Place::visit(p.place, at, f);
        Forget::visit(p.forget, at, f);
        Choice::visit(p.choice, at, f);
    }
    template <class C> static void initialize(C const& c, Params& p) noexcept {
        draw_map(c.key.fold(0), 1, p.q);
        draw_map(c.key.fold(1), 1, p.k);
        draw_map(c.key.fold(2), 1, p.v);
        draw_map(c.key.fold(3), c.depth > 0 ? 1 / std::sqrt(2.0 * c.depth) : 1, p.o);
        Norm::initialize(c, p.norm);
        Diff::initialize(c, p.diff);
        Sink::initialize(c, p.sink);
        Gate::initialize(c, p.gate);
        Place::initialize(c, p.place);
        Forget::initialize(c, p.forget);
        Choice::initialize(c, p.choice);
    }

    static constexpr std::size_t scratch(int B) {
        std::size_t const forward =
            numbers(Weights::room) + numbers(S::asks * rows) + Sides::scratch(1) + part_rows(1);
        std::size_t const backward = numbers(Weights::backward_room) + numbers(rows) + Sides::scratch(B) +
                                     part_rows(B) + Rows::scratch + Rows::mixed_bytes;
        return std::max(forward, backward) + 2 * level_bytes + Rows::scratch + Turn::scratch + Norm::scratch +
               Select::scratch + Choice::scratch;
    }
    static constexpr std::size_t step_scratch() {
        return numbers(Sides::query_row) + numbers(Sides::key_row) + numbers(Sides::value_row) +
               numbers(Sides::mixed_row) + numbers(S::asks * wide) + numbers(S::answers * wide) +
               numbers(S::asks * vwide) + numbers(group * score_row) + numbers(Select::used ? score_row : 0) +
               part_rows(1) + Turn::scratch + Norm::scratch + chosen_bytes + Choice::step_scratch;
    }

protected:
    using GateRows = typename Gate::Rows;
    using GatedRows = typename Gate::MixedRows;
    using ForgetRows = typename Forget::Rows;
    using DiffRows = typename Diff::Rows;
    static constexpr int score_row = padded(Ring::capacity + Sink::extra, W);
    static constexpr std::size_t level_bytes =
        has_levels ? lines(sizeof(double) * std::size_t(S::most_keys)) : 0;
    /// A token's own copies of the keys and values that one head chose.
    static constexpr std::size_t chosen_bytes =
        Choice::used ? lines(sizeof(std::int32_t) * std::size_t(Ring::capacity)) +
                           lines(sizeof(T) * std::size_t(Ring::capacity * wide)) +
                           lines(sizeof(T) * std::size_t(Ring::capacity * vwide)) +
                           lines(sizeof(T) * std::size_t(vwide))
                     : 0;
    static constexpr std::size_t numbers(std::size_t n) { return lines(sizeof(T) * n); }
    static constexpr std::size_t part_rows(int B) {
        return GateRows::scratch(B) + GatedRows::scratch(B) + 2 * DiffRows::scratch(B) +
               ForgetRows::scratch(B) + Choice::Side::scratch(B);
    }
    static T scale() noexcept { return Norm::scaled ? T(1 / std::sqrt(double(d))) : T(1); }
};

} // namespace detail
} // namespace inlay::inline INLAY_ISA
