// SPDX-License-Identifier: BSD-3-Clause
// Adam, AdamW and Lion. On tables they move only the rows that occurred, with the step count of the whole
// training, as PyTorch's SparseAdam does.
#pragma once

#include <inlay/train/optimizer/hyper.hpp>

namespace inlay::inline INLAY_ISA {

namespace detail {
/// The step that Adam and AdamW share: g includes `inside` times w, and w is first kept to `keep`.
template <class T> struct AdamStep {
    T rate, beta1, beta2, root, eps, inside, keep;
    template <class O>
    AdamStep(O const& o, StepInfo const& s, double decay_inside, double kept)
        : rate(T(o.learning_rate * s.rate / (1 - std::pow(o.beta1, double(s.step))))),
          beta1(T(o.beta1.value)), beta2(T(o.beta2.value)),
          root(T(1 / std::sqrt(1 - std::pow(o.beta2, double(s.step))))), eps(T(o.epsilon.value)),
          inside(T(decay_inside)), keep(T(kept)) {}
    void operator()(T* w, T const* g, T* m, T* v, std::ptrdiff_t n) const noexcept {
        each_vector<T>(n, [&](auto load, auto store) {
            auto const x = load(w);
            using Vec = std::remove_const_t<decltype(x)>;
            Vec const d = simd::fma(Vec(inside), x, load(g)),
                      mean = simd::fma(Vec(beta1), load(m), Vec(1 - beta1) * d),
                      square = simd::fma(Vec(beta2), load(v), Vec(1 - beta2) * d * d);
            store(mean, m);
            store(square, v);
            store(Vec(keep) * x - Vec(rate) * mean / simd::fma(simd::sqrt(square), Vec(root), Vec(eps)), w);
        });
    }
};
/// The numbers that Adam, AdamW and Lion have in common.
template <class O> void check_betas(char const* name, O const& o) {
    expect_hyper(name, "learning_rate", o.learning_rate);
    expect_hyper(name, "beta1", o.beta1, 0, true);
    expect_hyper(name, "beta2", o.beta2, 0, true);
    if constexpr (requires { o.epsilon; }) expect_hyper(name, "epsilon", o.epsilon);
    expect_hyper(name, "decay", o.decay);
    expect_hyper(name, "row_decay", o.row_decay);
}
} // namespace detail

/// m = b1 m + (1-b1) g, v = b2 v + (1-b2) g^2, w -= lr m' / (sqrt v' + epsilon) with bias-corrected m', v'; g
/// includes decay * w, and for rows of tables row_decay * w. PyTorch: `optim.Adam`.
struct Adam {
    Hyper learning_rate = 1e-3, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, decay = 0, row_decay = 0;
    static constexpr int slots = 2;

    void check() const { detail::check_betas("Adam", *this); }
    template <class T>
    void update(StepInfo const& s, T* w, T const* g, T* m, T* v, std::ptrdiff_t n) const noexcept {
        at<T>(s)(w, g, m, v, n);
    }
    template <class T> detail::AdamStep<T> at(StepInfo const& s) const noexcept {
        return {*this, s, detail::decay_in_gradient(*this, s), 1};
    }
};

/// As Adam, with w *= 1 - lr * decay first in place of decay in g. Decays matrices only: not biases, norms or
/// gate constants, and the rows of tables that occur by `row_decay`. `decay_all` decays everything, as
/// PyTorch's `optim.AdamW` does.
struct AdamW {
    Hyper learning_rate = 1e-3, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, decay = 0.01;
    bool decay_all = false;
    Hyper row_decay = 0;
    static constexpr int slots = 2;

    void check() const { detail::check_betas("AdamW", *this); }
    template <class T>
    void update(StepInfo const& s, T* w, T const* g, T* m, T* v, std::ptrdiff_t n) const noexcept {
        at<T>(s)(w, g, m, v, n);
    }
    template <class T> detail::AdamStep<T> at(StepInfo const& s) const noexcept {
        return {*this, s, 0, detail::decayed(*this, s)};
    }
};

/// w -= lr sign(b1 m + (1-b1) g), then m = b2 m + (1-b2) g (arXiv 2302.06675); decay as AdamW's. One number
/// of state a weight. Wants a third to a tenth of AdamW's rate, and as much more decay.
struct Lion {
    Hyper learning_rate = 1e-4, beta1 = 0.9, beta2 = 0.99, decay = 0;
    bool decay_all = false;
    Hyper row_decay = 0;
    static constexpr int slots = 1;

    void check() const { detail::check_betas("Lion", *this); }
    template <class T>
    void update(StepInfo const& s, T* w, T const* g, T* m, T*, std::ptrdiff_t n) const noexcept {
        T const lr = T(learning_rate * s.rate), b1 = T(beta1.value), b2 = T(beta2.value),
                keep = T(detail::decayed(*this, s));
        for (std::ptrdiff_t i = 0; i < n; ++i) {
            T const u = b1 * m[i] + (1 - b1) * g[i];
            w[i] = keep * w[i] - lr * T((u > 0) - (u < 0));
            m[i] = b2 * m[i] + (1 - b2) * g[i];
        }
    }
};

} // namespace inlay::inline INLAY_ISA
