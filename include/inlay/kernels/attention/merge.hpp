// SPDX-License-Identifier: BSD-3-Clause
// Attention over some keys and attention over others, put together: what blocks of keys, parts of a cache and
// prefixes that are shared give one by one. Any order and any grouping gives the same.
#pragma once

#include <inlay/config.hpp>

#include <cmath>
#include <cstddef>
#include <limits>

namespace inlay::inline INLAY_ISA {
namespace kernels {

/// What queries got from some keys: rows of numbers, and log sum e^z, minus infinity where none was seen.
template <class T> struct PartialAttention {
    T* out;
    std::ptrdiff_t row;
    T* log_sum;
};

namespace detail {
/// e^(part - whole), zero where the whole is empty.
template <class T> T share(T part, T whole) noexcept {
    return whole == -std::numeric_limits<T>::infinity() ? T(0) : std::exp(part - whole);
}
} // namespace detail

/// For n queries and outputs of `width` numbers: L = log(e^La + e^Lb), o = e^(La-L) oa + e^(Lb-L) ob. `to`
/// may be one of the parts.
template <class T>
INLAY_NOINLINE inline void merge_attention(int n, int width, PartialAttention<T const> a,
                                           PartialAttention<T const> b, PartialAttention<T> to) noexcept {
    for (int i = 0; i < n; ++i) {
        T const la = a.log_sum[i], lb = b.log_sum[i], top = la > lb ? la : lb;
        bool const empty = top == -std::numeric_limits<T>::infinity();
        T const whole = empty ? top : top + std::log(std::exp(la - top) + std::exp(lb - top));
        T const wa = detail::share(la, whole), wb = detail::share(lb, whole);
        T const *const x = a.out + i * a.row, *const y = b.out + i * b.row;
        T* const z = to.out + i * to.row;
        for (int c = 0; c < width; ++c) z[c] = wa * x[c] + wb * y[c];
        to.log_sum[i] = whole;
    }
}
/// The way back to one part: do_part = w do, dL_part = w (do (o_part - o) + dL), w = e^(L_part - L); dlog_sum
/// of the whole may be null. What `attend_backward` takes off is do_part o_part - dL_part.
template <class T>
INLAY_NOINLINE inline void
pull_merged(int n, int width, PartialAttention<T const> part, PartialAttention<T const> whole, T const* dout,
            std::ptrdiff_t dout_row, T const* dlog_sum, PartialAttention<T> dpart) noexcept {
    for (int i = 0; i < n; ++i) {
        T const w = detail::share(part.log_sum[i], whole.log_sum[i]);
        T const *const o = part.out + i * part.row, *const all = whole.out + i * whole.row,
                       *const d = dout + i * dout_row;
        T* const to = dpart.out + i * dpart.row;
        T sum = dlog_sum ? dlog_sum[i] : T(0);
        for (int c = 0; c < width; ++c) {
            sum += d[c] * (o[c] - all[c]);
            to[c] = w * d[c];
        }
        dpart.log_sum[i] = w * sum;
    }
}

} // namespace kernels
} // namespace inlay::inline INLAY_ISA
