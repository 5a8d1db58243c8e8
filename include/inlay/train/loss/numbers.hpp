// SPDX-License-Identifier: BSD-3-Clause
// Losses that take each number of the output by itself: labels in [0, 1] and real numbers.
#pragma once

#include <inlay/simd/math.hpp>
#include <inlay/train/loss/policies.hpp>

namespace inlay::inline INLAY_ISA {

namespace detail {
/// What a loss and its slope are at one number.
struct ValueAndSlope {
    double value, slope;
};
/// A target for each number, NaN for one that does not count; a token of nothing else is ignored. Loss::at(z,
/// y, i) is the loss of number i, and Loss::mean says whether a token's loss is their mean or their sum.
template <class Loss> struct NumberByNumber {
    static constexpr int targets(int width) { return width; }
    static bool valid(float const* y, int width) noexcept {
        return !std::all_of(y, y + width, [](float t) { return std::isnan(t); });
    }
    template <class T>
    static double value(T const* z, float const* y, T* dz, int width, double weight) noexcept {
        double const share = Loss::mean ? weight / width : weight;
        double loss = 0;
        for (int i = 0; i < width; ++i) {
            if (std::isnan(y[i])) {
                dz[i] = T(0);
                continue;
            }
            auto const at = Loss::at(double(z[i]), double(y[i]), i);
            loss += share * at.value;
            dz[i] = T(share * at.slope);
        }
        return loss;
    }
};
/// log(1 + e^x).
inline double softplus(double x) noexcept { return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x))); }
} // namespace detail

/// l = (1 - y) z + a softplus(-z), dz = a sigmoid(z) - w y, with a = 1 + (w - 1) y, summed over the logits of
/// a token; y in [0, 1], w = 1 without policies. A label of NaN does not count.
///
/// Policies: `PositiveWeights<w>` or `<w0, w1, ...>`, one a logit; `LabelSmoothing<e>`, which makes y
/// (1 - e) y + e / 2. PyTorch: `nn.BCEWithLogitsLoss(pos_weight=...)`, which takes the mean over logits.
/// Error: an unknown or doubled policy, as many positive weights as there are neither logits nor one; a label
/// outside [0, 1].
template <class... Policies>
struct BasicBinaryCrossEntropy : detail::NumberByNumber<BasicBinaryCrossEntropy<Policies...>> {
    using Allowed = PolicyKinds<HowLabelsAreSmoothed, HowPositivesWeigh>;
    using Positive = typename detail::PolicyOr<HowPositivesWeigh, PositiveWeights<1.0>, Policies...>::type;
    static constexpr double smoothing =
        detail::PolicyOr<HowLabelsAreSmoothed, LabelSmoothing<0.0>, Policies...>::type::value;
    static constexpr bool mean = false;
    template <class Output>
    using Problem = detail::FirstMisfit<
        detail::LossPolicies<BasicBinaryCrossEntropy, Allowed, Policies...>,
        detail::LossMust<Positive::count == 1 || Positive::count == Output::width, BasicBinaryCrossEntropy,
                         this_many_weights<Positive::count>, this_many_weights<Output::width>>>;

    static detail::ValueAndSlope at(double z, double label, int i) noexcept {
        double const y = (1 - smoothing) * label + smoothing / 2;
        double const w = Positive::value[Positive::count == 1 ? 0 : i], a = 1 + (w - 1) * y;
        return {(1 - y) * z + a * detail::softplus(-z), a * sigmoid(z) - w * y};
    }
    static bool possible(float const* y, int i, int) noexcept { return !(y[i] < 0 || y[i] > 1); }
    static std::string wanted(int, int) { return "a label from 0 to 1, or NaN for none"; }
};
using BinaryCrossEntropy = BasicBinaryCrossEntropy<>;

/// l = mean of (z - y)^2 over the numbers of a token, dz = 2 (z - y) / width. A target of NaN does not count.
/// PyTorch: `nn.MSELoss`.
struct MeanSquaredError : detail::NumberByNumber<MeanSquaredError> {
    static constexpr bool mean = true;
    static detail::ValueAndSlope at(double z, double y, int) noexcept {
        return {(z - y) * (z - y), 2 * (z - y)};
    }
};

/// The mean over the numbers of a token of (z - y)^2 / 2 where |z - y| is at most d, else of d (|z - y| - d /
/// 2). A target of NaN does not count. Policy: `HuberDelta<1.0>`. PyTorch: `nn.HuberLoss(delta=d)`.
template <class... Policies> struct BasicHuber : detail::NumberByNumber<BasicHuber<Policies...>> {
    using Allowed = PolicyKinds<WhereHuberTurns>;
    static constexpr double delta =
        detail::PolicyOr<WhereHuberTurns, HuberDelta<1.0>, Policies...>::type::value;
    static constexpr bool mean = true;
    template <class> using Problem = detail::LossPolicies<BasicHuber, Allowed, Policies...>;

    static detail::ValueAndSlope at(double z, double y, int) noexcept {
        double const d = z - y, size = std::abs(d);
        if (size <= delta) return {d * d / 2, d};
        return {delta * (size - delta / 2), std::copysign(delta, d)};
    }
};
using Huber = BasicHuber<>;

} // namespace inlay::inline INLAY_ISA
