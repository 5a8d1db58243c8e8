// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <inlay/train/first_bad.hpp>
#include <inlay/train/gradients.hpp>
#include <inlay/train/train_options.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

namespace inlay::inline INLAY_ISA {

namespace detail {
/// Clips the summed gradients of the tensors that move, each number first, then all of them by their norm:
/// the norm before the second, NaN where it is not asked for. Where it is not finite nothing is scaled.
template <class G, class List> double clip(Clip const& clip, G& gradients, List const& list) {
    using T = typename G::T;
    auto const each = [&](auto f) {
        for (std::size_t i = 0; i < list.size(); ++i)
            if (list[i].moves())
                gradients.each_run(i, list[i].ref.stride, [&](std::ptrdiff_t, T* g, std::ptrdiff_t n) {
                    for (std::ptrdiff_t j = 0; j < n; ++j) f(g[j]);
                });
    };
    if (clip.value > 0) {
        T const most = T(clip.value);
        each([&](T& g) { g = std::isnan(g) ? g : std::clamp(g, -most, most); });
    }
    if (!(clip.norm > 0)) return std::numeric_limits<double>::quiet_NaN();
    double squares = 0;
    each([&](T g) { squares += double(g) * double(g); });
    double const norm = std::sqrt(squares), factor = clip.norm / (norm + 1e-6);
    if (std::isfinite(norm) && factor < 1) each([&](T& g) { g = T(double(g) * factor); });
    return norm;
}
/// What is not finite, times zero, is NaN. Four sums are under way.
template <class T> bool all_finite(T const* x, std::ptrdiff_t n) noexcept {
    constexpr int W = native_lanes<T>;
    using V = simd::vec<T, W>;
    V const zero(T(0));
    V sum[] = {zero, zero, zero, zero};
    std::ptrdiff_t i = 0;
    for (; i + 4 * W <= n; i += 4 * W)
        for (int k = 0; k < 4; ++k) sum[k] = simd::fma(V::load(x + i + k * W), zero, sum[k]);
    for (; i < n; i += W)
        sum[0] = simd::fma(V::load_first(x + i, int(std::min<std::ptrdiff_t>(W, n - i))), zero, sum[0]);
    return simd::sum((sum[0] + sum[1]) + (sum[2] + sum[3])) == T(0);
}
/// Whether the numbers of a batch's input are all finite.
template <class Input, class X> bool is_finite_input(X x, int batch) {
    if constexpr (is_numbers<Input>) return all_finite(x.data, std::ptrdiff_t(batch) * X::rows * X::stride);
    else return bad_input<Input>(x, batch).row < 0;
}
/// The first tensor whose summed gradient holds a number that is not finite, or as many as there are.
template <class G, class List> std::size_t first_bad_gradient(G const& gradients, List const& list) {
    using T = typename G::T;
    for (std::size_t i = 0; i < list.size(); ++i) {
        if (list[i].frozen) continue;
        bool finite = true;
        gradients.each_run(i, list[i].ref.stride, [&](std::ptrdiff_t, T const* g, std::ptrdiff_t n) {
            finite = finite && all_finite(g, n);
        });
        if (!finite) return i;
    }
    return list.size();
}
} // namespace detail

} // namespace inlay::inline INLAY_ISA
