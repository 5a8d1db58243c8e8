// SPDX-License-Identifier: BSD-3-Clause
// Keys that queries choose one by one.
#pragma once

#include <inlay/blocks/sparse/key_choice.hpp>

namespace inlay::inline INLAY_ISA {
namespace detail {

/// Each query over a list of keys of its own.
template <class S, class Choice> struct TokenWork {
    using T = typename S::T;
    using Head = kernels::AttentionHead<T>;
    using Room = typename Choice::Room;
    static constexpr int W = S::W, most = Choice::most_tokens;
    static constexpr std::size_t room = std::size_t(padded(most + 1, W)), backward_room = 0;

    template <class Z>
    static void forward(Head const& head, Z const& scores, T const* sink, T* out, std::ptrdiff_t out_row,
                        T* kept, T* space, Room const& chosen) noexcept {
        for (int t = 0; t < head.queries; ++t) {
            int n = 0;
            each(chosen, t, [&](int key) { space[n++] = score(head, scores, t, key) + chosen.of_key(key); });
            if (sink) space[n] = *sink;
            T* const to = out + t * out_row;
            kernels::clear(to, head.value_width);
            kept[t] = kernels::log_sum_exp<W>(n + (sink != nullptr), space);
            n = 0;
            each(chosen, t, [&](int key) {
                kernels::axpy<W>(head.value_width, std::exp(space[n++] - kept[t]),
                                 head.value + key * head.value_row, to);
            });
        }
    }
    template <class Z>
    static void backward(Head const& head, Z const& scores, T const* dout, std::ptrdiff_t dout_row,
                         T const* kept, T const* mean, T* dq, T* dk, T* dv, T*, Room const& chosen) noexcept {
        using One = simd::vec<T, 1>;
        for (int t = 0; t < head.queries; ++t) {
            T const *const query = head.query + t * head.query_row, *const dmixed = dout + t * dout_row;
            T* const dquery = dq + t * head.query_row;
            kernels::clear(dquery, head.query_row);
            each(chosen, t, [&](int key) {
                T const z = score(head, scores, t, key),
                        weight = std::exp(std::min(T(0), z + chosen.of_key(key) - kept[t]));
                T const dz =
                    weight *
                    (kernels::dot<W>(head.value_width, dmixed, head.value + key * head.value_row) - mean[t]);
                chosen.collect(key, dz);
                T ds;
                (scores.cap.pull(One(dz), One(z)) * One(head.scale)).store(&ds);
                kernels::axpy<W>(head.value_width, weight, dmixed, dv + key * head.value_row);
                kernels::axpy<W>(head.width, ds, head.key + key * head.key_row, dquery);
                kernels::axpy<W>(head.width, ds, query, dk + key * head.key_row);
            });
        }
    }
    static std::int64_t pairs(Head const& head, Room const& chosen) noexcept {
        std::int64_t all = 0;
        for (int t = 0; t < head.queries; ++t) each(chosen, t, [&](int) { ++all; });
        return all;
    }
    static void step(int rows, int n, T* scores, int row) noexcept {
        kernels::softmax<W>(rows, n, scores, row, scores, row);
    }

private:
    template <class F> static void each(Room const& chosen, int t, F const& f) noexcept {
        for (int i = 0; i < most; ++i)
            if (int const key = chosen.chosen[t * most + i]; key >= 0) f(key);
    }
    template <class Z> static T score(Head const& head, Z const& scores, int t, int key) noexcept {
        T const product =
            kernels::dot<W>(head.width, head.query + t * head.query_row, head.key + key * head.key_row);
        T z;
        scores.cap(simd::vec<T, 1>(head.scale * product)).store(&z);
        return z; // before what a key adds by itself
    }
};

template <class S, class Pattern>
    requires(Pattern::tokens > 0)
struct KeyChoice<S, Pattern> : PlainChoice {
    using T = typename S::T;
    using Ring = typename S::Ring;
    using Order = typename S::Order;
    using Rows = AttentionRows<S>;
    using Work = TokenWork<S, KeyChoice>;
    static constexpr int W = S::W, most_tokens = Pattern::tokens, group = S::H / S::K, at_once = 32;
    static constexpr int score_row = padded(S::most_keys, W), held_row = padded(Ring::capacity, W);

    template <int B> struct Tape {
        std::int32_t chosen[std::size_t(B)][std::size_t(S::H)][std::size_t(S::rows * most_tokens)];
    };
    struct Room {
        T* score;
        std::int32_t* chosen;
        T of_key(int) const noexcept { return T(0); }
        void collect(int, T) const noexcept {}
    };
    static constexpr std::size_t scratch = lines(sizeof(T) * at_once * score_row) +
                                           lines(sizeof(std::int32_t) * std::size_t(S::rows * most_tokens));
    static constexpr std::size_t step_scratch = lines(sizeof(T) * held_row);

    static constexpr double choosing() { return 2.0 * S::d * S::pairs(); }
    static constexpr double pairs() {
        double n = 0;
        for (int t = 0; t < S::rows; ++t) {
            Sight const s = S::sight(t);
            n += double(
                std::min<std::int64_t>(most_tokens, std::min<std::int64_t>(s.last, S::rows) - s.first));
        }
        return n;
    }

    template <class C> static Room take(C const&, Scratch& s) noexcept {
        return {s.template take<T>(std::size_t(at_once * score_row)),
                s.template take<std::int32_t>(std::size_t(S::rows * most_tokens))};
    }
    /// Head h of sequence b of a tape; one that is read is not written through this.
    template <class Tp> static void on(Tp& tape, int b, int h, Order, Room& r) noexcept {
        r.chosen = const_cast<std::int32_t*>(tape.chosen[b][h]);
    }
    /// For every query of head h the rows of the keys that it chose, or -1.
    static void choose(int h, Rows const& rows, int n, Room& r) noexcept {
        Order const order = rows.order;
        for (int t0 = 0; t0 < n; t0 += at_once) {
            int const m = std::min(at_once, n - t0), keys = end(order, n, t0 + m - 1);
            kernels::gemm_nt<W>(m, keys, padded(keys, W), S::wide, rows.q(h, t0), S::wide, rows.k(h / group),
                                S::wide, r.score, score_row, false);
            for (int t = t0; t < t0 + m; ++t) {
                T const* const score = r.score + (t - t0) * score_row;
                best_of<most_tokens>(order.row(S::sight(order.before + t).first), end(order, n, t),
                                     r.chosen + t * most_tokens, [&](int j) { return score[j]; });
            }
        }
    }
    template <class... A> static void keep(A&&...) noexcept {}
    template <class... A> static void add(A&&...) noexcept {}
    template <class... A> static void count(A&&...) noexcept {}

    /// The slots of what head h sees for the last token of the ring; returns how many.
    template <class C, class M>
    static int list(C const&, int h, M const&, Ring const& ring, T const* q, std::int32_t* slots,
                    Scratch s) noexcept {
        T* const score = s.template take<T>(std::size_t(held_row));
        int const stored = ring.stored();
        kernels::gemm_nt<W>(1, stored, padded(stored, W), S::wide, q, S::wide, ring.key[h / group][0],
                            S::wide, score, held_row, false);
        std::int64_t const oldest = ring.count - stored;
        std::int32_t chosen[std::size_t(most_tokens)];
        best_of<most_tokens>(0, stored, chosen, [&](int j) { return score[Ring::slot(oldest + j)]; });
        int n = 0;
        for (std::int32_t const j : chosen)
            if (j >= 0) slots[n++] = Ring::slot(oldest + j);
        return n;
    }

private:
    /// Behind the last row that a query sees.
    static int end(Order order, int n, int t) noexcept {
        return order.row(std::min(S::sight(order.before + t).last, order.before + n));
    }
};

} // namespace detail
} // namespace inlay::inline INLAY_ISA
