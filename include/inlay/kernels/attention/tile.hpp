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

/// The keys that each query sees: those before `always`, and those in [first, last); by number, as they are
/// compared with.
template <class T> struct KeySpans {
    T* always = nullptr;
    T* first = nullptr;
    T* last = nullptr;
    static constexpr int nowhere = 1 << 24; ///< `first` where [first, last) is empty; `last` is then 0

    void set(int query, int always_before, int from, int to) const noexcept {
        always[query] = T(always_before);
        first[query] = T(from < to ? from : nowhere), last[query] = T(from < to ? to : 0);
    }
    KeySpans from(int query) const noexcept { return {always + query, first + query, last + query}; }
};

/// One head over one sequence. Rows are padded to whole vectors with zeros.
template <class T> struct AttentionHead {
    int queries = 0, width = 0, value_width = 0; ///< width of a query and of a key
    T scale = 1;                                 ///< of the product of a query and a key
    T const* query = nullptr;
    T const* key = nullptr;
    T const* value = nullptr;
    std::ptrdiff_t query_row = 0, key_row = 0, value_row = 0;
    KeySpans<T> spans{};
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

    /// The least and the most of what the queries of a vector say.
    struct Reach {
        int always = KeySpans<T>::nowhere, most_always = 0;
        int first = KeySpans<T>::nowhere, most_first = 0;
        int last = KeySpans<T>::nowhere, most_last = 0;

        void join(Reach const& r) noexcept {
            always = std::min(always, r.always), most_always = std::max(most_always, r.most_always);
            first = std::min(first, r.first), most_first = std::max(most_first, r.most_first);
            last = std::min(last, r.last), most_last = std::max(most_last, r.most_last);
        }
        bool all_see(int k0, int k1) const noexcept {
            return k1 <= always || (most_first <= k0 && k1 <= last);
        }
    };
    int queries;
    Reach reach[std::size_t(vectors)], all;
    V always[std::size_t(vectors)], first[std::size_t(vectors)], last[std::size_t(vectors)];

    QueryBlock(KeySpans<T> spans, int n) noexcept : queries(n) {
        for (int v = 0; v < vectors; ++v) {
            int const here = in_vector(v);
            if (here == 0) break;
            auto const load = [&](T const* from) { // lanes that are left over do as the last query does
                from += v * W;
                return here == W ? V::load(from)
                                 : simd::fill_from(V::load_first(from, here), here, from[here - 1]);
            };
            auto const lowest = [](V x) { return -int(simd::max(-x)); };
            auto const highest = [](V x) { return int(simd::max(x)); };
            always[v] = load(spans.always), first[v] = load(spans.first), last[v] = load(spans.last);
            reach[v] = {lowest(always[v]), highest(always[v]), lowest(first[v]),
                        highest(first[v]), lowest(last[v]),    highest(last[v])};
            all.join(reach[v]);
        }
    }
    /// Queries in a vector.
    int in_vector(int v) const noexcept { return std::clamp(queries - v * W, 0, W); }

    TileRange range(int v, int k0, int k1) const noexcept {
        Reach const& r = reach[v];
        if (in_vector(v) == 0) return {k0, k0, true};
        if (r.all_see(k0, k1)) return {k0, k1, true};
        int const from = k0 < r.most_always ? k0 : std::max(k0, r.first);
        int const to = std::min(k1, std::max(r.most_always, r.most_last));
        return from < to ? TileRange{from, to, false} : TileRange{k0, k0, true};
    }
    /// Behind the last key seen.
    int end() const noexcept { return std::max(all.most_always, all.most_last); }
    /// Whether some query may see some of keys [from, to).
    bool sees(int from, int to) const noexcept {
        return from < all.most_always || (all.first < to && from < all.most_last);
    }
    /// Calls f(k0, k1) for tiles that hold every key seen.
    template <class F> void each_tile(F const& f) const noexcept {
        walk(0, all.most_always, f);
        walk(std::max(all.most_always, all.first), all.most_last, f);
    }
    /// The same, of keys [from, to) only.
    template <class F> void each_tile(int from, int to, F const& f) const noexcept {
        walk(from, std::min(all.most_always, to), f);
        walk(std::max({all.most_always, all.first, from}), std::min(all.most_last, to), f);
    }
    /// Minus infinity where a query does not see the key.
    INLAY_INLINE V masked(V score, int key, int v) const noexcept {
        V const at(T(key) + T(0.5)), hidden(-std::numeric_limits<T>::infinity());
        V const seen =
            simd::select_greater(at, last[v], hidden, simd::select_greater(first[v], at, hidden, score));
        return simd::select_greater(always[v], at, score, seen);
    }

private:
    template <class F> void walk(int k, int end, F const& f) const noexcept {
        while (k < end) {
            int next = std::min(k + tile, end);
            // Where all begin or cease to see, in steps of eight: register tiles are that high.
            int const up = k + (all.most_first - k + 7) / 8 * 8;
            for (int cut : {k + (all.always - k) / 8 * 8, up, k + (all.last - k) / 8 * 8})
                if (cut >= k + least && cut < next) next = cut;
            f(k, next);
            k = next;
        }
    }
};

/// Calls f(first vector, vectors, from, to) for the keys of a tile that vectors of queries see: first what
/// both see, then what one sees.
template <int W, class T, class F>
INLAY_INLINE void each_range(QueryBlock<W, T> const& block, int k0, int k1, F const& f) noexcept {
    static_assert(QueryBlock<W, T>::vectors == 2);
    TileRange const a = block.range(0, k0, k1), b = block.range(1, k0, k1);
    int const from = std::max(a.from, b.from), to = std::min(a.to, b.to);
    if (from < to) f(0, 2, from, to);
    auto const rest = [&](int v, TileRange own) {
        if (from >= to) {
            if (own.from < own.to) f(v, 1, own.from, own.to);
            return;
        }
        if (own.from < from) f(v, 1, own.from, from);
        if (to < own.to) f(v, 1, to, own.to);
    };
    rest(0, a);
    rest(1, b);
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

/// to[i][query] = scale * rows[query][i] for the vectors of lanes that hold queries; a lane behind the last
/// query is zero.
template <int W, class T>
INLAY_NOINLINE inline void turn(int n, int padded, T const* rows, std::ptrdiff_t row, T scale,
                                T* to) noexcept {
    using V = simd::vec<T, W>;
    constexpr int Q = QueryBlock<W, T>::width;
    V const factor(scale);
    for (int v = 0; v * W < n; ++v, rows += W * row, to += W)
        for (int p = 0; p < padded; p += W) {
            V square[std::size_t(W)];
            if (n >= (v + 1) * W)
                INLAY_UNROLL for (int i = 0; i < W; ++i) square[i] = V::load(rows + i * row + p);
            else
                for (int i = 0; i < W; ++i) square[i] = v * W + i < n ? V::load(rows + i * row + p) : V(T(0));
            simd::transpose(square);
            INLAY_UNROLL for (int i = 0; i < W; ++i)(square[i] * factor).store(to + (p + i) * Q);
        }
}

namespace detail {
template <int W> constexpr int whole_vectors(int n) { return (n + W - 1) / W * W; }
} // namespace detail

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
