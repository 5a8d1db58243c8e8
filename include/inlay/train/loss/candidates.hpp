// SPDX-License-Identifier: BSD-3-Clause
// Losses over a positive and negatives: from a list in the output, or drawn from scores of all items. From
// the other rows of the batch: loss_in_batch.hpp.
#pragma once

#include <inlay/train/loss/candidate_policies.hpp>
#include <inlay/train/loss/classes.hpp>

namespace inlay::inline INLAY_ISA {

/// Words of a misfit.
struct at_least_two_scores;

namespace detail {
template <class... P>
inline constexpr double temperature = PolicyOr<HowScoresAreSharpened, Temperature<1.0>, P...>::type::value;
template <class... P> inline constexpr double sharpness = temperature<P...> > 0 ? 1 / temperature<P...> : 1;

template <class Rule, class Source, class... P> struct FromSource;

template <class Rule, class... P> struct FromSource<Rule, Listed, P...> {
    using Allowed = List<HowScoresAreSharpened>;
    template <class Loss, class Output>
    using Problem = LossMust<(Output::width > 1), Loss, Output, at_least_two_scores>;

    static constexpr int targets(int width) { return Rule::corrects ? width : 1; }
    static bool valid(float const* y, int) noexcept { return Rule::corrects ? !std::isnan(*y) : *y >= 0; }
    template <class V> static constexpr std::size_t scratch(int) {
        return lines(sizeof(double) * std::size_t(V::width));
    }
    template <class Loss, class C, class V, class D>
    static double run(C const& c, V y, Targets const& targets, double scale, D dy, Scratch room) noexcept {
        using T = std::remove_reference_t<decltype(*dy.data)>;
        double* s = room.take<double>(std::size_t(V::width));
        double loss = 0;
        each_valid_token<Loss>(y, c.rows, targets, [&](int b, int t, float const* target) noexcept {
            double const weight = scale * targets.weight_of(b);
            for (int j = 0; j < V::width; ++j) {
                s[j] = double(y(b, t)[j]) * sharpness<P...>;
                if constexpr (Rule::corrects)
                    s[j] = std::isnan(target[j]) ? -std::numeric_limits<double>::infinity()
                                                 : s[j] - double(target[j]);
            }
            loss += weight * Rule::value(s, V::width, Loss::items(V::width));
            for (int j = 0; j < V::width; ++j) dy(b, t)[j] = T(weight * sharpness<P...> * s[j]);
        });
        return loss;
    }
};

/// An item other than `positive` among `items`, and the logarithm of how probable it was.
struct Drawn {
    int item;
    double log_probability;
};
inline Drawn draw_item(Uniform, double u, int positive, int items) noexcept {
    int const j = std::min(int(u * (items - 1)), items - 2);
    return {j + (j >= positive), -std::log(double(items - 1))};
}
inline Drawn draw_item(LogUniform, double u, int positive, int items) noexcept {
    // The positive's part of [0, 1) is cut out; the rest is stretched over it.
    double const all = std::log(double(items) + 1), begin = std::log(positive + 1.0) / all,
                 end = std::log(positive + 2.0) / all, rest = 1 - (end - begin);
    double const at = u * rest < begin ? u * rest : u * rest + (end - begin);
    int j = std::clamp(int(std::exp(at * all)) - 1, 0, items - 1);
    if (j == positive) j = u * rest < begin ? std::max(j - 1, 0) : std::min(j + 1, items - 1); // by rounding
    return {j, std::log((std::log(j + 2.0) - std::log(j + 1.0)) / all / rest)};
}

template <class Rule, int K, class... P> struct FromSource<Rule, Negatives<K>, P...> {
    using Allowed = List<HowScoresAreSharpened, HowNegativesAreDrawn>;
    using Distribution = typename PolicyOr<HowNegativesAreDrawn, Uniform, P...>::type;
    template <class Loss, class Output>
    using Problem = LossMust<(Output::width > 1), Loss, Output, at_least_two_scores>;

    static constexpr int targets(int) { return 1; }
    static bool valid(float const* y, int) noexcept { return *y >= 0; }
    static bool possible(float const* y, int i, int width) noexcept { return possible_class(y[i], width); }
    static std::string wanted(int, int width) { return wanted_class(width); }
    template <class V> static constexpr std::size_t scratch(int) {
        return lines(sizeof(double) * (K + 1)) + lines(sizeof(int) * (K + 1));
    }
    template <class Loss, class C, class V, class D>
    static double run(C const& c, V y, Targets const& targets, double scale, D dy, Scratch room) noexcept {
        using T = std::remove_reference_t<decltype(*dy.data)>;
        double* s = room.take<double>(K + 1);
        int* item = room.take<int>(K + 1);
        Key const draws = c.key.fold(0x6E656761).fold(c.training ? c.step + 1 : 0);
        double loss = 0;
        each_valid_token<Loss>(y, c.rows, targets, [&](int b, int t, float const* target) noexcept {
            auto const* z = y(b, t);
            auto const row = std::uint64_t(c.training ? c.first_row + b : b);
            item[0] = int(*target);
            Key const key = draws.fold(std::uint64_t(item[0]));
            s[0] = double(z[item[0]]) * sharpness<P...>;
            for (int j = 1; j <= K; ++j) {
                double const u = key.uniform(row, std::uint64_t(t) * K + std::uint64_t(j));
                auto const drawn = draw_item(Distribution{}, u, item[0], V::width);
                item[j] = drawn.item;
                s[j] = double(z[drawn.item]) * sharpness<P...>;
                // The positive is there for certain, and a negative K times its probability.
                if constexpr (Rule::corrects) s[j] -= std::log(double(K)) + drawn.log_probability;
            }
            double const weight = scale * targets.weight_of(b);
            loss += weight * Rule::value(s, K + 1, Loss::items(V::width));
            for (int j = 0; j <= K; ++j) dy(b, t)[item[j]] += T(weight * sharpness<P...> * s[j]);
        });
        return loss;
    }
};

template <class Loss, class Allowed, class Extra, class... P> struct CandidatePolicies;
template <class Loss, class... Kinds, class... Extra, class... P>
struct CandidatePolicies<Loss, List<Kinds...>, List<Extra...>, P...> {
    using type = LossPolicies<Loss, PolicyKinds<Kinds..., Extra...>, P...>;
};

/// A loss by a rule over candidates from the source that a policy names. Extra are the kinds of policies that
/// it takes besides those of the source.
template <class Loss, class Rule, class Defaults, class Extra, class... P> struct CandidateLoss;
template <class Loss, class Rule, class... Default, class Extra, class... P>
struct CandidateLoss<Loss, Rule, List<Default...>, Extra, P...>
    : FromSource<Rule, typename PolicyOr<WhereCandidatesComeFrom, void, P..., Default...>::type, P...,
                 Default...> {
    using Source = typename PolicyOr<WhereCandidatesComeFrom, void, P..., Default...>::type;
    using From = FromSource<Rule, Source, P..., Default...>;
    template <class Output>
    using Problem = FirstMisfit<typename CandidatePolicies<Loss, typename From::Allowed, Extra, P...>::type,
                                typename From::template Problem<Loss, Output>>;
    static constexpr double items(int width) { return width; }

    template <class C, class V, class D>
    static double shard(C const& c, V y, Targets const& targets, double scale, D dy, Scratch room) noexcept {
        return From::template run<Loss>(c, y, targets, scale, dy, room);
    }
};
} // namespace detail

} // namespace inlay::inline INLAY_ISA
