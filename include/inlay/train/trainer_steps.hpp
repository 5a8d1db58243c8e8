// SPDX-License-Identifier: BSD-3-Clause
// The bodies of Trainer: room, one step, one fit.
#pragma once

#include <inlay/train/trainer.hpp>

#include <chrono>
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
    for (int w = 0; w < exec_.workers(); ++w) {
        constexpr std::size_t tape = detail::lines(sizeof(Tape));
        auto memory = detail::aligned_bytes(tape + 2 * output_bytes + Block::scratch(shard_rows) + 64);
        auto* at = memory.get();
        workers_.push_back({std::move(memory), reinterpret_cast<Tape*>(at), reinterpret_cast<T*>(at + tape),
                            reinterpret_cast<T*>(at + tape + output_bytes),
                            Scratch{at + tape + 2 * output_bytes}});
    }
}

template <class M, class Loss, class B, class Opt, class Exec>
void Trainer<M, Loss, B, Opt, Exec>::make_room(int targets) {
    int const wanted = Loss::targets(Output::width) * Output::rows;
    if (targets != wanted)
        detail::fail(Error("", "targets", std::to_string(wanted) + " a row for this loss and output",
                           std::to_string(targets)));
    if (targets_ == targets) return;
    staging_.clear();
    for (int k = 0; k < shards; ++k) staging_.emplace_back(targets);
    targets_ = targets;
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
        count_ += detail::total_weight<Loss>(y, rows_of(k), stage.targets());
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
            detail::loss_of<Loss>(In<Output, R>(y), c.rows, stage.targets(), scale, dy);
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
        if (p.kind == Kind::buffer) continue;
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
        detail::fail(Error("", "Trainer::step", "1 to " + std::to_string(B::rows) + " rows",
                           std::to_string(index.size())));
    make_room(detail::Staging<Input, R, shard_rows>::targets_of(data));
    double const loss = run_shards(data, index, true);
    if (!std::isfinite(loss))
        detail::fail(Error("", "step " + std::to_string(step_ + 1), "a finite loss", std::to_string(loss)));
    apply((int(index.size()) + shard_rows - 1) / shard_rows, count_, total_steps);
    ++step_;
    seen_ += std::int64_t(index.size());
    return loss;
}

template <class M, class Loss, class B, class Opt, class Exec>
template <class Data>
double Trainer<M, Loss, B, Opt, Exec>::loss(Data const& data, std::span<std::uint32_t const> index) {
    make_room(detail::Staging<Input, R, shard_rows>::targets_of(data));
    double sum = 0, weight = 0;
    for (std::size_t at = 0; at < index.size(); at += std::size_t(B::rows)) {
        auto const part = index.subspan(at, std::min(std::size_t(B::rows), index.size() - at));
        double const mean = run_shards(data, part, false);
        sum += mean * count_;
        weight += count_;
    }
    return weight > 0 ? sum / weight : 0;
}

template <class M, class Loss, class B, class Opt, class Exec>
template <class Data>
FitReport Trainer<M, Loss, B, Opt, Exec>::fit(Data const& data,
                                              FitOptions<std::type_identity_t<Data>> const& options) {
    auto const begin = std::chrono::steady_clock::now();
    if (data.size() == 0) detail::fail(Error("", "fit", "at least one row", "none"));
    if (!options.resume) {
        parameters_.forget();
        step_ = 0;
        seen_ = 0;
    }
    Key const key = Key{options_.seed.value}.fold(0x73687566);
    std::vector<std::uint32_t> order(data.size());
    std::iota(order.begin(), order.end(), 0u);
    auto const shuffle = [&](std::span<std::uint32_t> part, std::uint64_t epoch) {
        for (std::size_t i = part.size(); i > 1; --i)
            std::swap(part[i - 1], part[std::size_t(key.below(i, i, epoch))]);
    };
    std::size_t held = 0;
    if (!options.validate && options.validation > 0) {
        shuffle(order, 0);
        held = std::min(data.size() - 1, std::size_t(options.validation * double(data.size())));
    }
    std::span<std::uint32_t> const train = std::span(order).subspan(held);
    std::vector<std::uint32_t> all(options.validate ? options.validate->size() : 0);
    std::iota(all.begin(), all.end(), 0u);
    bool const validates = held > 0 || !all.empty();

    std::uint64_t const each = (train.size() + std::size_t(B::rows) - 1) / std::size_t(B::rows);
    std::uint64_t const steps = options.steps ? options.steps : each * std::uint64_t(options.epochs);
    detail::Progress progress(options.progress, steps);
    FitReport report;
    detail::AlignedBytes best;
    double best_loss = std::numeric_limits<double>::infinity();
    int worse = 0;
    while (report.steps < steps) {
        if (options.shuffle) shuffle(train, std::uint64_t(report.epochs) + 1);
        double sum = 0, weight = 0;
        for (std::size_t at = 0; at < train.size() && report.steps < steps; at += std::size_t(B::rows)) {
            auto const part = train.subspan(at, std::min(std::size_t(B::rows), train.size() - at));
            sum += step(data, part, steps) * count_;
            weight += count_;
            ++report.steps;
            progress.step(report.epochs + 1, report.steps, std::uint64_t(seen_), sum / weight);
        }
        ++report.epochs;
        report.loss = weight > 0 ? sum / weight : 0;
        if (!validates) continue;
        report.validation =
            options.validate ? loss(*options.validate, all) : loss(data, std::span(order).first(held));
        if (!options.patience) continue;
        if (report.validation < best_loss) {
            best_loss = report.validation;
            worse = 0;
            if (!best) best = detail::aligned_bytes(sizeof(typename M::Params));
            std::memcpy(best.get(), static_cast<void const*>(params_), sizeof(typename M::Params));
        } else if (++worse >= options.patience) break;
    }
    if (best) {
        std::memcpy(static_cast<void*>(params_), best.get(), sizeof(typename M::Params));
        report.validation = best_loss;
    }
    report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    return report;
}

} // namespace inlay::inline INLAY_ISA
