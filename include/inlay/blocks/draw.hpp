// SPDX-License-Identifier: BSD-3-Clause
// First values of parameters.
#pragma once

#include <inlay/core/random.hpp>
#include <inlay/core/tensor.hpp>
#include <inlay/kernels/map.hpp>

namespace inlay::inline INLAY_ISA {
namespace detail {

/// Numbers drawn from U(-bound, bound).
template <class Key, class T> void draw_uniform(Key key, double bound, TensorRef<T> const& w) noexcept {
    for (int o = 0; o < w.rows; ++o)
        for (int i = 0; i < w.width; ++i)
            w(o, i) = T(bound *
                        (2 * key.uniform(std::uint64_t(o) * std::uint64_t(w.width) + std::uint64_t(i)) - 1));
}
/// Numbers drawn from N(0, deviation^2).
template <class Key, class T> void draw_normal(Key key, double deviation, TensorRef<T> const& w) noexcept {
    for (int o = 0; o < w.rows; ++o)
        for (int i = 0; i < w.width; ++i)
            w(o, i) = T(deviation * key.normal(std::uint64_t(o) * std::uint64_t(w.width) + std::uint64_t(i)));
}
template <class T> void fill(TensorRef<T> const& w, double x) noexcept {
    for (int o = 0; o < w.rows; ++o)
        for (int i = 0; i < w.width; ++i) w(o, i) = T(x);
}
/// A linear map from Xavier's U(-a, a), a^2 = 6 / (in + out), times a scale; a bias is zero.
template <class Key, class Map> void draw_map(Key key, double scale, Map& map) noexcept {
    auto const w = map.weight.ref();
    draw_uniform(key, scale * std::sqrt(6.0 / (w.rows + w.width)), w);
    if constexpr (requires { map.bias[0]; }) kernels::clear(map.bias[0], map.bias.stride);
}

} // namespace detail
} // namespace inlay::inline INLAY_ISA
