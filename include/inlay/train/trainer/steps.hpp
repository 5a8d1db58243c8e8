// SPDX-License-Identifier: BSD-3-Clause
// The bodies of Trainer: its room, and one step.
#pragma once

#include <inlay/train/clip.hpp>
#include <inlay/train/trainer/class.hpp>

namespace inlay::inline INLAY_ISA {

template <class M, class Loss, class B, class Opt, class Exec> void Trainer<M, Loss, B, Opt, Exec>::reset() {
    shard_loss_.resize(shards);
    first_token_.resize(shards);
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

/// Lays out the rows of a batch, and returns how much their targets weigh.
template <class M, class Loss, class B, class Opt, class Exec>
template <class Data>
double Trainer<M, Loss, B, Opt, Exec>::stage(Data const& data, std::span<std::uint32_t const> index) {
    double count = 0;
    for (int k = 0; k < shards_of(index.size()); ++k) {
        auto const part = index.subspan(std::size_t(k * shard_rows));
        staging_[std::size_t(k)].load(detail::plain_rows(data), part.data(), rows_of(index.size(), k));
        count += weigh(k, rows_of(index.size(), k), part.data());
    }
    return count;
}

/// How much the targets of a shard weigh; `index`, where there is one, names its rows in an error.
template <class M, class Loss, class B, class Opt, class Exec>
double Trainer<M, Loss, B, Opt, Exec>::weigh(int shard, int rows, std::uint32_t const* index) {
    auto const wanted = staging_[std::size_t(shard)].targets();
    auto const bad =
        detail::impossible_target<Loss>(wanted.data, std::ptrdiff_t(rows) * targets, Output::width);
    if (bad >= 0)
        detail::fail(Error("", index ? detail::joined("row ", index[bad / targets]) : "target",
                           detail::wanted_target<Loss>(bad % targets, Output::width),
                           std::to_string(wanted.data[bad])));
    // Lengths follow from the input, so the count needs no forward pass.
    return detail::total_weight<Loss>(output_of(shard, workers_[0].y), rows, wanted);
}

/// Forward, loss and, to train, backward of the batch laid out: its loss times `scale`. A fresh batch is the
/// first of its step.
template <class M, class Loss, class B, class Opt, class Exec>
template <bool Train>
double Trainer<M, Loss, B, Opt, Exec>::run(std::size_t rows, double scale, std::int64_t first, bool fresh,
                                           detail::CarriedRows const& carried) {
    int const active = shards_of(rows);
    exec_.run(active, [&](int w, int k) {
        auto& worker = workers_[std::size_t(w)];
        auto const c = context(rows_of(rows, k), first + std::int64_t(k) * shard_rows, Train,
                               carried.from(std::size_t(k * shard_rows)));
        auto const x = staging_[std::size_t(k)].input();
        auto const y = output_of(k, worker.y), dy = output_of(k, worker.dy);
        if constexpr (Train) {
            if (fresh) gradients_.clear(k);
            else gradients_.clear_slots(k);
            Block::forward(c, *params_, x, y, *worker.tape, worker.scratch);
        } else {
            NoTape none;
            Block::forward(c, *params_, x, y, none, worker.scratch);
        }
        shard_loss_[std::size_t(k)] = detail::loss_of<Loss>(
            c, In<Output, R>(y), staging_[std::size_t(k)].targets(), scale, dy, worker.scratch);
        if constexpr (Train)
            Block::backward(c, *params_, x, *worker.tape, In<Output, R>(dy), NoGrad{}, gradients_.shard(k),
                            worker.scratch);
        else if (predictions_) keep_logits(k, y, c.rows);
    });
    return std::accumulate(shard_loss_.begin(), shard_loss_.begin() + active, 0.0);
}

template <class M, class Loss, class B, class Opt, class Exec>
double Trainer<M, Loss, B, Opt, Exec>::rate(std::uint64_t total_steps) const {
    return std::visit([&](auto const& s) { return s.factor(step_, total_steps); }, options_.schedule);
}

/// The optimizers' step on the gradients of `active` shards, which ran `pieces` times in all. Where one is
/// not finite nothing moves: the first such tensor, or as many as there are. A finite loss may have one:
/// gates that an infinite input saturates.
template <class M, class Loss, class B, class Opt, class Exec>
std::size_t Trainer<M, Loss, B, Opt, Exec>::apply(int active, int pieces, std::uint64_t total_steps) {
    StepInfo const info{.step = step_ + 1, .rate = rate(total_steps), .count = count_};
    auto const& list = parameters_.list();
    for (std::size_t i = 0; i < list.size(); ++i)
        if (!list[i].frozen) gradients_.sum(i, active);
    norm_ = detail::clip(options_.clip, gradients_, list);
    bool const skip = options_.clip.norm > 0 && !std::isfinite(norm_);
    if (!(options_.clip.norm > 0))
        if (auto const bad = detail::first_bad_gradient(gradients_, list); bad < list.size()) return bad;
    for (std::size_t i = 0; i < list.size() && !skip; ++i) {
        auto const& p = list[i];
        if (p.frozen) continue;
        auto const moved_by = [&](auto move) { gradients_.each_run(i, p.ref.stride, move); };
        if (average_)
            moved_by([&](std::ptrdiff_t at, T const*, std::ptrdiff_t n) { average_.before(i, at, n); });
        if (p.moves()) parameters_.with_rule(p, info, moved_by);
        else
            moved_by([&](std::ptrdiff_t at, T const* g, std::ptrdiff_t n) { // a buffer, by the mean
                for (std::ptrdiff_t j = 0; j < n; ++j) p.ref.data[at + j] += g[j] / T(pieces);
            });
    }
    if (skip) ++fit_.skipped;
    else average_.update(*params_);
    return list.size();
}

template <class M, class Loss, class B, class Opt, class Exec>
template <class Data>
double Trainer<M, Loss, B, Opt, Exec>::step(Data const& data, std::span<std::uint32_t const> index,
                                            std::uint64_t total_steps) {
    using Problem = detail::DataProblem<fit_of_a_trainer, M, Data>;
    static_assert(Says<Problem>{}, "inlay: the data set does not go with the model");
    if (index.empty() || index.size() > step_rows())
        detail::fail(Error("", "Trainer::step",
                           detail::joined("1 to ", step_rows(), " rows, as in its Batch"),
                           std::to_string(index.size())));
    expect(data, index);
    std::size_t const most = B::rows, batches = (index.size() + most - 1) / most;
    auto const batch = [&](std::size_t n) {
        return index.subspan(n * most, std::min(most, index.size() - n * most));
    };
    count_ = 0;
    for (std::size_t n = 0; n < batches; ++n) count_ += stage(data, batch(n));
    double const scale = count_ > 0 ? 1 / count_ : 0;
    gradients_.release();
    constexpr bool carries = detail::carries_state<Data>;
    if constexpr (carries) carried_.make_room(step_rows()), carried_.begin(data, index);
    double loss = 0;
    int pieces = 0;
    for (std::size_t n = 0; n < batches; ++n) {
        auto const part = batch(n);
        if (batches > 1) stage(data, part);
        std::int64_t const first = seen_ + std::int64_t(n * most);
        detail::CarriedRows carried;
        if constexpr (carries) carried = carried_.rows(n * most);
        double const own = run<true>(part.size(), scale, first, n == 0, carried);
        if (!std::isfinite(own)) blame(part.size(), part.data(), first, carried);
        loss += own;
        pieces += shards_of(part.size());
        if (options_.accumulate > 1) gradients_.hold(shards_of(part.size()));
    }
    std::size_t const tensors = parameters_.list().size(),
                      bad = count_ > 0 ? apply(shards_of(batch(0).size()), pieces, total_steps) : tensors;
    if (bad < tensors) {
        for (std::size_t n = 0; n < batches; ++n) {
            auto const part = batch(n);
            stage(data, part);
            detail::CarriedRows carried;
            if constexpr (carries) carried = carried_.rows(n * most);
            blame(part.size(), part.data(), seen_ + std::int64_t(n * most), carried, true);
        }
        blame_gradient(bad);
    }
    if constexpr (carries) carried_.end(data, index);
    ++step_;
    seen_ += std::int64_t(index.size());
    return loss;
}

template <class M, class Loss, class B, class Opt, class Exec>
double Trainer<M, Loss, B, Opt, Exec>::update(Event const& event, Wanted target, float weight,
                                              std::uint64_t total_steps)
    requires(!is_ids<Input>)
{
    if constexpr (is_record<Input>) Rows<Input>::check(event, 0);
    if (!(weight >= 0))
        detail::fail(Error("", "Trainer::update, weight", "0 or more", std::to_string(weight)));
    staging_[0].put(event, target.data(), weight);
    count_ = weigh(0, 1, nullptr);
    gradients_.release();
    double const loss = run<true>(1, count_ > 0 ? 1 / count_ : 0, seen_, true);
    if (!std::isfinite(loss)) blame(1, nullptr, seen_);
    if (options_.accumulate > 1) gradients_.hold(1);
    std::size_t const tensors = parameters_.list().size(),
                      bad = count_ > 0 ? apply(1, 1, total_steps) : tensors;
    if (bad < tensors) blame(1, nullptr, seen_, {}, true), blame_gradient(bad);
    ++step_;
    ++seen_;
    return loss;
}

} // namespace inlay::inline INLAY_ISA
