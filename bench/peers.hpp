// SPDX-License-Identifier: BSD-3-Clause
// The libraries that a product is compared with, where they are installed.
#pragma once

#include "harness.hpp"

#if defined(BENCH_OPENBLAS)
#include <cblas.h>
#endif
#if defined(BENCH_ONEDNN)
#include <dnnl.h>
#endif
#if defined(BENCH_LIBXSMM)
#include <libxsmm.h>
#endif
#if defined(BENCH_EIGEN)
#define EIGEN_STACK_ALLOCATION_LIMIT 0
#include <Eigen/Dense>
#endif

namespace bench {

/// C[m, n] += A[m, k] B[k, n], or A B^T, with these strides.
struct Gemm {
    int m, n, k, a_row, b_row, c_row;
    float *a, *b, *c;
    bool b_transposed = false;
};

/// M, N and K are the counts again, for those who want them as constants.
template <int M, int N, int K> std::vector<Contestant> peers(Gemm g) {
    std::vector<Contestant> all;
#if defined(BENCH_OPENBLAS)
    all.push_back({"OpenBLAS", [g] {
                       cblas_sgemm(CblasRowMajor, CblasNoTrans, g.b_transposed ? CblasTrans : CblasNoTrans,
                                   g.m, g.n, g.k, 1, g.a, g.a_row, g.b, g.b_row, 1, g.c, g.c_row);
                   }});
#endif
#if defined(BENCH_ONEDNN)
    all.push_back({"oneDNN", [g] {
                       dnnl_sgemm('N', g.b_transposed ? 'T' : 'N', g.m, g.n, g.k, 1, g.a, g.a_row, g.b,
                                  g.b_row, 1, g.c, g.c_row);
                   }});
#endif
#if defined(BENCH_LIBXSMM)
    if (!g.b_transposed) { // column-major: C^T += B^T A^T
        int const flags = LIBXSMM_GEMM_FLAG_NONE;
        float const one = 1;
        if (auto const f =
                libxsmm_smmdispatch(g.n, g.m, g.k, &g.b_row, &g.a_row, &g.c_row, &one, &one, &flags, nullptr))
            all.push_back({"libxsmm", [g, f] { f(g.b, g.a, g.c); }});
    }
#endif
#if defined(BENCH_EIGEN)
    using namespace Eigen;
    auto const with = [&]<int R, int C, int I>(char const* name) {
        using Row = OuterStride<>;
        all.push_back(
            {name, [g] {
                 Map<Matrix<float, R, I, RowMajor> const, 0, Row> a(g.a, g.m, g.k, Row(g.a_row));
                 Map<Matrix<float, R, C, RowMajor>, 0, Row> c(g.c, g.m, g.n, Row(g.c_row));
                 if (g.b_transposed) {
                     Map<Matrix<float, C, I, RowMajor> const, 0, Row> b(g.b, g.n, g.k, Row(g.b_row));
                     c.noalias() += a * b.transpose();
                 } else {
                     Map<Matrix<float, I, C, RowMajor> const, 0, Row> b(g.b, g.k, g.n, Row(g.b_row));
                     c.noalias() += a * b;
                 }
             }});
    };
    with.template operator()<M, N, K>("Eigen fixed");
    with.template operator()<Dynamic, Dynamic, Dynamic>("Eigen dynamic");
#endif
    return all;
}

/// Whether C + A B comes out, up to rounding: who is wrong does not take part.
inline bool adds_product(Contestant const& who, Gemm const& g, std::size_t size_of_c) {
    std::vector<float> const before(g.c, g.c + size_of_c);
    who.run(1);
    bool right = true;
    for (int i = 0; i < g.m && right; i += std::max(1, g.m / 16))
        for (int j = 0; j < g.n; ++j) {
            double sum = double(before[std::size_t(i * g.c_row + j)]), magnitude = std::abs(sum);
            for (int p = 0; p < g.k; ++p) {
                double const x = double(g.a[i * g.a_row + p]) *
                                 double(g.b_transposed ? g.b[j * g.b_row + p] : g.b[p * g.b_row + j]);
                sum += x;
                magnitude += std::abs(x);
            }
            right = right && std::abs(double(g.c[i * g.c_row + j]) - sum) <= 1e-6 * magnitude + 1e-30;
        }
    std::copy(before.begin(), before.end(), g.c);
    if (!right)
        std::fprintf(stderr, "%s is wrong at %d,%d,%d and does not take part\n", who.name.c_str(), g.m, g.n,
                     g.k);
    return right;
}

} // namespace bench
