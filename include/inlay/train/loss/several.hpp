// SPDX-License-Identifier: BSD-3-Clause
// Several targets: a part of the output and a loss for each.
#pragma once

#include <inlay/train/loss/policies.hpp>

namespace inlay::inline INLAY_ISA {

/// N columns of the output for a loss, which counts `Scale` times.
template <int N, class Loss, double Scale = 1.0> struct Columns;

namespace detail {
template <class Part> struct ColumnsOf {
    using Loss = Part;
    static constexpr int width = 1;
    static constexpr double scale = 1;
};
template <int N, class L, double Scale> struct ColumnsOf<Columns<N, L, Scale>> {
    using Loss = L;
    static constexpr int width = N;
    static constexpr double scale = Scale;
};
} // namespace detail

/// Words of a misfit.
struct a_loss_token_by_token;

/// The sum of losses that each read columns of their own, from left to right, and targets of their own, in
/// the same order: `Losses<BinaryCrossEntropy, Columns<5, CrossEntropy>, Columns<2, MeanSquaredError, 0.1>>`
/// reads an output of width 8 and four targets. A loss without Columns reads one column.
///
/// A part whose target is missing adds nothing. The mean is over the tokens of which any part has a target,
/// so a target that is often missing counts less; class weights multiply a part and do not change what the
/// mean divides by. PyTorch: the sum of the losses with `reduction="none"`, and its mean. Error: columns that
/// are not as many as the output is wide, a part that looks at several tokens at once, or does not fit its
/// columns.
template <class... Parts> struct Losses {
    static constexpr int columns = (detail::ColumnsOf<Parts>::width + ... + 0);
    template <class Output>
    using Problem = detail::FirstMisfit<
        detail::LossMust<(detail::ColumnsOf<Parts>::width > 0), Losses<>, Parts, a_positive_count>...,
        detail::LossMust<(detail::ColumnsOf<Parts>::scale >= 0), Losses<>, Parts, numbers_of_at_least_0>...,
        detail::LossMust<columns == Output::width, Losses<>, Output, an_output_of_width<columns>>,
        detail::LossMust<!detail::ByShard<typename detail::ColumnsOf<Parts>::Loss>, Losses<>,
                         typename detail::ColumnsOf<Parts>::Loss, a_loss_token_by_token>...,
        LossFit<typename detail::ColumnsOf<Parts>::Loss, Shape<detail::ColumnsOf<Parts>::width>>...>;

    static constexpr int targets(int) { return all_targets; }
    static bool valid(float const* y, int) noexcept {
        bool any = false;
        each_part([&]<class Part>(Part, int, int target) noexcept {
            any = any || Part::Loss::valid(y + target, Part::width);
        });
        return any;
    }
    template <class T> static double value(T const* z, float const* y, T* dz, int, double weight) noexcept {
        double sum = 0;
        each_part([&]<class Part>(Part, int column, int target) noexcept {
            if (Part::Loss::valid(y + target, Part::width))
                sum +=
                    Part::Loss::value(z + column, y + target, dz + column, Part::width, weight * Part::scale);
            else std::fill_n(dz + column, Part::width, T(0));
        });
        return sum;
    }
    static bool possible(float const* y, int i, int) noexcept {
        bool can = true;
        each_part([&]<class Part>(Part, int, int target) noexcept {
            if (owns<Part>(i, target))
                can = detail::possible_target<typename Part::Loss>(y + target, i - target, Part::width);
        });
        return can;
    }
    static std::string wanted(int i, int) {
        std::string words;
        each_part([&]<class Part>(Part, int, int target) {
            if (owns<Part>(i, target))
                words = detail::wanted_target<typename Part::Loss>(i - target, Part::width);
        });
        return words;
    }

private:
    template <class Part> struct Piece : detail::ColumnsOf<Part> {
        using Base = detail::ColumnsOf<Part>;
        static constexpr int targets = Base::Loss::targets(Base::width);
    };
    static constexpr int all_targets = (Piece<Parts>::targets + ... + 0);
    template <class Part> static bool owns(int i, int target) noexcept {
        return i >= target && i < target + Part::targets;
    }
    /// f(part, its first column, its first target).
    template <class F> static void each_part(F&& f) {
        int column = 0, target = 0;
        ((f(Piece<Parts>{}, column, target), column += Piece<Parts>::width, target += Piece<Parts>::targets),
         ...);
    }
};

} // namespace inlay::inline INLAY_ISA
