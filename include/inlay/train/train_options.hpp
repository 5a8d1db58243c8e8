// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <inlay/core/error.hpp>
#include <inlay/core/joined.hpp>
#include <inlay/core/random.hpp>
#include <inlay/train/optimizer/rules.hpp>
#include <inlay/train/schedule.hpp>

#include <optional>
#include <string>
#include <tuple>

namespace inlay::inline INLAY_ISA {

/// Bounds on the gradient of a step, which is that of the mean loss. With both, numbers are clipped first.
struct Clip {
    double norm = 0;  ///< of all that moves, rows of tables included; 0 stands for none. PyTorch:
                      ///< `nn.utils.clip_grad_norm_`
    double value = 0; ///< of each number, with either sign; 0 stands for none. PyTorch: `clip_grad_value_`
};

namespace detail {
/// Throws Error where an option of a Trainer is out of its range.
inline void check_options(Clip const& clip, int accumulate, double average) {
    auto const refuse = [](char const* option, char const* wanted, double found) {
        fail(Error("", joined("TrainOptions, ", option), wanted, std::to_string(found)));
    };
    if (!(clip.norm >= 0)) refuse("clip.norm", "0 or more", clip.norm);
    if (!(clip.value >= 0)) refuse("clip.value", "0 or more", clip.value);
    if (accumulate < 1) refuse("accumulate", "1 or more batches", accumulate);
    if (!(average >= 0 && average < 1)) refuse("average", "0, or a decay below 1", average);
}
/// The optimizers; throws Error where a number of theirs, or of the schedule, is out of range.
template <class... O> std::tuple<O...> checked(Schedule const& schedule, std::tuple<O...> const& optimizers) {
    std::visit([](auto const& s) { s.check(); }, schedule);
    std::apply([](auto const&... o) { (o.check(), ...); }, optimizers);
    return optimizers;
}
} // namespace detail

/// Options of a Trainer with one optimizer. `learning_rate`, where given, replaces the optimizer's.
/// `accumulate` is how many batches make a step: the loss is the mean over all of them. `average`, where not
/// 0, is the decay of an exponential moving average of the weights, which `Trainer::averaged` puts in place.
template <class O> struct TrainOptions {
    std::optional<double> learning_rate{};
    Schedule schedule{};
    O optimizer{};
    Seed seed{};
    Clip clip{};
    int accumulate = 1;
    double average = 0;

    std::tuple<O> optimizers() const {
        O o = optimizer;
        if (learning_rate) {
            if constexpr (requires { o.learning_rate; }) o.learning_rate = *learning_rate;
            else
                detail::fail(Error("", "TrainOptions, learning_rate", "an optimizer that has one",
                                   "one with a rate of another name"));
        }
        return detail::checked(schedule, std::tuple<O>{o});
    }
};
/// Options of a Trainer with rules: `optimizer` in the order of the rules.
template <class... Rules> struct TrainOptions<Optimize<Rules...>> {
    Schedule schedule{};
    typename Optimize<Rules...>::Options optimizer{};
    Seed seed{};
    Clip clip{};
    int accumulate = 1;
    double average = 0;

    auto optimizers() const { return detail::checked(schedule, optimizer); }
};

} // namespace inlay::inline INLAY_ISA
