// SPDX-License-Identifier: BSD-3-Clause
// Gradients of shards into one, in an order that no thread can change.
#pragma once

#include <inlay/train/parameters.hpp>

namespace inlay::inline INLAY_ISA {

namespace detail {
/// dst += src, dense; marks travel along.
template <class T> void add_dense(TensorRef<T> const& src, TensorRef<T> const& dst) noexcept {
    if (src.touched) {
        for (int r = 0; r < src.rows; ++r) {
            if (!src.touched[r]) continue;
            dst.touched[r] = 1;
            T const* from = src.data + std::ptrdiff_t(r) * src.stride;
            T* to = dst.data + std::ptrdiff_t(r) * dst.stride;
            for (int i = 0; i < src.width; ++i) to[i] += from[i];
        }
        return;
    }
    for (std::size_t i = 0, n = src.size(); i < n; ++i) dst.data[i] += src.data[i];
}
/// Sums `active` shards into the first, pairwise in a fixed tree.
template <class T>
void add_tree(std::vector<std::vector<TensorRef<T>>> const& shards, std::size_t tensor, int active) noexcept {
    for (int reach = 1; reach < active; reach *= 2)
        for (int k = 0; k + reach < active; k += 2 * reach)
            add_dense(shards[std::size_t(k + reach)][tensor], shards[std::size_t(k)][tensor]);
}
/// One row of a table's gradient.
template <class T> struct RowSum {
    std::ptrdiff_t row;
    T* sum;
};
/// A table's row and where one of its gradients lies, in one number: sorting puts equal rows side by side, in
/// the order of their places.
constexpr std::uint64_t row_key(std::int32_t row, std::uint32_t place) noexcept {
    return std::uint64_t(std::uint32_t(row)) << 32 | place;
}
/// Sums what belongs to one row into its first place: `at(place)` points to `width` numbers.
template <class T, class At>
void merge_rows(std::vector<std::uint64_t>& keys, int width, At at, std::vector<RowSum<T>>& rows) {
    std::sort(keys.begin(), keys.end());
    rows.clear(); // room was reserved at construction
    for (std::uint64_t const key : keys) {
        auto const row = std::ptrdiff_t(key >> 32);
        T* const from = at(std::uint32_t(key));
        if (rows.empty() || rows.back().row != row) {
            rows.push_back({row, from});
            continue;
        }
        for (int j = 0; j < width; ++j) rows.back().sum[j] += from[j];
    }
}
} // namespace detail

} // namespace inlay::inline INLAY_ISA
