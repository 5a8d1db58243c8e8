// SPDX-License-Identifier: BSD-3-Clause
// Binds a block to an input and a scalar for the laws: the only templates among them.
#pragma once

#include <inlay/core/block.hpp>
#include <inlay/core/rows.hpp>
#include <inlay/testing/flat.hpp>

namespace inlay::inline INLAY_ISA {
namespace detail::laws {

/// The input of a batch in the memory that a block reads.
template <class I, class R, int B> struct InputMemory { // ids
    Guarded room{lines(sizeof(std::int32_t) * Flat<I>::size * std::size_t(B)), 0};
    In<I, R> view(Call const& c, Lengths l) {
        for (std::size_t i = 0; i < c.x.size(); ++i)
            room.template as<std::int32_t>()[i] = std::int32_t(c.x[i]);
        return {room.template as<std::int32_t>(), std::ptrdiff_t(sizeof(std::int32_t)) * I::rows, l};
    }
};
template <int... N, class R, int B> struct InputMemory<Shape<N...>, R, B> {
    using I = Shape<N...>;
    Guarded room{bytes<I, R>(B), not_a_number};
    In<I, R> view(Call const& c, Lengths l) {
        using T = typename R::type;
        to_rows(c.x.data(), room.template as<T>(), std::size_t(c.rows) * I::rows, I::width, In<I, R>::stride);
        return {room.template as<T>(), l};
    }
};
template <class... F, class R, int B> struct InputMemory<Record<F...>, R, B> {
    typename Record<F...>::Row room[std::size_t(B)]{};
    In<Record<F...>, R> view(Call const& c, Lengths) {
        using One = Flat<Record<F...>>;
        for (std::size_t b = 0; b < std::size_t(c.rows); ++b) room[b] = One::pack(c.x.data() + b * One::size);
        return {room};
    }
};

template <class Spec, class I, class R, int B> struct Runner {
    using Block = typename Spec::template Block<I, R>;
    using T = typename R::type;
    using O = typename Block::Output;
    using Params = typename Block::Params;
    using State = typename Block::State;
    using Tape = typename Block::template Tape<B>;
    using Grads = typename Block::template Grads<B>;
    static_assert(is_numbers<O>,
                  "inlay: the laws are checked where numbers come out: put an Embed behind it");
    static constexpr int ys = Out<O, R>::stride;
    static constexpr bool carries = !std::is_empty_v<State>;
    static constexpr bool can_stream = std::is_void_v<typename BlockerOf<Block>::type> && !is_record<I> &&
                                       (!is_ids<I> || is_sequence_of_ids<I>);

    static Context<> context(Call const& c) {
        return {.rows = c.rows,
                .capacity = B,
                .position = c.position.empty() ? nullptr : c.position.data(),
                .depth = layers_of<Spec>,
                .training = c.training,
                .key = Key{17},
                .step = 3};
    }
    static void set_params(Bound const& b, Numbers const& from, Params& p) {
        std::size_t k = 0;
        Block::visit(p, Path{}, [&](auto, Path const&, Kind, auto const& t) {
            set_tensor(t, from.data() + b.tensors[k++].offset);
        });
    }

    static void run(Bound const& b, Call& c, LawReport& report) {
        Law const pads{b, report, "pads"}, memory{b, report, "memory"};
        Guarded params(sizeof(Params), 0), y(bytes<O, R>(B), not_a_number),
            scratch(Block::scratch(B), not_a_number);
        Guarded tape(sizeof(Tape), not_a_number), out(c.wants_state ? sizeof(State) * B : 0, 0);
        set_params(b, c.params, *params.as<Params>());
        Guarded in(c.state.size(), 0);
        if (!c.state.empty()) std::memcpy(in.data(), c.state.data(), c.state.size());
        InputMemory<I, R, B> input;
        Lengths const lengths =
            c.lengths.empty() ? Lengths{} : Lengths{c.lengths.data(), sizeof(std::int32_t)};
        auto const x = input.view(c, lengths);
        Out<O, R> const to{y.as<T>(), lengths_of<Block, I, R>(x)};
        auto ctx = context(c);
        ctx.carry = {c.state.empty() ? nullptr : in.data(), c.wants_state ? out.data() : nullptr, nullptr,
                     nullptr, sizeof(State)};
        Params const& p = *params.as<Params>();
        if (c.taped) {
            NoAllocation const none({b, report, "allocation"}, "forward");
            Block::forward(ctx, p, x, to, *tape.as<Tape>(), Scratch{scratch.data()});
        } else {
            NoAllocation const none({b, report, "allocation"}, "inference");
            NoTape no;
            Block::forward(ctx, p, x, to, no, Scratch{scratch.data()});
        }
        std::size_t const n = std::size_t(c.rows) * O::rows;
        check_pads(pads, "output", y.as<T>(), n, std::size_t(B) * O::rows, O::width, ys);
        from_rows(y.as<T>(), c.y, n, O::width, ys);
        if (c.wants_state) c.state_out.assign(out.data(), out.data() + sizeof(State) * std::size_t(c.rows));
        if (!c.dy.empty()) {
            y.fill(not_a_number), scratch.fill(not_a_number); // backward has no use for either
            backward(b, c, report, ctx, p, x, lengths, *tape.as<Tape>(), scratch.data());
        }
        y.check(memory, "output");
        scratch.check(memory, "scratch");
        tape.check(memory, "tape");
        out.check(memory, "carried state");
        params.check(memory, "parameters");
    }

    static void backward(Bound const& b, Call& c, LawReport& report, Context<> ctx, Params const& p,
                         In<I, R> x, Lengths lengths, Tape const& tape, std::byte* scratch) {
        Law const pads{b, report, "pads"}, memory{b, report, "memory"};
        Guarded dy(bytes<O, R>(B), not_a_number), grads(sizeof(Grads), 0);
        Guarded d_in(c.state.empty() ? 0 : sizeof(State) * B, not_a_number);
        to_rows(c.dy.data(), dy.as<T>(), std::size_t(c.rows) * O::rows, O::width, ys);
        In<O, R> const from{dy.as<T>(), lengths_of<Block, I, R>(x)};
        Guarded d_out(c.d_state.size(), 0);
        if (!c.d_state.empty()) std::memcpy(d_out.data(), c.d_state.data(), c.d_state.size());
        Grads& g = *grads.as<Grads>();
        Block::visit(g, Path{}, [&](auto, Path const&, Kind, auto const& t) { prefill(t, c.prefill); });
        ctx.carry.d_out = c.d_state.empty() ? nullptr : d_out.data();
        ctx.carry.d_in = c.state.empty() ? nullptr : d_in.data();
        if constexpr (is_numbers<I>) {
            Guarded dx(bytes<I, R>(B), not_a_number);
            Out<I, R> const to{dx.as<T>(), lengths};
            if (c.wants_dx) {
                {
                    NoAllocation const none({b, report, "allocation"}, "backward");
                    Block::backward(ctx, p, x, tape, from, to, g, Scratch{scratch});
                }
                std::size_t const n = std::size_t(c.rows) * I::rows;
                check_pads(pads, "gradient of input", dx.as<T>(), n, std::size_t(B) * I::rows, I::width,
                           In<I, R>::stride);
                from_rows(dx.as<T>(), c.dx, n, I::width, In<I, R>::stride);
            } else if constexpr (std::is_same_v<T, double>) // one scalar is enough
                Block::backward(ctx, p, x, tape, from, NoGrad{}, g, Scratch{scratch});
            dx.check(memory, "gradient of input");
        } else {
            NoAllocation const none({b, report, "allocation"}, "backward");
            Block::backward(ctx, p, x, tape, from, NoGrad{}, g, Scratch{scratch});
        }
        c.grads.assign(b.parameters, 0);
        std::size_t k = 0;
        Block::visit(g, Path{}, [&](auto, Path const&, Kind, auto const& t) {
            auto const& info = b.tensors[k++];
            check_tensor_pads(pads, "gradient of " + info.name, t);
            merge({b, report, "slots"}, info, t, c.prefill, c.grads.data() + info.offset);
        });
        grads.check(memory, "gradients");
        c.d_state_in.assign(d_in.data(),
                            d_in.data() + (c.state.empty() ? 0 : sizeof(State) * std::size_t(c.rows)));
        d_in.check(memory, "gradient of the carried state");
    }

    static void step(Bound const& b, StepCall& c, LawReport& report) {
        if constexpr (can_stream) {
            using Token = std::conditional_t<is_numbers<I>, T, std::int32_t>;
            Law const pads{b, report, "pads"}, memory{b, report, "memory"};
            Guarded params(sizeof(Params), 0), state(sizeof(State), 0);
            set_params(b, c.params, *params.as<Params>());
            if (!c.state.empty()) std::memcpy(state.data(), c.state.data(), sizeof(State));
            c.y.clear();
            for (int t = 0; t < c.n; ++t) {
                Guarded x(row_bytes(), 0), y(sizeof(T) * std::size_t(ys), not_a_number);
                Guarded scratch(Block::step_scratch(), not_a_number);
                for (std::size_t i = 0; i < b.token(); ++i)
                    x.as<Token>()[i] = Token(c.x[std::size_t(t) * b.token() + i]);
                std::int64_t const at = c.position + t;
                Context<> const ctx{.rows = 1,
                                    .capacity = 1,
                                    .position = &at,
                                    .depth = layers_of<Spec>,
                                    .training = c.training,
                                    .key = Key{17},
                                    .step = 3};
                {
                    NoAllocation const none({b, report, "allocation"}, "step");
                    Block::step(ctx, *params.as<Params const>(), *state.as<State>(), x.as<Token const>(),
                                y.as<T>(), Scratch{scratch.data()});
                }
                check_pads(pads, "output of step", y.as<T>(), 1, 1, O::width, ys);
                Numbers one;
                from_rows(y.as<T>(), one, 1, O::width, ys);
                c.y.insert(c.y.end(), one.begin(), one.end());
                y.check(memory, "output of step");
                scratch.check(memory, "scratch of step");
            }
            c.state.assign(state.data(), state.data() + sizeof(State));
        } else static_cast<void>(b), static_cast<void>(c), static_cast<void>(report);
    }
    static constexpr std::size_t row_bytes() {
        if constexpr (is_numbers<I>) return sizeof(T) * std::size_t(row_stride<R>(I::width));
        else return sizeof(std::int32_t);
    }

    static void initialize(Numbers& to, std::uint64_t seed) {
        Guarded room(sizeof(Params), 0);
        auto& p = *room.as<Params>();
        Block::initialize(Context<>{.depth = layers_of<Spec>, .key = Key{seed}}, p);
        std::size_t k = 0;
        Block::visit(p, Path{}, [&](auto, Path const&, Kind, auto const& t) {
            to.resize(k + std::size_t(t.rows) * std::size_t(t.width));
            get_tensor(t, to.data() + k);
            k = to.size();
        });
    }

    static Bound bound(std::string name, LawOptions const& options) {
        Bound b;
        b.options = options;
        b.is_double = std::is_same_v<T, double>;
        b.name = name + (b.is_double ? " in double x" : " in float x") + std::to_string(R::lanes);
        b.epsilon = double(std::numeric_limits<T>::epsilon());
        b.smallest = double(std::numeric_limits<T>::min());
        b.capacity = B;
        b.reads = is_record<I>            ? Reads::record
                  : is_numbers<I>         ? Reads::numbers
                  : is_sequence_of_ids<I> ? Reads::tokens
                                          : Reads::bag;
        if constexpr (!is_record<I>) b.rows = I::rows;
        if constexpr (is_numbers<I>) b.width = I::width;
        if constexpr (is_ids<I>) b.vocabulary = I::vocabulary;
        b.rows_out = O::rows, b.width_out = O::width;
        b.item = Flat<I>::size;
        b.has_lengths = is_ids<I> || is_sequence<I>;
        b.keeps_rows = keeps_rows<I, O>;
        b.streams = can_stream;
        b.has_state = carries;
        b.state_bytes = sizeof(State);
        b.is_noexcept = noexcept(Block::forward(std::declval<Context<> const&>(),
                                                std::declval<Params const&>(), std::declval<In<I, R>>(),
                                                std::declval<Out<O, R>>(), std::declval<Tape&>(), Scratch{}));
        Guarded room(sizeof(Params), 0);
        Block::visit(*room.as<Params>(), Path{}, [&](auto, Path const& at, Kind kind, auto const& t) {
            b.tensors.push_back({path_text(at), kind, t.rows, t.width, b.parameters, false});
            b.parameters += b.tensors.back().size();
        });
        Guarded grads(sizeof(Grads), 0);
        std::size_t k = 0;
        Block::visit(*grads.as<Grads>(), Path{},
                     [&](auto, Path const&, Kind, auto const& t) { b.tensors[k++].slots = t.id != nullptr; });
        b.run = run, b.step = step, b.initialize = initialize;
        if constexpr (is_record<I>) b.draw_records = Flat<I>::draw;
        return b;
    }
};

} // namespace detail::laws
} // namespace inlay::inline INLAY_ISA
