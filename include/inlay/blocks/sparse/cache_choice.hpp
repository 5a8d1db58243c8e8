// SPDX-License-Identifier: BSD-3-Clause
// Which tokens of a prompt stay in a smaller cache.
#pragma once

#include <inlay/blocks/sparse/key_choice.hpp>
#include <inlay/kernels/softmax.hpp>

namespace inlay::inline INLAY_ISA {
namespace detail {

template <class S, class Pattern>
    requires(Pattern::prompt > 0)
struct KeyChoice<S, Pattern> : PlainChoice {
    using T = typename S::T;
    using Order = typename S::Order;
    using Rows = AttentionRows<S>;
    using Work = PieceWork<S, KeyChoice>;
    static constexpr int W = S::W, K = S::K, group = S::H / S::K, prompt = std::min(Pattern::prompt, S::rows);
    static constexpr int most_listed = prompt, floor = Pattern::capacity / 5, forced_first = 4;

    /// Of each head of keys, the rows that stay, then -1.
    template <int B> struct Tape {
        std::int32_t chosen[std::size_t(B)][std::size_t(K * prompt)];
    };
    struct Room {
        T* weight;
        double *raw, *score;
        std::int32_t *order_of, *chosen, *query;
        int head; ///< of keys
    };
    static constexpr std::size_t scratch =
        lines(sizeof(T) * padded(prompt, W)) + lines(sizeof(double) * prompt) +
        lines(sizeof(double) * K * prompt) + 2 * lines(sizeof(std::int32_t) * K * prompt) +
        lines(sizeof(std::int32_t) * S::rows);
    static constexpr std::size_t step_scratch = 0;
    static constexpr double choosing() { return 2.0 * S::d * prompt * std::min(prompt, Pattern::queries); }
    static constexpr double pairs() {
        return S::pairs() + double(S::rows - prompt) * std::min(prompt, Pattern::capacity);
    }

    template <class C> static Room take(C const&, Scratch& s) noexcept {
        Room r;
        r.weight = s.template take<T>(std::size_t(padded(prompt, W)));
        r.raw = s.template take<double>(std::size_t(prompt)),
        r.score = s.template take<double>(std::size_t(K * prompt));
        r.order_of = s.template take<std::int32_t>(std::size_t(K * prompt));
        r.chosen = s.template take<std::int32_t>(std::size_t(K * prompt));
        r.query = s.template take<std::int32_t>(std::size_t(S::rows));
        r.head = 0;
        return r;
    }
    /// Sequence b of a tape, for head h; one that is read is not written through this.
    template <class Tp> static void on(Tp& tape, int b, int h, Order, Room& r) noexcept {
        r.chosen = const_cast<std::int32_t*>(tape.chosen[b]), r.head = h / group;
    }
    static void choose(int h, Rows const& rows, int n, Room& r) noexcept {
        r.head = h / group;
        if (h > 0) return;
        std::fill_n(r.chosen, K * prompt, -1);
        if (n <= prompt) return;
        for (int g = 0; g < K; ++g) judge(g, rows, r, r.score + g * prompt);
        constexpr int own = Pattern::adaptive ? floor : Pattern::capacity;
        for (int g = 0; g < K; ++g) mark_best(r, g * prompt, (g + 1) * prompt, own);
        if constexpr (Pattern::adaptive) mark_best(r, 0, K * prompt, K * (Pattern::capacity - floor));
        for (int g = 0; g < K; ++g) { // marks become rows
            std::int32_t *const list = r.chosen + g * prompt, *end = list;
            for (int j = 0; j < prompt; ++j)
                if (list[j] >= 0) *end++ = j;
            std::fill(end, list + prompt, -1);
        }
    }
    /// What stays of the prompt, for all that is behind it.
    template <class F> static void each_piece(int n, Room const& r, F const& f) noexcept {
        std::int32_t const* const list = r.chosen + r.head * prompt;
        auto const keys = int(std::find(list, list + prompt, -1) - list);
        int queries = 0;
        for (int t = prompt; t < n; ++t) r.query[queries++] = t;
        if (keys > 0 && queries > 0)
            f(KeyPiece{0, keys, list}, queries, r.query, [keys](int) { return kernels::KeysSeen{0, keys}; });
    }

private:
    /// What the last queries of the prompt give to its keys.
    static void judge(int g, Rows const& rows, Room const& r, double* score) noexcept {
        std::fill_n(r.raw, prompt, 0.0);
        for (int t = std::max(0, prompt - Pattern::queries); t < prompt; ++t)
            for (int h = g * group; h < (g + 1) * group; ++h) {
                for (int j = 0; j <= t; ++j)
                    r.weight[j] =
                        T(1 / std::sqrt(double(S::d))) * kernels::dot<W>(S::d, rows.q(h, t), rows.k(g, j));
                kernels::softmax<W>(1, t + 1, r.weight, prompt, r.weight, prompt);
                for (int j = 0; j <= t; ++j) {
                    double const w = double(r.weight[j]);
                    r.raw[j] = Pattern::adaptive ? std::max(r.raw[j], w) : r.raw[j] + w / group;
                }
            }
        constexpr int reach = Pattern::pool / 2;
        for (int j = 0; j < prompt; ++j) {
            score[j] = 0;
            for (int i = std::max(0, j - reach); i <= std::min(prompt - 1, j + reach); ++i)
                score[j] += r.raw[i] / Pattern::pool;
            if (j < forced_first || j >= prompt - Pattern::last)
                score[j] = double(std::numeric_limits<T>::infinity());
        }
    }
    /// Marks the n best of [from, to) that are not marked, of equals the earlier.
    static void mark_best(Room const& r, int from, int to, int n) noexcept {
        int candidates = 0;
        for (int j = from; j < to; ++j)
            if (r.chosen[j] < 0) r.order_of[candidates++] = j;
        std::sort(r.order_of, r.order_of + candidates, [&](std::int32_t a, std::int32_t b) {
            return r.score[a] > r.score[b] || (r.score[a] == r.score[b] && a < b);
        });
        for (int i = 0; i < std::min(n, candidates); ++i) r.chosen[r.order_of[i]] = 1;
    }
};

} // namespace detail
} // namespace inlay::inline INLAY_ISA
