// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <inlay/train/optimizer/hyper.hpp>

namespace inlay::inline INLAY_ISA {

/// G += g^2, w -= lr / (1 + (t - 1) rate_decay) g / (sqrt G + epsilon); g includes decay * w, and for rows of
/// tables row_decay * w. `initial` is G before the first step. PyTorch: `optim.Adagrad`, for tables too.
struct AdaGrad {
    Hyper learning_rate = 0.01, epsilon = 1e-10, initial = 0, rate_decay = 0, decay = 0, row_decay = 0;
    static constexpr int slots = 1;

    void check() const {
        detail::expect_hyper("AdaGrad", "learning_rate", learning_rate);
        detail::expect_hyper("AdaGrad", "epsilon", epsilon);
        detail::expect_hyper("AdaGrad", "initial", initial);
        detail::expect_hyper("AdaGrad", "rate_decay", rate_decay);
        detail::expect_hyper("AdaGrad", "decay", decay);
        detail::expect_hyper("AdaGrad", "row_decay", row_decay);
    }
    template <class T>
    void update(StepInfo const& s, T* w, T const* g, T* sum, T*, std::ptrdiff_t n) const noexcept {
        detail::each_vector<T>(n, [&](auto load, auto store) {
            auto const x = load(w);
            using V = std::remove_const_t<decltype(x)>;
            V const lr(T(learning_rate * s.rate / (1 + double(s.step - 1) * rate_decay))),
                eps(T(epsilon.value)), g0(T(initial.value)), wd(T(detail::decay_in_gradient(*this, s)));
            V const d = simd::fma(wd, x, load(g)), total = simd::fma(d, d, load(sum));
            store(total, sum);
            store(x - lr * d / (simd::sqrt(g0 + total) + eps), w);
        });
    }
};

} // namespace inlay::inline INLAY_ISA
