// SPDX-License-Identifier: BSD-3-Clause
// Negatives from the other rows of the batch: a query's vector and its item's, side by side.
#pragma once

#include <inlay/kernels/map.hpp>
#include <inlay/train/loss/candidates.hpp>

namespace inlay::inline INLAY_ISA {

/// Words of a misfit.
struct a_vector_of_even_width;

namespace detail {
/// n vectors of k numbers, and their cotangents.
template <class T> struct Tower {
    T const* data;
    std::ptrdiff_t stride;
    T* grad;
    std::ptrdiff_t grad_stride;
    T const* operator[](int i) const noexcept { return data + i * stride; }
    T* d(int i) const noexcept { return grad + i * grad_stride; }
};

template <class Rule, class... P> struct FromSource<Rule, InBatch, P...> {
    using Allowed = List<HowScoresAreSharpened, HowTowersAreCompared>;
    static constexpr bool cosine =
        std::is_same_v<typename PolicyOr<HowTowersAreCompared, DotProduct, P...>::type, CosineSimilarity>;
    template <class Loss, class Output>
    using Problem =
        LossMust<Output::rows == 1 && Output::width % 2 == 0, Loss, Output, a_vector_of_even_width>;

    static constexpr int targets(int) { return Rule::corrects ? 2 : 1; }
    static bool valid(float const* y, int) noexcept { return *y >= 0; }
    static bool possible(float const* y, int i, int) noexcept {
        if (i == 1) return !(*y >= 0) || std::isfinite(y[1]);
        return possible_class(*y, 1 << 24);
    }
    static std::string wanted(int i, int) {
        return i == 1 ? "the logarithm of a probability" : "an item's id up to 2^24, or a negative number";
    }
    template <class V> static constexpr std::size_t scratch(int rows) {
        using T = std::remove_const_t<std::remove_pointer_t<decltype(V::data)>>;
        auto const n = std::size_t(rows);
        return lines(n * sizeof(int)) + lines(n * sizeof(double)) +
               (cosine ? 4 * lines(n * (V::width / 2) * sizeof(T)) + lines(2 * n * sizeof(double)) : 0);
    }

    template <class Loss, class C, class V, class D>
    static double run(C const& c, V y, Targets const& targets, double scale, D dy, Scratch room) noexcept {
        using T = std::remove_reference_t<decltype(*dy.data)>;
        constexpr int k = V::width / 2;
        Sums const sums{targets, scale, room.take<int>(std::size_t(c.rows)),
                        room.take<double>(std::size_t(c.rows))};
        int n = 0;
        each_valid_token<Loss>(y, c.rows, targets,
                               [&](int b, int, float const*) noexcept { sums.row[n++] = b; });
        Tower<T> query{y.data, V::stride, dy.data, V::stride},
            item{y.data + k, V::stride, dy.data + k, V::stride};
        if constexpr (!cosine) return both<Loss>(sums, n, k, query, item);
        else {
            auto const each = std::size_t(c.rows) * k;
            auto* length = room.take<double>(2 * std::size_t(c.rows));
            auto const unit = [&](Tower<T> from, double* lengths) noexcept {
                T *u = room.take<T>(each), *du = room.take<T>(each);
                for (int i = 0; i < n; ++i) {
                    int const b = sums.row[i];
                    lengths[i] =
                        std::max(std::sqrt(double(kernels::dot<lanes<T>>(k, from[b], from[b]))), 1e-12);
                    kernels::scale<lanes<T>>(k, T(1 / lengths[i]), from[b], u + std::ptrdiff_t(b) * k);
                    kernels::clear(du + std::ptrdiff_t(b) * k, k);
                }
                return Tower<T>{u, k, du, k};
            };
            // dx = (du - u <u, du>) / |x|
            auto const back = [&](Tower<T> from, double const* lengths, Tower<T> to) noexcept {
                for (int i = 0; i < n; ++i) {
                    int const b = sums.row[i];
                    T const along = kernels::dot<lanes<T>>(k, from[b], from.d(b));
                    kernels::axpy<lanes<T>>(k, -along, from[b], from.d(b));
                    kernels::scale<lanes<T>>(k, T(1 / lengths[i]), from.d(b), to.d(b));
                }
            };
            auto const u = unit(query, length), v = unit(item, length + c.rows);
            double const loss = both<Loss>(sums, n, k, u, v);
            back(u, length, query);
            back(v, length + c.rows, item);
            return loss;
        }
    }

private:
    template <class T> static constexpr int lanes = std::max(1, INLAY_VECTOR_BYTES / int(sizeof(T)));
    struct Sums {
        Targets const& targets;
        double scale;
        int* row;  ///< those that take part
        double* s; ///< scores of one query
    };
    /// Items for each query, and where the loss is symmetric the mean of that and of queries for each item.
    template <class Loss, class T>
    static double both(Sums const& sums, int n, int k, Tower<T> query, Tower<T> item) noexcept {
        if constexpr (requires { Loss::symmetric; })
            if constexpr (Loss::symmetric)
                return one<Loss>(sums, n, k, query, item, 0.5) + one<Loss>(sums, n, k, item, query, 0.5);
        return one<Loss>(sums, n, k, query, item, 1);
    }
    template <class Loss, class T>
    static double one(Sums const& sums, int n, int k, Tower<T> from, Tower<T> to, double part) noexcept {
        double loss = 0;
        for (int i = 0; i < n; ++i) {
            // The row's own item stands first, in the place of row 0, which takes its place.
            auto const other = [&](int j) noexcept { return sums.row[j == 0 ? i : j == i ? 0 : j]; };
            int const b = sums.row[i];
            float const* mine = target(sums, b);
            for (int j = 0; j < n; ++j) {
                float const* theirs = target(sums, other(j));
                if (j > 0 && *theirs == *mine) sums.s[j] = -std::numeric_limits<double>::infinity();
                else {
                    sums.s[j] = sharpness<P...> * double(kernels::dot<lanes<T>>(k, from[b], to[other(j)]));
                    if constexpr (Rule::corrects) sums.s[j] -= double(theirs[1]);
                }
            }
            double const weight = sums.scale * sums.targets.weight_of(b) * part;
            loss += weight * Rule::value(sums.s, n, Loss::items(0));
            for (int j = 0; j < n; ++j) {
                T const ds = T(weight * sharpness<P...> * sums.s[j]);
                if (ds == 0) continue;
                kernels::axpy<lanes<T>>(k, ds, to[other(j)], from.d(b));
                kernels::axpy<lanes<T>>(k, ds, from[b], to.d(other(j)));
            }
        }
        return loss;
    }
    static float const* target(Sums const& sums, int b) noexcept {
        return sums.targets.data + std::ptrdiff_t(b) * sums.targets.each_row;
    }
};
} // namespace detail

} // namespace inlay::inline INLAY_ISA
