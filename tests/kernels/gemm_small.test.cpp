// SPDX-License-Identifier: BSD-3-Clause
// One row, and products whose counts are known at compile time.
#include "matrices.hpp"

using namespace matrices;

/// One row: with the width known, and with B packed; past the end of the packed B stands NaN.
template <class T, int W, int N> void one_row(int k) {
    INFO("n = " << N << ", k = " << k);
    auto const a = Matrix<T>::random(1, k, k), b = Matrix<T>::random(k, N, padded(N, W)),
               onto = Matrix<T>::random(1, N, padded(N, W));
    constexpr int n = padded(N, W);
    std::vector<T> packed(std::size_t(inlay::kernels::packed_size(k, n)) + 1,
                          std::numeric_limits<T>::quiet_NaN());
    inlay::kernels::pack_panels<W>(k, n, b.data(), b.stride, packed.data());
    REQUIRE(std::isnan(packed.back()));
    Matrix<T> c(1, N, n), d(1, N, n);
    inlay::kernels::Product<T> p{k,        a.data(), a.stride,
                                 1,        b.data(), b.stride,
                                 c.data(), c.stride, inlay::kernels::Onto<T>::bias(onto.data())};
    inlay::kernels::gemv<W, n>(p);
    p.b = packed.data();
    p.b_row = -1;
    p.c = d.data();
    inlay::kernels::gemv_packed<W>(n, p);
    for (auto const* y : {&c, &d})
        REQUIRE(is_product(
            *y, k, [&](int i, int q) { return a(i, q); }, [&](int q, int j) { return b(q, j); },
            [&](int, int j) { return double(onto(0, j)); }));
}
template <class T, int W> void every_row() {
    for (int k : {1, 2, W, 33, 100}) {
        one_row<T, W, 1>(k);
        one_row<T, W, 3 * W + 1>(k);
        one_row<T, W, 15 * W - 1>(k);
        one_row<T, W, 22 * W>(k);
    }
}
/// Counts known at compile time, strides not.
template <class T, int W, int M, int N, int K> void fixed_counts() {
    INFO("m = " << M << ", n = " << N << ", k = " << K);
    constexpr int n = padded(N, W);
    if constexpr (inlay::kernels::is_small(M, n / W, K))
        for (bool accumulate : {false, true}) {
            auto const a = Matrix<T>::random(M, K, K), b = Matrix<T>::random(K, N, n);
            auto c = accumulate ? Matrix<T>::random(M, N, n) : Matrix<T>(M, N, n);
            auto const before = c;
            inlay::kernels::gemm_small<W, M, n, K>(
                inlay::kernels::Product<T>{0,
                                           a.data(),
                                           a.stride,
                                           1,
                                           b.data(),
                                           b.stride,
                                           c.data(),
                                           c.stride,
                                           {accumulate ? c.data() : nullptr, c.stride}});
            REQUIRE(is_product(
                c, K, [&](int i, int p) { return a(i, p); }, [&](int p, int j) { return b(p, j); },
                [&](int i, int j) { return accumulate ? double(before(i, j)) : 0.0; }));
        }
}
template <class T, int W> void every_small() {
    fixed_counts<T, W, 7, 13, 5>();
    fixed_counts<T, W, 1, W, 1>();
    fixed_counts<T, W, 1, 3 * W, 11>();
    fixed_counts<T, W, 3, 2 * W + 1, 4>();
    fixed_counts<T, W, 2, 1, 32>();
    static_assert(inlay::kernels::is_small(2, 1, 32));
}

#define CASES(T, W)                                                                                          \
    TEST_CASE("a B, " #T " x " #W ": one row, as it lies and packed") { every_row<T, W>(); }                 \
    TEST_CASE("A B, " #T " x " #W ": small counts") { every_small<T, W>(); }
INLAY_EVERY_WIDTH(CASES)
