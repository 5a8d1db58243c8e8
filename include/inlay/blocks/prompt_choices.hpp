// SPDX-License-Identifier: BSD-3-Clause
// Choices that are made once for a prompt.
#pragma once

#include <inlay/blocks/chosen_blocks.hpp>
#include <inlay/blocks/chosen_tokens.hpp>

namespace inlay::inline INLAY_ISA {
namespace detail {

/// The blocks whose mean keys like the mean of a block of queries best; sums are compared as means.
template <class S, class Pattern>
    requires(Pattern::of_prompts)
struct BlockChooser<S, Pattern> {
    using T = typename S::T;
    using Rows = AttentionRows<S>;
    using Grid = BlockGrid<S, Pattern>;
    static constexpr int W = S::W, N = Pattern::block, others = Pattern::others, group = S::H / S::K;
    struct Memory {};
    struct Room {
        T *keys, *query, *score;
    };
    static constexpr std::size_t scratch = lines(sizeof(T) * std::size_t(Grid::most * S::wide)) +
                                           lines(sizeof(T) * S::wide) + lines(sizeof(T) * Grid::most);
    static constexpr std::size_t step_scratch = 0;
    static constexpr double flops() {
        double n = 0;
        for (int own = 0; own * N < S::rows; ++own) n += 2.0 * S::d * own;
        return n;
    }

    template <class C> static Room take(C const&, Scratch& s) noexcept {
        auto const some = [&](int n) { return s.template take<T>(std::size_t(n)); };
        return {some(Grid::most * S::wide), some(S::wide), some(Grid::most)};
    }
    static void choose(int h, Rows const& rows, int n, Room const& r, std::int32_t* chosen) noexcept {
        if (h % group == 0)
            for (int c = 0; c * N < n; ++c)
                sum(rows.k(h / group, c * N), std::min(N, n - c * N), r.keys + c * S::wide);
        auto const first = int(Grid::first(rows.order));
        for (int from = 0; from < n; from += N) {
            int const m = std::min(N, n - from), end = from / N + 1 - S::Win::blocks;
            sum(rows.q(h, from), m, r.query);
            for (int c = first; c < end; ++c)
                r.score[c] = kernels::dot<W>(S::d, r.query, r.keys + c * S::wide);
            for (int t = from; t < from + m; ++t)
                if (t == from)
                    best_of<others>(0, end - first, chosen + t * others,
                                    [&](int c) { return r.score[first + c]; });
                else std::copy_n(chosen + from * others, others, chosen + t * others);
        }
    }
    template <class... A> static void add(A&&...) noexcept {}

private:
    static void sum(T const* rows, int n, T* to) noexcept {
        kernels::clear(to, S::wide);
        for (int i = 0; i < n; ++i) kernels::add<W>(S::wide, rows + i * S::wide, to);
    }
};

/// Columns and diagonals of the matrix of weights.
template <class S, class Pattern>
    requires(Pattern::columns > 0)
struct KeyChoice<S, Pattern> : PlainChoice {
    using T = typename S::T;
    using Order = typename S::Order;
    using Rows = AttentionRows<S>;
    using Work = TokenWork<S, KeyChoice>;
    static constexpr int W = S::W, columns = Pattern::columns, diagonals = Pattern::diagonals,
                         most_tokens = columns + diagonals, group = S::H / S::K;
    static constexpr int forced_columns = 4, forced_diagonals = 64;

    template <int B> struct Tape {
        std::int32_t chosen[std::size_t(B)][std::size_t(S::H)][std::size_t(S::rows * most_tokens)];
    };
    struct Room {
        T* weight;
        double *column, *diagonal; ///< what keys and distances are given
        std::int32_t* chosen;
        T of_key(int) const noexcept { return T(0); }
        void collect(int, T) const noexcept {}
    };
    static constexpr std::size_t scratch = lines(sizeof(T) * padded(S::rows, W)) +
                                           2 * lines(sizeof(double) * S::rows) +
                                           lines(sizeof(std::int32_t) * std::size_t(S::rows * most_tokens));
    static constexpr std::size_t step_scratch = 0;
    static constexpr double choosing() { return 2.0 * S::d * S::rows * std::min(S::rows, Pattern::queries); }
    static constexpr double pairs() {
        double n = 0;
        for (int t = 0; t < S::rows; ++t) n += std::min(t + 1, most_tokens);
        return n;
    }

    template <class C> static Room take(C const&, Scratch& s) noexcept {
        T* const weight = s.template take<T>(std::size_t(padded(S::rows, W)));
        auto const mass = [&] { return s.template take<double>(std::size_t(S::rows)); };
        double *const column = mass(), *const diagonal = mass();
        return {weight, column, diagonal, s.template take<std::int32_t>(std::size_t(S::rows * most_tokens))};
    }
    /// Head h of sequence b of a tape; one that is read is not written through this.
    template <class Tp> static void on(Tp& tape, int b, int h, Order, Room& r) noexcept {
        r.chosen = const_cast<std::int32_t*>(tape.chosen[b][h]);
    }
    static void choose(int h, Rows const& rows, int n, Room& r) noexcept {
        constexpr double always = std::numeric_limits<double>::infinity();
        std::fill_n(r.column, n, 0.0), std::fill_n(r.diagonal, n, 0.0);
        for (int t = std::max(0, n - Pattern::queries); t < n; ++t) {
            for (int j = 0; j <= t; ++j)
                r.weight[j] = T(1 / std::sqrt(double(S::d))) *
                              kernels::dot<W>(S::d, rows.q(h, t), rows.k(h / group, j));
            kernels::softmax<W>(1, t + 1, r.weight, S::rows, r.weight, S::rows);
            for (int j = 0; j <= t; ++j)
                r.column[j] += double(r.weight[j]), r.diagonal[t - j] += double(r.weight[j]);
        }
        std::fill_n(r.column, std::min(n, forced_columns), always);
        std::fill_n(r.diagonal, std::min(n, forced_diagonals), always);
        std::int32_t seen[std::size_t(columns)], back[std::size_t(diagonals)];
        best_of<columns>(0, n, seen, [&](int j) { return r.column[j]; });
        best_of<diagonals>(0, n, back, [&](int j) { return r.diagonal[j]; });
        for (int t = 0; t < n; ++t) {
            std::int32_t *const list = r.chosen + t * most_tokens, *end = list;
            for (std::int32_t const j : seen)
                if (j >= 0 && j <= t) *end++ = j;
            std::int32_t* const of_columns = end;
            for (std::int32_t const b : back)
                if (b >= 0 && b <= t && std::find(list, of_columns, t - b) == of_columns) *end++ = t - b;
            std::fill(end, list + most_tokens, -1);
        }
    }
};

} // namespace detail
} // namespace inlay::inline INLAY_ISA
