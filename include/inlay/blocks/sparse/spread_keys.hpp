// SPDX-License-Identifier: BSD-3-Clause
// Keys that lie at regular distances: a query sees those of its class, which are copied next to each other,
// so that work follows what is seen.
#pragma once

#include <inlay/blocks/sparse/key_choice.hpp>

namespace inlay::inline INLAY_ISA {
namespace detail {

template <class S, class Pattern>
    requires requires { Pattern::spread; }
struct KeyChoice<S, Pattern> : PlainChoice {
    using T = typename S::T;
    using Ring = typename S::Ring;
    using Order = typename S::Order;
    using Rows = AttentionRows<S>;
    static constexpr bool streams = S::Keys::streams;
    static constexpr int globals = S::Sink::value;
    static constexpr int most_listed = int(Pattern::members_before(0, S::most_keys + Pattern::classes)) + 1;
    struct Room {
        std::int32_t *query, *key;
        Order order{};
    };
    template <int> struct Tape {};
    static constexpr std::size_t scratch =
        lines(sizeof(std::int32_t) * S::rows) + lines(sizeof(std::int32_t) * most_listed);
    static constexpr std::size_t step_scratch = 0;

    using Work = PieceWork<S, KeyChoice>;
    static constexpr double choosing() { return 0; }
    static constexpr double pairs() {
        double n = S::pairs();
        for (int t = globals; t < S::rows; ++t) {
            auto const members = [&](std::int64_t from, std::int64_t to) {
                int const of = Pattern::class_of(t);
                return std::max<std::int64_t>(
                    0, Pattern::members_before(of, to) -
                           Pattern::members_before(of, std::max<std::int64_t>(from, globals)));
            };
            n += double(members(Pattern::distant_from(t), Pattern::distant_end(t)));
            if (!streams) n += double(members(Pattern::near_end(t), S::rows));
        }
        return n;
    }

    template <class C> static Room take(C const&, Scratch& s) noexcept {
        return {s.template take<std::int32_t>(std::size_t(S::rows)),
                s.template take<std::int32_t>(std::size_t(most_listed))};
    }
    template <class Tp> static void on(Tp&, int, int, Order order, Room& r) noexcept { r.order = order; }
    static void choose(int, Rows const& rows, int, Room& r) noexcept { r.order = rows.order; }

    /// Calls f(piece of keys, queries, their numbers, what they see of it) for each class.
    template <class F> static void each_piece(int n, Room const& r, F const& f) noexcept {
        Order const order = r.order;
        std::int64_t const end = order.before + n;
        for (int of = 0; of < Pattern::classes; ++of) {
            int queries = 0, keys = 0;
            for (int t = 0; t < n; ++t)
                if (std::int64_t const i = order.before + t; i >= globals && Pattern::class_of(i) == of)
                    r.query[queries++] = t;
            if (queries == 0) continue;
            // No query sees keys before what the first one sees.
            std::int64_t const first = member_from(of, lowest(order.before + r.query[0]));
            for (std::int64_t m = first; Pattern::member(of, m) < end; ++m)
                r.key[keys++] = order.row(Pattern::member(of, m));
            if (keys > 0)
                f(KeyPiece{0, keys, r.key}, queries, r.query, [&](int t) {
                    std::int64_t const i = order.before + t;
                    auto const at = [&](std::int64_t place) {
                        return int(std::max<std::int64_t>(0, Pattern::members_before(of, place) - first));
                    };
                    int const from = at(lowest(i)), to = at(Pattern::distant_end(i));
                    if constexpr (streams) return kernels::KeysSeen{from, to};
                    else return kernels::KeysSeen{at(Pattern::near_end(i)), keys, to};
                });
        }
    }

    template <class... A> static void keep(A&&...) noexcept {}
    template <class... A> static void add(A&&...) noexcept {}
    template <class... A> static void count(A&&...) noexcept {}

    /// The slots of what a query sees, the last of the ring; returns how many.
    template <class C, class M>
    static int list(C const&, int, M const&, Ring const& ring, T const*, std::int32_t* slots,
                    Scratch) noexcept {
        std::int64_t const i = ring.count - 1;
        Sight const near_by = S::sight(i);
        int n = 0;
        auto const append = [&](std::int64_t place) { slots[n++] = Ring::slot(place); };
        for (std::int64_t j = 0; j < near_by.always; ++j) append(j);
        for (std::int64_t j = std::max(near_by.first, near_by.always); j <= i; ++j) append(j);
        int const of = Pattern::class_of(i);
        if (i >= globals)
            for (std::int64_t m = member_from(of, lowest(i));
                 Pattern::member(of, m) < Pattern::distant_end(i); ++m)
                append(Pattern::member(of, m));
        return n;
    }

private:
    /// The first place that a query at place i may see from afar.
    static std::int64_t lowest(std::int64_t i) noexcept {
        std::int64_t const stored = streams ? i + 1 - S::Win::capacity : 0;
        return std::max({stored, Pattern::distant_from(i), std::int64_t(globals)});
    }
    static std::int64_t member_from(int of, std::int64_t place) noexcept {
        return Pattern::members_before(of, place);
    }
};

} // namespace detail
} // namespace inlay::inline INLAY_ISA
