// SPDX-License-Identifier: BSD-3-Clause
// Choices that are made once for a prompt.
#pragma once

#include <inlay/blocks/sparse/chosen_blocks.hpp>
#include <inlay/blocks/sparse/chosen_tokens.hpp>

#include <numeric>

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
    static constexpr int W = S::W, group = S::H / S::K, queries = std::min(S::rows, Pattern::queries),
                         most_tokens = Pattern::share > 0
                                           ? S::rows
                                           : std::min(S::rows, Pattern::columns + Pattern::diagonals);

    template <int B> struct Tape {
        std::int32_t chosen[std::size_t(B)][std::size_t(S::H)][std::size_t(S::rows * most_tokens)];
    };
    struct Room {
        T* weight;
        double *column, *diagonal; ///< what keys and distances are given
        std::int32_t *seen, *back; ///< keys and distances, those that are given most first
        std::int32_t* chosen;
        T of_key(int) const noexcept { return T(0); }
        void collect(int, T) const noexcept {}
    };
    static constexpr std::size_t scratch = lines(sizeof(T) * padded(S::rows, W)) +
                                           2 * lines(sizeof(double) * S::rows) +
                                           2 * lines(sizeof(std::int32_t) * S::rows) +
                                           lines(sizeof(std::int32_t) * std::size_t(S::rows * most_tokens));
    static constexpr std::size_t step_scratch = 0;
    static constexpr double choosing() { return 2.0 * S::d * S::rows * queries; }
    static constexpr double pairs() {
        double n = 0;
        for (int t = 0; t < S::rows; ++t) n += std::min(t + 1, most_tokens);
        return n;
    }

    template <class C> static Room take(C const&, Scratch& s) noexcept {
        T* const weight = s.template take<T>(std::size_t(padded(S::rows, W)));
        auto const mass = [&] { return s.template take<double>(std::size_t(S::rows)); };
        auto const list = [&](int n) { return s.template take<std::int32_t>(std::size_t(S::rows * n)); };
        double *const column = mass(), *const diagonal = mass();
        std::int32_t *const seen = list(1), *const back = list(1);
        return {weight, column, diagonal, seen, back, list(most_tokens)};
    }
    /// Head h of sequence b of a tape; one that is read is not written through this.
    template <class Tp> static void on(Tp& tape, int b, int h, Order, Room& r) noexcept {
        r.chosen = const_cast<std::int32_t*>(tape.chosen[b][h]);
    }
    static void choose(int h, Rows const& rows, int n, Room& r) noexcept {
        std::fill_n(r.column, n, 0.0), std::fill_n(r.diagonal, n, 0.0);
        for (int t = std::max(0, n - queries); t < n; ++t) {
            for (int j = 0; j <= t; ++j)
                r.weight[j] = T(1 / std::sqrt(double(S::d))) *
                              kernels::dot<W>(S::d, rows.q(h, t), rows.k(h / group, j));
            kernels::softmax<W>(1, t + 1, r.weight, S::rows, r.weight, S::rows);
            for (int j = 0; j <= t; ++j)
                r.column[j] += double(r.weight[j]), r.diagonal[t - j] += double(r.weight[j]);
        }
        int const columns = largest(n, r.column, Pattern::first_columns, Pattern::columns, r.seen),
                  diagonals = largest(n, r.diagonal, Pattern::nearest_diagonals, Pattern::diagonals, r.back);
        constexpr double taken = -1;
        for (int i = 0; i < columns; ++i) r.column[r.seen[i]] = taken;
        for (int t = 0; t < n; ++t) {
            std::int32_t *const list = r.chosen + t * most_tokens, *end = list;
            for (int i = 0; i < columns; ++i)
                if (r.seen[i] <= t) *end++ = r.seen[i];
            for (int i = 0; i < diagonals; ++i)
                if (int const key = t - r.back[i]; key >= 0 && r.column[key] != taken) *end++ = key;
            std::fill(end, list + most_tokens, -1);
        }
    }

private:
    /// Puts the places of the largest masses in order, the first `forced` before all, and returns how many
    /// are wanted: `count`, or as many as hold the share.
    static int largest(int n, double* mass, int forced, int count, std::int32_t* to) noexcept {
        std::replace_if(mass, mass + n, [](double m) { return !(m == m); }, 0.0); // NaN has no order
        std::fill_n(mass, std::min(n, forced), double(std::numeric_limits<T>::infinity()));
        std::iota(to, to + n, 0);
        std::sort(to, to + n, [&](std::int32_t a, std::int32_t b) {
            return mass[a] > mass[b] || (mass[a] == mass[b] && a < b);
        });
        int held = 0;
        if constexpr (Pattern::share > 0)
            for (double sum = 0; sum <= Pattern::share * std::min(n, queries) && held < n; ++held)
                sum += mass[to[held]];
        return std::min(n, std::max(held, count));
    }
};

} // namespace detail
} // namespace inlay::inline INLAY_ISA
