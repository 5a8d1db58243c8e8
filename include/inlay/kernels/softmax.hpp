// SPDX-License-Identifier: BSD-3-Clause
// Softmax and log-sum-exp of rows, whole or tile by tile. Nothing past a row's width is read; a score of
// -infinity is masked: its weight is 0, and a row of nothing else is all zeros.
#pragma once

#include <inlay/kernels/map.hpp>

#include <limits>

namespace inlay::inline INLAY_ISA {
namespace kernels {

/// Vectors of a row of any length.
template <int W, class T> struct Row {
    using V = simd::vec<T, W>;
    /// Lanes of x from i on; those past n are `pad`.
    static V load(T const* x, int i, int n, T pad) noexcept {
        if (i + W <= n) return V::load(x + i);
        T room[std::size_t(W)];
        for (int l = 0; l < W; ++l) room[l] = i + l < n ? x[i + l] : pad;
        return V::load(room);
    }
    static void store(V v, T* y, int i, int n) noexcept {
        if (i + W <= n) v.store(y + i);
        else v.store_first(y + i, n - i);
    }
};

/// The largest of n numbers; -infinity for none.
template <int W, class T> inline T max(int n, T const* x) noexcept {
    using V = simd::vec<T, W>;
    constexpr T least = -std::numeric_limits<T>::infinity();
    V top(least);
    for (int i = 0; i < n; i += W) top = simd::greater(Row<W, T>::load(x, i, n, least), top);
    return simd::max(top);
}
/// The sum of n numbers, in an order that depends on n and W only.
template <int W, class T> inline T sum(int n, T const* x) noexcept {
    using V = simd::vec<T, W>;
    V s(T(0));
    int i = 0;
    for (; i + W <= n; i += W) s += V::load(x + i);
    if (i < n) s += V::load_first(x + i, n - i);
    return simd::sum(s);
}

/// y = e^(x - top), and their sum; y may be x.
template <int W, class T> inline T exp_row(int n, T const* x, T top, T* y) noexcept {
    using V = simd::vec<T, W>;
    V const shift(top);
    V total(T(0));
    for (int i = 0; i < n; i += W) {
        V const e = simd::exp(Row<W, T>::load(x, i, n, -std::numeric_limits<T>::infinity()) - shift);
        Row<W, T>::store(e, y, i, n);
        total += e;
    }
    return simd::sum(total);
}

/// y = softmax(x) for m rows of n numbers; y may be x.
template <int W, class T>
INLAY_NOINLINE inline void softmax(int m, int n, T const* x, std::ptrdiff_t x_stride, T* y,
                                   std::ptrdiff_t y_stride) noexcept {
    for (int r = 0; r < m; ++r, x += x_stride, y += y_stride) {
        T const top = max<W>(n, x);
        if (top == -std::numeric_limits<T>::infinity() && !std::isnan(sum<W>(n, x))) {
            clear(y, n);
            continue;
        }
        T const total = exp_row<W>(n, x, top, y);
        scale<W>(n, T(1) / total, y, y);
    }
}
/// The way back: dx = y (dy - sum y dy); dx may be dy.
template <int W, class T>
INLAY_NOINLINE inline void softmax_backward(int m, int n, T const* y, std::ptrdiff_t y_stride, T const* dy,
                                            T* dx, std::ptrdiff_t stride) noexcept {
    using V = simd::vec<T, W>;
    for (int r = 0; r < m; ++r, y += y_stride, dy += stride, dx += stride) {
        V products(T(0));
        for (int i = 0; i < n; i += W)
            products = simd::fma(Row<W, T>::load(y, i, n, T(0)), Row<W, T>::load(dy, i, n, T(0)), products);
        V const mean(simd::sum(products));
        for (int i = 0; i < n; i += W)
            Row<W, T>::store(Row<W, T>::load(y, i, n, T(0)) * (Row<W, T>::load(dy, i, n, T(0)) - mean), dx, i,
                             n);
    }
}

/// log sum e^x over n numbers; -infinity where all are masked.
template <int W, class T> INLAY_NOINLINE inline T log_sum_exp(int n, T const* x) noexcept {
    using V = simd::vec<T, W>;
    T const top = max<W>(n, x);
    if (std::isinf(top)) return top;
    V total(T(0));
    for (int i = 0; i < n; i += W)
        total += simd::exp(Row<W, T>::load(x, i, n, -std::numeric_limits<T>::infinity()) - V(top));
    return top + std::log(simd::sum(total));
}

/// A softmax whose scores arrive tile by tile. What was summed up with the weights of earlier tiles is to be
/// multiplied by what `extend` returns, and at the end divided by `sum`.
template <class T> struct OnlineSoftmax {
    T top = -std::numeric_limits<T>::infinity(), sum = 0;

    /// x becomes e^(x - the largest so far).
    template <int W> T extend(int n, T* x) noexcept {
        constexpr T masked = -std::numeric_limits<T>::infinity();
        T const before = top, here = max<W>(n, x);
        top = here > top ? here : top;
        if (top == masked && !std::isnan(kernels::sum<W>(n, x))) { // nothing but masked scores so far
            clear(x, n);
            return T(1);
        }
        T const factor = before == masked ? T(0) : simd::exp(simd::vec<T, 1>(before - top)).v.lane[0];
        sum = sum * factor + exp_row<W>(n, x, top, x);
        return factor;
    }
    /// The logarithm of the sum of all e^x.
    T log_sum_exp() const noexcept { return top + std::log(sum); }
};

} // namespace kernels
} // namespace inlay::inline INLAY_ISA
