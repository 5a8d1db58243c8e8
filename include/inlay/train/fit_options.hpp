// SPDX-License-Identifier: BSD-3-Clause
// What a fit is asked for, what it tells on the way, and what came of it.
#pragma once

#include <inlay/core/error.hpp>
#include <inlay/train/metrics/named_metric.hpp>

#include <cstdint>
#include <functional>
#include <limits>
#include <span>
#include <string>
#include <vector>

namespace inlay::inline INLAY_ISA {

/// What a step was. A callback that sets `stop` ends the fit behind it; a later fit with `.resume` goes on.
struct StepEvent {
    int epoch = 0;           ///< from 1
    std::uint64_t step = 0;  ///< of the fit, from 1
    std::uint64_t steps = 0; ///< that the fit will take
    std::uint64_t rows = 0;  ///< of the fit, so far
    double loss = 0;         ///< of the batch, before the step
    double epoch_loss = 0;   ///< mean over the epoch, so far
    double rate = 1;         ///< the schedule's factor on the learning rate
    double norm =
        std::numeric_limits<double>::quiet_NaN(); ///< of the gradient, where `clip.norm` asks for it
    double seconds = 0;                           ///< since the call of fit
    bool stop = false;
};
/// What an epoch was, or the part of one that `validate_every` ends, validation included.
struct EpochEvent {
    int epoch = 0;                                                ///< from 1
    bool whole = true;                                            ///< this was the epoch's end
    std::uint64_t step = 0;                                       ///< of the fit
    double loss = 0;                                              ///< mean over the epoch, so far
    double validation = std::numeric_limits<double>::quiet_NaN(); ///< loss of the rows held out
    std::span<MetricValue const> metrics{};                       ///< of the rows held out
    bool best = false;  ///< no epoch before had a lower validation loss
    double seconds = 0; ///< since the call of fit
    bool stop = false;
};

struct FitReport;
/// What follows a fit from its beginning to its end: a RunFolder.
class FitFollower {
public:
    virtual ~FitFollower() = default;
    /// Before anything else. One that resumes may put the trainer where an earlier one stood.
    virtual void begin(bool resume) = 0;
    virtual void step(StepEvent const& event) = 0;
    virtual void epoch(EpochEvent const& event) = 0;
    /// The network holds the best weights so far, for a moment.
    virtual void best() = 0;
    /// All there is to a step is done, and to the validation behind it; it may be the last of the call.
    virtual void settle(bool validated, bool last) = 0;
    virtual void end(FitReport const& report) = 0;
};

/// What a fit does with its data. Rows are shuffled anew for each epoch, by the Trainer's seed. Validation
/// sees the average of the weights, where the Trainer keeps one.
template <class Data> struct FitOptions {
    int epochs = 1;
    std::uint64_t steps = 0;                ///< where given, as many steps, over as many epochs as they take
    double validation = 0;                  ///< this share of the rows, drawn by the seed, is held out
    Data const* validate = nullptr;         ///< or these rows are
    std::span<NamedMetric const> metrics{}; ///< of the validation rows: `metrics<Auc, LogLoss>`
    std::uint64_t validate_every = 0;       ///< steps, besides at the end of each epoch
    int patience = 0; ///< stop after so many validations without a lower loss; keep the best weights
    bool shuffle = true;
    bool progress = false; ///< a line on the terminal, if stderr is one
    std::function<void(StepEvent&)> on_step{};
    std::function<void(EpochEvent&)> on_epoch{};
    /// Go on where the last fit ended: optimizer, schedule, shuffles, noise. One that was stopped is finished
    /// first.
    bool resume = false;
    /// Configuration, logs and checkpoints: `.run = &folder`. With `resume`, the fit goes on from the
    /// folder's newest checkpoint, if it has one.
    FitFollower* run = nullptr;
};

/// What came of it.
struct FitReport {
    int epochs = 0;
    std::uint64_t steps = 0;
    std::uint64_t skipped = 0; ///< steps left out because the norm of their gradient was not finite
    double loss = std::numeric_limits<double>::quiet_NaN();       ///< mean over the last epoch
    double validation = std::numeric_limits<double>::quiet_NaN(); ///< of the weights kept
    std::vector<MetricValue> metrics;                             ///< of the weights kept
    double seconds = 0;
    bool stopped = false; ///< by a callback, before its time

    /// A metric of the validation rows by name; throws Error where it was not asked for.
    double metric(std::string_view name) const {
        std::string known;
        for (auto const& m : metrics) {
            if (m.name == name) return m.value;
            (known += known.empty() ? "" : ", ") += m.name;
        }
        detail::fail(Error("", "FitReport::metric",
                           known.empty() ? "a metric in FitOptions" : "one of " + known, std::string(name)));
    }
};

} // namespace inlay::inline INLAY_ISA
