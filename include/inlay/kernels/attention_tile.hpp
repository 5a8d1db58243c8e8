// SPDX-License-Identifier: BSD-3-Clause
// What forward and backward of softmax attention share: which keys a block of queries sees, and its scores,
// tile by tile. Scores lie transposed, [key][query], so that maxima and sums of a query run down its lane and
// neither keys nor values are packed: only the block of queries is turned.
#pragma once

#include <inlay/kernels/gemm.hpp>
#include <inlay/kernels/scores.hpp>

#include <cstdint>
#include <limits>

namespace inlay::inline INLAY_ISA {
namespace kernels {

/// The keys that a query sees: those before `always`, and those in [first, last).
struct KeySpan {
    std::int32_t always = 0, first = 0, last = 0;
};

/// One head over one sequence. Rows are padded to whole vectors with zeros.
template <class T> struct AttentionHead {
    int queries = 0, width = 0, value_width = 0; ///< width of a query and of a key
    T scale = 1;                                 ///< of the product of a query and a key
    T const* query = nullptr;
    T const* key = nullptr;
    T const* value = nullptr;
    std::ptrdiff_t query_row = 0, key_row = 0, value_row = 0;
    KeySpan const* spans = nullptr; ///< of each query
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
        V const weight = simd::exp(z - kept);
        return {weight, weight};
    }
};

/// Keys [from, to) of a tile are seen by some query of a vector; by all of them where it is whole.
struct TileRange {
    int from, to;
    bool whole;
};

/// The queries of a block, one a lane, and what they see.
template <int W, class T> struct QueryBlock {
    using V = simd::vec<T, W>;
    static constexpr int vectors = 2, width = vectors * W;
    static constexpr int tile = 64;  ///< keys
    static constexpr int least = 16; ///< keys of a tile that is cut where all queries begin or cease to see
    static constexpr int nothing = std::numeric_limits<std::int32_t>::max();

    /// The least and the most of what the queries of a vector say.
    struct Reach {
        KeySpan least{nothing, nothing, nothing}, most{0, 0, 0};
        void join(KeySpan const& s) noexcept {
            least = {std::min(least.always, s.always), std::min(least.first, s.first),
                     std::min(least.last, s.last)};
            most = {std::max(most.always, s.always), std::max(most.first, s.first),
                    std::max(most.last, s.last)};
        }
        bool all_see(int k0, int k1) const noexcept {
            return k1 <= least.always || (most.first <= k0 && k1 <= least.last);
        }
    };
    int queries;
    Reach reach[std::size_t(vectors)], all;
    T always[std::size_t(width)], first[std::size_t(width)], last[std::size_t(width)];

    QueryBlock(KeySpan const* spans, int n) noexcept : queries(n) {
        for (int q = 0; q < vectors * W; ++q) { // lanes that are left over do as the last query does
            KeySpan s = spans[std::min(q, n - 1)];
            if (s.first >= s.last) s.first = nothing, s.last = 0;
            always[q] = T(s.always), first[q] = T(s.first), last[q] = T(s.last);
            if (q >= n) continue;
            reach[q / W].join(s);
            all.join(s);
        }
    }
    /// Queries in a vector.
    int in_vector(int v) const noexcept { return std::clamp(queries - v * W, 0, W); }

    TileRange range(int v, int k0, int k1) const noexcept {
        Reach const& r = reach[v];
        if (in_vector(v) == 0) return {k0, k0, true};
        if (r.all_see(k0, k1)) return {k0, k1, true};
        int const from = k0 < r.most.always ? k0 : std::max(k0, int(r.least.first));
        int const to = std::min(k1, std::max(int(r.most.always), int(r.most.last)));
        return from < to ? TileRange{from, to, false} : TileRange{k0, k0, true};
    }
    /// Calls f(k0, k1) for tiles that hold every key seen.
    template <class F> void each_tile(F const& f) const noexcept {
        int const prefix = all.most.always;
        walk(0, prefix, f);
        walk(std::max(prefix, int(all.least.first)), all.most.last, f);
    }
    /// Minus infinity where a query does not see the key.
    INLAY_INLINE V masked(V score, int key, int v) const noexcept {
        V const at(T(key) + T(0.5)), hidden(-std::numeric_limits<T>::infinity());
        V const seen = simd::select_greater(at, V::load(last + v * W), hidden,
                                            simd::select_greater(V::load(first + v * W), at, hidden, score));
        return simd::select_greater(V::load(always + v * W), at, score, seen);
    }

private:
    template <class F> void walk(int k, int end, F const& f) const noexcept {
        while (k < end) {
            int next = std::min(k + tile, end);
            for (int cut : {int(all.least.always), int(all.most.first), int(all.least.last)})
                if (cut >= k + least && cut < next) next = cut;
            f(k, next);
            k = next;
        }
    }
};

/// Calls f(first vector, vectors, range) for vectors of queries that have the same keys in a tile.
template <int W, class T, class F>
INLAY_INLINE void each_range(QueryBlock<W, T> const& block, int k0, int k1, F const& f) noexcept {
    static_assert(QueryBlock<W, T>::vectors == 2);
    TileRange const a = block.range(0, k0, k1), b = block.range(1, k0, k1);
    if (a.from == b.from && a.to == b.to) {
        if (a.from < a.to) f(0, 2, a.from, a.to);
        return;
    }
    if (a.from < a.to) f(0, 1, a.from, a.to);
    if (b.from < b.to) f(1, 1, b.from, b.to);
}

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

/// to[i][query] = scale * rows[query][i]: `padded` rows of a block's lanes, zeros where there is no query.
template <int W, class T>
INLAY_INLINE void turn(int n, int padded, T const* rows, std::ptrdiff_t row, T scale, T* to) noexcept {
    constexpr int Q = QueryBlock<W, T>::width;
    detail::pack_transposed<W, QueryBlock<W, T>::vectors>(n, padded, rows, row, to);
    if (scale != T(1)) map<W>(padded * Q, to, to, [=](auto x) { return x * simd::vec<T, W>(scale); });
}

namespace detail {
template <int W> constexpr int whole_vectors(int n) { return (n + W - 1) / W * W; }
} // namespace detail

/// out[r] = the product of row r of x and of y, each of `padded` numbers.
template <int W, class T>
INLAY_NOINLINE inline void row_products(int rows, int padded, T const* x, std::ptrdiff_t x_row, T const* y,
                                        std::ptrdiff_t y_row, T* out) noexcept {
    for (int r = 0; r < rows; ++r) out[r] = dot<W>(padded, x + r * x_row, y + r * y_row);
}

} // namespace kernels
} // namespace inlay::inline INLAY_ISA
