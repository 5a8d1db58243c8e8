// SPDX-License-Identifier: BSD-3-Clause
// What a memory that rests answers: its layers over queries, and back.
#pragma once

#include <inlay/kernels/memory/chunk.hpp>

namespace inlay::inline INLAY_ISA {
namespace kernels {

/// Numbers of temporaries for at most `tokens`.
inline std::size_t constexpr memory_read_room(int tokens, MemoryForm const& f) {
    return std::size_t(tokens) * std::size_t(f.widest()) * std::size_t(2 * f.layers + 3);
}

namespace detail {
/// Queries on their way through the layers of a memory.
template <int W, class F, class T> struct MemoryPass {
    MemoryForm const& f;
    int const n, L;
    T* next;
    T const* x[std::size_t(most_memory_layers) + 1]{}; ///< what layer l + 1 gets
    T* y[std::size_t(most_memory_layers) + 1]{};       ///< what layer l gives

    MemoryPass(MemoryForm const& form, int tokens, T const* q, T const* memory, T* room) noexcept
        : f(form), n(tokens), L(form.layers), next(room) {
        x[0] = q;
        for (int l = 1; l <= L; ++l) {
            int const in = f.row[l - 1], out = f.row[l];
            y[l] = rows(l);
            gemm<W>(n, out, f.width[l - 1], x[l - 1], in, 1, memory + f.numbers(l - 1), out, y[l], out,
                    false);
            if (l == L) break;
            T* const into = rows(l);
            map<W>(std::ptrdiff_t(n) * out, y[l], into, [](auto v) { return F::value(v); });
            x[l] = into;
        }
    }
    T* rows(int l) noexcept {
        T* const here = next;
        next += n * f.row[l];
        return here;
    }
};
} // namespace detail

/// o = M(q) for the queries of a chunk; of the chunk only `form`, `tokens`, `q` and the norm are read.
template <int W, class F, class T>
INLAY_NOINLINE inline void memory_read(MemoryChunk<T> const& c, T const* memory, T* o, T* room) noexcept {
    MemoryForm const& f = c.form;
    int const n = c.tokens, L = f.layers;
    detail::MemoryPass<W, F, T> const p(f, n, c.q, memory, room);
    std::ptrdiff_t const all = std::ptrdiff_t(n) * f.row[L];
    if (f.norm) layer_norm<W>(n, f.width[L], T(memory_norm_eps), p.y[L], c.weight, c.bias, o, f.row[L]);
    else map<W>(all, p.y[L], o, [](auto v) { return v; });
    if (f.residual) add<W>(all, c.q, o);
}
/// Writes dq; adds to dmemory, and to the gradients of the norm.
template <int W, class F, class T>
INLAY_NOINLINE inline void memory_read_backward(MemoryChunk<T> const& c, T const* memory, T const* dout,
                                                T* dq, T* dmemory, T* dweight, T* dbias, T* room) noexcept {
    MemoryForm const& f = c.form;
    int const n = c.tokens, L = f.layers;
    detail::MemoryPass<W, F, T> p(f, n, c.q, memory, room);
    T *const dy = p.next, *const dx = dy + n * f.widest();
    T const* slope = dout;
    if (f.norm) {
        layer_norm_backward<W>(n, f.width[L], T(memory_norm_eps), p.y[L], c.weight, dout, dy, dweight, dbias,
                               f.row[L]);
        slope = dy;
    }
    for (int l = L; l >= 1; --l) {
        int const in = f.row[l - 1], out = f.row[l], width = f.width[l - 1], at = f.numbers(l - 1);
        T* const to = l == 1 ? dq : dx;
        gemm<W>(width, out, n, p.x[l - 1], 1, in, slope, out, dmemory + at, out, true);
        gemm_nt<W>(n, width, in, out, slope, out, memory + at, out, to, in, false);
        if (l == 1) break;
        zip<W>(std::ptrdiff_t(n) * in, dx, p.y[l - 1], dy,
               [](auto g, auto v) { return g * F::derivative(v); });
        slope = dy;
    }
    if (f.residual) add<W>(std::ptrdiff_t(n) * f.row[L], dout, dq);
}

} // namespace kernels
} // namespace inlay::inline INLAY_ISA
