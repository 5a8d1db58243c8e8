// SPDX-License-Identifier: BSD-3-Clause
// Softmax attention of one token: a few queries that read the same keys.
#pragma once

#include <inlay/kernels/gemm.hpp>
#include <inlay/kernels/softmax.hpp>

namespace inlay::inline INLAY_ISA {
namespace kernels {

/// A token's queries of the heads that share keys, and the keys; rows are padded to whole vectors with zeros.
template <class T> struct StepHead {
    int queries = 0, keys = 0, width = 0, value_width = 0; ///< widths: padded
    T scale = 1;
    T const* query = nullptr;
    T const* key = nullptr;
    T const* value = nullptr;
    std::ptrdiff_t query_row = 0, key_row = 0, value_row = 0;
};

/// scores[query][key] = scale q k, rows `row` apart: a multiple of W that holds all keys.
template <int W, class T>
INLAY_NOINLINE inline void step_scores(StepHead<T> const& h, T* scores, std::ptrdiff_t row) noexcept {
    simd::vec<T, W> const scale(h.scale);
    gemm_nt<W>(h.queries, h.keys, int(row),
               Product<T>{h.width, h.query, h.query_row, 1, h.key, h.key_row, scores, row, {}},
               [scale](auto x) { return x * scale; });
}
/// out[query] = sum over keys of weights times values.
template <int W, class T>
INLAY_NOINLINE inline void step_values(StepHead<T> const& h, T const* weights, std::ptrdiff_t row, T* out,
                                       std::ptrdiff_t out_row) noexcept {
    gemm<W>(h.queries, h.value_width, h.keys, weights, row, 1, h.value, h.value_row, out, out_row, false);
}

} // namespace kernels
} // namespace inlay::inline INLAY_ISA
