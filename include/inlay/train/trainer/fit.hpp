// SPDX-License-Identifier: BSD-3-Clause
// One fit of a Trainer: epochs, shuffles, validation, early stopping.
#pragma once

#include <inlay/train/trainer/class.hpp>

#include <chrono>
#include <cstring>

namespace inlay::inline INLAY_ISA {

namespace detail {
/// Seconds since it was made.
class Clock {
public:
    double seconds() const { return std::chrono::duration<double>(Steady::now() - begin_).count(); }

private:
    using Steady = std::chrono::steady_clock;
    Steady::time_point begin_ = Steady::now();
};

/// Throws Error for what a fit of Streams cannot be asked.
template <class Data> void check_streams(Data const& data, FitOptions<Data> const& o, std::size_t lanes) {
    if (o.validation > 0)
        fail(Error("", "FitOptions, validation",
                   "other Streams as .validate, since rows in order leave no gaps",
                   std::to_string(o.validation)));
    if (data.size() < 2 * lanes)
        fail(Error("", "fit of Streams",
                   joined("at least ", 2 * lanes, " rows, two for each of the ", lanes, " of a step"),
                   std::to_string(data.size())));
}
/// Throws Error for what a fit cannot be asked.
template <class Data> void check_options(FitOptions<Data> const& o) {
    auto const refuse = [](char const* option, char const* wanted, std::string found) {
        fail(Error("", joined("FitOptions, ", option), wanted, std::move(found)));
    };
    bool const judged = o.validation > 0 || o.validate;
    if (o.epochs < 0) refuse("epochs", "0 or more", std::to_string(o.epochs));
    if (!(o.validation >= 0 && o.validation < 1))
        refuse("validation", "a share from 0 to below 1", std::to_string(o.validation));
    if (o.validation > 0 && o.validate) refuse("validation", "a share or rows to validate", "both");
    if (o.patience > 0 && !judged) refuse("patience", "validation rows to judge by", "none");
    if (!o.metrics.empty() && !judged) refuse("metrics", "validation rows to measure", "none");
    if (o.validate_every > 0 && !judged) refuse("validate_every", "validation rows", "none");
}

/// The order of the rows: those held out first, then those to train on, shuffled anew for each epoch.
class Order {
public:
    explicit Order(std::vector<std::uint32_t> all) : all_(std::move(all)) {}
    Order(std::size_t rows, double share, Key key) : key_(key), all_(rows) {
        std::iota(all_.begin(), all_.end(), 0u);
        if (share > 0) {
            shuffle(all_, 0);
            held_ = std::min(rows - 1, std::size_t(share * double(rows)));
        }
    }
    std::span<std::uint32_t const> held() const { return std::span(all_).first(held_); }
    std::span<std::uint32_t> train() { return std::span(all_).subspan(held_); }
    void shuffle(std::uint64_t epoch) { shuffle(train(), epoch); }

private:
    void shuffle(std::span<std::uint32_t> part, std::uint64_t epoch) const {
        for (std::size_t i = part.size(); i > 1; --i)
            std::swap(part[i - 1], part[std::size_t(key_.below(i, i, epoch))]);
    }
    Key key_{};
    std::size_t held_ = 0;
    std::vector<std::uint32_t> all_;
};
} // namespace detail

/// Makes ready for a fit: from its beginning, or from where one stands.
template <class M, class Loss, class B, class Opt, class Exec>
void Trainer<M, Loss, B, Opt, Exec>::begin_fit(bool resume, std::size_t rows) {
    if (!resume) {
        parameters_.forget();
        average_.begin(false);
        step_ = epoch_ = 0;
        seen_ = 0;
    }
    if (!resume || !fit_.open) fit_ = {};
    else if (fit_.of != rows)
        detail::fail(Error("", "fit that resumes", detail::joined(fit_.of, " rows to train on, as before"),
                           std::to_string(rows)));
    fit_.open = true;
    fit_.of = rows;
}

template <class M, class Loss, class B, class Opt, class Exec>
template <class Data>
FitReport Trainer<M, Loss, B, Opt, Exec>::fit_rows(Data const& data, FitOptions<Data> const& options) {
    constexpr bool carries = detail::carries_state<Data>;
    detail::Clock const clock;
    if (data.size() == 0) detail::fail(Error("", "fit", "at least one row", "none"));
    detail::check_options(options);
    expect(data);
    if constexpr (carries) {
        detail::check_streams(data, options, step_rows());
        carried_.make_room(step_rows());
        if (options.validate) judged_.make_room(B::rows);
    }
    if (options.validate) expect(*options.validate);
    bool const shuffle = options.shuffle && !carries;
    detail::Order order = [&] {
        if constexpr (carries) return detail::Order(detail::side_by_side(data.size(), step_rows()));
        else return detail::Order(data.size(), options.validation, Key{options_.seed.value}.fold(0x73687566));
    }();
    std::span<std::uint32_t> const train = order.train();
    if (options.run) options.run->begin(options.resume);
    begin_fit(options.resume, train.size());
    for (std::uint64_t e = 1; shuffle && e <= epoch_ + (fit_.at > 0); ++e) order.shuffle(e);
    auto const all = detail::side_by_side(options.validate ? options.validate->size() : 0,
                                          carries ? std::size_t(B::rows) : 1);
    Data const& judge = options.validate ? *options.validate : data;
    std::span<std::uint32_t const> const held =
        options.validate ? std::span<std::uint32_t const>(all) : order.held();
    if (!best_ && !held.empty() && options.patience > 0)
        best_ = detail::aligned_bytes(sizeof(typename M::Params));

    FitReport report;
    for (auto const& m : options.metrics) report.metrics.push_back({m.name, 0});
    std::uint64_t const each = (train.size() + step_rows() - 1) / step_rows();
    std::uint64_t const steps = options.steps ? options.steps : each * std::uint64_t(options.epochs);
    std::uint64_t const total = step_ - fit_.steps + steps, rows_before = fit_.rows;
    detail::Progress progress(options.progress, fit_.steps, steps);
    bool measured = false;
    auto const take_step = [&] {
        if (fit_.at == 0) {
            if (shuffle) order.shuffle(epoch_ + 1);
            if (carries) carried_.forget();
            fit_.loss = fit_.count = 0;
        }
        auto const part = train.subspan(fit_.at, std::min(step_rows(), train.size() - fit_.at));
        StepEvent event{.epoch = fit_.epochs + 1, .steps = steps, .rate = rate(total)};
        event.loss = step(data, part, total);
        fit_.loss += event.loss * count_;
        fit_.count += count_;
        fit_.at += part.size();
        event.rows = fit_.rows += part.size();
        event.step = ++fit_.steps;
        event.epoch_loss = fit_.mean();
        event.norm = norm_;
        event.seconds = clock.seconds();
        progress.step(event.epoch, fit_.steps, fit_.rows - rows_before, event.epoch_loss);
        if (options.on_step) options.on_step(event);
        if (options.run) options.run->step(event);
        report.stopped |= event.stop;
    };
    auto const epoch_ends = [&] { return fit_.at == train.size() || (fit_.at > 0 && fit_.steps >= steps); };
    auto const validation_due = [&] {
        return options.validate_every && fit_.steps % options.validate_every == 0 &&
               fit_.judged != fit_.steps;
    };
    auto const end_part = [&] {
        EpochEvent event{.epoch = fit_.epochs + 1, .whole = epoch_ends(), .step = fit_.steps};
        event.loss = fit_.mean();
        fit_.judged = fit_.steps;
        if (event.whole) {
            ++fit_.epochs;
            ++epoch_;
            fit_.at = 0;
            fit_.last_loss = event.loss;
        }
        if (!held.empty()) {
            Averaged<M> const swapped(average_, *params_);
            event.validation = measure(judge, held, options.metrics, report.metrics);
            event.metrics = report.metrics;
            event.best = judge_epoch(event.validation, options.patience > 0);
            measured = true;
            if (options.run && event.best) options.run->best();
        }
        event.seconds = clock.seconds();
        if (options.on_epoch) options.on_epoch(event);
        if (options.run) options.run->epoch(event);
        report.stopped |= event.stop;
    };
    auto const fit_ends = [&] {
        return fit_.steps >= steps || (options.patience > 0 && fit_.worse >= options.patience) ||
               report.stopped;
    };
    for (;;) {
        bool const part_ends = epoch_ends() || validation_due();
        if (part_ends) end_part();
        else if (fit_ends()) break;
        else take_step();
        if (options.run && !epoch_ends() && !validation_due()) options.run->settle(part_ends, fit_ends());
    }
    bool const restored = !report.stopped && end_fit();
    if (!options.metrics.empty() && (restored || !measured)) {
        Averaged<M> const swapped(average_, *params_);
        measure(judge, held, options.metrics, report.metrics);
    }
    report.epochs = fit_.epochs;
    report.steps = fit_.steps;
    report.skipped = fit_.skipped;
    report.loss = fit_.last_loss;
    report.validation = fit_.validation;
    report.seconds = clock.seconds();
    if (options.run) options.run->end(report);
    return report;
}

/// Keeps count of how validation goes and, where they are wanted, the best weights that the network held:
/// whether these are.
template <class M, class Loss, class B, class Opt, class Exec>
bool Trainer<M, Loss, B, Opt, Exec>::judge_epoch(double validation, bool keep) {
    fit_.validation = validation;
    bool const better = validation < fit_.best;
    fit_.worse = better ? 0 : fit_.worse + 1;
    if (!better) return false;
    fit_.best = validation;
    if (keep) {
        fit_.kept = true;
        std::memcpy(best_.get(), static_cast<void const*>(params_), sizeof(typename M::Params));
    }
    return true;
}

/// The best weights take the place of the last ones, where they were kept: whether they were.
template <class M, class Loss, class B, class Opt, class Exec>
bool Trainer<M, Loss, B, Opt, Exec>::end_fit() {
    fit_.open = false;
    if (!fit_.kept) return false;
    std::memcpy(static_cast<void*>(params_), best_.get(), sizeof(typename M::Params));
    if (average_.begun()) average_.take(*params_);
    fit_.validation = fit_.best;
    return true;
}

} // namespace inlay::inline INLAY_ISA
