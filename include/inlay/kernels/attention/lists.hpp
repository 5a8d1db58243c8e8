// SPDX-License-Identifier: BSD-3-Clause
// Softmax attention of one head over two lists of keys, all of the first and a growing part of the second,
// for so few keys that the weights may lie in memory.
#pragma once

#include <inlay/kernels/gemm.hpp>
#include <inlay/kernels/softmax.hpp>

namespace inlay::inline INLAY_ISA {
namespace kernels {

/// Keys and values, rows behind each other.
template <class T> struct KeyList {
    int count;
    T *key, *value;
};
/// Query i sees all of the first list and min(count, seen + i grows) of the second. Queries are scaled. Rows
/// of `key_row` and `value_row` numbers are whole vectors.
struct ListView {
    int queries, key_row, value_row, seen, grows;
};
template <int W> constexpr int list_row(int count) { return (count + W - 1) / W * W; }

/// out = weights times values; the weights go to w[0] and w[1], rows of list_row(count).
template <int W, class T>
INLAY_NOINLINE inline void attend_lists(ListView const& c, T const* q, KeyList<T const> first,
                                        KeyList<T const> second, T* const w[2], T* out) noexcept {
    KeyList<T const> const lists[] = {first, second};
    for (int l = 0; l < 2; ++l)
        gemm_nt<W>(c.queries, lists[l].count, list_row<W>(lists[l].count), c.key_row, q, c.key_row,
                   lists[l].key, c.key_row, w[l], list_row<W>(lists[l].count), false);
    int const rows[] = {list_row<W>(first.count), list_row<W>(second.count)};
    for (int i = 0; i < c.queries; ++i) {
        int const seen[] = {first.count, std::min(second.count, c.seen + i * c.grows)};
        T* const at[] = {w[0] + i * rows[0], w[1] + i * rows[1]};
        T const a = max<W>(seen[0], at[0]), b = max<W>(seen[1], at[1]), top = a > b ? a : b;
        T total(0);
        for (int l = 0; l < 2; ++l) total += exp_row<W>(seen[l], at[l], top, at[l]);
        for (int l = 0; l < 2; ++l) {
            scale<W>(seen[l], 1 / total, at[l], at[l]);
            clear_pads(at[l], seen[l], rows[l]);
        }
    }
    for (int l = 0; l < 2; ++l)
        gemm<W>(c.queries, c.value_row, lists[l].count, w[l], rows[l], 1, lists[l].value, c.value_row, out,
                c.value_row, l == 1);
}
/// From the weights of attend_lists and the gradient of `out`: dq is written, the gradients of keys and
/// values are added to. `dw` is room as w has.
template <int W, class T>
INLAY_NOINLINE inline void attend_lists_backward(ListView const& c, T const* q, KeyList<T const> first,
                                                 KeyList<T const> second, T const* const w[2], T const* dout,
                                                 T* dq, KeyList<T> dfirst, KeyList<T> dsecond,
                                                 T* const dw[2]) noexcept {
    KeyList<T const> const lists[] = {first, second};
    KeyList<T> const slopes[] = {dfirst, dsecond};
    int const rows[] = {list_row<W>(first.count), list_row<W>(second.count)};
    for (int l = 0; l < 2; ++l)
        gemm_nt<W>(c.queries, lists[l].count, rows[l], c.value_row, dout, c.value_row, lists[l].value,
                   c.value_row, dw[l], rows[l], false);
    for (int i = 0; i < c.queries; ++i) {
        T mean(0);
        for (int l = 0; l < 2; ++l) mean += dot<W>(rows[l], w[l] + i * rows[l], dw[l] + i * rows[l]);
        for (int l = 0; l < 2; ++l)
            zip<W>(rows[l], w[l] + i * rows[l], dw[l] + i * rows[l], dw[l] + i * rows[l],
                   [=](auto p, auto d) { return p * (d - decltype(d)(mean)); });
    }
    for (int l = 0; l < 2; ++l) {
        int const n = lists[l].count, row = rows[l];
        gemm<W>(n, c.value_row, c.queries, w[l], 1, row, dout, c.value_row, slopes[l].value, c.value_row,
                true);
        gemm<W>(c.queries, c.key_row, n, dw[l], row, 1, lists[l].key, c.key_row, dq, c.key_row, l == 1);
        gemm<W>(n, c.key_row, c.queries, dw[l], 1, row, q, c.key_row, slopes[l].key, c.key_row, true);
    }
}

} // namespace kernels
} // namespace inlay::inline INLAY_ISA
