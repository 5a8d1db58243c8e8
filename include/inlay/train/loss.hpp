// SPDX-License-Identifier: BSD-3-Clause
// Losses: a value and the cotangent of the model's output, token by token.
#pragma once

#include <inlay/core/view.hpp>
#include <inlay/kernels/softmax.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

namespace inlay::inline INLAY_ISA {

/// l = max(z, 0) - z y + log(1 + e^-|z|), dz = sigmoid(z) - y, summed over the logits of a token; y in [0,
/// 1]. A token whose first target is NaN is ignored. PyTorch: `nn.BCEWithLogitsLoss`.
struct BinaryCrossEntropy {
    static constexpr int targets(int width) { return width; }
    template <class T> static bool valid(T const*, float const* target, int) noexcept {
        return !std::isnan(*target);
    }
    template <class T>
    static double value(T const* z, float const* y, T* dz, int width, double weight) noexcept {
        double loss = 0;
        for (int i = 0; i < width; ++i) {
            double const x = double(z[i]), t = double(y[i]);
            loss += weight * (std::max(x, 0.0) - x * t + std::log1p(std::exp(-std::abs(x))));
            dz[i] = T(weight * (sigmoid(x) - t));
        }
        return loss;
    }
};

/// l = log sum e^z - z_y, dz = softmax(z) - onehot(y), for one class y a token; a negative class, or NaN, is
/// ignored.
/// PyTorch: `nn.CrossEntropyLoss(ignore_index=-100)`.
struct CrossEntropy {
    static constexpr int targets(int) { return 1; }
    template <class T> static bool valid(T const*, float const* target, int) noexcept { return *target >= 0; }
    /// Whether a target is a class, or says that it is none.
    static bool possible(float target, int width) noexcept {
        return !(target >= 0) || (target < float(width) && target == std::floor(target));
    }
    template <class T>
    static double value(T const* z, float const* y, T* dz, int width, double weight) noexcept {
        constexpr int W = std::max(1, INLAY_VECTOR_BYTES / 8);
        double const top = double(kernels::max<W>(width, z));
        // Exponentials in double; their sum goes lane by lane, and dz keeps them until it is known.
        simd::vec<double, W> total(0.0);
        for (int i = 0; i < width; i += W) {
            double e[W];
            for (int l = 0; l < W; ++l)
                e[l] = i + l < width ? double(z[i + l]) - top : -std::numeric_limits<double>::infinity();
            auto const v = simd::exp(simd::vec<double, W>::load(e));
            total += v;
            v.store(e);
            for (int l = 0; l < std::min(W, width - i); ++l) dz[i + l] = T(e[l]);
        }
        double const sum = simd::sum(total), share = weight / sum;
        int const label = int(*y);
        for (int i = 0; i < width; ++i) dz[i] = T(share * double(dz[i]));
        dz[label] = T(weight * (std::exp(double(z[label]) - top) / sum - 1));
        return weight * (std::log(sum) + top - double(z[label]));
    }
};

/// l = mean of (z - y)^2 over the numbers of a token, dz = 2 (z - y) / width; a token whose first target is
/// NaN is ignored. PyTorch: `nn.MSELoss`.
struct MeanSquaredError {
    static constexpr int targets(int width) { return width; }
    template <class T> static bool valid(T const*, float const* target, int) noexcept {
        return !std::isnan(*target);
    }
    template <class T>
    static double value(T const* z, float const* y, T* dz, int width, double weight) noexcept {
        double loss = 0;
        for (int i = 0; i < width; ++i) {
            double const d = double(z[i]) - double(y[i]);
            loss += weight * d * d / width;
            dz[i] = T(2 * weight * d / width);
        }
        return loss;
    }
};

/// The targets of a batch: `each_row` floats for every row, as many for each of its tokens, and a weight a
/// row.
struct Targets {
    float const* data = nullptr;
    int each_row = 0;
    float const* weight = nullptr;

    double weight_of(int b) const noexcept { return weight ? double(weight[b]) : 1; }
};

namespace detail {
/// The sum of the weights of the tokens that count.
template <class Loss, class V> double total_weight(V y, int rows, Targets const& targets) noexcept {
    double total = 0;
    int const each = Loss::targets(V::width);
    for (int b = 0; b < rows; ++b)
        for (int t = 0, n = y.length(b); t < n; ++t)
            if (Loss::valid(y(b, t), targets.data + std::ptrdiff_t(b) * targets.each_row + t * each,
                            V::width))
                total += targets.weight_of(b);
    return total;
}
/// The first target of n that a loss cannot use, or -1.
template <class Loss>
std::ptrdiff_t impossible_target(float const* target, std::ptrdiff_t n, int width) noexcept {
    if constexpr (requires { Loss::possible(0.0f, width); })
        for (std::ptrdiff_t i = 0; i < n; ++i)
            if (!Loss::possible(target[i], width)) return i;
    return -1;
}
/// The weighted sum of losses times `scale`, and its cotangent. Past a row's end, and where a target is not
/// valid, the cotangent is zero.
template <class Loss, class V, class D>
double loss_of(V y, int rows, Targets const& targets, double scale, D dy) noexcept {
    double loss = 0;
    int const each = Loss::targets(V::width);
    for (int b = 0; b < rows; ++b)
        for (int t = 0; t < V::rows; ++t) {
            auto* d = dy(b, t);
            std::fill_n(d, V::stride, typename std::remove_pointer_t<decltype(d)>(0));
            float const* target = targets.data + std::ptrdiff_t(b) * targets.each_row + t * each;
            if (t < y.length(b) && Loss::valid(y(b, t), target, V::width))
                loss += Loss::value(y(b, t), target, d, V::width, scale * targets.weight_of(b));
        }
    return loss;
}
} // namespace detail

} // namespace inlay::inline INLAY_ISA
