// SPDX-License-Identifier: BSD-3-Clause
// What a stream may be told to ignore.
#pragma once

#include <inlay/blocks/attention/part.hpp>
#include <inlay/blocks/attention/policies.hpp>
#include <inlay/kernels/attention/selective.hpp>

namespace inlay::inline INLAY_ISA {

/// What the first head scores above zero, later tokens see less of, in all heads (arXiv 2410.02703): the sum
/// of max(z_lj, 0) over the tokens l between is taken off score z_ij. The first token of all is spared, and a
/// token does not judge itself. No parameters. A stream keeps a number more for each key. Cost: half of
/// softmax's more forward, about its double backward.
struct Selective {
    using PolicyKind = WhichSelection;
    using Refuses = List<that_sees_ahead, with_keys_of_no_place, that_knows_distances, that_knows_documents,
                         that_subtracts>;
};

namespace detail {
template <class S, class Cap, class Policy> struct Selection : NoPart<WhichSelection> {
    struct Room {};
    static Room take(Scratch&) noexcept { return {}; }
    template <class... A> static void begin(A&&...) noexcept {}
    template <class... A> static void keep(A&&...) noexcept {}
    template <class... A> static void judge(A&&...) noexcept {}
    template <class... A> static void step(A&&...) noexcept {}
    template <class... A> static void count(A&&...) noexcept {}
};
template <class S, class Cap> struct Selection<S, Cap, Selective> : NoPart<WhichSelection> {
    using T = typename S::T;
    using Ring = typename S::Ring;
    using Order = typename S::Order;
    using Head = kernels::AttentionHead<T>;
    using Bias = kernels::Selected<T, Cap>;
    static constexpr bool used = true;
    static constexpr int W = S::W, keys = S::most_keys;
    /// What is taken off each stored key.
    struct Memory {
        T taken[std::size_t(Ring::capacity)];
    };
    struct Room {
        T *initial, *taken, *space;
        double *rest, *before; ///< slopes of what is taken off: of one head, and of all
    };
    static constexpr std::size_t space = kernels::selected_room<W, T>(S::d);
    static constexpr std::size_t scratch = 2 * lines(sizeof(T) * std::size_t(keys)) +
                                           lines(sizeof(T) * space) +
                                           2 * lines(sizeof(double) * std::size_t(keys));

    static Room take(Scratch& s) noexcept {
        Room r;
        r.initial = s.template take<T>(std::size_t(keys)), r.taken = s.template take<T>(std::size_t(keys));
        r.space = s.template take<T>(space);
        r.rest = s.template take<double>(std::size_t(keys)),
        r.before = s.template take<double>(std::size_t(keys));
        return r;
    }
    static void begin(Order order, int n, Memory const* in, Room r) noexcept {
        for (int i = 0; i < order.stored(); ++i) r.initial[i] = in->taken[Ring::slot(order.place(i))];
        std::fill_n(r.initial + order.stored(), n, T(0));
        std::fill_n(r.before, keys, 0.0);
    }
    static Bias bias(Head const* judge, Cap cap, Order order, int n, Room r, double* slope) noexcept {
        int const origin = order.place(0) == 0 ? 0 : -1;
        return {judge, cap, order.stored(), origin, order.stored() + n, r.initial, r.taken, slope, r.space};
    }
    /// What the stream keeps, when heads have read n new tokens.
    static void keep(Order order, int n, Room r, Memory& out) noexcept {
        out = Memory{};
        for (int i = 0; i < order.stored() + n; ++i)
            if (Ring::survives(order.place(i), order.before + n))
                out.taken[Ring::slot(order.place(i))] = r.taken[i];
    }
    /// Behind the way back of head h, which left its slopes in r.rest.
    template <class Weights, class Scores>
    static void pull(int h, Head const& head, Scores const& scores, T const* dout, std::ptrdiff_t dout_row,
                     T const* kept, T const* mean, Order order, int n, Room r, Memory const* d_out, T* dq,
                     T* dk, T* room) noexcept {
        for (int i = 0; i < order.stored() + n; ++i) {
            if (d_out && h == 0 && Ring::survives(order.place(i), order.before + n))
                r.rest[i] += double(d_out->taken[Ring::slot(order.place(i))]);
            r.before[i] += r.rest[i];
        }
        kernels::pull_selected<Weights, W>(head, scores, dout, dout_row, kept, mean, r.rest, dq, dk, room);
    }
    static void give(Order order, Room r, Memory& d_in) noexcept {
        d_in = Memory{};
        for (int i = 0; i < order.stored(); ++i) d_in.taken[Ring::slot(order.place(i))] = T(r.before[i]);
    }

    /// One token, that the ring has counted: nothing is taken off its own key yet.
    static void count(Memory& memory, Ring const& ring) noexcept {
        memory.taken[Ring::slot(ring.count - 1)] = T(0);
    }
    static void step(Memory const& memory, int stored, T* scores) noexcept {
        for (int slot = 0; slot < stored; ++slot) scores[slot] -= memory.taken[slot];
    }
    /// After all heads: the first head's scores of the stored keys are added to what is taken off.
    static void judge(Memory& memory, Ring const& ring, T const* scores) noexcept {
        for (int slot = 0; slot < ring.stored(); ++slot) {
            auto const place = ring.place(slot);
            if (place > 0 && place < ring.count - 1 && scores[slot] > 0) memory.taken[slot] += scores[slot];
        }
    }
};
} // namespace detail

} // namespace inlay::inline INLAY_ISA
