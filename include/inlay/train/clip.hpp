// SPDX-License-Identifier: BSD-3-Clause
#pragma once

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
/// The first tensor whose summed gradient holds a number that is not finite, or as many as there are.
template <class G, class List> std::size_t first_bad_gradient(G const& gradients, List const& list) {
    using T = typename G::T;
    for (std::size_t i = 0; i < list.size(); ++i) {
        simd::vec<T, native_lanes<T>> none(T(0)); // what is not finite times zero is NaN
        if (!list[i].frozen)
            gradients.each_run(i, list[i].ref.stride, [&](std::ptrdiff_t, T const* g, std::ptrdiff_t n) {
                each_vector<T>(n, [&](auto load, auto) {
                    none = simd::fma(load(g), simd::vec<T, native_lanes<T>>(T(0)), none);
                });
            });
        if (!(simd::sum(none) == T(0))) return i;
    }
    return list.size();
}
} // namespace detail

} // namespace inlay::inline INLAY_ISA
