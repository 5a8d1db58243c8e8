// SPDX-License-Identifier: BSD-3-Clause
// What losses can be told, in any order.
#pragma once

#include <inlay/train/loss.hpp>

namespace inlay::inline INLAY_ISA {

/// The families of LabelSmoothing, ClassWeights, PositiveWeights, IgnoreLabels, HuberDelta and Temperature.
struct HowLabelsAreSmoothed;
struct HowClassesWeigh;
struct HowPositivesWeigh;
struct WhichLabelsAreIgnored;
struct WhereHuberTurns;
struct HowScoresAreSharpened;

/// A share of a label's weight is spread evenly over all classes: q = (1 - E) onehot + E / classes.
template <double E> struct LabelSmoothing {
    using Must = detail::Must<(E >= 0 && E < 1), a_probability_below_1>;
    using PolicyKind = HowLabelsAreSmoothed;
    static constexpr double value = E;
};
/// A weight for each class; the mean divides by the sum of the targets' weights.
template <double... W> struct ClassWeights {
    using Must = detail::Must<((W >= 0) && ...), numbers_of_at_least_0>;
    using PolicyKind = HowClassesWeigh;
    static constexpr int count = int(sizeof...(W));
    static constexpr double value[] = {W...};
};
/// What a label of 1 weighs beside a label of 0: one number for all logits, or one for each.
template <double... W> struct PositiveWeights {
    using Must = detail::Must<((W >= 0) && ...), numbers_of_at_least_0>;
    using PolicyKind = HowPositivesWeigh;
    static constexpr int count = int(sizeof...(W));
    static constexpr double value[] = {W...};
};
/// Classes that do not count where they are the target, such as the id of padding.
template <int... Label> struct IgnoreLabels {
    using PolicyKind = WhichLabelsAreIgnored;
    static constexpr bool has(int label) { return ((label == Label) || ...); }
};
/// Where Huber's loss turns from a parabola into a line.
template <double D> struct HuberDelta {
    using Must = detail::Must<(D > 0), a_positive_number>;
    using PolicyKind = WhereHuberTurns;
    static constexpr double value = D;
};
/// What scores are divided by before a softmax.
template <double Tau> struct Temperature {
    using Must = detail::Must<(Tau > 0), a_positive_number>;
    using PolicyKind = HowScoresAreSharpened;
    static constexpr double value = Tau;
};

/// Words of a misfit.
template <int N> struct this_many_weights;
struct at_least_two_classes;

} // namespace inlay::inline INLAY_ISA
