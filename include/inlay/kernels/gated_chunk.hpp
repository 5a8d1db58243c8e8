// SPDX-License-Identifier: BSD-3-Clause
// One head of the gated linear family over one chunk of tokens:
//
//     S' = Diag(e^g) S,  u = beta (v - delta k S'),  S = S' + k^T u,  o = q S
//
// The chunk form (arXiv 2412.06464, 2510.26692): all u of a chunk solve one triangular system, and all else
// is products of matrices.
#pragma once

#include <inlay/kernels/gated_group.hpp>

namespace inlay::inline INLAY_ISA {
namespace kernels {

/// Numbers of temporaries for chunks of at most `tokens`.
template <int W>
constexpr std::size_t gated_chunk_room(int tokens, int key_row, int value_row, bool backward) {
    if (tokens == 1 && !backward) return std::size_t(key_row);
    int const together = backward ? tokens : std::min(tokens, band);
    std::size_t const n = std::size_t(together), k = std::size_t(key_row), v = std::size_t(value_row),
                      row = std::size_t(whole<W>(together));
    std::size_t const parts = 2 * row * (k + 1) + n * row + 3 * n * k + std::max(k, v) * row + 2 * n * row +
                              2 * n * v + (band + n) * k;
    return std::max(parts + (backward ? 2 * n * v + 2 * n * row + 2 * n * k + (n + 1) * k : 0),
                    detail::gated_groups_room<W>(tokens, key_row, value_row));
}

namespace detail {
/// What both directions need of a chunk and the state that it starts from.
template <int W, class T> struct ChunkParts {
    GatedChunk<T> const& c;
    int const row;
    T* next;
    DecaySums<T> sums{};
    T *between = nullptr, *turned, *scores, *overlap = nullptr, *pair_room = nullptr;
    T *from_start = nullptr, *to_end = nullptr; ///< decays of a token, where one is for all channels
    T const *q, *k, *k_end;                     ///< queries and keys decayed from the start, keys to the end
    T const* u;                                 ///< what is written
    T const* e;                                 ///< what u is beta times

    ChunkParts(GatedChunk<T> const& chunk, T const* memory, T* room) noexcept
        : c(chunk), row(whole<W>(chunk.tokens)), next(room), q(chunk.q), k(chunk.k), k_end(chunk.k) {
        int const n = c.tokens, C = c.key_row;
        turned = take(row * std::max(c.key_row, c.value_row));
        if (c.decays > 0) {
            sums = {take(row * c.decays), take(row * c.decays), c.decays};
            sum_decays<W>(n, c.log_decay, sums);
            T *const dq = take(n * C), *const dk = take(n * C), *const de = take(n * C);
            if (c.decays == 1) decay_factors<W>(n, sums, from_start = take(row), to_end = take(row));
            for (int i = 0; i < n; ++i) {
                fade_from_start(i, c.q + i * C, dq + i * C);
                if (c.delta) fade_from_start(i, c.k + i * C, dk + i * C);
                fade_to_end(i, c.k + i * C, de + i * C);
            }
            q = dq, k = dk, k_end = de;
            if (c.decays == 1) decay_triangle<W>(n, sums, between = take(n * row), row);
            else pair_room = take((band + n) * C);
        }
        scores = take(n * row);
        products(c.k, c.q, scores, false);
        write(memory);
    }
    T* take(int n) noexcept {
        T* const here = next;
        next += n;
        return here;
    }
    ChannelTriangle<W, T> channels() const noexcept { return {c.tokens, c.key_row, sums, row, pair_room}; }
    bool by_channel() const noexcept { return c.decays > 1; }

    /// Rows of token i as they were at the chunk's start, and as they will be at its end.
    void fade_from_start(int i, T const* x, T* to) const noexcept {
        if (from_start) scale<W>(c.key_row, from_start[i], x, to);
        else decayed<W>(sums, i, -1, c.key_row, x, to);
    }
    void fade_to_end(int i, T const* x, T* to) const noexcept {
        if (to_end) scale<W>(c.key_row, to_end[i], x, to);
        else decayed<W>(sums, c.tokens - 1, i, c.key_row, x, to);
    }
    /// m(i, j) = later_i earlier_j e^(b_i - b_j) of keys or queries.
    void products(T const* earlier, T const* later, T* m, bool strict) noexcept {
        if (by_channel()) return channels().products(earlier, later, m, strict);
        transpose_rows<W>(c.tokens, c.key_row, later, c.key_row, turned, row);
        triangle_products<W>(c.tokens, c.keys, earlier, c.key_row, turned, row, m, row, strict);
        if (between) multiply_triangle<W>(c.tokens, between, m, row);
    }
    /// to_i += sum over j of m(i, j) e^(b_i - b_j) x_j; m holds the decay unless it is by channel.
    void to_later(T const* m, T const* x, T* to) const noexcept {
        if (by_channel()) channels().to_later(m, x, to);
        else triangle_to_later<W>(c.tokens, c.key_row, m, row, x, c.key_row, to, c.key_row);
    }
    void to_earlier(T const* m, T const* x, T* to) const noexcept {
        if (by_channel()) channels().to_earlier(m, x, to);
        else triangle_to_earlier<W>(c.tokens, c.key_row, m, row, x, c.key_row, to, c.key_row, true);
    }

private:
    void write(T const* state) noexcept {
        int const n = c.tokens, V = c.value_row;
        u = e = c.v;
        if (!c.beta) return;
        T* const written = take(n * V);
        u = written;
        if (!c.delta) {
            for (int i = 0; i < n; ++i) scale<W>(V, c.beta[i], c.v + i * V, written + i * V);
            return;
        }
        T* const open = take(n * V);
        overlap = take(n * row);
        products(c.k, c.k, overlap, true);
        T const one(1), minus(-1);
        gemm<W>(n, V, Product<T>{c.keys, k, c.key_row, 1, state, V, open, V, {}},
                Blend<T>{c.v, V, &one, 0, &minus, 0});
        solve_later<W>(n, V, overlap, row, c.beta, open, written);
        e = open;
    }
};

/// S = Diag(e^(b of token `last`)) S.
template <int W, class T>
inline void decay_state(GatedChunk<T> const& c, DecaySums<T> const& sums, int last, T* room,
                        T* state) noexcept {
    if (c.decays == 0) return;
    using V = simd::vec<T, W>;
    for (int d = 0; d < c.key_row; d += W) V(T(1)).store(room + d);
    decayed<W>(sums, last, -1, c.key_row, room, room);
    for (int d = 0; d < c.keys; ++d)
        scale<W>(c.value_row, room[d], state + d * c.value_row, state + d * c.value_row);
}
} // namespace detail

namespace detail {
/// A band with a decay for each channel.
template <int W, class T>
INLAY_NOINLINE inline void gated_channels(GatedChunk<T> const& c, T* state, T* o, T* room) noexcept {
    ChunkParts<W, T> parts(c, state, room);
    int const n = c.tokens, V = c.value_row;
    gemm<W>(n, V, c.keys, parts.q, c.key_row, 1, state, V, o, V, false);
    triangle_to_later<W>(n, V, parts.scores, parts.row, parts.u, V, o, V);
    decay_state<W>(c, parts.sums, n - 1, parts.turned, state);
    gemm<W>(c.keys, V, n, parts.k_end, 1, c.key_row, parts.u, V, state, V, true);
}
} // namespace detail

/// One token: two walks over the state. `room` is for key_row numbers.
template <int W, class T>
INLAY_NOINLINE inline void gated_token(GatedChunk<T> const& c, T* state, T* o, T* room) noexcept {
    using V = simd::vec<T, W>;
    int const row = c.value_row;
    for (int d = 0; d < c.key_row; d += W)
        (c.decays == 0   ? V(T(1))
         : c.decays == 1 ? simd::exp(V(c.log_decay[0]))
                         : simd::exp(V::load(c.log_decay + d)))
            .store(room + d);
    V const beta(c.beta ? c.beta[0] : T(1));
    for (int j = 0; j < row; j += W) {
        V held(T(0)), read(T(0)), u = V::load(c.v + j);
        if (c.delta) {
            for (int d = 0; d < c.keys; ++d)
                held = simd::fma(V(c.k[d] * room[d]), V::load(state + d * row + j), held);
            u = u - held;
        }
        u *= beta;
        for (int d = 0; d < c.keys; ++d) {
            T* const at = state + d * row + j;
            V const s = simd::fma(V(c.k[d]), u, V(room[d]) * V::load(at));
            s.store(at);
            read = simd::fma(V(c.q[d]), s, read);
        }
        read.store(o + j);
    }
}

/// Reads and writes a whole chunk; `state` is [keys][value_row] and moves to the chunk's end.
template <int W, class T>
INLAY_NOINLINE inline void gated_chunk(GatedChunk<T> const& chunk, T* state, T* o, T* room) noexcept {
    if (chunk.tokens == 1) return gated_token<W>(chunk, state, o, room);
    GatedChunk<T> rest = chunk;
    for (int n = 0; rest.tokens > 0; rest = rest.part(n, rest.tokens - n), o += n * chunk.value_row) {
        if (chunk.decays <= 1) n = detail::gated_groups<W>(rest, state, o, room);
        else if (rest.tokens > 1) {
            n = std::min(band, rest.tokens);
            detail::gated_channels<W>(rest.part(0, n), state, o, room);
        } else n = 0;
        if (n == 0) gated_token<W>(rest.part(0, n = 1), state, o, room);
    }
}

} // namespace kernels
} // namespace inlay::inline INLAY_ISA
