// SPDX-License-Identifier: BSD-3-Clause
// What a loss is, and the mean of one over a batch. The losses there are: losses.hpp.
#pragma once

#include <inlay/core/context.hpp>
#include <inlay/core/policy.hpp>

#include <algorithm>
#include <cmath>
#include <string>
#include <type_traits>

namespace inlay::inline INLAY_ISA {

/// The targets of a batch: `each_row` floats for every row, as many for each of its tokens, and a weight a
/// row.
struct Targets {
    float const* data = nullptr;
    int each_row = 0;
    float const* weight = nullptr;

    double weight_of(int b) const noexcept { return weight ? double(weight[b]) : 1; }
};

// A loss is a struct of static functions; `width` is that of the model's output, and a token is one vector
// of it:
//   int targets(int width)                    floats that a token has as its target
//   bool valid(float const* y, int width)     whether the token counts
//   double weight(float const* y, int width)  optional: how much, where that is not 1
//   double value(T const* z, float const* y, T* dz, int width, double weight)
//                                             `weight` times the loss (its own weight(y) comes on top);
//                                             overwrites dz with its cotangent
//   bool possible(float const* y, int i, int width), std::string wanted(int i, int width)
//                                             optional: whether target i can be, and in words what can
//   template <class Output> using Problem     optional: Fits, or the Misfit with a model's output
// A loss that looks at several tokens at once, draws numbers or needs room has in place of `value`
//   double shard(c, y, targets, scale, dy, scratch)   the sum over c.rows rows; dy is all zeros before
//   std::size_t scratch<V>(int rows)                  bytes of temporaries for views of type V
// and sees the rows of one shard of the batch.

/// Words of a misfit.
template <int Numbers> struct an_output_of_width;

namespace detail {
template <class Loss>
concept ByShard = requires { &Loss::template scratch<NumberView<Shape<2>, float const, 2>>; };

template <class Loss, class Output> struct LossProblemOf {
    static consteval auto find() {
        if constexpr (requires { typename Loss::template Problem<Output>; })
            return Tag<typename Loss::template Problem<Output>>{};
        else return Tag<Fits>{};
    }
    using type = typename decltype(find())::type;
};
} // namespace detail

/// Fits, or why a loss cannot read a model's output. Not in `detail`: see Says.
template <class Loss, class Output> using LossFit = typename detail::LossProblemOf<Loss, Output>::type;

namespace detail {
template <class Loss> double token_weight(float const* y, int width) noexcept {
    if constexpr (requires { Loss::weight(y, width); }) return Loss::weight(y, width);
    else return 1;
}
/// Bytes of temporaries for a shard of outputs seen as V.
template <class Loss, class V> constexpr std::size_t loss_scratch([[maybe_unused]] int rows) {
    if constexpr (ByShard<Loss>) return Loss::template scratch<V>(rows);
    else return 0;
}
/// Calls f(b, t, target) for each token that counts.
template <class Loss, class V, class F>
void each_valid_token(V y, int rows, Targets const& targets, F f) noexcept {
    int const each = Loss::targets(V::width);
    for (int b = 0; b < rows; ++b)
        for (int t = 0, n = y.length(b); t < n; ++t) {
            float const* target = targets.data + std::ptrdiff_t(b) * targets.each_row + t * each;
            if (Loss::valid(target, V::width)) f(b, t, target);
        }
}
/// The sum of the weights of the tokens that count.
template <class Loss, class V> double total_weight(V y, int rows, Targets const& targets) noexcept {
    double total = 0;
    each_valid_token<Loss>(y, rows, targets, [&](int b, int, float const* target) noexcept {
        total += targets.weight_of(b) * token_weight<Loss>(target, V::width);
    });
    return total;
}
/// Whether target i of a token at y is one that the loss can use.
template <class Loss> bool possible_target([[maybe_unused]] float const* y, int i, int width) noexcept {
    if constexpr (requires { Loss::possible(y, i, width); }) return Loss::possible(y, i, width);
    else return true;
}
/// The first target of n that a loss cannot use, or -1.
template <class Loss>
std::ptrdiff_t impossible_target(float const* target, std::ptrdiff_t n, int width) noexcept {
    int const each = Loss::targets(width);
    for (std::ptrdiff_t i = 0; i < n; ++i)
        if (!possible_target<Loss>(target + i / each * each, int(i % each), width)) return i;
    return -1;
}
/// What the i-th target of a row can be.
template <class Loss> std::string wanted_target(std::ptrdiff_t i, int width) {
    if constexpr (requires { Loss::wanted(0, width); })
        return Loss::wanted(int(i % Loss::targets(width)), width);
    else return "a target that the loss can use";
}
/// The weighted sum of losses times `scale`, and its cotangent. Past a row's end, and where a target is not
/// valid, the cotangent is zero.
template <class Loss, class C, class V, class D>
double loss_of(C const& c, V y, Targets const& targets, double scale, D dy, Scratch scratch) noexcept {
    using T = std::remove_reference_t<decltype(*dy.data)>;
    std::fill_n(dy.data, std::ptrdiff_t(c.rows) * V::rows * V::stride, T(0));
    if constexpr (ByShard<Loss>) return Loss::shard(c, y, targets, scale, dy, scratch);
    else {
        double loss = 0;
        each_valid_token<Loss>(y, c.rows, targets, [&](int b, int t, float const* target) noexcept {
            loss += Loss::value(y(b, t), target, dy(b, t), V::width, scale * targets.weight_of(b));
        });
        return loss;
    }
}

/// The first that is a misfit, or Fits.
template <class... P> struct FirstMisfitOf {
    using type = Fits;
};
template <class P, class... Rest>
struct FirstMisfitOf<P, Rest...> : std::conditional_t<fits<P>, FirstMisfitOf<Rest...>, Tag<P>> {};
template <class... P> using FirstMisfit = typename FirstMisfitOf<P...>::type;
template <bool Holds, class Loss, class Found, class Wish>
using LossMust = std::conditional_t<Holds, Fits, Misfit<Loss, Place<>, Got<Found>, Wants<Wish>>>;
template <class Loss, class Allowed, class... P>
using LossPolicies = typename PolicyWalk<Loss, Allowed, List<P...>, P...>::type;
} // namespace detail

} // namespace inlay::inline INLAY_ISA
