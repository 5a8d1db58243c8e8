// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <inlay/train/optimizer/hyper.hpp>

namespace inlay::inline INLAY_ISA {

/// FTRL-Proximal (McMahan et al. 2013), for the tables of exact crosses: with the gradient g summed over the
/// batch, s = (sqrt(n + g^2) - sqrt n) / alpha, z += g - s w, n += g^2, and w = 0 where |z| <= l1, else
/// -(z - sign(z) l1) / ((beta + sqrt n) / alpha + l2). A weight that is not zero at its first gradient starts
/// from the z that stands for it. Ignores the schedule.
struct Ftrl {
    Hyper alpha = 0.1, beta = 1, l1 = 0, l2 = 0;
    static constexpr int slots = 2;
    static constexpr bool tables_only = true;

    void check() const {
        detail::expect_hyper("Ftrl", "alpha", alpha, std::numeric_limits<double>::min());
        detail::expect_hyper("Ftrl", "beta", beta);
        detail::expect_hyper("Ftrl", "l1", l1);
        detail::expect_hyper("Ftrl", "l2", l2);
    }
    template <class T>
    void update(StepInfo const& s, T* w, T const* g, T* z, T* n, std::ptrdiff_t count) const noexcept {
        T const a = T(alpha.value), b = T(beta.value), sparse = T(l1.value), ridge = T(l2.value);
        for (std::ptrdiff_t i = 0; i < count; ++i) {
            T const sum = T(double(g[i]) * s.count), next = n[i] + sum * sum;
            if (next == 0) continue; // no gradient yet, and beta may be 0
            if (n[i] == 0 && w[i] != 0) z[i] = -(w[i] * (b / a + ridge) + std::copysign(sparse, w[i]));
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
