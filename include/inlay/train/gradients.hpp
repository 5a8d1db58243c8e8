// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <inlay/train/reduce.hpp>

namespace inlay::inline INLAY_ISA {

namespace detail {
/// The gradients of the shards of a batch, or of several batches one after the other, and their sum. Dense
/// ones are summed in a fixed tree; rows of tables by row, in the order of batch, shard and slot.
template <class M, int ShardRows> class Gradients {
public:
    using T = typename M::T;
    using Shard = typename M::Block::template Grads<ShardRows>;

    Gradients(int shards, int batches) : batches_(batches) {
        for (int k = 0; k < shards; ++k) {
            memory_.push_back(aligned_bytes(sizeof(Shard) + 64));
            tensors_.push_back(list_grads<T, M>(shard(k)));
        }
        for (auto const& g : tensors_[0]) {
            Table table;
            if (g.id) {
                auto const slots = std::size_t(g.rows) * std::size_t(shards);
                table.keys.reserve(slots);
                table.rows.reserve(slots * std::size_t(batches));
                if (batches > 1) {
                    table.held_keys.reserve(slots * std::size_t(batches));
                    table.held.reserve(slots * std::size_t(batches * g.width));
                }
            }
            tables_.push_back(std::move(table));
        }
    }

    Shard& shard(int k) noexcept { return *reinterpret_cast<Shard*>(memory_[std::size_t(k)].get()); }
    /// Makes a shard's gradients nothing.
    void clear(int k) noexcept {
        for (auto const& g : tensors_[std::size_t(k)]) inlay::clear(g);
    }
    /// Makes a shard's slots empty, and leaves what adds up as it is.
    void clear_slots(int k) noexcept {
        for (auto const& g : tensors_[std::size_t(k)])
            if (g.id) inlay::clear(g);
    }
    /// Puts the slots of one of several batches aside.
    void hold(int active) {
        for (std::size_t i = 0; i < tables_.size(); ++i) {
            if (!tensors_[0][i].id) continue;
            merge_slots(i, active);
            Table& t = tables_[i];
            for (auto const& [row, sum] : t.rows) {
                auto const place = std::uint32_t(t.held_keys.size());
                t.held_keys.push_back(row_key(std::int32_t(row), place));
                t.held.insert(t.held.end(), sum, sum + tensors_[0][i].width);
            }
        }
    }
    /// Sums `active` shards of tensor i, and what was put aside.
    void sum(std::size_t i, int active) {
        auto const& g = tensors_[0][i];
        if (!g.id) return add_tree(tensors_, i, active);
        if (batches_ == 1) return merge_slots(i, active);
        Table& t = tables_[i];
        merge_rows<T>(
            t.held_keys, g.width,
            [&](std::uint32_t place) { return t.held.data() + std::size_t(place) * std::size_t(g.width); },
            t.rows);
    }
    /// Forgets what was put aside.
    void release() noexcept {
        for (Table& t : tables_) t.held_keys.clear(), t.held.clear();
    }

    /// Calls f(at, g, n) for each run of n numbers of the sum of tensor i, where `at` counts elements of the
    /// parameter, whose rows are `stride` apart: all of it, or the rows that occurred.
    template <class F> void each_run(std::size_t i, int stride, F f) const {
        auto const& g = tensors_[0][i];
        if (g.id)
            for (auto const& [row, total] : tables_[i].rows) f(row * stride, total, std::ptrdiff_t(g.width));
        else if (g.touched) {
            for (int r = 0; r < g.rows; ++r)
                if (g.touched[r])
                    f(std::ptrdiff_t(r) * stride, g.data + std::ptrdiff_t(r) * g.stride,
                      std::ptrdiff_t(g.width));
        } else f(std::ptrdiff_t(0), g.data, std::ptrdiff_t(g.size()));
    }

private:
    struct Table {
        std::vector<std::uint64_t> keys, held_keys;
        std::vector<T> held;
        std::vector<RowSum<T>> rows;
    };
    static constexpr int slot_bits = 26;

    void merge_slots(std::size_t i, int active) {
        auto& keys = tables_[i].keys;
        keys.clear();
        for (int k = 0; k < active; ++k) {
            auto const& g = tensors_[std::size_t(k)][i];
            for (int s = 0; s < g.rows; ++s)
                if (g.id[s] >= 0)
                    keys.push_back(row_key(g.id[s], std::uint32_t(k) << slot_bits | std::uint32_t(s)));
        }
        merge_rows<T>(
            keys, tensors_[0][i].width,
            [&](std::uint32_t place) {
                auto const& g = tensors_[place >> slot_bits][i];
                return g.data + std::ptrdiff_t(place & ((1u << slot_bits) - 1)) * g.stride;
            },
            tables_[i].rows);
    }

    int batches_;
    std::vector<AlignedBytes> memory_;
    std::vector<std::vector<TensorRef<T>>> tensors_; // by shard
    std::vector<Table> tables_;                      // by tensor; empty for a dense one
};
} // namespace detail

} // namespace inlay::inline INLAY_ISA
