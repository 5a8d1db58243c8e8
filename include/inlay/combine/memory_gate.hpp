// SPDX-License-Identifier: BSD-3-Clause
// What attention gives, opened and closed by what a memory gives.
#pragma once

#include <inlay/blocks/draw.hpp>
#include <inlay/core/block.hpp>
#include <inlay/kernels/norm.hpp>

namespace inlay::inline INLAY_ISA {
namespace detail {

/// o = RMSNorm(y) sigmoid(RMSNorm(m)) over rows of `S`: `attn_norm.weight [D]`, `memory_norm.weight [D]`,
/// ones at first.
template <class S, class R> struct MemoryGate {
    using T = typename R::type;
    using V = simd::vec<T, R::lanes>;
    static constexpr int W = R::lanes, D = S::width, row = row_stride<R>(D);
    static constexpr long long parameters = 2 * D;
    static constexpr T eps = T(1e-6);
    struct Params {
        Tensor<R, 1, D> attn, memory;
    };
    static constexpr std::size_t scratch = 4 * lines(sizeof(T) * row); ///< of one row

    template <class P, class F> static void visit(P& p, Path const& at, F&& f) {
        Path const attn{&at, "attn_norm"}, memory{&at, "memory_norm"};
        f(Tag<MemoryGate>{}, Path{&attn, "weight"}, Kind::vector, p.attn.ref());
        f(Tag<MemoryGate>{}, Path{&memory, "weight"}, Kind::vector, p.memory.ref());
    }
    static void initialize(Params& p) noexcept { fill(p.attn.ref(), 1), fill(p.memory.ref(), 1); }

    static void forward(int rows, Params const& p, T const* y, T const* m, T* o, Scratch s) noexcept {
        T* const gate = s.template take<T>(row);
        for (; rows > 0; --rows, y += row, m += row, o += row) {
            kernels::rms_norm<W>(1, D, eps, y, p.attn[0], o, row);
            kernels::rms_norm<W>(1, D, eps, m, p.memory[0], gate, row);
            kernels::zip<W>(row, o, gate, o, [](auto a, auto b) { return a * simd::sigmoid(b); });
        }
    }
    static void backward(int rows, Params const& p, Params& g, T const* y, T const* m, T const* slope, T* dy,
                         T* dm, Scratch s) noexcept {
        T *const a = s.template take<T>(row), *const b = s.template take<T>(row);
        T *const da = s.template take<T>(row), *const db = s.template take<T>(row);
        for (; rows > 0; --rows, y += row, m += row, slope += row, dy += row, dm += row) {
            kernels::rms_norm<W>(1, D, eps, y, p.attn[0], a, row);
            kernels::rms_norm<W>(1, D, eps, m, p.memory[0], b, row);
            for (int i = 0; i < row; i += W) {
                V const d = V::load(slope + i), open = simd::sigmoid(V::load(b + i));
                (d * open).store(da + i);
                (d * V::load(a + i) * open * (V(T(1)) - open)).store(db + i);
            }
            kernels::rms_norm_backward<W>(1, D, eps, y, p.attn[0], da, dy, g.attn[0], row);
            kernels::rms_norm_backward<W>(1, D, eps, m, p.memory[0], db, dm, g.memory[0], row);
        }
    }
};

} // namespace detail
} // namespace inlay::inline INLAY_ISA
