// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <inlay/train/reduce.hpp>

namespace inlay::inline INLAY_ISA {

namespace detail {
/// The gradients of the shards of a batch, or of several batches one after the other, and their sum. Dense
/// ones are summed in a fixed tree; those of tables by row, in the order of batch, shard and slot.
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
            auto const slots = g.id ? std::size_t(g.rows) * std::size_t(shards) : 0;
            auto const held = batches > 1 ? slots * std::size_t(batches) : 0;
            tables_.push_back({RowSums<T>(slots), RowSums<T>(held), {}});
            tables_.back().numbers.reserve(held * std::size_t(g.width));
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
    /// Adds the slots of one of several batches to those put aside.
    void hold(int active) {
        for (std::size_t i = 0; i < tables_.size(); ++i) {
            if (!tensors_[0][i].id) continue;
            sum_slots(i, active);
            auto& [slots, held, numbers] = tables_[i];
            int const width = tensors_[0][i].width;
            for (auto const& [row, total] : slots.rows())
                held.add(std::int32_t(row), total, width, [&](T const* from) {
                    numbers.insert(numbers.end(), from, from + width); // reserved, so it does not move
                    return numbers.data() + numbers.size() - width;
                });
        }
    }
    /// Sums `active` shards of tensor i.
    void sum(std::size_t i, int active) {
        if (!tensors_[0][i].id) add_tree(tensors_, i, active);
        else if (batches_ == 1) sum_slots(i, active);
    }
    /// Forgets what was put aside.
    void release() noexcept {
        if (batches_ > 1)
            for (Table& t : tables_) t.held.clear(), t.numbers.clear();
    }

    /// Calls f(at, g, n) for each run of n numbers of the sum of tensor i, where `at` counts elements of the
    /// parameter, whose rows are `stride` apart: all of it, or the rows that occurred.
    template <class F> void each_run(std::size_t i, int stride, F f) const {
        auto const& g = tensors_[0][i];
        if (g.id)
            for (auto const& [row, total] : (batches_ > 1 ? tables_[i].held : tables_[i].slots).rows())
                f(row * stride, total, std::ptrdiff_t(g.width));
        else if (g.touched) {
            for (int r = 0; r < g.rows; ++r)
                if (g.touched[r])
                    f(std::ptrdiff_t(r) * stride, g.data + std::ptrdiff_t(r) * g.stride,
                      std::ptrdiff_t(g.width));
        } else f(std::ptrdiff_t(0), g.data, std::ptrdiff_t(g.size()));
    }

private:
    struct Table {
        RowSums<T> slots, held; // of a batch, and of those put aside
        std::vector<T> numbers; // of the latter
    };
    void sum_slots(std::size_t i, int active) {
        auto& slots = tables_[i].slots;
        slots.clear();
        for (int k = 0; k < active; ++k) {
            auto const& g = tensors_[std::size_t(k)][i];
            for (int s = 0; s < g.rows; ++s)
                if (g.id[s] >= 0)
                    slots.add(g.id[s], g.data + std::ptrdiff_t(s) * g.stride, g.width,
                              [](T* from) { return from; });
        }
    }

    int batches_;
    std::vector<AlignedBytes> memory_;
    std::vector<std::vector<TensorRef<T>>> tensors_; // by shard
    std::vector<Table> tables_;                      // by tensor; empty for a dense one
};
} // namespace detail

} // namespace inlay::inline INLAY_ISA
