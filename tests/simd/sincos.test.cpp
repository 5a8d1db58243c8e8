// SPDX-License-Identifier: BSD-3-Clause
#include <inlay/simd/sincos.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <random>

using namespace inlay;

namespace {
template <int W> void check() {
    std::mt19937_64 random(1);
    double worst = 0, worst_far = 0;
    auto const compare = [&](double const(&x)[std::size_t(W)], double& w, bool relative) {
        auto const both = simd::sincos(simd::vec<double, W>::load(x));
        double s[std::size_t(W)], c[std::size_t(W)];
        both.sin.store(s), both.cos.store(c);
        for (int i = 0; i < W; ++i) {
            auto const off = [&](double got, long double want) {
                double const size = relative ? std::abs(double(want)) : 1;
                w = std::max(w, double(std::abs(static_cast<long double>(got) - want)) / size);
            };
            off(s[i], std::sin(static_cast<long double>(x[i])));
            off(c[i], std::cos(static_cast<long double>(x[i])));
        }
    };
    for (double most : {1e-300, 1e-3, 1.0, 10.0, 1e3, 1e6})
        for (int n = 0; n < 20000; ++n) {
            double x[std::size_t(W)];
            for (double& v : x) v = std::uniform_real_distribution<double>(-most, most)(random);
            compare(x, worst, true);
        }
    for (int n = 0; n < 20000; ++n) {
        double x[std::size_t(W)];
        for (double& v : x) v = std::uniform_real_distribution<double>(-1e9, 1e9)(random);
        compare(x, worst_far, false);
    }
    for (int n = 0; n < 64; ++n) { // quarter turns and eighths
        double x[std::size_t(W)];
        for (int i = 0; i < W; ++i) x[i] = (n - 32) * 0.78539816339744831 * (1 + i);
        compare(x, worst_far, false);
    }
    double const ulp = 1.1102230246251565e-16 * 2;
    CAPTURE(W);
    CAPTURE(worst / ulp);
    CHECK(worst <= 2 * ulp);
    // Fused, or the angle's own last digit.
    bool const fused = INLAY_VECTOR_BYTES == 8 * W && INLAY_VECTOR_BYTES >= 32;
    CHECK(worst_far <= (fused ? 1e-15 : 2e-7));
}
} // namespace

TEST_CASE("sine and cosine are within their bounds at every width") {
    check<1>();
    check<2>();
    check<4>();
    check<8>();
}
