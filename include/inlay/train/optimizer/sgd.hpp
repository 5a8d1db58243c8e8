// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <inlay/train/optimizer/hyper.hpp>

namespace inlay::inline INLAY_ISA {

/// w -= lr v, v = momentum v + g (v = g at first); Nesterov: w -= lr (g + momentum v); g includes decay * w,
/// and for rows of tables row_decay * w. PyTorch: `optim.SGD` without dampening. Its buffers of a table go on
/// for rows that do not occur; here they wait.
struct Sgd {
    Hyper learning_rate = 0.01, momentum = 0;
    bool nesterov = false;
    Hyper decay = 0, row_decay = 0;
    static constexpr int slots = 1;

    void check() const {
        detail::expect_hyper("Sgd", "learning_rate", learning_rate);
        detail::expect_hyper("Sgd", "momentum", momentum, 0, true);
        detail::expect_hyper("Sgd", "decay", decay);
        detail::expect_hyper("Sgd", "row_decay", row_decay);
    }
    template <class T>
    void update(StepInfo const& s, T* w, T const* g, T* v, T*, std::ptrdiff_t n) const noexcept {
        T const lr = T(learning_rate * s.rate), mu = T(momentum.value),
                wd = T(detail::decay_in_gradient(*this, s));
        for (std::ptrdiff_t i = 0; i < n; ++i) {
            T const d = g[i] + wd * w[i];
            v[i] = mu * v[i] + d; // v starts at zero, so the first step is v = g
            w[i] -= lr * (nesterov ? d + mu * v[i] : v[i]);
        }
    }
};

} // namespace inlay::inline INLAY_ISA
