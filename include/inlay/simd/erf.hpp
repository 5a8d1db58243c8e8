// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <inlay/simd/exp.hpp>

namespace inlay::inline INLAY_ISA {
namespace simd {

/// erf x = x (near[0] + near[1] x^2 + ...) for |x| < 1/2, and
/// erfc x = e^(-x^2) (c[0] + c[1] t + ...) / (1 + 2 x) with t = (x - middle) / (x + middle) for x within
/// [0, most]; relative error below 2^-28 (float) and 2^-56 (double). Past `most` it underflows to 0.
template <class T> struct erfc_constants;
template <> struct erfc_constants<float> {
    static constexpr float middle = 3, most = 10.1875f;
    static constexpr float centre[] = {1.12837916f, -0.3761256f, 0.112821379f, -0.026721094f, 0.00465432287f};
    static constexpr float c[] = {1.25300806f,    -0.13562114f,    -0.0475624097f,  0.129646434f,
                                  -0.119270795f,  0.0682957502f,   -0.0237985389f,  0.00256656031f,
                                  0.00200335289f, -0.00077511665f, -0.000267178894f};
};
template <> struct erfc_constants<double> {
    static constexpr double middle = 4, most = 27.3125;
    static constexpr double centre[] = {
        1.12837916709551251,    -0.376126389031824561,   0.112837916708694135,
        -0.026866170618990666,  0.00522397718925232999,  -8.54828393577953193e-4,
        1.20527424223201377e-4, -1.48323434365500667e-5, 1.45990308203838969e-6};
    static constexpr double c[] = {
        1.23299511862555251,     -0.139621116840562862,   0.0153796521026200869,   0.068097054254734004,
        -0.101039066036320402,   0.093732834996900998,    -0.0663303658121130518,  0.0371675155608737369,
        -0.0161977340538257112,  0.00503196976954141391,  -7.57773367644529184e-4, -1.99255576633454144e-4,
        1.50622316324803108e-4,  -2.44029528981089652e-5, -1.1224888582977826e-5,  5.71747048367730229e-6,
        3.01373499492131141e-7,  -8.34690905676343429e-7, 6.28141276863792622e-8,  1.1507318813868043e-7,
        -7.83202792195951941e-9, -1.3611204045245813e-8,  -1.78809214774443332e-9};
};

/// 1 - erf x within 4 ulp from 2 down to its underflow, tested: 3.71 (float), 2.88 (double).
template <class T, int W> INLAY_INLINE vec<T, W> erfc(vec<T, W> x) noexcept {
    using V = vec<T, W>;
    using C = erfc_constants<T>;
    V const a = lesser(V(C::most), abs(x)), middle(C::middle), one(T(1));
    V const factor = horner((a - middle) / (a + middle), C::c) / (one + (a + a));
    V const h = upper_half(a); // a^2 = h^2 + (a - h)(a + h), where h^2 is exact
    V const right = exp_power(-(h * h), -((a - h) * (a + h))).of(factor);
    V const tail = select_greater(V(T(0)), x, V(T(2)) - right, right);
    V const inner = fma(-x, horner(x * x, C::centre), one);
    return select_greater(V(T(0.5)), a, inner, tail);
}

} // namespace simd
} // namespace inlay::inline INLAY_ISA
