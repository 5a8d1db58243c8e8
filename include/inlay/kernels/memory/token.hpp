// SPDX-License-Identifier: BSD-3-Clause
// One token of a memory of one layer: two walks over its state.
#pragma once

#include <inlay/kernels/gemm.hpp>
#include <inlay/kernels/memory/form.hpp>

#include <cmath>

namespace inlay::inline INLAY_ISA {
namespace kernels {

namespace detail {
/// S = go_on S + k^T u and M = keep M + S, or M = keep M + k^T u; o = q M where o is not null.
template <int W, bool momentum, class T>
INLAY_INLINE void memory_walk(MemoryChunk<T> const& c, T keep, T go_on, T const* u, T* memory, T* speed,
                              T* o) noexcept {
    using V = simd::vec<T, W>;
    int const row = c.form.row[1], keys = c.form.width[0];
    T const *const k = c.k, *const q = c.q;
    V const kept(keep), going(go_on);
    for (int j = 0; j < row; j += W) {
        V const added = V::load(u + j);
        V read(T(0));
        T *m = memory + j, *s = speed + (momentum ? j : 0);
        for (int d = 0; d < keys; ++d, m += row) {
            V const key(k[d]);
            V now = V::load(m);
            if constexpr (momentum) {
                V const moved = simd::fma(key, added, going * V::load(s));
                moved.store(s);
                now = simd::fma(kept, now, moved);
                s += row;
            } else now = simd::fma(key, added, kept * now);
            now.store(m);
            read = simd::fma(V(q[d]), now, read);
        }
        if (o) read.store(o + j);
    }
}
} // namespace detail

/// memory_chunk for one token, one layer and no norm; `room` is for a row of values.
template <int W, class T>
INLAY_NOINLINE inline void memory_token(MemoryChunk<T> const& c, T* memory, T* speed, T* o,
                                        T* room) noexcept {
    using V = simd::vec<T, W>;
    MemoryForm const& f = c.form;
    int const keys = f.width[0], row = f.row[1];
    auto const product = [&](T const* x, T const* m, T* to) noexcept {
        gemm<W>(1, row, keys, x, f.row[0], 1, m, row, to, row, false);
    };
    T* const u = room;
    product(c.k, c.first, u);
    bool const after = f.read == MemoryRead::post;
    if (!after) product(c.q, f.read == MemoryRead::pre ? memory : c.first, o);
    V const c_l(T(f.loss_scale));
    for (int j = 0; j < row; j += W) {
        V e = V::load(u + j) - V::load(c.v + j);
        if (f.residual) e += V::load(c.k + j);
        (c_l * e).store(u + j);
    }
    T reach = -c.theta[0];
    if (f.limit > 0)
        reach /= std::sqrt(1 + dot<W>(f.row[0], c.k, c.k) * dot<W>(row, u, u) / T(f.limit * f.limit));
    scale<W>(row, reach, u, u);
    T const keep = c.alpha ? T(1) - c.alpha[0] : T(1), go_on = c.eta ? c.eta[0] : T(0);
    if (speed) detail::memory_walk<W, true>(c, keep, go_on, u, memory, speed, after ? o : nullptr);
    else detail::memory_walk<W, false>(c, keep, go_on, u, memory, speed, after ? o : nullptr);
    if (f.residual) add<W>(row, c.q, o);
}

} // namespace kernels
} // namespace inlay::inline INLAY_ISA
