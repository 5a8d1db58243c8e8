// SPDX-License-Identifier: BSD-3-Clause
// Logarithms of a square matrix, normalised by rows and columns in turn (arXiv 1802.08665): n rows of n
// numbers, `stride` apart, a multiple of W. What stands in pads stays finite and counts for nothing.
#pragma once

#include <inlay/kernels/map.hpp>

#include <algorithm>
#include <cmath>

namespace inlay::inline INLAY_ISA {
namespace kernels {

/// The exponentials of each row sum to 1. `room` holds a row.
template <int W, class T> void log_normalise_rows(int n, T* r, int stride, T* room) noexcept {
    for (int i = 0; i < n; ++i, r += stride) {
        T const most = *std::max_element(r, r + n);
        map<W>(stride, r, room, [&](auto x) noexcept { return simd::exp(x - decltype(x)(most)); });
        T sum(0);
        for (int j = 0; j < n; ++j) sum += room[j];
        T const log = most + std::log(sum);
        for (int j = 0; j < n; ++j) r[j] -= log;
    }
}
/// The exponentials of each column sum to 1. `room` holds two rows.
template <int W, class T> void log_normalise_columns(int n, T* r, int stride, T* room) noexcept {
    T *const most = room, *const sum = room + stride;
    std::copy_n(r, stride, most);
    clear(sum, stride);
    for (int i = 1; i < n; ++i)
        zip<W>(stride, r + std::ptrdiff_t(i) * stride, most, most,
               [](auto x, auto m) noexcept { return simd::select_greater(x, m, x, m); });
    using V = simd::vec<T, W>;
    for (int i = 0; i < n; ++i)
        for (int j = 0; j < stride; j += W)
            (V::load(sum + j) + simd::exp(V::load(r + std::ptrdiff_t(i) * stride + j) - V::load(most + j)))
                .store(sum + j);
    for (int j = 0; j < n; ++j) most[j] += std::log(sum[j]);
    for (int i = 0; i < n; ++i, r += stride)
        for (int j = 0; j < n; ++j) r[j] -= most[j];
}

/// Slopes of what such a step gave become those of what it took; r is what it gave.
template <int W, class T> void log_rows_backward(int n, T const* r, T* slope, int stride, T* room) noexcept {
    for (int i = 0; i < n; ++i, r += stride, slope += stride) {
        T sum(0);
        for (int j = 0; j < n; ++j) sum += slope[j];
        map<W>(stride, r, room, [](auto x) noexcept { return simd::exp(x); });
        for (int j = 0; j < n; ++j) slope[j] -= room[j] * sum;
    }
}
template <int W, class T>
void log_columns_backward(int n, T const* r, T* slope, int stride, T* room) noexcept {
    using V = simd::vec<T, W>;
    clear(room, stride);
    for (int i = 0; i < n; ++i) add<W>(stride, slope + std::ptrdiff_t(i) * stride, room);
    for (int i = 0; i < n; ++i, r += stride, slope += stride)
        for (int j = 0; j < stride; j += W)
            (V::load(slope + j) - simd::exp(V::load(r + j)) * V::load(room + j)).store(slope + j);
}

} // namespace kernels
} // namespace inlay::inline INLAY_ISA
