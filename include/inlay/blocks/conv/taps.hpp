// SPDX-License-Identifier: BSD-3-Clause
// The two ways of a convolution over time: channel by channel, and all channels at once.
#pragma once

#include <inlay/blocks/recent_rows.hpp>
#include <inlay/kernels/conv.hpp>
#include <inlay/kernels/gemm.hpp>

namespace inlay::inline INLAY_ISA {
namespace detail {

/// Each channel by itself: `weight [D, w]`, stored with a row for each tap, the last for the token itself.
template <class R, int D, int Channels, int Taps, int Apart> struct ConvTaps {
    using T = typename R::type;
    using Weight = Tensor<R, D, Taps, Layout::transposed>;
    using Recent = RecentRows<R, std::max(1, (Taps - 1) * Apart), D>;
    static constexpr int W = R::lanes, N = padded(D, W), row = row_stride<R>(D), fan_in = Taps;
    static constexpr double flops = 2.0 * D * Taps;

    static void forward(int n, Weight const& w, T const* bias, RowsBack<Recent> x, T* y) noexcept {
        for (int t = 0; t < n; ++t) {
            T const* from[std::size_t(Taps)];
            for (int i = 0; i < Taps; ++i) from[i] = x(t - (Taps - 1 - i) * Apart);
            kernels::weigh_rows<W>(N, Taps, from, w.data, w.stride, bias, y + t * row);
            kernels::clear_pads(y + t * row, N, row);
        }
    }
    /// Adds to the gradients of taps and of rows.
    static void backward(int n, Weight const& w, RowsBack<Recent> x, SlopesBack<Recent> dx, T const* dy,
                         Weight& g) noexcept {
        for (int t = 0; t < n; ++t)
            for (int i = 0; i < Taps; ++i) {
                int const from = t - (Taps - 1 - i) * Apart;
                if (T const* const row_x = x(from)) kernels::add_product<W>(N, row_x, dy + t * row, g[i]);
                if (T* const to = dx(from)) kernels::add_product<W>(N, w[i], dy + t * row, to);
            }
    }
};

/// All channels give each of O: `weight [O, D w]`, column d w + i for tap i of channel d.
template <class R, int D, int O, int Taps, int Apart>
    requires(O > 0)
struct ConvTaps<R, D, O, Taps, Apart> {
    using T = typename R::type;
    using Weight = Tensor<R, O, D * Taps, Layout::transposed>;
    using Recent = RecentRows<R, std::max(1, (Taps - 1) * Apart), D>;
    static constexpr int W = R::lanes, N = padded(O, W), x_row = row_stride<R>(D), row = row_stride<R>(O);
    static constexpr int fan_in = D * Taps;
    static constexpr double flops = 2.0 * D * O * Taps;

    static void forward(int n, Weight const& w, T const* bias, RowsBack<Recent> x, T* y) noexcept {
        for (int t = 0; t < n; ++t) {
            if (bias) std::copy_n(bias, N, y + t * row);
            else kernels::clear(y + t * row, N);
            kernels::clear_pads(y + t * row, N, row);
        }
        each_run(n, [&](int i, int back, int first, int count) {
            if (T const* const from = x(first - back))
                kernels::gemm<W>(count, N, D, from, x_row, 1, w[i], Taps * w.stride, y + first * row, row,
                                 true);
        });
    }
    static void backward(int n, Weight const& w, RowsBack<Recent> x, SlopesBack<Recent> dx, T const* dy,
                         Weight& g) noexcept {
        each_run(n, [&](int i, int back, int first, int count) {
            if (T const* const from = x(first - back))
                kernels::gemm<W>(D, N, count, from, 1, x_row, dy + first * row, row, g[i], Taps * g.stride,
                                 true);
            if (T* const to = dx(first - back))
                kernels::gemm_nt<W>(count, D, padded(D, W), N, dy + first * row, row, w[i], Taps * w.stride,
                                    to, x_row, true);
        });
    }

private:
    /// For each tap: the tokens that look into the past by themselves, then those that look into the
    /// sequence.
    template <class F> static void each_run(int n, F const& f) noexcept {
        for (int i = 0; i < Taps; ++i) {
            int const back = (Taps - 1 - i) * Apart;
            for (int t = 0; t < std::min(back, n); ++t) f(i, back, t, 1);
            if (n > back) f(i, back, back, n - back);
        }
    }
};

} // namespace detail
} // namespace inlay::inline INLAY_ISA
