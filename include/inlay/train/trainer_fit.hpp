// SPDX-License-Identifier: BSD-3-Clause
// One fit of a Trainer: epochs, shuffles, validation, early stopping.
#pragma once

#include <inlay/train/trainer_class.hpp>

#include <chrono>
#include <cstring>

namespace inlay::inline INLAY_ISA {

template <class M, class Loss, class B, class Opt, class Exec>
template <class Data>
FitReport Trainer<M, Loss, B, Opt, Exec>::fit(Data const& data,
                                              FitOptions<std::type_identity_t<Data>> const& options) {
    auto const begin = std::chrono::steady_clock::now();
    if (data.size() == 0) detail::fail(Error("", "fit", "at least one row", "none"));
    if (options.epochs < 0)
        detail::fail(Error("", "FitOptions, epochs", "0 or more", std::to_string(options.epochs)));
    if (options.patience > 0 && !(options.validation > 0) && !options.validate)
        detail::fail(Error("", "FitOptions, patience", "validation rows to judge by", "none"));
    expect(data);
    if (options.validate) expect(*options.validate);
    if (!options.resume) {
        parameters_.forget();
        step_ = epoch_ = 0;
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
    for (std::uint64_t e = 1; options.shuffle && e <= epoch_; ++e) shuffle(train, e); // as they stood then
    std::vector<std::uint32_t> all(options.validate ? options.validate->size() : 0);
    std::iota(all.begin(), all.end(), 0u);
    bool const validates = held > 0 || !all.empty();

    std::uint64_t const each = (train.size() + std::size_t(B::rows) - 1) / std::size_t(B::rows);
    std::uint64_t const steps = options.steps ? options.steps : each * std::uint64_t(options.epochs);
    std::uint64_t const total = step_ + steps;
    detail::Progress progress(options.progress, steps);
    FitReport report;
    detail::AlignedBytes best;
    if (validates && options.patience > 0) best = detail::aligned_bytes(sizeof(typename M::Params));
    bool kept = false;
    std::uint64_t rows = 0;
    double best_loss = std::numeric_limits<double>::infinity();
    int worse = 0;
    while (report.steps < steps) {
        if (options.shuffle) shuffle(train, epoch_ + 1);
        double sum = 0, weight = 0;
        for (std::size_t at = 0; at < train.size() && report.steps < steps; at += std::size_t(B::rows)) {
            auto const part = train.subspan(at, std::min(std::size_t(B::rows), train.size() - at));
            sum += step(data, part, total) * count_;
            weight += count_;
            ++report.steps;
            progress.step(report.epochs + 1, report.steps, rows += part.size(), sum / weight);
        }
        ++report.epochs;
        ++epoch_;
        report.loss = weight > 0 ? sum / weight : 0;
        if (!validates) continue;
        report.validation =
            options.validate ? loss(*options.validate, all) : loss(data, std::span(order).first(held));
        if (!best) continue;
        if (report.validation < best_loss) {
            best_loss = report.validation;
            worse = 0;
            kept = true;
            std::memcpy(best.get(), static_cast<void const*>(params_), sizeof(typename M::Params));
        } else if (++worse >= options.patience) break;
    }
    if (kept) {
        std::memcpy(static_cast<void*>(params_), best.get(), sizeof(typename M::Params));
        report.validation = best_loss;
    }
    report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    return report;
}

} // namespace inlay::inline INLAY_ISA
