// SPDX-License-Identifier: BSD-3-Clause
// Optimizers: hyper-parameters and the update of n weights. Forms and names follow PyTorch.
#pragma once

#include <inlay/core/tensor.hpp>

#include <cmath>
#include <type_traits>

namespace inlay::inline INLAY_ISA {

/// A number of an optimizer. It takes float, double and integers as they are, so that `0.1f` and `0.1` both
/// can be written and a model in double gets all the digits it is given.
struct Hyper {
    double value = 0;
    constexpr Hyper() = default;
    template <class A>
        requires(std::is_arithmetic_v<A>)
    constexpr Hyper(A a) : value(double(a)) {}
    constexpr operator double() const noexcept { return value; }
};

/// What every update of one step has in common.
struct StepInfo {
    std::uint64_t step = 1; ///< from 1
    double rate = 1;        ///< the schedule's factor on the learning rate
    double count = 1;       ///< valid targets behind the mean gradient
    Kind kind = Kind::matrix;
};

/// w -= lr v, v = momentum v + g (v = g at first); Nesterov: w -= lr (g + momentum v); g includes decay * w.
struct Sgd {
    Hyper learning_rate = 0.01, momentum = 0;
    bool nesterov = false;
    Hyper decay = 0;
    static constexpr int slots = 1;

    template <class T>
    void update(StepInfo const& s, T* w, T const* g, T* v, T*, std::ptrdiff_t n) const noexcept {
        T const lr = T(learning_rate * s.rate), mu = T(momentum.value), wd = T(decay.value);
        for (std::ptrdiff_t i = 0; i < n; ++i) {
            T const d = g[i] + wd * w[i];
            v[i] = mu * v[i] + d; // v starts at zero, so the first step is v = g
            w[i] -= lr * (nesterov ? d + mu * v[i] : v[i]);
        }
    }
};

/// G += g^2, w -= lr g / (sqrt G + epsilon). `initial` is G before the first step.
struct AdaGrad {
    Hyper learning_rate = 0.01, epsilon = 1e-10, initial = 0;
    static constexpr int slots = 1;

    template <class T>
    void update(StepInfo const& s, T* w, T const* g, T* sum, T*, std::ptrdiff_t n) const noexcept {
        T const lr = T(learning_rate * s.rate), eps = T(epsilon.value), g0 = T(initial.value);
        for (std::ptrdiff_t i = 0; i < n; ++i) {
            sum[i] += g[i] * g[i];
            w[i] -= lr * g[i] / (std::sqrt(g0 + sum[i]) + eps);
        }
    }
};

namespace detail {
/// The step that Adam and AdamW share.
template <class T> struct AdamStep {
    T rate, beta1, beta2, root, eps;
    AdamStep(StepInfo const& s, double lr, double b1, double b2, double epsilon)
        : rate(T(lr * s.rate / (1 - std::pow(b1, double(s.step))))), beta1(T(b1)), beta2(T(b2)),
          root(T(1 / std::sqrt(1 - std::pow(b2, double(s.step))))), eps(T(epsilon)) {}
    T operator()(T g, T& m, T& v) const noexcept {
        m = beta1 * m + (1 - beta1) * g;
        v = beta2 * v + (1 - beta2) * g * g;
        return rate * m / (std::sqrt(v) * root + eps);
    }
};
} // namespace detail

/// m = b1 m + (1-b1) g, v = b2 v + (1-b2) g^2, w -= lr m' / (sqrt v' + epsilon) with bias-corrected m', v'; g
/// includes decay * w. On tables only the rows that occurred move (PyTorch's SparseAdam), with the global
/// step count.
struct Adam {
    Hyper learning_rate = 1e-3, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, decay = 0;
    static constexpr int slots = 2;

    template <class T>
    void update(StepInfo const& s, T* w, T const* g, T* m, T* v, std::ptrdiff_t n) const noexcept {
        detail::AdamStep<T> const step(s, learning_rate, beta1, beta2, epsilon);
        for (std::ptrdiff_t i = 0; i < n; ++i) w[i] -= step(g[i] + T(decay.value) * w[i], m[i], v[i]);
    }
};

/// As Adam, with w *= 1 - lr * decay first in place of decay in g. Decays matrices only: not biases, norms,
/// tables or gate constants. `decay_all` decays everything, as PyTorch does.
struct AdamW {
    Hyper learning_rate = 1e-3, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, decay = 0.01;
    bool decay_all = false;
    static constexpr int slots = 2;

    template <class T>
    void update(StepInfo const& s, T* w, T const* g, T* m, T* v, std::ptrdiff_t n) const noexcept {
        detail::AdamStep<T> const step(s, learning_rate, beta1, beta2, epsilon);
        bool const decays = decay_all || s.kind == Kind::matrix;
        T const keep = decays ? T(1 - learning_rate * s.rate * decay) : T(1);
        for (std::ptrdiff_t i = 0; i < n; ++i) w[i] = keep * w[i] - step(g[i], m[i], v[i]);
    }
};

/// FTRL-Proximal (McMahan et al. 2013), for the tables of exact crosses: with the gradient g summed over the
/// batch, s = (sqrt(n + g^2) - sqrt n) / alpha, z += g - s w, n += g^2, and w = 0 where |z| <= l1, else
/// -(z - sign(z) l1) / ((beta + sqrt n) / alpha + l2). Starts from zero weights. Ignores the schedule.
struct Ftrl {
    Hyper alpha = 0.1, beta = 1, l1 = 0, l2 = 0;
    static constexpr int slots = 2;
    static constexpr bool tables_only = true;

    template <class T>
    void update(StepInfo const& s, T* w, T const* g, T* z, T* n, std::ptrdiff_t count) const noexcept {
        T const a = T(alpha.value), b = T(beta.value), sparse = T(l1.value), ridge = T(l2.value);
        for (std::ptrdiff_t i = 0; i < count; ++i) {
            T const sum = T(double(g[i]) * s.count), next = n[i] + sum * sum;
            T const sigma = (std::sqrt(next) - std::sqrt(n[i])) / a;
            z[i] += sum - sigma * w[i];
            n[i] = next;
            T const size = std::abs(z[i]);
            w[i] = size <= sparse ? T(0)
                                  : -std::copysign(size - sparse, z[i]) / ((b + std::sqrt(next)) / a + ridge);
        }
    }
};

} // namespace inlay::inline INLAY_ISA
