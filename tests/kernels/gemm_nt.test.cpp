// SPDX-License-Identifier: BSD-3-Clause
#include "matrices.hpp"

using namespace matrices;
using inlay::kernels::gemm_nt;

template <class T, int W> void product(int m, int n, int k, bool accumulate) {
    INFO("m = " << m << ", n = " << n << ", k = " << k << ", +=: " << accumulate);
    int const n_padded = padded(n, W) + (n % 3 == 0 ? W : 0), k_padded = padded(k, W);
    auto const a = Matrix<T>::random(m, k, k_padded), b = Matrix<T>::random(n, k, k_padded);
    auto c = accumulate ? Matrix<T>::random(m, n, n_padded) : Matrix<T>(m, n, n_padded);
    auto const before = c;
    gemm_nt<W>(m, n, n_padded, k_padded, a.data(), a.stride, b.data(), b.stride, c.data(), c.stride,
               accumulate);
    REQUIRE(is_product(
        c, k, [&](int i, int p) { return a(i, p); }, [&](int p, int j) { return b(j, p); },
        [&](int i, int j) { return accumulate ? double(before(i, j)) : 0.0; }));
}

template <class T, int W> void every_tail() {
    for (int m : tails(W))
        for (int n : tails(W))
            for (int k : tails(W)) {
                product<T, W>(m, n, k, false);
                product<T, W>(m, n, k, true);
            }
    for (int m : {1, 8, 9, 40}) // several parts of k
        for (int n : {3, 2 * W, 2 * W + 1}) product<T, W>(m, n, 3000 / int(sizeof(T)) * 3, m % 2 == 0);
}
template <class T, int W> void rows_are_alike() {
    for (int m : {2, 3, 7, 8, 9, 13, 20, 33})
        for (int n : {1, W, 2 * W + 1, 5 * W})
            for (int k : {W, 4 * W, 7 * W}) {
                INFO("m = " << m << ", n = " << n << ", k = " << k);
                auto a = Matrix<T>::random(m, k, k);
                for (int i = 1; i < m; ++i) std::copy_n(a.data(), k, a.data() + i * a.stride);
                auto const b = Matrix<T>::random(n, k, k);
                Matrix<T> c(m, n, padded(n, W));
                gemm_nt<W>(m, n, c.padded, k, a.data(), a.stride, b.data(), b.stride, c.data(), c.stride,
                           false);
                for (int i = 1; i < m; ++i)
                    REQUIRE(std::memcmp(&c(0, 0), &c(i, 0), sizeof(T) * std::size_t(n)) == 0);
            }
}

#define CASES(T, W)                                                                                          \
    TEST_CASE("A B^T, " #T " x " #W ": every tail") { every_tail<T, W>(); }                                  \
    TEST_CASE("A B^T, " #T " x " #W ": equal rows give equal rows") { rows_are_alike<T, W>(); }
INLAY_EVERY_WIDTH(CASES)
