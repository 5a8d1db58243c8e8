// SPDX-License-Identifier: BSD-3-Clause
// The bodies of Trainer: its room, and one step.
#pragma once

#include <inlay/train/trainer_class.hpp>

#include <cstring>

namespace inlay::inline INLAY_ISA {

template <class M, class Loss, class B, class Opt, class Exec> void Trainer<M, Loss, B, Opt, Exec>::reset() {
    std::size_t widest = 0, slots = 0;
    for (int k = 0; k < shards; ++k) {
        grad_memory_.push_back(detail::aligned_bytes(sizeof(Grads) + 64));
        grads_.push_back(detail::list_grads<T, M>(*reinterpret_cast<Grads*>(grad_memory_.back().get())));
    }
    for (auto const& g : grads_[0]) {
        widest = std::max(widest, std::size_t(g.width));
        if (g.id) slots = std::max(slots, std::size_t(g.rows));
    }
    keys_.reserve(slots * shards);
    sum_.resize(widest + 1);
    shard_loss_.resize(shards);
    for (int k = 0; k < shards; ++k) staging_.emplace_back(targets);
    for (int w = 0; w < exec_.workers(); ++w) {
        constexpr std::size_t tape = detail::lines(sizeof(Tape));
        auto memory = detail::aligned_bytes(tape + 2 * output_bytes + scratch_bytes + 64);
        auto* at = memory.get();
        workers_.push_back({std::move(memory), reinterpret_cast<Tape*>(at), reinterpret_cast<T*>(at + tape),
                            reinterpret_cast<T*>(at + tape + output_bytes),
                            Scratch{at + tape + 2 * output_bytes}});
    }
}

/// The rows go together, and have as many targets as the loss asks for.
template <class M, class Loss, class B, class Opt, class Exec>
template <class Data>
void Trainer<M, Loss, B, Opt, Exec>::expect(Data const& data) const {
    data.check();
    if (data.size() > 0 && data.targets() != targets)
        detail::fail(Error("", "targets", detail::joined(targets, " a row for this loss and output"),
                           std::to_string(data.targets())));
}
template <class M, class Loss, class B, class Opt, class Exec>
template <class Data>
void Trainer<M, Loss, B, Opt, Exec>::expect(Data const& data, std::span<std::uint32_t const> index) const {
    if (data.size() > 0 && data.targets() != targets) expect(data);
    for (std::uint32_t const i : index)
        if (i >= data.size())
            detail::fail(Error("", "index", detail::joined("rows below ", data.size()), std::to_string(i)));
}

template <class M, class Loss, class B, class Opt, class Exec>
template <class Data>
double Trainer<M, Loss, B, Opt, Exec>::run_shards(Data const& data, std::span<std::uint32_t const> index,
                                                  bool train) {
    int const rows = int(index.size()), active = (rows + shard_rows - 1) / shard_rows;
    auto rows_of = [&](int k) { return std::min(shard_rows, rows - k * shard_rows); };
    for (int k = 0; k < active; ++k)
        staging_[std::size_t(k)].load(data, index.data() + k * shard_rows, rows_of(k));
    // Lengths follow from the input, so the count needs no forward pass.
    count_ = 0;
    for (int k = 0; k < active; ++k) {
        auto& stage = staging_[std::size_t(k)];
        Out<Output, R> const y{workers_[0].y, detail::lengths_of<Block, Input, R>(stage.input())};
        auto const wanted = stage.targets();
        auto const bad =
            detail::impossible_target<Loss>(wanted.data, std::ptrdiff_t(rows_of(k)) * targets, Output::width);
        if (bad >= 0)
            detail::fail(Error("", detail::joined("row ", index[std::size_t(k * shard_rows + bad / targets)]),
                               detail::wanted_target<Loss>(bad % targets, Output::width),
                               std::to_string(wanted.data[bad])));
        count_ += detail::total_weight<Loss>(y, rows_of(k), wanted);
    }
    double const scale = count_ > 0 ? 1 / count_ : 0;
    exec_.run(active, [&](int w, int k) {
        auto& worker = workers_[std::size_t(w)];
        auto& stage = staging_[std::size_t(k)];
        auto const c = context(rows_of(k), seen_ + std::int64_t(k) * shard_rows, train);
        auto const x = stage.input();
        Lengths const lengths = detail::lengths_of<Block, Input, R>(x);
        Out<Output, R> const y{worker.y, lengths}, dy{worker.dy, lengths};
        if (train) {
            for (auto const& g : grads_[std::size_t(k)]) clear(g);
            Block::forward(c, *params_, x, y, *worker.tape, worker.scratch);
        } else {
            NoTape none;
            Block::forward(c, *params_, x, y, none, worker.scratch);
        }
        shard_loss_[std::size_t(k)] =
            detail::loss_of<Loss>(c, In<Output, R>(y), stage.targets(), scale, dy, worker.scratch);
        if (train)
            Block::backward(c, *params_, x, *worker.tape, In<Output, R>(dy), NoGrad{},
                            *reinterpret_cast<Grads*>(grad_memory_[std::size_t(k)].get()), worker.scratch);
    });
    return std::accumulate(shard_loss_.begin(), shard_loss_.begin() + active, 0.0);
}

template <class M, class Loss, class B, class Opt, class Exec>
void Trainer<M, Loss, B, Opt, Exec>::apply(int active, double count, std::uint64_t total_steps) {
    double const rate =
        std::visit([&](auto const& s) { return s.factor(step_, total_steps); }, options_.schedule);
    StepInfo const info{.step = step_ + 1, .rate = rate, .count = count};
    auto& list = parameters_.list();
    for (std::size_t i = 0; i < list.size(); ++i) {
        auto const& p = list[i];
        if (p.kind == Kind::buffer) {
            detail::move_buffer(p.ref, grads_, i, active);
            continue;
        }
        auto const& g = grads_[0][i];
        if (g.id) {
            detail::each_row_of_slots(grads_, i, active, keys_, sum_, [&](std::ptrdiff_t row, T const* sum) {
                parameters_.update(p, info, row * p.ref.stride, sum, p.ref.width);
            });
            continue;
        }
        detail::add_tree(grads_, i, active);
        if (g.touched) {
            for (int r = 0; r < g.rows; ++r)
                if (g.touched[r])
                    parameters_.update(p, info, std::ptrdiff_t(r) * p.ref.stride,
                                       g.data + std::ptrdiff_t(r) * g.stride, p.ref.width);
        } else parameters_.update(p, info, 0, g.data, std::ptrdiff_t(p.ref.size()));
    }
}

template <class M, class Loss, class B, class Opt, class Exec>
template <class Data>
double Trainer<M, Loss, B, Opt, Exec>::step(Data const& data, std::span<std::uint32_t const> index,
                                            std::uint64_t total_steps) {
    if (index.empty() || index.size() > std::size_t(B::rows))
        detail::fail(Error("", "Trainer::step", detail::joined("1 to ", B::rows, " rows, as in its Batch"),
                           std::to_string(index.size())));
    expect(data, index);
    double const loss = run_shards(data, index, true);
    if (!std::isfinite(loss))
        detail::fail(Error("", detail::joined("step ", step_ + 1), "a finite loss", std::to_string(loss)));
    if (count_ > 0) apply((int(index.size()) + shard_rows - 1) / shard_rows, count_, total_steps);
    ++step_;
    seen_ += std::int64_t(index.size());
    return loss;
}

template <class M, class Loss, class B, class Opt, class Exec>
template <class Data>
double Trainer<M, Loss, B, Opt, Exec>::loss(Data const& data, std::span<std::uint32_t const> index) {
    expect(data, index);
    double sum = 0, weight = 0;
    for (std::size_t at = 0; at < index.size(); at += std::size_t(B::rows)) {
        auto const part = index.subspan(at, std::min(std::size_t(B::rows), index.size() - at));
        double const mean = run_shards(data, part, false);
        sum += mean * count_;
        weight += count_;
    }
    return weight > 0 ? sum / weight : 0;
}

} // namespace inlay::inline INLAY_ISA
