// SPDX-License-Identifier: BSD-3-Clause
#include <doctest/doctest.h>

#include <inlay/simd/transpose.hpp>

namespace simd = inlay::simd;

template <class T, int W> void square() {
    using V = simd::vec<T, W>;
    constexpr std::size_t n = W;
    T value[n][n], out[n];
    V r[n], s[n];
    for (int i = 0; i < W; ++i) {
        for (int j = 0; j < W; ++j) value[i][j] = T(100 * i + j);
        r[i] = s[i] = V::load(value[i]);
    }
    simd::transpose(r);
    for (int i = 0; i < W; ++i) {
        r[i].store(out);
        for (int j = 0; j < W; ++j) CHECK(out[j] == value[j][i]);
    }
    simd::row_sums(s).store(out);
    for (int i = 0; i < W; ++i) CHECK(out[i] == T(100 * i * W + W * (W - 1) / 2));
    if constexpr (W > 1) {
        T upper[n];
        simd::lower_halves(V::load(value[0]), V::load(value[1])).store(out);
        simd::upper_halves(V::load(value[0]), V::load(value[1])).store(upper);
        for (int i = 0; i < W / 2; ++i) {
            CHECK(out[i] == value[0][i]);
            CHECK(out[W / 2 + i] == value[1][i]);
            CHECK(upper[i] == value[0][W / 2 + i]);
            CHECK(upper[W / 2 + i] == value[1][W / 2 + i]);
        }
    }
}

TEST_CASE("the transpose of a square and the sums of its rows") {
    square<float, 1>();
    square<float, 2>();
    square<float, 4>();
    square<float, 8>();
    square<float, 16>();
    square<double, 1>();
    square<double, 2>();
    square<double, 4>();
    square<double, 8>();
    square<double, 16>();
}
