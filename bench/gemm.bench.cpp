// SPDX-License-Identifier: BSD-3-Clause
// Products of matrices against the libraries that are installed; all get the same memory and the same
// strides.
#include "peers.hpp"

#include <inlay/kernels/gemm.hpp>

namespace {

using namespace bench;
using namespace inlay;

struct Relu {
    template <class V> INLAY_INLINE V operator()(V x) const noexcept {
        V const zero(0);
        return simd::select_greater(zero, x, zero, x);
    }
};

/// Whole vectors for everybody: N and K of a transposed B are padded, since padded rows are what we claim
/// pays.
template <int M, int N, int K, bool Transposed = false> void product() {
    constexpr int n = detail::padded(N, W), k = Transposed ? detail::padded(K, W) : K;
    int const a_row = stride(K), b_row = Transposed ? stride(K) : stride(N), c_row = stride(N);
    Floats const a(std::size_t(M * a_row)), b(std::size_t((Transposed ? n : K) * b_row)),
        c(std::size_t(M * c_row));
    for (int i = 0; i < M; ++i)
        for (int p = 0; p < K; ++p) a[i * a_row + p] = draw();
    for (int i = 0; i < (Transposed ? N : K); ++i)
        for (int p = 0; p < (Transposed ? K : N); ++p) b[i * b_row + p] = draw();
    Gemm const g{M, n, k, a_row, b_row, c_row, a, b, c, Transposed};
    std::vector<Contestant> all{
        {"inlay", [=] {
             if constexpr (Transposed)
                 kernels::gemm_nt<W>(g.m, N, g.n, g.k, g.a, g.a_row, g.b, g.b_row, g.c, g.c_row, true);
             else if constexpr (kernels::is_small(M, n / W, k)) {
                 constexpr int ca = detail::row_stride<Native>(K), cb = detail::row_stride<Native>(N);
                 kernels::gemm_small<W, M, n, k>(
                     kernels::Product<float>{k, g.a, ca, 1, g.b, cb, g.c, cb, {g.c, cb}});
             } else kernels::gemm<W>(g.m, g.n, g.k, g.a, g.a_row, 1, g.b, g.b_row, g.c, g.c_row, true);
         }}};
    for (auto& p : peers<M, n, k>(g)) all.push_back(std::move(p));
    if (!adds_product(all[0], g, c.size())) std::exit(1);
    std::erase_if(all, [&](auto const& who) { return !adds_product(who, g, c.size()); });
    char name[64];
    std::snprintf(name, sizeof name, "%d,%d,%d", M, N, K);
    race(name, 2.0 * M * N * K, all);
}

/// One row by a matrix that was packed for it, against rows as they lie.
template <int N> void packed() {
    int const s = stride(N);
    Floats const a{std::size_t(s)}, b{std::size_t(N * s)}, panels{std::size_t(N * N)}, c{std::size_t(s)};
    for (int i = 0; i < N; ++i) {
        a[i] = draw();
        for (int j = 0; j < N; ++j) b[i * s + j] = draw();
    }
    float *const to = panels, *const y = c;
    kernels::pack_panels<W>(N, N, static_cast<float const*>(b), s, to);
    kernels::Product<float> const p{N, a, s, 1, to, 0, y, s, kernels::Onto<float>::matrix(y, s)};
    Gemm const g{1, N, N, s, s, s, a, b, y, false};
    std::vector<Contestant> all{
        {"packed", [p] { kernels::gemv_packed<W>(N, p); }},
        {"rows as they lie",
         [g] { kernels::gemm<W>(1, g.n, g.k, g.a, g.a_row, 1, g.b, g.b_row, g.c, g.c_row, true); }}};
    for (auto& peer : peers<1, N, N>(g)) all.push_back(std::move(peer));
    std::erase_if(all, [&](auto const& who) { return !adds_product(who, g, c.size()); });
    if (all.empty() || all[0].name != "packed") std::exit(1);
    char name[64];
    std::snprintf(name, sizeof name, "1,%d,%d", N, N);
    race(name, 2.0 * N * N, all);
}

/// relu(A B + bias): in one pass, and as a product that is told nothing.
template <int M, int N, int K> void fused() {
    Floats const a(std::size_t(M * stride(K))), b(std::size_t(K * stride(N))), c(std::size_t(M * stride(N))),
        bias(std::size_t(stride(N)));
    for (std::size_t i = 0; i < a.size(); ++i) a[i] = draw();
    for (std::size_t i = 0; i < b.size(); ++i) b[i] = draw();
    for (int i = 0; i < N; ++i) bias[i] = draw();
    kernels::Product<float> p{K, a, stride(K), 1, b, stride(N), c, stride(N), {}};
    auto with_bias = p;
    with_bias.onto = kernels::Onto<float>::bias(bias);
    char name[64];
    std::snprintf(name, sizeof name, "%d,%d,%d", M, N, K);
    float* const y = c;
    float const* const v = bias;
    race(name, 2.0 * M * N * K,
         {{"fused", [=] { kernels::gemm<W>(M, N, with_bias, Relu{}); }},
          {"bare product", [=] { kernels::gemm<W>(M, N, p); }},
          {"product, then a pass", [=] {
               kernels::gemm<W>(M, N, p);
               for (int i = 0; i < M; ++i)
                   kernels::zip<W>(N, y + i * stride(N), v, y + i * stride(N),
                                   [](auto s, auto t) { return Relu{}(s + t); });
           }}});
}

} // namespace

int main(int count, char** arguments) {
    begin(count, arguments);
    heading("C += A B (M,N,K)");
    product<1, 64, 64>();
    product<1, 256, 256>();
    product<8, 64, 64>();
    product<16, 64, 64>();
    product<32, 32, 32>();
    product<64, 64, 64>();
    product<64, 256, 64>();
    product<128, 64, 128>();
    product<128, 512, 128>();
    product<256, 256, 256>();
    product<512, 512, 512>();
    product<4096, 64, 64>();
    heading("C += A B, odd counts, everybody with padded rows");
    product<7, 13, 5>();
    product<3, 17, 33>();
    product<31, 33, 65>();
    product<64, 100, 100>();
    heading("c += a B, B packed in panels beforehand");
    packed<256>();
    packed<512>();
    packed<1024>();
    heading("C += A B^T");
    product<1, 64, 64, true>();
    product<8, 64, 64, true>();
    product<16, 64, 64, true>();
    product<8, 256, 256, true>();
    product<16, 256, 256, true>();
    product<32, 32, 32, true>();
    product<64, 64, 64, true>();
    product<256, 256, 256, true>();
    heading("relu(A B + bias) in one pass");
    fused<8, 64, 64>();
    fused<16, 64, 64>();
    fused<64, 64, 64>();
    fused<256, 256, 256>();
}
