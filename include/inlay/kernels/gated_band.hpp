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
/// Decays of a band, one for all channels: e^(b_i) and e^(b_last - b_i) are found beforehand.
template <class T> struct BandDecays {
    DecaySums<T> sums{};
    T *from_start = nullptr, *to_end = nullptr;
};

/// m(i, j) e^(b_i - b_j) of tokens j <= i, and zeros above, of the last `span` columns; without a start
/// nothing decays. Before these lie those of the delta rule where there is a beta: times -beta_i, and
/// anything above.
template <int W, class T>
INLAY_NOINLINE inline void fade_triangles(int n, int span, BandDecays<T> const& d, T const* beta,
                                          T* m) noexcept {
    using V = simd::vec<T, W>;
    int const row = (beta ? 2 : 1) * span;
    // A quotient, rounded once, as long as token j has not faded away; that no later token has a say in this
    // is causality.
    bool const fades = d.from_start;
    for (int i = 0; i < span; i += W) {
        V const strength = beta ? -V::load_first(beta + i, std::min(n - i, W)) : V(T(0)), one(T(1));
        V const since = fades ? V::load(d.from_start + i) : one,
                high = fades ? V::load(d.sums.high + i) : one, low = fades ? V::load(d.sums.low + i) : one;
        T* at = m + i;
        for (int j = 0; j < n; ++j, at += row) {
            V const by = !fades ? one
                         : d.from_start[j] > T(1e-12)
                             ? since / V(d.from_start[j])
                             : decay_of(high, low, V(d.sums.high[j]), V(d.sums.low[j]));
            if (beta) (strength * by * V::load(at)).store(at);
            T* const read = at + row - span;
            V const later = by - simd::fill_from(by, std::clamp(j - i, 0, W), T(0));
            (later * V::load(read)).store(read);
        }
    }
}

/// u_i += sum over j < i of m(i, j) u_j, earliest row first.
template <int W, int NV, class T>
INLAY_INLINE void follow_rows(T const* m, std::ptrdiff_t row, T* u, std::ptrdiff_t width) noexcept {
    using V = simd::vec<T, W>;
    V held[std::size_t(half_band)][std::size_t(NV)];
    INLAY_UNROLL for (int r = 0; r < half_band; ++r) INLAY_UNROLL for (int v = 0; v < NV; ++v) held[r][v] =
        V::load(u + r * width + v * W);
    INLAY_UNROLL for (int s = 0; s + 1 < half_band; ++s)
        INLAY_UNROLL for (int r = s + 1; r < half_band; ++r) {
        V const part(m[s * row + r]);
        INLAY_UNROLL for (int v = 0; v < NV; ++v) held[r][v] = simd::fma(part, held[s][v], held[r][v]);
    }
    INLAY_UNROLL for (int r = 1; r < half_band; ++r) INLAY_UNROLL for (int v = 0; v < NV; ++v) held[r][v]
        .store(u + r * width + v * W);
}
template <int W, class T>
INLAY_NOINLINE inline void follow(int n, int width, T const* m, std::ptrdiff_t row, T* u) noexcept {
    for (int i = 0; i < n; i += half_band) {
        int const high = std::min(half_band, n - i);
        T *const first = u + i * width, *const last = first + width;
        T const* const square = m + i * row + i;
        if (i > 0) gemm<W>(high, width, i, m + i, 1, row, u, width, first, width, true);
        if (high < half_band)
            for (int s = 0; s < high; ++s)
                for (int r = s + 1; r < high; ++r)
                    axpy<W>(width, square[s * row + r], first + s * width, first + r * width);
        else {
            T* at = first;
            for (; at + 2 * W <= last; at += 2 * W) follow_rows<W, 2>(square, row, at, width);
            if (at < last) follow_rows<W, 1>(square, row, at, width);
        }
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
    T const one(1);
    T *const turned = take(both * K), *const m = take(n * both);
    BandDecays<T> decays;
    if (c.decays > 0) {
        decays = {{take(span), take(span), 1}, take(span), take(span)};
        sum_decays<W>(n, c.log_decay, decays.sums);
        decay_factors<W>(n, decays.sums, decays.from_start, decays.to_end);
    }
    T const *const since = decays.from_start ? decays.from_start : &one, *const later = decays.to_end;
    int const step = decays.from_start ? 1 : 0;
    // Keys' products with all keys, and with all queries: m(i, j) at j * both + i, queries behind the keys.
    if (c.delta) transpose_rows<W>(n, K, c.k, K, turned, both);
    transpose_rows<W>(n, K, c.q, K, turned + (both - span), both);
    gemm<W>(n, both, c.keys, c.k, K, 1, turned, both, m, both, false);
    fade_triangles<W>(n, span, decays, c.delta ? c.beta : nullptr, m);

    T const* u = c.v;
    T* written = nullptr;
    if (c.beta || later) u = written = take(n * V);
    if (c.delta) {
        T* const lost = take(n);
        for (int i = 0; i < n; ++i) lost[i] = -c.beta[i] * since[i * step];
        gemm<W>(n, V, Product<T>{c.keys, c.k, K, 1, state, V, written, V, {}},
                Blend<T>{c.v, V, c.beta, 1, lost, 1});
        follow<W>(n, V, m, both, written);
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
