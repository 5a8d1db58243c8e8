// SPDX-License-Identifier: BSD-3-Clause
// The gated linear family forward over a band of at most 16 tokens, where one decay is for all channels, or
// none.
#pragma once

#include <inlay/kernels/decay.hpp>

namespace inlay::inline INLAY_ISA {
namespace kernels {

/// Tokens of a head; rows are padded to whole vectors with zeros, and lie one behind the other.
template <class T> struct GatedChunk {
    int tokens, keys, key_row, value_row;
    T const *q = nullptr, *k = nullptr, *v = nullptr;
    T const* log_decay = nullptr; ///< `decays` to a token
    int decays = 0;               ///< none, one, or key_row: one for each row of S
    T const* beta = nullptr;      ///< one a token; null: 1
    bool delta = false;           ///< needs beta

    /// The n tokens from token t on.
    GatedChunk part(int t, int n) const noexcept {
        GatedChunk c = *this;
        c.tokens = n;
        c.q += t * key_row, c.k += t * key_row, c.v += t * value_row;
        if (log_decay) c.log_decay += t * decays;
        if (beta) c.beta += t;
        return c;
    }
};

namespace detail {
/// Keeps m(i, j) e^(b_i - b_j) of tokens j <= i in each of `count` triangles that lie side by side, `span`
/// apart, and puts zeros above the diagonals. Without sums nothing decays.
template <int W, class T>
INLAY_NOINLINE inline void fade_triangles(int n, int span, int count, DecaySums<T> const* sums,
                                          T* m) noexcept {
    using V = simd::vec<T, W>;
    for (int j = 0; j < n; ++j, m += count * span)
        for (int i = 0; i < span; i += W) {
            V by(T(1));
            if (sums)
                by = decay_of(V::load(sums->high + i), V::load(sums->low + i), V(sums->high[j]),
                              V(sums->low[j]));
            int const above = std::clamp(j - i, 0, W);
            by = by - simd::fill_from(by, above, T(0));
            for (int t = 0; t < count; ++t) (by * V::load(m + t * span + i)).store(m + t * span + i);
        }
}

/// One band; `state` moves behind it.
template <int W, class T>
INLAY_NOINLINE inline void gated_band(GatedChunk<T> const& c, T* state, T* o, T* room) noexcept {
    int const n = c.tokens, K = c.key_row, V = c.value_row, span = whole<W>(n),
              both = (c.delta ? 2 : 1) * span;
    auto const take = [&](int numbers) noexcept {
        T* const here = room;
        room += numbers;
        return here;
    };
    T const one(1), minus(-1);
    T *const turned = take(both * K), *const m = take(n * both);
    T const *since = &one, *lost = &minus; // e^(b_i), and what is taken from a value
    T* later = nullptr;                    // e^(b_last - b_i)
    int step = 0;
    DecaySums<T> sums{};
    if (c.decays > 0) {
        sums = {take(span), take(span), 1};
        T *const from_start = take(span), *const negative = take(span);
        later = take(span);
        sum_decays<W>(n, c.log_decay, sums);
        decay_factors<W>(n, sums, from_start, later);
        map<W>(span, from_start, negative, [](auto x) { return -x; });
        since = from_start, lost = negative, step = 1;
    }
    // Keys' products with all keys, and with all queries: m(i, j) at j * both + i, queries behind the keys.
    if (c.delta) transpose_rows<W>(n, K, c.k, K, turned, both);
    transpose_rows<W>(n, K, c.q, K, turned + (both - span), both);
    gemm<W>(n, both, c.keys, c.k, K, 1, turned, both, m, both, false);
    fade_triangles<W>(n, span, both / span, c.decays > 0 ? &sums : nullptr, m);

    T const* u = c.v;
    T* written = nullptr;
    if (c.beta || later) u = written = take(n * V);
    if (c.delta) {
        T* const open = take(n * V);
        gemm<W>(n, V, Product<T>{c.keys, c.k, K, 1, state, V, open, V, {}},
                Blend<T>{c.v, V, &one, 0, lost, step});
        solve_later<W>(n, V, m, both, c.beta, open, written);
    } else if (c.beta)
        for (int i = 0; i < n; ++i) scale<W>(V, c.beta[i], c.v + i * V, written + i * V);
    T const* const read = c.beta ? u : c.v;
    if (later) {
        triangle_to_later<W>(n, V, m + (both - span), both, read, V, o, V, false);
        gemm<W>(n, V, Product<T>{c.keys, c.q, K, 1, state, V, o, V, {}},
                Blend<T>{o, V, &one, 0, since, step});
        for (int i = 0; i < n; ++i) scale<W>(V, later[i], read + i * V, written + i * V);
        gemm<W>(c.keys, V, Product<T>{n, c.k, 1, K, u, V, state, V, {}},
                Blend<T>{state, V, since + n - 1, 0, &one, 0});
    } else {
        gemm<W>(n, V, c.keys, c.q, K, 1, state, V, o, V, false);
        triangle_to_later<W>(n, V, m + (both - span), both, read, V, o, V, true);
        gemm<W>(c.keys, V, n, c.k, 1, K, u, V, state, V, true);
    }
}
} // namespace detail

} // namespace kernels
} // namespace inlay::inline INLAY_ISA
