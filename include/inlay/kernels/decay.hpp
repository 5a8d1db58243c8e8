// SPDX-License-Identifier: BSD-3-Clause
// Decays between the tokens of a chunk, from sums of their logarithms: e^(b_i - b_j) for j <= i is never more
// than 1. Nothing is divided by a product of decays, which would vanish.
#pragma once

#include <inlay/kernels/triangle.hpp>

namespace inlay::inline INLAY_ISA {
namespace kernels {

/// Sums of log decays from a chunk's start, token by token, `width` to a token (a multiple of W, or 1), as
/// high and low parts: differences between late tokens keep their digits.
template <class T> struct DecaySums {
    T *high, *low;
    int width;
};

namespace detail {
/// (high, low) += x; the parts do not overlap.
template <class V> INLAY_INLINE void add_exactly(V& high, V& low, V x) noexcept {
    V const sum = simd::opaque(high + x), part = simd::opaque(sum - high);
    low += (high - simd::opaque(sum - part)) + (x - part);
    high = sum;
}
/// e^((high a + low a) - (high b + low b)); never more than 1.
template <class V> INLAY_INLINE V decay_of(V high_a, V low_a, V high_b, V low_b) noexcept {
    V const e = simd::exp(simd::lesser(high_a - high_b, V(0)));
    return simd::fma(e, low_a - low_b, e);
}
} // namespace detail

/// Fills sums from log decays; after the last of n tokens a single one is repeated up to a whole vector.
template <int W, class T>
INLAY_NOINLINE inline void sum_decays(int n, T const* log_decay, DecaySums<T> const& sums) noexcept {
    if (sums.width == 1) {
        using V = simd::vec<T, 1>;
        V high(T(0)), low(T(0));
        for (int i = 0; i < whole<W>(n); ++i) {
            if (i < n) detail::add_exactly(high, low, V(log_decay[i]));
            high.store(sums.high + i), low.store(sums.low + i);
        }
        return;
    }
    using V = simd::vec<T, W>;
    for (int c = 0; c < sums.width; c += W) {
        V high(T(0)), low(T(0));
        for (int i = 0; i < n; ++i) {
            int const at = i * sums.width + c;
            detail::add_exactly(high, low, V::load(log_decay + at));
            high.store(sums.high + at), low.store(sums.low + at);
        }
    }
}

/// to = x e^(b_a - b_b) channel by channel, or for every channel alike; b < 0 is the chunk's start. Adds if
/// asked.
template <int W, class T>
INLAY_INLINE void decayed(DecaySums<T> const& s, int a, int b, int width, T const* x, T* to,
                          bool accumulate = false) noexcept {
    using V = simd::vec<T, W>;
    V const zero(T(0));
    auto const put = [&](int i, V factor) INLAY_INLINE_LAMBDA {
        V const y = V::load(x + i) * factor;
        (accumulate ? y + V::load(to + i) : y).store(to + i);
    };
    if (s.width == 1) {
        V const factor = detail::decay_of(V(s.high[a]), V(s.low[a]), b < 0 ? zero : V(s.high[b]),
                                          b < 0 ? zero : V(s.low[b]));
        for (int i = 0; i < width; i += W) put(i, factor);
        return;
    }
    T const *const ha = s.high + a * s.width, *const la = s.low + a * s.width;
    T const *const hb = s.high + b * s.width, *const lb = s.low + b * s.width;
    for (int i = 0; i < width; i += W)
        put(i, detail::decay_of(V::load(ha + i), V::load(la + i), b < 0 ? zero : V::load(hb + i),
                                b < 0 ? zero : V::load(lb + i)));
}

/// e^(b_i) and e^(b_last - b_i), one decay a token, for n tokens up to a whole vector.
template <int W, class T>
INLAY_NOINLINE inline void decay_factors(int n, DecaySums<T> const& s, T* from_start, T* to_end) noexcept {
    using V = simd::vec<T, W>;
    V const zero(T(0)), high(s.high[n - 1]), low(s.low[n - 1]);
    for (int i = 0; i < n; i += W) {
        V const h = V::load(s.high + i), l = V::load(s.low + i);
        detail::decay_of(h, l, zero, zero).store(from_start + i);
        detail::decay_of(high, low, h, l).store(to_end + i);
    }
}
/// d(i, j) = e^(b_i - b_j), one decay a token; ones above the diagonal.
template <int W, class T>
INLAY_NOINLINE inline void decay_triangle(int n, DecaySums<T> const& s, T* d, std::ptrdiff_t row) noexcept {
    using V = simd::vec<T, W>;
    for (int j = 0; j < n; ++j)
        for (int i = j / band * band; i < n; i += W)
            detail::decay_of(V::load(s.high + i), V::load(s.low + i), V(s.high[j]), V(s.low[j]))
                .store(d + j * row + i);
}
template <int W, class T>
INLAY_NOINLINE inline void multiply_triangle(int n, T const* d, T* m, std::ptrdiff_t row) noexcept {
    using V = simd::vec<T, W>;
    for (int j = 0; j < n; ++j)
        for (int i = j / band * band; i < n; i += W)
            (V::load(m + j * row + i) * V::load(d + j * row + i)).store(m + j * row + i);
}

/// The three products of triangle.hpp with a decay for each channel. Pairs of different bands meet at the
/// later band's first token f, e^(b_i - b_f) and e^(b_f - b_j); pairs of one band are computed one by one.
/// `room` is for band * width + n * width numbers.
template <int W, class T> struct ChannelTriangle {
    using V = simd::vec<T, W>;
    int n, width;
    DecaySums<T> sums;
    std::ptrdiff_t row;
    T* room;

    /// m(i, j) = sum over channels of later_i earlier_j e^(b_i - b_j).
    INLAY_NOINLINE void products(T const* earlier, T const* later, T* m, bool strict) const noexcept {
        T* const turned = room;
        T* const faded = room + band * width;
        for (int f = 0; f < n; f += band) {
            int const high = std::min(band, n - f);
            if (f > 0) {
                for (int i = 0; i < high; ++i)
                    decayed<W>(sums, f + i, f, width, later + (f + i) * width, faded + i * width);
                transpose_rows<W>(high, width, faded, width, turned, band);
                for (int j = 0; j < f; ++j)
                    decayed<W>(sums, f, j, width, earlier + j * width, faded + j * width);
                gemm<W>(f, whole<W>(high), width, faded, width, 1, turned, band, m + f, row, false);
            }
            for (int j = f; j < f + high; ++j) {
                clear(m + j * row + f, whole<W>(high));
                for (int i = j + strict; i < f + high; ++i) {
                    V sum(T(0));
                    each_pair(i, j, [&](int c, V decay) INLAY_INLINE_LAMBDA {
                        sum = simd::fma(V::load(later + i * width + c) * decay,
                                        V::load(earlier + j * width + c), sum);
                    });
                    m[j * row + i] = simd::sum(sum);
                }
            }
        }
    }
    /// to_i += sum over j of m(i, j) e^(b_i - b_j) x_j.
    INLAY_NOINLINE void to_later(T const* m, T const* x, T* to) const noexcept {
        T* const sum = room;
        T* const faded = room + band * width;
        for (int f = 0; f < n; f += band) {
            int const high = std::min(band, n - f);
            if (f > 0) {
                for (int j = 0; j < f; ++j) decayed<W>(sums, f, j, width, x + j * width, faded + j * width);
                gemm<W>(high, width, f, m + f, 1, row, faded, width, sum, width, false);
                for (int i = 0; i < high; ++i)
                    decayed<W>(sums, f + i, f, width, sum + i * width, to + (f + i) * width, true);
            }
            within(m, f, x, to, true);
        }
    }
    /// to_j += sum over i of m(i, j) e^(b_i - b_j) x_i.
    INLAY_NOINLINE void to_earlier(T const* m, T const* x, T* to) const noexcept {
        T* const faded = room;
        T* const sum = room + band * width;
        for (int f = 0; f < n; f += band) {
            int const high = std::min(band, n - f);
            if (f > 0) {
                for (int i = 0; i < high; ++i)
                    decayed<W>(sums, f + i, f, width, x + (f + i) * width, faded + i * width);
                gemm<W>(f, width, high, m + f, row, 1, faded, width, sum, width, false);
                for (int j = 0; j < f; ++j)
                    decayed<W>(sums, f, j, width, sum + j * width, to + j * width, true);
            }
            within(m, f, x, to, false);
        }
    }

private:
    template <class F> INLAY_INLINE void each_pair(int i, int j, F const& f) const noexcept {
        for (int c = 0; c < width; c += W) {
            int const a = i * width + c, b = j * width + c;
            f(c, detail::decay_of(V::load(sums.high + a), V::load(sums.low + a), V::load(sums.high + b),
                                  V::load(sums.low + b)));
        }
    }
    void within(T const* m, int f, T const* x, T* to, bool later) const noexcept {
        for (int j = f; j < std::min(f + band, n); ++j)
            for (int i = j; i < std::min(f + band, n); ++i) {
                V const by(m[j * row + i]);
                T const* const from = x + (later ? j : i) * width;
                T* const into = to + (later ? i : j) * width;
                each_pair(i, j, [&](int c, V decay) INLAY_INLINE_LAMBDA {
                    simd::fma(by * decay, V::load(from + c), V::load(into + c)).store(into + c);
                });
            }
    }
};

} // namespace kernels
} // namespace inlay::inline INLAY_ISA
