// SPDX-License-Identifier: BSD-3-Clause
// Gradients of shards into one step of the optimizer, in an order that no thread can change.
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
/// A buffer is moved by the mean of what the shards' slots ask for.
template <class T>
void move_buffer(TensorRef<T> const& buffer, std::vector<std::vector<TensorRef<T>>> const& shards,
                 std::size_t tensor, int active) noexcept {
    add_tree(shards, tensor, active);
    auto const& sum = shards[0][tensor];
    for (std::size_t i = 0, n = buffer.size(); i < n; ++i) buffer.data[i] += sum.data[i] / T(active);
}

/// Slots of all shards summed row by row in the order of shard and slot: f(row, sum) for each row that
/// occurs.
template <class T, class F>
void each_row_of_slots(std::vector<std::vector<TensorRef<T>>> const& shards, std::size_t tensor, int active,
                       std::vector<std::uint64_t>& keys, std::vector<T>& sum, F f) {
    keys.clear(); // room was reserved at construction
    for (int k = 0; k < active; ++k) {
        auto const& g = shards[std::size_t(k)][tensor];
        for (int s = 0; s < g.rows; ++s)
            if (g.id[s] >= 0)
                keys.push_back(std::uint64_t(std::uint32_t(g.id[s])) << 32 | std::uint64_t(k) << 26 |
                               std::uint64_t(s));
    }
    std::sort(keys.begin(), keys.end());
    for (std::size_t i = 0; i < keys.size();) {
        std::uint64_t const row = keys[i] >> 32;
        int const width = shards[0][tensor].width;
        std::fill_n(sum.begin(), width, T(0));
        for (; i < keys.size() && keys[i] >> 32 == row; ++i) {
            auto const& g = shards[std::size_t(keys[i] >> 26 & 63)][tensor];
            T const* from = g.data + std::ptrdiff_t(keys[i] & 0x3FFFFFF) * g.stride;
            for (int j = 0; j < width; ++j) sum[std::size_t(j)] += from[j];
        }
        f(std::ptrdiff_t(row), sum.data());
    }
}
} // namespace detail

} // namespace inlay::inline INLAY_ISA
