// SPDX-License-Identifier: BSD-3-Clause
// The way back of gated_chunk: all is computed again from the state at the chunk's start.
#pragma once

#include <inlay/kernels/gated_chunk.hpp>

namespace inlay::inline INLAY_ISA {
namespace kernels {

/// Gradients of a chunk, laid out as its tokens are; all are overwritten. log_decay and beta may be null
/// where the chunk has none.
template <class T> struct GatedSlopes {
    T *q, *k, *v, *log_decay, *beta;
};

namespace detail {
/// dg_t = sum over i >= t of db_i, channel by channel.
template <int W, class T> inline void suffix_sums(int n, int width, T const* db, T* dg) noexcept {
    using V = simd::vec<T, W>;
    for (int c = 0; c < width; c += W) {
        V sum(T(0));
        for (int i = n - 1; i >= 0; --i) (sum += V::load(db + i * width + c)).store(dg + i * width + c);
    }
}
/// One decay for all channels: dg_t = last + sum over i >= t of q_i dq_i + k_i (dread_i - dwrite_i), where
/// dread may be null.
template <int W, class T>
INLAY_NOINLINE inline void single_decay_slopes(GatedChunk<T> const& c, T const* dq, T const* dread,
                                               T const* dwrite, T last, T* dg) noexcept {
    using V = simd::vec<T, W>;
    int const row = c.key_row;
    for (int i = c.tokens - 1; i >= 0; --i) {
        V sum(T(0));
        for (int at = i * row; at < (i + 1) * row; at += W) {
            V const by = (dread ? V::load(dread + at) : V(T(0))) - V::load(dwrite + at);
            sum = simd::fma(V::load(c.q + at), V::load(dq + at), simd::fma(V::load(c.k + at), by, sum));
        }
        dg[i] = last += simd::sum(sum);
    }
}
} // namespace detail

/// From `state` at the chunk's start and the gradient `dout` of what was read; `dstate` is that of the state
/// at the chunk's end, and becomes that of its start.
template <int W, class T>
INLAY_NOINLINE inline void gated_chunk_backward(GatedChunk<T> const& c, T const* state, T const* dout,
                                                T* dstate, GatedSlopes<T> const& to, T* room) noexcept {
    using Lanes = simd::vec<T, W>;
    detail::ChunkParts<W, T> p(c, state, room);
    int const n = c.tokens, C = c.key_row, V = c.value_row, row = p.row;
    T *const du = p.take(n * V), *const back = p.take(n * V), *const cross = p.take(n * row);
    T *const dread = p.take(n * C), *const dwrite = p.take(n * C), *const db = p.take((n + 1) * C);
    T* const end = db + n * C; // what the last sum gets beside its own

    triangle_to_earlier<W>(n, V, p.scores, row, dout, V, du, V, false);
    gemm<W>(n, V, c.keys, p.k_end, C, 1, dstate, V, du, V, true);

    transpose_rows<W>(n, V, dout, V, p.turned, row);
    triangle_products<W>(n, V, p.u, V, p.turned, row, cross, row, false);
    if (p.between) multiply_triangle<W>(n, p.between, cross, row);
    gemm_nt<W>(n, c.keys, C, V, dout, V, state, V, to.q, C, false);
    gemm_nt<W>(n, c.keys, C, V, p.u, V, dstate, V, dwrite, C, false);
    Lanes ends(T(0)); // the same where one decay is for all channels
    if (c.decays == 1)
        for (int i = 0; i < n; ++i) {
            Lanes const since(p.from_start[i]), until(p.to_end[i]);
            for (int at = i * C; at < (i + 1) * C; at += W) {
                Lanes const faded = until * Lanes::load(dwrite + at);
                (since * Lanes::load(to.q + at)).store(to.q + at);
                ends = simd::fma(Lanes::load(c.k + at), faded, ends);
                faded.store(dwrite + at);
            }
        }
    else if (c.decays > 1) {
        clear(end, C);
        for (int i = 0; i < n; ++i) {
            p.fade_from_start(i, to.q + i * C, to.q + i * C);
            p.fade_to_end(i, dwrite + i * C, dwrite + i * C);
            zip<W>(C, c.k + i * C, dwrite + i * C, db, [](auto a, auto b) { return a * b; });
            add<W>(C, db, end);
        }
    }
    p.to_later(cross, c.k, to.q);
    p.to_earlier(cross, c.q, dwrite);

    // du becomes the gradient of what u is beta times, before beta
    if (c.delta) solve_earlier<W>(n, V, p.overlap, row, c.beta, du, back);
    for (int i = 0; i < n; ++i) {
        if (c.beta) to.beta[i] = dot<W>(V, du + i * V, p.e + i * V);
        scale<W>(V, c.beta ? c.beta[i] : T(1), du + i * V, to.v + i * V);
    }
    if (c.delta) {
        transpose_rows<W>(n, V, back, V, p.turned, row);
        triangle_products<W>(n, V, p.u, V, p.turned, row, cross, row, true);
        if (p.between) multiply_triangle<W>(n, p.between, cross, row);
        gemm_nt<W>(n, c.keys, C, V, back, V, state, V, dread, C, false);
        if (c.decays > 0)
            for (int i = 0; i < n; ++i) p.fade_from_start(i, dread + i * C, dread + i * C);
        p.to_later(cross, c.k, dread);
        p.to_earlier(cross, c.k, dwrite);
        zip<W>(std::ptrdiff_t(n) * C, dread, dwrite, to.k, [](auto a, auto b) { return a + b; });
    } else map<W>(std::ptrdiff_t(n) * C, dwrite, to.k, [](auto a) { return a; });

    T const one(1);
    if (c.decays == 1) {
        T const* const until = p.from_start + n - 1;
        T const last = simd::sum(ends) +
                       *until * detail::padded_dot<W>(c.keys * V, static_cast<T const*>(dstate), state);
        detail::single_decay_slopes<W>(c, to.q, c.delta ? dread : nullptr, dwrite, last, to.log_decay);
        gemm<W>(c.keys, V, Product<T>{n, p.q, 1, C, dout, V, dstate, V, {}},
                Blend<T>{dstate, V, until, 0, &one, 0});
    } else {
        if (c.decays > 1) {
            for (int at = 0; at < n * C; at += W) {
                Lanes x = Lanes::load(c.q + at) * Lanes::load(to.q + at);
                Lanes const k = Lanes::load(c.k + at);
                if (c.delta) x = simd::fma(k, Lanes::load(dread + at), x);
                (x - k * Lanes::load(dwrite + at)).store(db + at);
            }
            detail::decay_state<W>(c, p.sums, n - 1, p.turned, dstate);
            for (int d = 0; d < c.keys; ++d) end[d] += dot<W>(V, dstate + d * V, state + d * V);
            add<W>(C, end, db + (n - 1) * C);
            detail::suffix_sums<W>(n, C, db, to.log_decay);
        }
        gemm<W>(c.keys, V, n, p.q, 1, C, dout, V, dstate, V, true);
    }
    if (c.delta) gemm<W>(c.keys, V, n, p.k, 1, C, back, V, dstate, V, true);
}

} // namespace kernels
} // namespace inlay::inline INLAY_ISA
