// SPDX-License-Identifier: BSD-3-Clause
// Blocks of keys that queries choose by what is known of a block without reading it.
#pragma once

#include <inlay/blocks/key_choice.hpp>

namespace inlay::inline INLAY_ISA {
namespace detail {

/// A block is known by the sum of its keys: all blocks are of one length, so that sums are compared as means.
template <class S> struct SummaryOf<S, MeanKeys> {
    using T = typename S::T;
    static constexpr int width = S::wide;
    static void begin(T* to) noexcept { kernels::clear(to, width); }
    static void add(T const* key, T* to) noexcept { kernels::add<S::W>(width, key, to); }
    /// What is multiplied by summaries.
    static T const* ask(int, T const* q, T*) noexcept { return q; }
    /// The gradient of a summary of n keys goes to the keys.
    static void pull(int n, T const*, T const* dsummary, T* dkeys) noexcept {
        for (int i = 0; i < n; ++i) kernels::add<S::W>(width, dsummary, dkeys + i * S::wide);
    }
};

template <class S, class Pattern>
    requires requires { typename Pattern::Summary; }
struct KeyChoice<S, Pattern> : NoPart<WhichPattern> {
    using T = typename S::T;
    using Ring = typename S::Ring;
    using Order = typename S::Order;
    using Rows = AttentionRows<S>;
    using Summary = SummaryOf<S, typename Pattern::Summary>;
    static constexpr bool used = true;
    static constexpr int W = S::W, N = Pattern::block, others = Pattern::others, group = S::H / S::K;
    static constexpr int held = Ring::capacity / N;             ///< blocks of a stream
    static constexpr int most = (S::most_keys + N - 1) / N + 1; ///< blocks of which a part has keys
    static constexpr int score_row = padded(most, W), at_once = 32;
    static constexpr int per_head = S::rows * std::max(others, 1);

    /// Of each block that a stream holds.
    struct Memory {
        alignas(64) T summary[std::size_t(S::K)][std::size_t(held)][std::size_t(Summary::width)];
    };
    template <int B> struct Tape {
        std::int32_t chosen[std::size_t(B)][std::size_t(S::H)][std::size_t(per_head)];
    };
    struct Room {
        T *summary, *score, *asked;
        std::int32_t *chosen, *start, *query;
        Order order{};
    };
    static constexpr std::size_t scratch =
        lines(sizeof(T) * std::size_t(most * Summary::width)) + lines(sizeof(T) * at_once * score_row) +
        lines(sizeof(T) * at_once * Summary::width) + 2 * lines(sizeof(std::int32_t) * per_head) +
        lines(sizeof(std::int32_t) * (most + 1));
    static constexpr std::size_t step_scratch =
        lines(sizeof(T) * padded(held, W)) + lines(sizeof(T) * Summary::width);

    static constexpr double pairs() {
        double n = 0;
        for (int t = 0; t < S::rows; ++t) n += double(N) * std::min(others, t / N);
        return n;
    }

    static Room take(Scratch& s) noexcept {
        auto const some = [&](int n) { return s.template take<T>(std::size_t(n)); };
        auto const counts = [&](int n) { return s.template take<std::int32_t>(std::size_t(n)); };
        return {some(most * Summary::width),
                some(at_once * score_row),
                some(at_once * Summary::width),
                counts(per_head),
                counts(most + 1),
                counts(per_head)};
    }
    /// Head h of sequence b of a tape; one that is read is not written through this.
    template <class Tp> static void on(Tp& tape, int b, int h, Order order, Room& r) noexcept {
        r.chosen = const_cast<std::int32_t*>(tape.chosen[b][h]), r.order = order;
    }
    /// For every query of head h the blocks that it chose, or -1, counted from that of the first key.
    static void choose(int h, Rows const& rows, int n, Room& r) noexcept {
        Order const order = r.order = rows.order;
        std::int64_t const first = first_block(order), end = (order.before + n) / N;
        if (h % group == 0)
            for (std::int64_t c = whole_block(order.place(0)); c < end; ++c) {
                T* const to = r.summary + (c - first) * Summary::width;
                Summary::begin(to);
                for (int i = 0, row = order.row(c * N); i < N; ++i)
                    Summary::add(rows.k(h / group, row + i), to);
            }
        for (int t0 = 0; t0 < n; t0 += at_once) {
            int const m = std::min(at_once, n - t0);
            int const last = int((order.before + t0 + m - 1) / N - first);
            if (last > others)
                kernels::gemm_nt<W>(m, last, padded(last, W), Summary::width,
                                    Summary::ask(m, rows.q(h, t0), r.asked), Summary::width, r.summary,
                                    Summary::width, r.score, score_row, false);
            for (int t = t0; t < t0 + m; ++t) {
                std::int64_t const i = order.before + t;
                T const* const score = r.score + (t - t0) * score_row;
                int const from = int(whole_block(visible(i)) - first), to = int(i / N - first);
                best_of<others>(from, to, r.chosen + t * others, [&](int c) { return score[c]; });
            }
        }
    }
    /// Calls f(piece of keys, queries, their numbers, what they see of it) for what is chosen.
    template <class F> static void each_piece(int n, Room const& r, F const& f) noexcept {
        std::int32_t const* const chosen = r.chosen;
        Order const order = r.order;
        std::fill_n(r.start, most + 1, 0);
        for (int e = 0; e < n * others; ++e)
            if (chosen[e] >= 0) ++r.start[chosen[e] + 1];
        for (int c = 0; c < most; ++c) r.start[c + 1] += r.start[c];
        for (int e = 0; e < n * others; ++e)
            if (chosen[e] >= 0) r.query[r.start[chosen[e]]++] = e / std::max(others, 1);
        std::int64_t const first = first_block(order);
        for (int c = 0, begin = 0; c < most; begin = r.start[c++])
            if (r.start[c] > begin)
                f(KeyPiece{order.row((first + c) * N), N, nullptr}, r.start[c] - begin, r.query + begin,
                  [](int) { return kernels::KeysSeen{0, N}; });
    }

    static void keep(Rows const& rows, int n, Memory& out) noexcept {
        out = Memory{};
        each_held(rows.order, n, [&](int h, int slot, int row, int count) {
            for (int i = 0; i < count; ++i) Summary::add(rows.k(h, row + i), begun(out, h, slot, i));
        });
    }
    /// Of gradients: those of what a stream keeps.
    static void add(Memory const& d_out, Rows const& rows, int n, Rows const& drows) noexcept {
        each_held(rows.order, n, [&](int h, int slot, int row, int count) {
            Summary::pull(count, rows.k(h, row), d_out.summary[h][slot], drows.k(h, row));
        });
    }

    /// One token, whose keys the ring holds.
    static void count(Memory& memory, Ring const& ring) noexcept {
        std::int64_t const place = ring.count - 1;
        for (int h = 0; h < S::K; ++h)
            Summary::add(ring.key[h][Ring::slot(place)],
                         begun(memory, h, int(place / N % held), int(place % N)));
    }
    /// The slots of what head h sees for a query; returns how many.
    static int list(int h, Memory const& memory, Ring const& ring, T const* q, std::int32_t* slots,
                    Scratch s) noexcept {
        std::int64_t const i = ring.count - 1, own = i / N, from = whole_block(visible(i));
        int n = 0;
        auto const append = [&](std::int64_t place, std::int64_t end) {
            for (; place < end; ++place) slots[n++] = Ring::slot(place);
        };
        append(own * N, i + 1);
        if (others > 0 && own > from) {
            T* const score = s.template take<T>(std::size_t(padded(held, W)));
            T* const asked = s.template take<T>(std::size_t(Summary::width));
            kernels::gemm_nt<W>(1, held, padded(held, W), Summary::width, Summary::ask(1, q, asked),
                                Summary::width, memory.summary[h / group][0], Summary::width, score,
                                padded(held, W), false);
            std::int32_t chosen[std::size_t(std::max(others, 1))];
            best_of<others>(0, int(own - from), chosen, [&](int c) { return score[(from + c) % held]; });
            for (std::int32_t const c : chosen)
                if (c >= 0) append((from + c) * N, (from + c + 1) * N);
        }
        return n;
    }

private:
    static std::int64_t first_block(Order order) noexcept { return order.place(0) / N; }
    /// The first block from a place on that is whole.
    static std::int64_t whole_block(std::int64_t place) noexcept { return (place + N - 1) / N; }
    /// The first place that a stream still has at place i.
    static std::int64_t visible(std::int64_t i) noexcept {
        if constexpr (S::Keys::streams) return std::max<std::int64_t>(0, i + 1 - Ring::capacity);
        else return 0;
    }
    static T* begun(Memory& m, int h, int slot, int place_in_block) noexcept {
        T* const to = m.summary[h][slot];
        if (place_in_block == 0) Summary::begin(to);
        return to;
    }
    /// Calls f(head, slot, first row, keys) for the blocks that a stream holds after n new tokens.
    template <class F> static void each_held(Order order, int n, F const& f) noexcept {
        std::int64_t const end = order.before + n, last = (end - 1) / N;
        for (std::int64_t c = std::max<std::int64_t>(0, last + 1 - held); end > 0 && c <= last; ++c)
            for (int h = 0; h < S::K; ++h)
                f(h, int(c % held), order.row(c * N), int(std::min(end - c * N, std::int64_t(N))));
    }
};

} // namespace detail
} // namespace inlay::inline INLAY_ISA
