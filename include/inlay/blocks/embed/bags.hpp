// SPDX-License-Identifier: BSD-3-Clause
// How Embed makes one row of the rows of a bag.
#pragma once

#include <inlay/blocks/embed/rows.hpp>
#include <inlay/core/policy.hpp>
#include <inlay/core/view.hpp>
#include <inlay/kernels/gather.hpp>

namespace inlay::inline INLAY_ISA {

/// Policies of Embed for sets and histories: the mean of their rows unless told otherwise, their sum, their
/// sum over the root of their number, or their greatest value, element by element; an empty bag gives zeros.
/// The gradient of BagMax goes to the first row that reaches it.
///
/// Of a field that is Weighted, each row is multiplied by its weight: BagMean divides by the number of rows,
/// BagWeightedMean by the sum of weights, BagSqrtN by the root of the sum of their squares; weights of sum
/// zero give zeros. BagMax takes no weights.
struct BagMean {
    using PolicyKind = struct BagPooling;
    template <class T> static T share(int n, float const*) noexcept { return T(1) / T(n); }
};
struct BagSum {
    using PolicyKind = struct BagPooling;
    template <class T> static T share(int, float const*) noexcept { return T(1); }
};
struct BagSqrtN {
    using PolicyKind = struct BagPooling;
    template <class T> static T share(int n, float const* weights) noexcept {
        T sum(0);
        for (int k = 0; k < n; ++k) sum += weights ? T(weights[k]) * T(weights[k]) : T(1);
        return sum > 0 ? T(1) / std::sqrt(sum) : T(0);
    }
};
struct BagWeightedMean {
    using PolicyKind = struct BagPooling;
    template <class T> static T share(int n, float const* weights) noexcept {
        T sum(0);
        for (int k = 0; k < n; ++k) sum += weights ? T(weights[k]) : T(1);
        return sum != 0 ? T(1) / sum : T(0);
    }
};
struct BagMax {
    using PolicyKind = struct BagPooling;
};

namespace detail {
/// One bag over a table whose rows of D numbers are packed.
template <class How, int D, int W, class T> struct BagOf {
    static constexpr std::size_t scratch = 0;
    template <class Table>
    static void look_up(int n, std::int32_t const* ids, float const* weights, Table const& table,
                        T* y) noexcept {
        kernels::clear(y, D);
        T const share = n > 0 ? How::template share<T>(n, weights) : T(0);
        for (int k = 0; k < n; ++k) add_row<W>(table, ids[k], weighed(share, weights, k), y);
    }
    template <class Grads>
    static void put(int n, std::int32_t const* ids, float const* weights, T const*, T const* dy, Grads& table,
                    int slot, Scratch) noexcept {
        T const share = n > 0 ? How::template share<T>(n, weights) : T(0);
        for (int k = 0; k < n; ++k) table.put(slot + k, ids[k], dy, weighed(share, weights, k));
    }

private:
    static T weighed(T share, float const* weights, int k) noexcept {
        return weights ? share * T(weights[k]) : share;
    }
};
template <int D, int W, class T> struct BagOf<BagMax, D, W, T> {
    static constexpr std::size_t scratch =
        2 * lines(sizeof(T) * std::size_t(D)) + lines(sizeof(std::int32_t) * std::size_t(D));
    template <class Table>
    static void look_up(int n, std::int32_t const* ids, float const*, Table const& table, T* y) noexcept {
        if (n == 0) return kernels::clear(y, D);
        read_row(table, ids[0], y);
        for (int k = 1; k < n; ++k) raise_row(table, ids[k], y);
    }
    template <class Grads>
    static void put(int n, std::int32_t const* ids, float const*, T const* table, T const* dy, Grads& grads,
                    int slot, Scratch s) noexcept {
        T* const most = s.template take<T>(std::size_t(D));
        T* const own = s.template take<T>(std::size_t(D));
        auto* const winner = s.template take<std::int32_t>(std::size_t(D));
        if (n > 0) std::copy_n(table + std::ptrdiff_t(ids[0]) * D, D, most);
        std::fill_n(winner, D, 0);
        for (int k = 1; k < n; ++k)
            kernels::raise(D, table + std::ptrdiff_t(ids[k]) * D, most, std::int32_t(k), winner);
        for (int k = 0; k < n; ++k) {
            for (int i = 0; i < D; ++i) own[i] = winner[i] == k ? dy[i] : T(0);
            grads.put(slot + k, ids[k], own, T(1));
        }
    }
};
template <class Spec> struct PoolingOf {
    using type = BagMean;
};
template <class Spec>
    requires requires { typename Spec::Pooling; }
struct PoolingOf<Spec> {
    using type = typename Spec::Pooling;
};
} // namespace detail

} // namespace inlay::inline INLAY_ISA
