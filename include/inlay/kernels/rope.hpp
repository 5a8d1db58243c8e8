// SPDX-License-Identifier: BSD-3-Clause
// Rotary positions (arXiv 2104.09864): pairs of numbers turned by an angle that grows with the position.
#pragma once

#include <inlay/kernels/map.hpp>
#include <inlay/simd/sincos.hpp>

#include <algorithm>
#include <cstdint>

namespace inlay::inline INLAY_ISA {
namespace kernels {

namespace detail {
/// Angles are computed in double whatever the scalar: a position of 10^5 has no digits to spare in float.
inline constexpr int angle_lanes = INLAY_VECTOR_BYTES == 0 ? 1 : INLAY_VECTOR_BYTES / 8;
/// Numbers that room for `pairs` angles takes.
constexpr int angle_room(int pairs) { return (pairs + angle_lanes - 1) / angle_lanes * angle_lanes; }
} // namespace detail

/// to[m] = base^(-m / half), the angle of pair m from one position to the next; writes angle_room numbers.
inline void rope_frequencies(int pairs, double half, double base, double* to) noexcept {
    constexpr int L = detail::angle_lanes;
    double const step = -std::log(base) / half;
    for (int m = 0; m < detail::angle_room(pairs); ++m) to[m] = step * m;
    map<L>(detail::angle_room(pairs), to, to, [](auto x) { return simd::exp(x); });
}
/// Cosines and sines of a position; both have angle_room numbers.
template <class T>
inline void rope_angles(std::int64_t position, int pairs, double const* frequencies, T* cos,
                        T* sin) noexcept {
    constexpr int L = detail::angle_lanes;
    using V = simd::vec<double, L>;
    for (int m = 0; m < detail::angle_room(pairs); m += L) {
        auto const both = simd::sincos(V(double(position)) * V::load(frequencies + m));
        double c[std::size_t(L)], s[std::size_t(L)];
        both.cos.store(c), both.sin.store(s);
        for (int i = 0; i < L; ++i) cos[m + i] = T(c[i]), sin[m + i] = T(s[i]);
    }
}

/// Turns the pairs (m, m + pairs) of a row; direction -1 turns back.
template <int W, class T>
inline void rotate_halves(int pairs, T const* cos, T const* sin, T direction, T* x) noexcept {
    using V = simd::vec<T, W>;
    V const way(direction);
    for (int m = 0; m < pairs; m += W) {
        int const n = std::min(W, pairs - m);
        auto const load = [n](T const* p) { return n == W ? V::load(p) : V::load_first(p, n); };
        V const a = load(x + m), b = load(x + m + pairs), c = load(cos + m), s = load(sin + m) * way;
        V const first = simd::fma(a, c, -(b * s)), second = simd::fma(a, s, b * c);
        if (n == W) first.store(x + m), second.store(x + m + pairs);
        else first.store_first(x + m, n), second.store_first(x + m + pairs, n);
    }
}
/// Turns the pairs (2 m, 2 m + 1) of a row.
template <class T>
inline void rotate_neighbours(int pairs, T const* cos, T const* sin, T direction, T* x) noexcept {
    for (int m = 0; m < pairs; ++m) {
        T const a = x[2 * m], b = x[2 * m + 1], s = direction * sin[m];
        x[2 * m] = a * cos[m] - b * s;
        x[2 * m + 1] = a * s + b * cos[m];
    }
}

} // namespace kernels
} // namespace inlay::inline INLAY_ISA
