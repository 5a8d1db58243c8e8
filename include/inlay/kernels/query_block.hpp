// SPDX-License-Identifier: BSD-3-Clause
// Which keys a block of queries sees, tile by tile.
#pragma once

#include <inlay/simd/transpose.hpp>

#include <algorithm>
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

/// Keys [from, to) of a tile are seen by some of a few queries, keys [clear_from, clear_to) of these by all.
struct TileRange {
    int from, to, clear_from, clear_to;

    bool clear(int key) const noexcept { return clear_from <= key && key < clear_to; }
};

/// The queries of a block, one a lane, and what they see.
template <int W, class T> struct QueryBlock {
    using V = simd::vec<T, W>;
    static constexpr int vectors = 2, width = vectors * W;
    static constexpr int tile = 64;  ///< keys
    static constexpr int least = 16; ///< keys of a tile that is cut where all queries begin or cease to see
    /// Neighbours whose keys are looked for together where queries are rows of a product: register tiles are
    /// that high.
    static constexpr int strip = std::min(W, 8), strips = width / strip;

    /// The least and the most of what some queries say.
    struct Reach {
        int always = KeySpans<T>::nowhere, most_always = 0;
        int first = KeySpans<T>::nowhere, most_first = 0;
        int last = KeySpans<T>::nowhere, most_last = 0;

        void join(Reach const& r) noexcept {
            always = std::min(always, r.always), most_always = std::max(most_always, r.most_always);
            first = std::min(first, r.first), most_first = std::max(most_first, r.most_first);
            last = std::min(last, r.last), most_last = std::max(most_last, r.most_last);
        }
        TileRange range(int k0, int k1) const noexcept {
            if (k1 <= always) return {k0, k1, k0, k1};
            int const from = k0 < most_always ? k0 : std::max(k0, first);
            int const to = std::min(k1, std::max(most_always, most_last));
            if (from >= to) return {k0, k0, k0, k0};
            int const clear = std::clamp(most_first, from, to);
            return {from, to, clear, std::clamp(last, clear, to)};
        }
    };
    int queries;
    Reach reach[std::size_t(vectors)], strip_reach[std::size_t(strips)], all;
    V always[std::size_t(vectors)], first[std::size_t(vectors)], last[std::size_t(vectors)];

    QueryBlock(KeySpans<T> spans, int n) noexcept : queries(n) {
        for (int v = 0; v < vectors; ++v) {
            int const here = in_vector(v);
            if (here == 0) break;
            T const* says[] = {spans.always + v * W, spans.first + v * W, spans.last + v * W};
            T room[3][std::size_t(W)];
            if (here < W) // lanes that are left over do as the last query does
                for (int i = 0; i < 3; ++i) {
                    std::fill_n(std::copy_n(says[i], here, room[i]), W - here, says[i][here - 1]);
                    says[i] = room[i];
                }
            always[v] = V::load(says[0]), first[v] = V::load(says[1]), last[v] = V::load(says[2]);
            for (int i = 0; i < W; i += strip) {
                Reach const r = reach_of(says[0] + i, says[1] + i, says[2] + i);
                strip_reach[(v * W + i) / strip] = r;
                reach[v].join(r);
            }
            all.join(reach[v]);
        }
    }
    /// Queries in a vector.
    int in_vector(int v) const noexcept { return std::clamp(queries - v * W, 0, W); }

    TileRange range(int v, int k0, int k1) const noexcept {
        return in_vector(v) == 0 ? TileRange{k0, k0, k0, k0} : reach[v].range(k0, k1);
    }
    /// The first key seen.
    int begin() const noexcept { return all.most_always > 0 ? 0 : all.first; }
    /// Behind the last key seen.
    int end() const noexcept { return std::max(all.most_always, all.most_last); }
    /// Whether some query may see some of keys [from, to).
    bool sees(int from, int to) const noexcept {
        return from < all.most_always || (all.first < to && from < all.most_last);
    }
    /// Whether each_tile has one tile.
    bool has_one_tile() const noexcept {
        int const k = all.most_always > 0 ? 0 : all.first,
                  to = all.most_always > 0 ? all.most_always : all.most_last;
        return k < to && next(k, to) == to && std::max(to, all.first) >= all.most_last;
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
    /// Calls f(first query, queries, from, to) for strips of queries and the keys of a tile that they see;
    /// neighbours that see the same are one.
    template <class F> void each_strip(int k0, int k1, F const& f) const noexcept {
        TileRange own = strip_reach[0].range(k0, k1);
        for (int q = 0, i = 1; q < queries; ++i) {
            int const end = std::min(i * strip, queries);
            TileRange const next_one = end < queries ? strip_reach[i].range(k0, k1) : TileRange{-1, -1, 0, 0};
            if (next_one.from == own.from && next_one.to == own.to) continue;
            f(q, end - q, own.from, own.to);
            own = next_one, q = end;
        }
    }
    /// Calls f(from, to, first query, queries) for keys of a tile, and the strips of queries by which they
    /// are seen.
    template <class F> void each_key_strip(int k0, int k1, F const& f) const noexcept {
        while (k0 < k1) {
            int first_strip = strips, end = 0, to = k1;
            for (int i = 0; i * strip < queries; ++i) {
                TileRange const own = strip_reach[i].range(k0, k1);
                if (own.from == own.to) continue;
                if (own.from == k0) first_strip = std::min(first_strip, i), end = i + 1;
                to = std::min(to, own.from == k0 ? own.to : own.from);
            }
            if (first_strip < end)
                f(k0, to, first_strip * strip, std::min(end * strip, queries) - first_strip * strip);
            k0 = to;
        }
    }
    /// Minus infinity where a query does not see the key.
    INLAY_INLINE V masked(V score, int key, int v) const noexcept {
        V const at(T(key) + T(0.5)), hidden(-std::numeric_limits<T>::infinity());
        V seen = simd::select_greater(at, last[v], hidden, score);
        if (key < reach[v].most_first) seen = simd::select_greater(first[v], at, hidden, seen);
        if (key < reach[v].most_always) seen = simd::select_greater(always[v], at, score, seen);
        return seen;
    }

private:
    static Reach reach_of(T const* always, T const* first, T const* last) noexcept {
        using S = simd::vec<T, strip>;
        S const a = S::load(always), f = S::load(first), l = S::load(last);
        if constexpr (strip == 8) {
            S each[] = {-a, a, -f, f, -l, l, l, l};
            T most[8];
            simd::row_maxima(each).store(most);
            return {-int(most[0]), int(most[1]), -int(most[2]), int(most[3]), -int(most[4]), int(most[5])};
        } else
            return {-int(simd::max(-a)), int(simd::max(a)),   -int(simd::max(-f)),
                    int(simd::max(f)),   -int(simd::max(-l)), int(simd::max(l))};
    }
    int next(int k, int end) const noexcept {
        int to = std::min(k + tile, end);
        // Where all begin or cease to see, in steps of eight: register tiles are that high.
        int const up = k + (all.most_first - k + 7) / 8 * 8;
        for (int cut : {k + (all.always - k) / 8 * 8, up, k + (all.last - k) / 8 * 8})
            if (cut >= k + least && cut < to) to = cut;
        return to;
    }
    template <class F> void walk(int k, int end, F const& f) const noexcept {
        while (k < end) {
            int const to = next(k, end);
            f(k, to);
            k = to;
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

} // namespace kernels
} // namespace inlay::inline INLAY_ISA
