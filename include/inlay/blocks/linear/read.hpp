// SPDX-License-Identifier: BSD-3-Clause
// From what the heads of a LinearAttn read to what its last projection gets: the divisor, the norm, the gate.
#pragma once

#include <inlay/blocks/linear/work.hpp>
#include <inlay/kernels/norm.hpp>

namespace inlay::inline INLAY_ISA {
namespace detail {

template <class S, class Gate> struct LinearRead {
    using T = typename S::T;
    using R = typename S::Real;
    using Work = LinearWork<S>;
    static constexpr int W = S::W, H = S::H, dv = S::dv, row = S::value_row;
    static constexpr T eps = T(1e-6);
    struct Weight {
        Tensor<R, 1, dv> weight;
    };
    struct Nothing {};
    using Params = std::conditional_t<S::norms, Weight, Nothing>;
    static constexpr long long parameters = S::norms ? dv : 0;

    template <class P, class F> static void visit(P& p, Path const& at, F&& f) {
        if constexpr (S::norms) {
            Path const norm{&at, "norm"};
            f(Tag<NormHeads>{}, Path{&norm, "weight"}, Kind::vector, p.weight.ref());
        }
    }
    static void initialize(Params& p) noexcept {
        if constexpr (S::norms)
            for (int i = 0; i < dv; ++i) p.weight[0][i] = T(1);
    }

    /// read to mixed.
    static void forward(int n, Params const& p, Work const& w) noexcept {
        for (int h = 0; h < H; ++h) {
            T *const mean = w.values(w.mean)(h), *const read = w.values(w.read)(h);
            if constexpr (S::divides)
                for (int t = 0; t < n; ++t) {
                    kernels::scale<W>(dv, 1 / (read[t * row + dv] + eps), read + t * row, mean + t * row);
                    kernels::clear_pads(mean + t * row, dv, row);
                }
            if constexpr (S::norms)
                kernels::rms_norm<W>(n, dv, eps, mean, p.weight[0], w.values(w.normed)(h), row);
        }
        merge_heads<W>(n, H, dv, w.values(w.normed), w.merged, S::values_row);
        if constexpr (S::gates)
            kernels::zip<W>(std::ptrdiff_t(n) * S::values_row, w.merged, w.gate, w.mixed,
                            [](auto x, auto g) { return x * Gate::Function::value(g); });
    }
    /// Gradients of mixed to those of read, and of the gate before its function.
    static void backward(int n, Params const& p, Params& g, Work const& w, Work const& d) noexcept {
        if constexpr (S::gates)
            for (std::ptrdiff_t i = 0; i < std::ptrdiff_t(n) * S::values_row; i += W) {
                using V = simd::vec<T, W>;
                V const gate = V::load(w.gate + i), slope = V::load(d.mixed + i);
                (slope * V::load(w.merged + i) * Gate::Function::derivative(gate)).store(d.gate + i);
                (slope * Gate::Function::value(gate)).store(d.merged + i);
            }
        split_heads<W>(n, H, dv, d.merged, S::values_row, d.values(d.normed));
        for (int h = 0; h < H; ++h) {
            T *const dnormed = d.values(d.normed)(h), *const dmean = d.values(d.mean)(h);
            for (int t = 0; t < n; ++t) kernels::clear_pads(dnormed + t * row, dv, row);
            if constexpr (S::norms)
                kernels::rms_norm_backward<W>(n, dv, eps, w.values(w.mean)(h), p.weight[0], dnormed, dmean,
                                              g.weight[0], row);
            if constexpr (S::divides) {
                T const* const mean = w.values(w.mean)(h);
                T *const read = w.values(w.read)(h), *const dread = d.values(d.read)(h);
                for (int t = 0; t < n; ++t) {
                    T const part = 1 / (read[t * row + dv] + eps);
                    kernels::scale<W>(row, part, dmean + t * row, dread + t * row);
                    dread[t * row + dv] = -part * kernels::dot<W>(dv, dmean + t * row, mean + t * row);
                }
            }
        }
    }
};

} // namespace detail
} // namespace inlay::inline INLAY_ISA
