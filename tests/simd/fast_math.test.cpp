// SPDX-License-Identifier: BSD-3-Clause
// What still holds under -ffast-math, with which tests/CMakeLists.txt compiles this file: finite numbers.
#define INLAY_ALLOW_FAST_MATH
#include <inlay/simd/math.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

using namespace inlay;

namespace {

/// The largest relative error of f over n numbers of [low, high], in the epsilon of T.
template <class T, int W, class F, class E> double error(double low, double high, F f, E exact) {
    double worst = 0;
    constexpr int n = 1 << 16;
    for (int i = 0; i < n; i += W) {
        T x[std::size_t(W)], y[std::size_t(W)];
        for (int l = 0; l < W; ++l) x[l] = T(low + (high - low) * (i + l + 0.5) / n);
        f(simd::vec<T, W>::load(x)).store(y);
        for (int l = 0; l < W; ++l) {
            long double const truth = exact(static_cast<long double>(x[l]));
            worst = std::max(worst, double(std::abs((static_cast<long double>(y[l]) - truth) / truth)));
        }
    }
    return worst / double(std::numeric_limits<T>::epsilon());
}
template <class T, class F, class E> void check(double bound, double low, double high, F f, E exact) {
    CHECK(error<T, 1>(low, high, f, exact) < bound);
    CHECK(error<T, 2>(low, high, f, exact) < bound);
    CHECK(error<T, 4>(low, high, f, exact) < bound);
    CHECK(error<T, 8>(low, high, f, exact) < bound);
    CHECK(error<T, 16>(low, high, f, exact) < bound);
}

} // namespace

TEST_CASE_TEMPLATE("finite numbers stay within a few epsilon under -ffast-math", T, float, double) {
    double const range = sizeof(T) == 4 ? 87 : 708;
    check<T>(1.5, -range, range, [](auto x) { return simd::exp(x); }, [](auto x) { return std::exp(x); });
    check<T>(1.5, -range, range, [](auto x) { return simd::exp2(x); }, [](auto x) { return std::exp2(x); });
    check<T>(2, -9, 9, [](auto x) { return simd::tanh(x); }, [](auto x) { return std::tanh(x); });
    check<T>(
        3, -30, 30, [](auto x) { return simd::sigmoid(x); }, [](auto x) { return 1 / (1 + std::exp(-x)); });
    check<T>(2.5, 1.5, 1e6, [](auto x) { return simd::log(x); }, [](auto x) { return std::log(x); });
    check<T>(2.5, 1e-6, 4, [](auto x) { return simd::log1p(x); }, [](auto x) { return std::log1p(x); });
    check<T>(
        4, 0.51, 0.74, [](auto x) { return simd::circle(x).sin; },
        [](auto x) { return std::sin(6.283185307179586476925286766559005768L * x); });
    check<T>(5, -3, 9, [](auto x) { return simd::erfc(x); }, [](auto x) { return std::erfc(x); });
}
