// SPDX-License-Identifier: BSD-3-Clause
// What a product starts from and what becomes of its sums.
#include "matrices.hpp"

using namespace matrices;
namespace kernels = inlay::kernels;

/// Twice the sum, plus a number that tells where it stands.
struct Placed {
    template <class V> V operator()(V x, std::ptrdiff_t row, std::ptrdiff_t column) const {
        typename V::value_type place[64];
        for (int l = 0; l < V::lanes; ++l) place[l] = typename V::value_type(at(row, column + l));
        return x + x + V::load(place);
    }
    static double at(std::ptrdiff_t row, std::ptrdiff_t column) { return double(row) + double(column) / 4; }
};
struct Doubled {
    template <class V> V operator()(V x) const { return x + x; }
};

template <class T, int W> void started_and_finished() {
    for (int m : {1, 2, 7, 9, 16, 30})
        for (int n : {W, 2 * W + 1, 5 * W, 19 * W})
            for (int k : {3, 4 * W, 1000}) {
                if (k == 1000 && m == 30 && n != 5 * W) continue;
                INFO("m = " << m << ", n = " << n << ", k = " << k);
                int const np = padded(n, W), kp = padded(k, W);
                auto const a = Matrix<T>::random(m, k, kp), b = Matrix<T>::random(k, n, np);
                Matrix<T> bt(n, k, kp);
                for (int j = 0; j < n; ++j)
                    for (int p = 0; p < kp; ++p) bt(j, p) = p < k ? b(p, j) : T(0);
                auto const bias = Matrix<T>::random(1, n, np), residual = Matrix<T>::random(m, n, np);
                auto const twice = [&](int i, int p) { return 2 * double(a(i, p)); };
                auto const factor = [&](int p, int j) { return double(b(p, j)); };

                Matrix<T> c(m, n, np);
                kernels::Product<T> product{k,        a.data(), a.stride,
                                            1,        b.data(), b.stride,
                                            c.data(), c.stride, kernels::Onto<T>::bias(bias.data())};
                kernels::gemm<W>(m, np, product, Doubled{});
                REQUIRE(is_product(c, k, twice, factor, [&](int, int j) { return 2 * double(bias(0, j)); }));

                product.onto = kernels::Onto<T>::matrix(residual.data(), residual.stride);
                kernels::gemm<W>(m, np, product, Placed{});
                for (int i = 0; i < m; ++i)
                    for (int j = n; j < np; ++j) c(i, j) = 0; // Placed is not zero at zero
                auto const placed = [&](int i, int j) {
                    return 2 * double(residual(i, j)) + Placed::at(i, j);
                };
                REQUIRE(is_product(c, k, twice, factor, placed));

                Matrix<T> d(m, n, np);
                product.k = kp;
                product.b = bt.data();
                product.b_row = bt.stride;
                product.c = d.data();
                product.c_row = d.stride;
                kernels::gemm_nt<W>(m, n, np, product, Placed{});
                REQUIRE(is_product(d, k, twice, factor, placed));
            }
}

#define CASES(T, W)                                                                                          \
    TEST_CASE("bias, residual and finish, " #T " x " #W) { started_and_finished<T, W>(); }
INLAY_EVERY_WIDTH(CASES)
