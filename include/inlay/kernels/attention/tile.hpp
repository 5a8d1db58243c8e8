// SPDX-License-Identifier: BSD-3-Clause
// What forward and backward of softmax attention share: the scores of a block of queries, tile by tile.
// Scores lie transposed, [key][query], so that maxima and sums of a query run down its lane and neither keys
// nor values are packed: only the block of queries is turned.
#pragma once

#include <inlay/kernels/gather.hpp>
#include <inlay/kernels/gemm.hpp>
#include <inlay/kernels/query_block.hpp>
#include <inlay/kernels/scores.hpp>

namespace inlay::inline INLAY_ISA {
namespace kernels {

/// One head over one sequence. Rows are padded to whole vectors with zeros.
template <class T> struct AttentionHead {
    int queries = 0, width = 0, value_width = 0; ///< width of a query and of a key
    T scale = 1;                                 ///< of the product of a query and a key
    T const* query = nullptr;
    T const* key = nullptr;
    T const* value = nullptr;
    std::ptrdiff_t query_row = 0, key_row = 0, value_row = 0;
    KeySpans<T> spans{};
    std::int32_t const* ids =
        nullptr;                   ///< forward: the rows of queries by number, if they are not the first ones
    RowsAhead<T>* ahead = nullptr; ///< what is asked for between products
    static constexpr int lines_asked = 80; ///< at a time

    INLAY_INLINE void ask_ahead() const noexcept {
        if (ahead) ahead->ask(lines_asked);
    }
};

/// Weights e^(z - kept), of which forward keeps log sum e^z for each query; the slope of a weight by its own
/// score, but for what the other weights take.
struct SoftmaxWeights {
    template <class V> struct Pair {
        V weight, slope;
    };
    /// What forward kept; a query that sees nothing has weights of e^-infinity.
    template <class V> static V kept(V log_sum) noexcept {
        using T = typename V::value_type;
        V const least(std::numeric_limits<T>::lowest());
        return simd::select_greater(least, log_sum, V(std::numeric_limits<T>::infinity()), log_sum);
    }
    template <class V> INLAY_INLINE static Pair<V> of(V z, V kept) noexcept {
        using T = typename V::value_type;
        // No weight is above 1, however a score of ten million is rounded this time.
        V const weight = simd::exp(simd::lesser(V(T(0)), z - kept));
        return {weight, weight};
    }
};

/// s[key - k0][query] = the product of each key of a tile with each query, where any query of a vector sees
/// it.
template <int W, class T>
INLAY_INLINE void tile_products(QueryBlock<W, T> const& block, int k0, int k1, int width, T const* rows,
                                std::ptrdiff_t row, T const* turned, T* s) noexcept {
    constexpr int Q = QueryBlock<W, T>::width;
    each_range(block, k0, k1, [&](int v, int n, int from, int to) {
        gemm<W>(to - from, n * W, width, rows + from * row, row, 1, turned + v * W, Q,
                s + (from - k0) * Q + v * W, Q, false);
    });
}

namespace detail {
/// `turn`, with rows by function; `to_row` numbers from one number of all rows to the next.
template <int W, class T, class RowAt>
INLAY_INLINE void turn_rows(int n, int padded, RowAt const& row_at, T scale, T* to,
                            int to_row = QueryBlock<W, T>::width) noexcept {
    using V = simd::vec<T, W>;
    V const factor(scale);
    for (int q = 0; q < n; q += W, to += W)
        for (int p = 0; p < padded; p += W) {
            V square[std::size_t(W)];
            if (q + W <= n) INLAY_UNROLL for (int i = 0; i < W; ++i) square[i] = V::load(row_at(q + i) + p);
            else
                for (int i = 0; i < W; ++i) square[i] = q + i < n ? V::load(row_at(q + i) + p) : V(T(0));
            simd::transpose(square);
            INLAY_UNROLL for (int i = 0; i < W; ++i)(square[i] * factor).store(to + (p + i) * to_row);
        }
}
} // namespace detail

/// to[i][query] = scale * rows[query][i] for the vectors of lanes that hold queries; a lane behind the last
/// query is zero.
template <int W, class T>
INLAY_NOINLINE inline void turn(int n, int padded, T const* rows, std::ptrdiff_t row, T scale,
                                T* to) noexcept {
    detail::turn_rows<W>(n, padded, [=](int q) INLAY_INLINE_LAMBDA { return rows + q * row; }, scale, to);
}
/// The same of rows by number.
template <int W, class T>
INLAY_NOINLINE inline void turn_listed(int n, std::int32_t const* ids, int padded, T const* rows,
                                       std::ptrdiff_t row, T scale, T* to) noexcept {
    detail::turn_rows<W>(
        n, padded, [=](int q) INLAY_INLINE_LAMBDA { return rows + ids[q] * row; }, scale, to);
}

namespace detail {
template <int W> constexpr int whole_vectors(int n) { return (n + W - 1) / W * W; }
} // namespace detail

/// Turns the n queries of a head from number q0 on; where it lists rows, those.
template <int W, class T>
INLAY_INLINE void turn_queries(AttentionHead<T> const& head, int q0, int n, T* to) noexcept {
    int const padded = detail::whole_vectors<W>(head.width);
    if (head.ids) turn_listed<W>(n, head.ids + q0, padded, head.query, head.query_row, head.scale, to);
    else turn<W>(n, padded, head.query + q0 * head.query_row, head.query_row, head.scale, to);
}

/// out[r] = the product of row r of x and of y, each of n numbers.
template <int W, class T>
INLAY_NOINLINE inline void row_products(int rows, int n, T const* x, std::ptrdiff_t x_row, T const* y,
                                        std::ptrdiff_t y_row, T* out) noexcept {
    using V = simd::vec<T, W>;
    int const whole = n / W * W;
    int r = 0;
    auto const lanes = [&](int row) {
        T const *const a = x + row * x_row, *const b = y + row * y_row;
        V sum(T(0));
        for (int i = 0; i < whole; i += W) sum = simd::fma(V::load(a + i), V::load(b + i), sum);
        if (whole < n)
            sum = simd::fma(V::load_first(a + whole, n - whole), V::load_first(b + whole, n - whole), sum);
        return sum;
    };
    for (; r + W <= rows; r += W) {
        V square[std::size_t(W)];
        for (int i = 0; i < W; ++i) square[i] = lanes(r + i);
        simd::row_sums(square).store(out + r);
    }
    for (; r < rows; ++r) out[r] = simd::sum(lanes(r));
}

} // namespace kernels
} // namespace inlay::inline INLAY_ISA
