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

/// EASE, fitted to whole histories: the score of item j for a history is the sum of the weights that its
/// items give j.
///
/// In a model it is `Embed<Items, BagSum>` over a Bag of items, whose table these weights are. Cost of a fit:
/// items^3 5/3 flops, and the square of each history; memory: three matrices of doubles.
struct Ease {
    int items = 0;
    std::vector<float> weight{}; ///< [items, items]; row i says what item i speaks for

    template <class Solver = PlainCholesky> static Ease fit(Interactions const& x, double l2) {
        auto const b = ease_weights<Solver>(x.items, x.gram(), l2);
        return {x.items, std::vector<float>(b.begin(), b.end())};
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
