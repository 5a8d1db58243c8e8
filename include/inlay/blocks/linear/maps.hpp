// SPDX-License-Identifier: BSD-3-Clause
// What linear attention makes of a query or a key before it meets the memory.
#pragma once

#include <inlay/blocks/linear/policies.hpp>
#include <inlay/core/context.hpp>
#include <inlay/kernels/gemm.hpp>
#include <inlay/kernels/softmax.hpp>

namespace inlay::inline INLAY_ISA {
namespace detail {

/// The features of one head's rows of d numbers: `width` of them, which are multiplied by 1 / sqrt(width) if
/// `scaled`. `forward(params, head, rows, position, x, y)`; `backward(params, slopes, head, rows, position,
/// x, y, times, dy, dx)` gets y multiplied by `times`, may overwrite dy, adds to the slopes and overwrites
/// dx.
template <class R, int H, int d, class Policy> struct FeatureMap;

/// A function of each number, with `value` and `slope`, which is 0 at the pads' 0 or clears them.
template <class R, int d, class Function> struct PointwiseMap {
    using T = typename R::type;
    static constexpr bool copies = true, scaled = true;
    static constexpr int width = d;
    static constexpr long long parameters = 0;
    struct Params {};
    template <class P, class F> static void visit(P&, Path const&, F&&) {}
    template <class C> static void initialize(C const&, Params&) noexcept {}

    static void forward(Params const&, int, int n, std::int64_t, T const* x, T* y) noexcept {
        for (int t = 0; t < n; ++t, x += row, y += row) {
            kernels::map<R::lanes>(row, x, y, [](auto v) { return Function::value(v); });
            kernels::clear_pads(y, d, row);
        }
    }
    template <class G>
    static void backward(Params const&, G&, int, int n, std::int64_t, T const* x, T const*, T, T const* dy,
                         T* dx) noexcept { // pads of dy are zero
        kernels::zip<R::lanes>(std::ptrdiff_t(n) * row, x, dy, dx,
                               [](auto v, auto g) { return g * Function::slope(v); });
    }

private:
    static constexpr int row = padded(d, R::lanes);
};

struct EluFunction {
    template <class V> static V value(V x) noexcept {
        V const zero(0);
        return simd::select_greater(x, zero, x + V(1), simd::exp(simd::lesser(x, zero)));
    }
    template <class V> static V slope(V x) noexcept {
        return simd::select_greater(x, V(0), V(1), simd::exp(simd::lesser(x, V(0))));
    }
};
struct ReluFunction {
    template <class V> static V value(V x) noexcept { return simd::greater(x, V(0)); }
    template <class V> static V slope(V x) noexcept { return simd::select_greater(x, V(0), V(1), V(0)); }
};
struct SquaredReluFunction {
    template <class V> static V value(V x) noexcept {
        V const r = simd::greater(x, V(0));
        return r * r;
    }
    template <class V> static V slope(V x) noexcept { return V(2) * simd::greater(x, V(0)); }
};

template <class R, int H, int d> struct FeatureMap<R, H, d, EluMap> : PointwiseMap<R, d, EluFunction> {};
template <class R, int H, int d> struct FeatureMap<R, H, d, ReluMap> : PointwiseMap<R, d, ReluFunction> {};
template <class R, int H, int d>
struct FeatureMap<R, H, d, SquaredReluMap> : PointwiseMap<R, d, SquaredReluFunction> {};

/// Hedgehog: p = softmax of y and -y, y = W x + b, head by head.
template <class R, int H, int d> struct FeatureMap<R, H, d, HedgehogMap> {
    using T = typename R::type;
    static constexpr int W = R::lanes;
    static constexpr bool copies = true, scaled = true;
    static constexpr int width = 2 * d;
    static constexpr long long parameters = 1LL * H * d * (d + 1);
    struct Params {
        Tensor<R, H * d, d> weight;
        Tensor<R, 1, H * d> bias;
    };
    template <class P, class F> static void visit(P& p, Path const& at, F&& f) {
        f(Tag<HedgehogMap>{}, Path{&at, "weight"}, Kind::matrix, p.weight.ref());
        f(Tag<HedgehogMap>{}, Path{&at, "bias"}, Kind::vector, p.bias.ref());
    }
    template <class C> static void initialize(C const&, Params& p) noexcept {
        for (int h = 0; h < H; ++h)
            for (int o = 0; o < d; ++o) {
                for (int i = 0; i < d; ++i) p.weight[h * d + o][i] = T(o == i);
                p.bias[0][h * d + o] = T(0);
            }
    }
    static void forward(Params const& p, int h, int n, std::int64_t, T const* x, T* y) noexcept {
        kernels::gemm_nt<W>(n, d, padded(d, W), x_row, x, x_row, p.weight[h * d], p.weight.stride, y, y_row,
                            false);
        for (int t = 0; t < n; ++t) {
            T* const row = y + t * y_row;
            for (int i = 0; i < d; ++i) row[i] += p.bias[0][h * d + i];
            for (int i = 0; i < d; ++i) row[d + i] = -row[i];
            kernels::clear_pads(row, width, y_row);
        }
        kernels::softmax<W>(n, width, y, y_row, y, y_row);
    }
    template <class G>
    static void backward(Params const& p, G& g, int h, int n, std::int64_t, T const* x, T const* y, T times,
                         T* dy, T* dx) noexcept {
        for (int t = 0; t < n; ++t) {
            T const* const row = y + t * y_row;
            T* const slope = dy + t * y_row;
            T const mean = kernels::dot<W>(width, row, slope) / times;
            for (int i = 0; i < d; ++i) {
                slope[i] = (row[i] * (slope[i] - mean) - row[d + i] * (slope[d + i] - mean)) / times;
                g.bias[0][h * d + i] += slope[i];
            }
            kernels::clear_pads(slope, d, y_row);
        }
        kernels::gemm<W>(n, x_row, d, dy, y_row, 1, p.weight[h * d], p.weight.stride, dx, x_row, false);
        kernels::gemm<W>(d, x_row, n, dy, 1, y_row, x, x_row, g.weight[h * d], g.weight.stride, true);
    }

private:
    static constexpr int x_row = padded(d, W), y_row = padded(width, W);
};

/// Taylor: 1, x / d^(1/4), x_i^2 / sqrt(2 d), x_i x_j / sqrt(d) for i < j: a product of two is 1 + s + s^2 /
/// 2 for s = q k / sqrt(d).
template <class R, int H, int d> struct FeatureMap<R, H, d, TaylorMap> {
    using T = typename R::type;
    static constexpr int W = R::lanes;
    static constexpr bool copies = true, scaled = false;
    static constexpr int width = 1 + d + d * (d + 1) / 2;
    static constexpr long long parameters = 0;
    struct Params {};
    template <class P, class F> static void visit(P&, Path const&, F&&) {}
    template <class C> static void initialize(C const&, Params&) noexcept {}
    static void forward(Params const&, int, int n, std::int64_t, T const* x, T* y) noexcept {
        for (int t = 0; t < n; ++t, x += x_row, y += y_row) {
            y[0] = T(1);
            kernels::scale<W>(d, once(), x, y + 1);
            for (int i = 0; i < d; ++i) y[1 + d + i] = x[i] * x[i] * squared();
            T* pairs = y + 1 + 2 * d;
            for (int i = 0; i < d; pairs += d - 1 - i, ++i)
                kernels::scale<W>(d - 1 - i, x[i] * paired(), x + i + 1, pairs);
            kernels::clear_pads(y, width, y_row);
        }
    }
    template <class G>
    static void backward(Params const&, G&, int, int n, std::int64_t, T const* x, T const*, T, T const* dy,
                         T* dx) noexcept {
        for (int t = 0; t < n; ++t, x += x_row, dx += x_row, dy += y_row) {
            for (int i = 0; i < d; ++i) dx[i] = once() * dy[1 + i] + 2 * squared() * x[i] * dy[1 + d + i];
            kernels::clear_pads(dx, d, x_row);
            T const* pairs = dy + 1 + 2 * d;
            for (int i = 0; i < d; pairs += d - 1 - i, ++i) {
                dx[i] += paired() * kernels::dot<W>(d - 1 - i, x + i + 1, pairs);
                kernels::axpy<W>(d - 1 - i, x[i] * paired(), pairs, dx + i + 1);
            }
        }
    }

private:
    static constexpr int x_row = padded(d, W), y_row = padded(width, W);
    static T once() noexcept { return T(std::pow(double(d), -0.25)); }
    static T squared() noexcept { return T(1 / std::sqrt(2.0 * d)); }
    static T paired() noexcept { return T(1 / std::sqrt(double(d))); }
};

/// cosFormer: max(x, 0) times the cosine, and times the sine, of pi / 2 position / M.
template <class R, int H, int d, int M> struct FeatureMap<R, H, d, CosineMap<M>> {
    using T = typename R::type;
    static constexpr int W = R::lanes;
    static constexpr bool copies = true, scaled = true;
    static constexpr int width = 2 * d;
    static constexpr long long parameters = 0;
    struct Params {};
    template <class P, class F> static void visit(P&, Path const&, F&&) {}
    template <class C> static void initialize(C const&, Params&) noexcept {}
    static void forward(Params const&, int, int n, std::int64_t position, T const* x, T* y) noexcept {
        for (int t = 0; t < n; ++t, x += x_row, y += y_row) {
            T const c = T(std::cos(angle(position + t))), s = T(std::sin(angle(position + t)));
            for (int i = 0; i < d; ++i) {
                T const r = x[i] > 0 ? x[i] : T(0);
                y[i] = r * c, y[d + i] = r * s;
            }
            kernels::clear_pads(y, width, y_row);
        }
    }
    template <class G>
    static void backward(Params const&, G&, int, int n, std::int64_t position, T const* x, T const*, T,
                         T const* dy, T* dx) noexcept {
        for (int t = 0; t < n; ++t, x += x_row, dx += x_row, dy += y_row) {
            T const c = T(std::cos(angle(position + t))), s = T(std::sin(angle(position + t)));
            for (int i = 0; i < d; ++i) dx[i] = x[i] > 0 ? c * dy[i] + s * dy[d + i] : T(0);
            kernels::clear_pads(dx, d, x_row);
        }
    }

private:
    static constexpr int x_row = padded(d, W), y_row = padded(width, W);
    static double angle(std::int64_t at) noexcept { return 1.5707963267948966 * double(at) / M; }
};

/// The features are the numbers themselves, in place.
template <class R, int H, int d> struct FeatureMap<R, H, d, IdentityMap> {
    static constexpr bool copies = false, scaled = true;
    static constexpr int width = d;
    static constexpr long long parameters = 0;
    struct Params {};
    template <class P, class F> static void visit(P&, Path const&, F&&) {}
    template <class C> static void initialize(C const&, Params&) noexcept {}
    template <class... A> static void forward(A&&...) noexcept {}
    template <class... A> static void backward(A&&...) noexcept {}
};

} // namespace detail
} // namespace inlay::inline INLAY_ISA
