// SPDX-License-Identifier: BSD-3-Clause
#include "matrices.hpp"

using namespace matrices;
using inlay::kernels::gemm;

template <class T, int W> void product(int m, int n, int k, bool transposed, bool accumulate) {
    INFO("m = " << m << ", n = " << n << ", k = " << k << ", A^T: " << transposed << ", +=: " << accumulate);
    int const n_padded = padded(n, W);
    auto const a = transposed ? Matrix<T>::random(k, m, m) : Matrix<T>::random(m, k, k);
    auto const b = Matrix<T>::random(k, n, n_padded);
    auto c = accumulate ? Matrix<T>::random(m, n, n_padded) : Matrix<T>(m, n, n_padded);
    auto const before = c;
    std::ptrdiff_t const row = transposed ? 1 : a.stride, step = transposed ? a.stride : 1;
    gemm<W>(m, n_padded, k, a.data(), row, step, b.data(), b.stride, c.data(), c.stride, accumulate);
    REQUIRE(is_product(
        c, k, [&](int i, int p) { return a.data()[i * row + p * step]; },
        [&](int p, int j) { return b(p, j); },
        [&](int i, int j) { return accumulate ? double(before(i, j)) : 0.0; }));
}

template <class T, int W> void every_tail() {
    for (int m : tails(W))
        for (int n : tails(W))
            for (int k : tails(W)) {
                product<T, W>(m, n, k, false, false);
                product<T, W>(m, n, k, false, true);
                product<T, W>(m, n, k, true, false);
                product<T, W>(m, n, k, true, true);
            }
}
/// B in the second cache, and past it, where it is packed in parts.
template <class T, int W> void large() {
    for (int n : {5 * W, 13 * W - 1, 17 * W})
        for (int kilobytes : {100, 900}) {
            int const k = kilobytes * 1024 / (padded(n, W) * int(sizeof(T))) + 1;
            for (int m : {1, 7, 16, 35}) {
                product<T, W>(m, n, k, false, true);
                product<T, W>(m, n, k, true, false);
            }
        }
}
/// What a row is does not depend on its place among as many others, to the last bit.
template <class T, int W> void rows_are_alike() {
    for (int m : {2, 3, 7, 9, 13, 20, 33})
        for (int n : {W, 2 * W, 3 * W, 5 * W, 9 * W})
            for (int k : {1, 17, 100}) {
                INFO("m = " << m << ", n = " << n << ", k = " << k);
                auto a = Matrix<T>::random(m, k, k);
                for (int i = 1; i < m; ++i) std::copy_n(a.data(), k, a.data() + i * a.stride);
                auto const b = Matrix<T>::random(k, n, n);
                Matrix<T> c(m, n, n);
                gemm<W>(m, n, k, a.data(), a.stride, 1, b.data(), b.stride, c.data(), c.stride, false);
                for (int i = 1; i < m; ++i)
                    REQUIRE(std::memcmp(&c(0, 0), &c(i, 0), sizeof(T) * std::size_t(n)) == 0);
            }
}
#define CASES(T, W)                                                                                          \
    TEST_CASE("A B and A^T B, " #T " x " #W ": every tail") { every_tail<T, W>(); }                          \
    TEST_CASE("A B and A^T B, " #T " x " #W ": a large B") { large<T, W>(); }                                \
    TEST_CASE("A B, " #T " x " #W ": equal rows give equal rows") { rows_are_alike<T, W>(); }
INLAY_EVERY_WIDTH(CASES)

TEST_CASE("no rows, nothing done") {
    float c = 1;
    gemm<1>(0, 1, 1, static_cast<float const*>(nullptr), 1, 1, static_cast<float const*>(nullptr), 1, &c, 1,
            false);
    CHECK(c == 1);
}
TEST_CASE("an empty sum overwrites with zeros") {
    float c = 1, x = 1;
    gemm<1>(1, 1, 0, &x, 1, 1, &x, 1, &c, 1, false);
    CHECK(c == 0);
}
