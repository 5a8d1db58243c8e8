// SPDX-License-Identifier: BSD-3-Clause
// Heads side by side in a token's row, and the same with each head's rows behind each other.
#pragma once

#include <inlay/core/tensor.hpp>
#include <inlay/kernels/map.hpp>

namespace inlay::inline INLAY_ISA {
namespace detail {

/// Heads of `width` numbers that lie apart: head h starts at data + h * head, its rows are `row` apart.
template <class T> struct HeadRows {
    T* data = nullptr;
    std::ptrdiff_t head = 0, row = 0;
    T* operator()(int h, int t = 0) const noexcept { return data + h * head + t * row; }
};

/// Copies heads out of n rows, each with zeros up to a whole vector.
template <int W, class T>
INLAY_NOINLINE inline void split_heads(int n, int heads, int width, T const* rows, std::ptrdiff_t stride,
                                       HeadRows<T> to) noexcept {
    using V = simd::vec<T, W>;
    int const whole = width / W * W;
    for (int t = 0; t < n; ++t, rows += stride)
        for (int h = 0; h < heads; ++h) {
            T const* const from = rows + h * width;
            T* const out = to(h, t);
            for (int i = 0; i < whole; i += W) V::load(from + i).store(out + i);
            if (whole < width) V::load_first(from + whole, width - whole).store(out + whole);
        }
}
/// The reverse; what is between the heads and the stride becomes zero.
template <int W, class T>
INLAY_NOINLINE inline void merge_heads(int n, int heads, int width, HeadRows<T> from, T* rows,
                                       std::ptrdiff_t stride) noexcept {
    using V = simd::vec<T, W>;
    int const whole = width / W * W;
    for (int t = 0; t < n; ++t, rows += stride) {
        for (int h = 0; h < heads; ++h) {
            T const* const in = from(h, t);
            T* const out = rows + h * width;
            for (int i = 0; i < whole; i += W) V::load(in + i).store(out + i);
            if (whole < width) V::load(in + whole).store_first(out + whole, width - whole);
        }
        kernels::clear_pads(rows, heads * width, int(stride));
    }
}

} // namespace detail
} // namespace inlay::inline INLAY_ISA
