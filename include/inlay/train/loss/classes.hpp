// SPDX-License-Identifier: BSD-3-Clause
// Cross-entropy over classes.
#pragma once

#include <inlay/core/joined.hpp>
#include <inlay/kernels/softmax.hpp>
#include <inlay/train/loss/policies.hpp>

#include <limits>

namespace inlay::inline INLAY_ISA {

namespace detail {
/// Whether a target is a class, or says that it is none.
inline bool possible_class(float target, int classes) noexcept {
    return !(target >= 0) || (target < float(classes) && target == std::floor(target));
}
inline std::string wanted_class(int classes) {
    return joined("a class from 0 to ", classes - 1, ", or a negative one");
}
} // namespace detail

/// l = sum over classes of a_c (log sum e^z - z_c), dz = (sum a) softmax(z) - a, for one class y a token. a
/// is 1 at y and 0 elsewhere; with label smoothing e and class weights w it is (1 - e) w_y at y and e w_c / C
/// everywhere. A negative class, or NaN, is ignored. A token all of whose logits are -infinity has no loss.
///
/// Policies: `LabelSmoothing<e>`, `ClassWeights<w...>`, `IgnoreLabels<id...>`. With class weights the mean
/// divides by the sum of the targets' weights. Cost: one exponential in double a logit. PyTorch:
/// `nn.CrossEntropyLoss(weight=w, ignore_index=-100, label_smoothing=e)`. Error: an output of width 1, more
/// or fewer weights than classes, an unknown or doubled policy; a class that has no logit.
template <class... Policies> struct BasicCrossEntropy {
    using Allowed = PolicyKinds<HowLabelsAreSmoothed, HowClassesWeigh, WhichLabelsAreIgnored>;
    using Weights = typename detail::PolicyOr<HowClassesWeigh, ClassWeights<1.0>, Policies...>::type;
    using Ignored = typename detail::PolicyOr<WhichLabelsAreIgnored, IgnoreLabels<>, Policies...>::type;
    static constexpr bool weighted = detail::has_policy<HowClassesWeigh, Policies...>;
    static constexpr double smoothing =
        detail::PolicyOr<HowLabelsAreSmoothed, LabelSmoothing<0.0>, Policies...>::type::value;
    template <class Output>
    using Problem = detail::FirstMisfit<
        detail::LossPolicies<BasicCrossEntropy, Allowed, Policies...>,
        detail::LossMust<(Output::width > 1), BasicCrossEntropy, Output, at_least_two_classes>,
        detail::LossMust<!weighted || Weights::count == Output::width, BasicCrossEntropy,
                         this_many_weights<Weights::count>, this_many_weights<Output::width>>>;

    static constexpr int targets(int) { return 1; }
    static bool valid(float const* y, int) noexcept { return *y >= 0 && !Ignored::has(int(*y)); }
    static double weight(float const* y, int) noexcept { return weight_of(int(*y)); }
    static bool possible(float const* y, int i, int width) noexcept {
        return detail::possible_class(y[i], width);
    }
    static std::string wanted(int, int width) { return detail::wanted_class(width); }

    template <class T>
    static double value(T const* z, float const* y, T* dz, int width, double weight) noexcept {
        constexpr int W = std::max(1, INLAY_VECTOR_BYTES / 8);
        constexpr double masked = -std::numeric_limits<double>::infinity();
        double const top = double(kernels::max<W>(width, z));
        if (top == masked) {
            std::fill_n(dz, width, T(0));
            return 0;
        }
        // Exponentials in double; their sum goes lane by lane, and dz keeps them until it is known.
        simd::vec<double, W> total(0.0);
        for (int i = 0; i < width; i += W) {
            double e[W];
            for (int l = 0; l < W; ++l) e[l] = i + l < width ? double(z[i + l]) - top : masked;
            auto const v = simd::exp(simd::vec<double, W>::load(e));
            total += v;
            v.store(e);
            for (int l = 0; l < std::min(W, width - i); ++l) dz[i + l] = T(e[l]);
        }
        double const sum = simd::sum(total);
        int const label = int(*y);
        double const here = double(z[label]) - top, at = (1 - smoothing) * weight_of(label);
        double loss = -at * here, all = at;
        if constexpr (smoothing > 0)
            for (int i = 0; i < width; ++i) {
                double const a = spread(i, width);
                all += a;
                if (a > 0) loss -= a * (double(z[i]) - top);
            }
        double const share = weight * all / sum;
        for (int i = 0; i < width; ++i) dz[i] = T(share * double(dz[i]) - weight * spread(i, width));
        dz[label] = T(weight * (all * std::exp(here) / sum - at - spread(label, width)));
        return weight * (all * std::log(sum) + loss);
    }

private:
    static constexpr double weight_of(int label) noexcept { return weighted ? Weights::value[label] : 1; }
    static constexpr double spread(int i, int width) noexcept { return smoothing / width * weight_of(i); }
};
using CrossEntropy = BasicCrossEntropy<>;

} // namespace inlay::inline INLAY_ISA
