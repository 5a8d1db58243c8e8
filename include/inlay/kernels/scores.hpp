// SPDX-License-Identifier: BSD-3-Clause
// What becomes of a product of a query and a key before it is a score: a cap, then a bias by places.
#pragma once

#include <inlay/simd/math.hpp>

#include <algorithm>

namespace inlay::inline INLAY_ISA {
namespace kernels {

/// Scores may be of any size.
struct Uncapped {
    static constexpr bool plain = true;
    template <class V> INLAY_INLINE V operator()(V s) const noexcept { return s; }
    template <class V> INLAY_INLINE V pull(V ds, V) const noexcept { return ds; }
};
/// cap tanh(s / cap).
template <class T> struct Capped {
    static constexpr bool plain = false;
    T cap;
    template <class V> INLAY_INLINE V operator()(V s) const noexcept {
        return V(cap) * simd::tanh(s * V(1 / cap));
    }
    /// The slope by s, from that by the capped score.
    template <class V> INLAY_INLINE V pull(V dz, V capped) const noexcept {
        V const part = capped * V(1 / cap);
        return dz - dz * part * part;
    }
};

/// Scores do not know places.
struct Unbiased {
    static constexpr bool plain = true;
    template <int W, class T> struct Tile {
        using V = simd::vec<T, W>;
        Tile(Unbiased const&, int, int, int, int) noexcept {}
        INLAY_INLINE V operator()(V z, int, int) const noexcept { return z; }
        INLAY_INLINE void collect(V, int, int) noexcept {}
        void finish() const noexcept {}
    };
    template <int> void begin() const noexcept {}
};
/// level[query] is added to a score and level[key] taken off. In double: levels grow with the length, and
/// only differences within a tile become scalars.
struct Levels {
    static constexpr bool plain = false;
    double const* level; ///< of each key
    int first = 0;       ///< the key that is the first query's own
    double* slope = nullptr;

    /// Called before the first block of queries.
    template <int W> void begin() const noexcept {}
    template <int W, class T> struct Tile {
        using V = simd::vec<T, W>;
        static constexpr int vectors = 2, keys = 64;
        double* query_slope;
        double* key_slope;
        int k0, queries;
        T query[std::size_t(vectors * W)], key[std::size_t(keys)];
        V sums[std::size_t(vectors)];

        /// Queries [q0, q0 + n) and keys [from, to).
        Tile(Levels const& l, int q0, int n, int from, int to) noexcept
            : query_slope(l.slope ? l.slope + l.first + q0 : nullptr), key_slope(l.slope), k0(from),
              queries(n) {
            double const base = l.level[from];
            for (int q = 0; q < vectors * W; ++q)
                query[q] = T(l.level[l.first + q0 + std::min(q, n - 1)] - base);
            for (int k = from; k < to; ++k) key[k - from] = T(base - l.level[k]);
            for (V& s : sums) s = V(T(0));
        }
        INLAY_INLINE V operator()(V z, int k, int v) const noexcept {
            return z + (V::load(query + v * W) + V(key[k - k0]));
        }
        /// dz of key k.
        INLAY_INLINE void collect(V dz, int k, int v) noexcept {
            sums[v] += dz;
            key_slope[k] -= double(simd::sum(dz));
        }
        void finish() const noexcept {
            T lanes[std::size_t(W)];
            for (int q = 0; q < queries; ++q) {
                if (q % W == 0) sums[q / W].store(lanes);
                query_slope[q] += double(lanes[q % W]);
            }
        }
    };
};

template <class Cap = Uncapped, class Bias = Unbiased> struct Scores {
    static constexpr bool plain = Cap::plain && Bias::plain;
    INLAY_EMPTY Cap cap{};
    INLAY_EMPTY Bias bias{};
};

} // namespace kernels
} // namespace inlay::inline INLAY_ISA
