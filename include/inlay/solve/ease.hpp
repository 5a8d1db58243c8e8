// SPDX-License-Identifier: BSD-3-Clause
// A linear model between items, fitted in closed form.
#pragma once

#include <inlay/core/error.hpp>
#include <inlay/core/joined.hpp>
#include <inlay/solve/cholesky.hpp>

#include <cstdint>
#include <span>
#include <string>

namespace inlay::inline INLAY_ISA {

/// Which items each user chose, user by user.
struct Interactions {
    int items = 0;
    std::vector<std::size_t> first{0}; ///< of each user's items, and one more
    std::vector<std::int32_t> item{};

    std::size_t users() const noexcept { return first.size() - 1; }
    std::span<std::int32_t const> operator[](std::size_t u) const noexcept {
        return {item.data() + first[u], first[u + 1] - first[u]};
    }
    /// One more user. Items are different from each other; one that is not below `items` throws Error.
    void add(std::span<std::int32_t const> chosen) {
        for (std::int32_t i : chosen)
            if (i < 0 || i >= items)
                detail::fail(Error("", detail::joined("Interactions, user ", users()),
                                   detail::joined("items 0 to ", items - 1), std::to_string(i)));
        item.insert(item.end(), chosen.begin(), chosen.end());
        first.push_back(item.size());
    }
    /// G = X^T X: how many users chose both of two items, [items, items].
    std::vector<double> gram() const {
        std::vector<double> g(std::size_t(items) * std::size_t(items));
        for (std::size_t u = 0; u < users(); ++u)
            for (std::int32_t i : (*this)[u])
                for (std::int32_t j : (*this)[u])
                    g[std::size_t(i) * std::size_t(items) + std::size_t(j)] += 1;
        return g;
    }
};

/// The weights B [n, n] with zero diagonal that minimise |X - X B|^2 + l2 |B|^2, from the n x n matrix G =
/// X^T X (EASE, arXiv 1905.03375): P = (G + l2)^-1, B_ij = -P_ij / P_jj. Weights may be negative, which
/// counts. Throws Error where G + l2 is not positive definite.
template <class Solver = PlainCholesky>
std::vector<double> ease_weights(int n, std::vector<double> gram, double l2) {
    if (n < 1 || gram.size() != std::size_t(n) * std::size_t(n))
        detail::fail(
            Error("", "ease_weights", detail::joined(n, " x ", n, " numbers"), std::to_string(gram.size())));
    auto const stride = std::size_t(n);
    for (std::size_t i = 0; i < stride; ++i) gram[i * stride + i] += l2;
    if (!Solver::invert(n, gram.data()))
        detail::fail(Error("", "ease_weights, l2", "as large that X^T X + l2 is positive definite",
                           std::to_string(l2)));
    std::vector<double> inverse(stride);
    for (std::size_t j = 0; j < stride; ++j) inverse[j] = -1 / gram[j * stride + j];
    for (std::size_t i = 0; i < stride; ++i)
        for (std::size_t j = 0; j < stride; ++j)
            gram[i * stride + j] = i == j ? 0 : gram[i * stride + j] * inverse[j];
    return gram;
}

/// What ease_weights lets through.
struct EaseSlopes {
    std::vector<double> gram; ///< [n, n], of each number by itself: that of X is X (gram + gram^T)
    double l2 = 0;
};
/// The slopes of ease_weights at the same G and l2, for slopes [n, n] of the weights, by which l2, or what G
/// is made of, is tuned on held-out users: with dP_ij = -dB_ij / P_jj, dP_jj = sum over i != j of dB_ij P_ij
/// / P_jj^2, dG = -P dP P and dl2 its trace. Cost: the inverse again and 4 n^3 flops. Throws as ease_weights.
template <class Solver = PlainCholesky>
EaseSlopes ease_slopes(int n, std::vector<double> gram, double l2, std::vector<double> const& slopes) {
    auto const stride = std::size_t(n);
    if (n < 1 || gram.size() != stride * stride || slopes.size() != gram.size())
        detail::fail(Error("", "ease_slopes", detail::joined("twice ", n, " x ", n, " numbers"),
                           detail::joined(gram.size(), " and ", slopes.size())));
    for (std::size_t i = 0; i < stride; ++i) gram[i * stride + i] += l2;
    if (!Solver::invert(n, gram.data()))
        detail::fail(Error("", "ease_slopes, l2", "as large that X^T X + l2 is positive definite",
                           std::to_string(l2)));
    std::vector<double> inner(gram.size()), half(gram.size());
    for (std::size_t i = 0; i < stride; ++i)
        for (std::size_t j = 0; j < stride; ++j) {
            if (i == j) continue;
            double const own = gram[j * stride + j], slope = slopes[i * stride + j];
            inner[i * stride + j] = -slope / own;
            inner[j * stride + j] += slope * gram[i * stride + j] / (own * own);
        }
    constexpr int W = native_lanes<double>;
    auto const times = [&](std::vector<double> const& a, double sign, std::vector<double> const& b,
                           std::vector<double>& c) {
        std::fill(c.begin(), c.end(), 0.0);
        for (std::size_t i = 0; i < stride; ++i)
            for (std::size_t k = 0; k < stride; ++k)
                kernels::axpy<W>(n, sign * a[i * stride + k], b.data() + k * stride, c.data() + i * stride);
    };
    times(gram, -1, inner, half);
    times(half, 1, gram, inner);
    EaseSlopes all{std::move(inner)};
    for (std::size_t i = 0; i < stride; ++i) all.l2 += all.gram[i * stride + i];
    return all;
}

/// EASE, fitted to whole histories: the score of item j for a history is the sum of the weights that its
/// items give j.
///
/// In a model it is `Embed<Items, BagSum>` over a Bag of items, whose table these weights are, or over a
/// vector of choices `ItemToItem`, which can be trained on. Cost of a fit: items^3 5/3 flops, and the square
/// of each history; memory: three matrices of doubles.
struct Ease {
    int items = 0;
    std::vector<float> weight{}; ///< [items, items]; row i says what item i speaks for

    template <class Solver = PlainCholesky> static Ease fit(Interactions const& x, double l2) {
        auto const b = ease_weights<Solver>(x.items, x.gram(), l2);
        return {x.items, std::vector<float>(b.begin(), b.end())};
    }
    /// Fills the weight of an ItemToItem, or of a Dense, by its `ref()`.
    template <class Ref> void write_to(Ref const& w) const noexcept {
        for (int i = 0; i < items; ++i)
            for (int j = 0; j < items; ++j)
                w(j, i) = weight[std::size_t(i) * std::size_t(items) + std::size_t(j)];
    }
    /// Scores of all items; those of the history itself are among them.
    void score(std::span<std::int32_t const> history, std::span<float> scores) const noexcept {
        std::fill(scores.begin(), scores.end(), 0.0f);
        for (std::int32_t i : history)
            kernels::axpy<native_lanes<float>>(items, 1.0f, weight.data() + std::ptrdiff_t(i) * items,
                                               scores.data());
    }
};

} // namespace inlay::inline INLAY_ISA
