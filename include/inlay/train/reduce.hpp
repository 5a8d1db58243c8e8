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
/// Gradients of a table's rows summed by row, in the order in which they come; the rows in the order of their
/// first. Each finds its row by a hash, whose room is twice what there may be.
template <class T> class RowSums {
public:
    explicit RowSums(std::size_t most = 0) {
        while (std::size_t(1) << bits_ < 2 * most) ++bits_;
        place_.resize(most ? std::size_t(1) << bits_ : 0);
        rows_.reserve(most);
    }
    void clear() noexcept {
        std::fill(place_.begin(), place_.end(), 0u);
        rows_.clear();
    }
    /// Adds the `width` numbers at `from` to those of their row; if they are the first, `first(from)` says
    /// where the sum is to be, and holds them already.
    template <class First> void add(std::int32_t row, T* from, int width, First first) {
        std::size_t const last = place_.size() - 1;
        // By the upper bits of the product: neighbouring rows lie apart.
        std::size_t at = bits_ ? std::uint32_t(row) * 0x9E3779B1U >> (32 - bits_) : 0;
        for (; place_[at]; at = (at + 1) & last) {
            auto& found = rows_[place_[at] - 1];
            if (found.row != row) continue;
            for (int j = 0; j < width; ++j) found.sum[j] += from[j];
            return;
        }
        rows_.push_back({row, first(from)}); // room was reserved at construction
        place_[at] = std::uint32_t(rows_.size());
    }
    std::vector<RowSum<T>> const& rows() const noexcept { return rows_; }

private:
    int bits_ = 0;
    std::vector<std::uint32_t> place_; // in rows_, from 1
    std::vector<RowSum<T>> rows_;
};
} // namespace detail

} // namespace inlay::inline INLAY_ISA
