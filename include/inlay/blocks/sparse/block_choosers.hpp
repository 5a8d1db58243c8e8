// SPDX-License-Identifier: BSD-3-Clause
// How queries choose blocks: by what is known of a block without reading it, or by lot.
#pragma once

#include <inlay/blocks/sparse/key_choice.hpp>

namespace inlay::inline INLAY_ISA {
namespace detail {

/// A block is known by the sum of its keys: all blocks are of one length, so that sums are compared as means.
template <class S> struct SummaryOf<S, MeanKeys> {
    using T = typename S::T;
    static constexpr int width = S::wide;
    static void begin(T* to) noexcept { kernels::clear(to, width); }
    static void add(T const* key, T* to) noexcept { kernels::add<S::W>(width, key, to); }
    /// What is multiplied by summaries, of m queries.
    static T const* ask(int, T const* q, T*) noexcept { return q; }
    /// The gradient of a summary of n keys goes to the keys.
    static void pull(int n, T const*, T const* dsummary, T* dkeys) noexcept {
        for (int i = 0; i < n; ++i) kernels::add<S::W>(width, dsummary, dkeys + i * S::wide);
    }
};

/// A block is known by the largest and the least of each number of its keys.
template <class S> struct SummaryOf<S, KeyBounds> {
    using T = typename S::T;
    using V = simd::vec<T, S::W>;
    static constexpr int width = 2 * S::wide;
    static void begin(T* to) noexcept {
        std::fill_n(to, S::wide, std::numeric_limits<T>::lowest());
        std::fill_n(to + S::wide, S::wide, std::numeric_limits<T>::max());
    }
    static void add(T const* key, T* to) noexcept {
        kernels::zip<S::W>(S::wide, key, to, to, [](V a, V b) { return simd::greater(a, b); });
        kernels::zip<S::W>(S::wide, key, to + S::wide, to + S::wide,
                           [](V a, V b) { return simd::lesser(a, b); });
    }
    /// What is above zero meets the largest, what is below the least.
    static T const* ask(int m, T const* q, T* to) noexcept {
        V const zero(T(0));
        for (int i = 0; i < m; ++i, q += S::wide) {
            T* const at = to + i * width;
            kernels::map<S::W>(S::wide, q, at, [&](V x) { return simd::greater(x, zero); });
            kernels::map<S::W>(S::wide, q, at + S::wide, [&](V x) { return simd::lesser(x, zero); });
        }
        return to;
    }
    static void pull(int n, T const* keys, T const* dsummary, T* dkeys) noexcept {
        for (int c = 0; c < S::d; ++c) {
            int most = 0, least = 0;
            for (int i = 1; i < n; ++i) {
                if (keys[i * S::wide + c] > keys[most * S::wide + c]) most = i;
                if (keys[i * S::wide + c] < keys[least * S::wide + c]) least = i;
            }
            dkeys[most * S::wide + c] += dsummary[c];
            dkeys[least * S::wide + c] += dsummary[S::wide + c];
        }
    }
};

/// Blocks of Pattern::block keys, in a stream that holds whole ones.
template <class S, class Pattern> struct BlockGrid {
    using Order = typename S::Order;
    static constexpr int N = Pattern::block, held = S::Win::capacity / N;
    static constexpr int most = (S::most_keys + N - 1) / N + 1; ///< blocks of which a part has keys
    static constexpr int first_tokens = S::Sink::value;         ///< that all see

    /// The block of the first key that is no first token.
    static std::int64_t first(Order order) noexcept { return order.place(first_tokens) / N; }
    /// The first block that a query at place i may choose, and the end of those.
    static constexpr std::int64_t from(std::int64_t i) noexcept {
        std::int64_t const stored = std::max<std::int64_t>(first_tokens, i + 1 - S::Win::capacity);
        return (stored + N - 1) / N;
    }
    static constexpr std::int64_t end(std::int64_t i) noexcept { return i / N + 1 - S::Win::blocks; }
};

/// The blocks whose summaries score best.
template <class S, class Pattern> struct BlockChooser {
    using T = typename S::T;
    using Ring = typename S::Ring;
    using Order = typename S::Order;
    using Rows = AttentionRows<S>;
    using Grid = BlockGrid<S, Pattern>;
    using Summary = SummaryOf<S, typename Pattern::Summary>;
    static constexpr int W = S::W, N = Pattern::block, others = Pattern::others, group = S::H / S::K;
    static constexpr int score_row = padded(Grid::most, W), held_row = padded(Grid::held, W), at_once = 32;

    /// Of each block that a stream holds.
    struct Memory {
        alignas(64) T summary[std::size_t(S::K)][std::size_t(Grid::held)][std::size_t(Summary::width)];
    };
    struct Room {
        T *summary, *score, *asked;
    };
    static constexpr std::size_t scratch = lines(sizeof(T) * std::size_t(Grid::most * Summary::width)) +
                                           lines(sizeof(T) * at_once * score_row) +
                                           lines(sizeof(T) * at_once * Summary::width);
    static constexpr std::size_t step_scratch =
        lines(sizeof(T) * held_row) + lines(sizeof(T) * Summary::width);

    /// Of choosing, for one sequence and head.
    static constexpr double flops() {
        double n = 0;
        for (int t = 0; t < S::rows; ++t)
            if (std::int64_t const some = Grid::end(t) - Grid::from(t); some > others)
                n += 2.0 * Summary::width * double(some);
        return n;
    }
    template <class C> static Room take(C const&, Scratch& s) noexcept {
        auto const some = [&](int n) { return s.template take<T>(std::size_t(n)); };
        return {some(Grid::most * Summary::width), some(at_once * score_row), some(at_once * Summary::width)};
    }
    /// For each of n queries of head h the blocks that it chose, counted from the first.
    static void choose(int h, Rows const& rows, int n, Room const& r, std::int32_t* chosen) noexcept {
        Order const order = rows.order;
        std::int64_t const first = Grid::first(order), end = (order.before + n) / N;
        if (h % group == 0)
            for (std::int64_t c = (order.place(Grid::first_tokens) + N - 1) / N; c < end; ++c) {
                T* const to = r.summary + (c - first) * Summary::width;
                Summary::begin(to);
                for (int i = 0, row = order.row(c * N); i < N; ++i)
                    Summary::add(rows.k(h / group, row + i), to);
            }
        for (int t0 = 0; t0 < n; t0 += at_once) {
            int const m = std::min(at_once, n - t0);
            int const last = int(Grid::end(order.before + t0 + m - 1) - first);
            if (last > others)
                kernels::gemm_nt<W>(m, last, padded(last, W), Summary::width,
                                    Summary::ask(m, rows.q(h, t0), r.asked), Summary::width, r.summary,
                                    Summary::width, r.score, score_row, false);
            for (int t = t0; t < t0 + m; ++t) {
                std::int64_t const i = order.before + t;
                T const* const score = r.score + (t - t0) * score_row;
                best_of<others>(int(Grid::from(i) - first), int(Grid::end(i) - first), chosen + t * others,
                                [&](int c) { return score[c]; });
            }
        }
    }
    /// The same for the last token of a stream; blocks are counted from the first of all.
    template <class C>
    static void choose(C const&, int h, Memory const& memory, std::int64_t i, T const* q,
                       std::int32_t* chosen, Scratch s) noexcept {
        std::int64_t const from = Grid::from(i), end = Grid::end(i);
        T* const score = s.template take<T>(std::size_t(held_row));
        T* const asked = s.template take<T>(std::size_t(Summary::width));
        if (end - from > others)
            kernels::gemm_nt<W>(1, Grid::held, held_row, Summary::width, Summary::ask(1, q, asked),
                                Summary::width, memory.summary[h / group][0], Summary::width, score, held_row,
                                false);
        best_of<others>(int(from), int(end), chosen, [&](int c) { return score[c % Grid::held]; });
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
                         begun(memory, h, int(place / N % Grid::held), int(place % N)));
    }

private:
    static T* begun(Memory& m, int h, int slot, int place_in_block) noexcept {
        T* const to = m.summary[h][slot];
        if (place_in_block == 0) Summary::begin(to);
        return to;
    }
    /// Calls f(head, slot, first row, keys) for the blocks that a stream holds after n new tokens.
    template <class F> static void each_held(Order order, int n, F const& f) noexcept {
        std::int64_t const end = order.before + n, last = (end - 1) / N;
        for (std::int64_t c = std::max<std::int64_t>(0, last + 1 - Grid::held); end > 0 && c <= last; ++c)
            for (int h = 0; h < S::K; ++h)
                f(h, int(c % Grid::held), order.row(c * N), int(std::min(end - c * N, std::int64_t(N))));
    }
};

/// Blocks that are drawn, whatever their keys.
template <class S, class Pattern>
    requires requires { &Pattern::draw; }
struct BlockChooser<S, Pattern> {
    using T = typename S::T;
    using Rows = AttentionRows<S>;
    using Grid = BlockGrid<S, Pattern>;
    static constexpr int N = Pattern::block, others = Pattern::others;
    struct Memory {};
    struct Room {
        int layer;
    };
    static constexpr std::size_t scratch = 0, step_scratch = 0;
    static constexpr double flops() { return 0; }

    template <class C> static Room take(C const& c, Scratch&) noexcept { return {c.layer}; }
    static void choose(int h, Rows const& rows, int n, Room const& r, std::int32_t* chosen) noexcept {
        auto const first = std::int32_t(Grid::first(rows.order));
        for (int t = 0; t < n; ++t, chosen += others) {
            draw(r.layer, h, rows.order.before + t, chosen);
            for (int i = 0; i < others; ++i)
                if (chosen[i] >= 0) chosen[i] -= first;
        }
    }
    template <class C>
    static void choose(C const& c, int h, Memory const&, std::int64_t i, T const*, std::int32_t* chosen,
                       Scratch) noexcept {
        draw(c.layer, h, i, chosen);
    }
    template <class... A> static void keep(A&&...) noexcept {}
    template <class... A> static void add(A&&...) noexcept {}
    template <class... A> static void count(A&&...) noexcept {}

private:
    /// Without those that the stream has forgotten.
    static void draw(int layer, int h, std::int64_t i, std::int32_t* to) noexcept {
        Pattern::draw(layer, h, i / N, to);
        for (int c = 0; c < others; ++c)
            if (to[c] < Grid::from(i)) to[c] = -1;
    }
};

} // namespace detail
} // namespace inlay::inline INLAY_ISA
