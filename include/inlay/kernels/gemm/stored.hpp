// SPDX-License-Identifier: BSD-3-Clause
// Products with weights of 16 or 8 bits, which become floats in the registers.
#pragma once

#include <inlay/kernels/gemm/tile.hpp>
#include <inlay/kernels/halves.hpp>
#include <inlay/simd/bits.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace inlay::inline INLAY_ISA {

/// Weights as bfloat16: the upper half of a float, 8 bits of precision.
struct Bf16 {
    using Element = std::uint16_t;
    static constexpr bool scaled = false;
    static Element narrow(float x, float) noexcept { return detail::to_bfloat(x); }
    static float wide(Element e) noexcept { return detail::from_bfloat(e); }
    /// The J-th float of each word.
    template <int J, int W> static simd::vec<float, W> of(simd::vec<std::uint32_t, W> word) noexcept {
        if constexpr (J == 0) return simd::from_bits<float>(simd::shift_left<16>(word));
        else
            return simd::from_bits<float>(
                simd::bit_and(word, simd::vec<std::uint32_t, W>(std::uint32_t(0xFFFF0000U))));
    }
};
/// Weights as IEEE half precision, 11 bits of precision; what is above 65504 becomes that.
struct F16 {
    using Element = std::uint16_t;
    static constexpr bool scaled = false;
    static Element narrow(float x, float) noexcept {
        return detail::to_half(std::clamp(x, -65504.0F, 65504.0F));
    }
    static float wide(Element e) noexcept { return detail::from_half(e); }
    template <int J, int W> static simd::vec<float, W> of(simd::vec<std::uint32_t, W> word) noexcept {
        using U = simd::vec<std::uint32_t, W>;
        U low = word;
        if constexpr (J == 1) low = simd::shift_right<16>(word);
        // The exponent's bias differs by 112, which a product mends, for subnormals too.
        U const size = simd::shift_left<13>(simd::bit_and(low, U(std::uint32_t(0x7FFFU))));
        U const sign = simd::shift_left<16>(simd::bit_and(low, U(std::uint32_t(0x8000U))));
        return simd::from_bits<float>(simd::bit_or(size, sign)) * simd::vec<float, W>(0x1p112F);
    }
};
/// Weights as signed bytes with one scale for each row: its largest magnitude becomes 127.
struct Int8 {
    using Element = std::uint8_t;
    static constexpr bool scaled = true;
    static Element narrow(float x, float scale) noexcept {
        return Element(int(std::nearbyint(scale > 0 ? x / scale : 0)) + 128);
    }
    static float wide(Element e) noexcept { return float(int(e) - 128); }
    template <int J, int W> static simd::vec<float, W> of(simd::vec<std::uint32_t, W> word) noexcept {
        using U = simd::vec<std::uint32_t, W>;
        using V = simd::vec<float, W>;
        U low = word;
        if constexpr (J > 0) low = simd::shift_right<8 * J>(word);
        // The last digits of 2^23 + n are n.
        U const bits =
            simd::bit_or(simd::bit_and(low, U(std::uint32_t(0xFFU))), U(std::uint32_t(0x4B000000U)));
        return simd::from_bits<float>(bits) - V(0x1p23F + 128);
    }
};

namespace kernels {

/// Columns of one group of words: a vector of words holds as many vectors of floats.
template <class S> inline constexpr int per_word = int(sizeof(std::uint32_t) / sizeof(typename S::Element));

/// y = x W^T scaled, plus bias, where row k of `words` holds what x_k is multiplied by.
template <class S> struct StoredProduct {
    int inner;
    int columns; ///< that y has room for, a multiple of W
    float const* x;
    std::ptrdiff_t x_row;
    std::uint32_t const* words;
    std::ptrdiff_t words_row;
    float const *scale, *bias; ///< as long as all groups, or null
    float* y;
    std::ptrdiff_t y_row;
};

namespace detail {
/// M rows of y from `row`, G groups of columns from `group`.
template <class S, int W, int M, int G>
void stored_tile(StoredProduct<S> const& p, int row, int group) noexcept {
    using V = simd::vec<float, W>;
    using U = simd::vec<std::uint32_t, W>;
    constexpr int P = per_word<S>, N = G * P;
    V sum[std::size_t(M)][std::size_t(N)];
    for (auto& r : sum)
        for (auto& v : r) v = V(0.0F);
    float const* const x = p.x + row * p.x_row;
    std::uint32_t const* words = p.words + std::ptrdiff_t(group) * W;
    for (int k = 0; k < p.inner; ++k, words += p.words_row) {
        V b[std::size_t(N)];
        INLAY_UNROLL for (int g = 0; g < G; ++g) {
            U const word = U::load(words + g * W);
            b[g * P] = S::template of<0>(word), b[g * P + 1] = S::template of<1>(word);
            if constexpr (P == 4) {
                b[g * P + 2] = S::template of<2>(word), b[g * P + 3] = S::template of<3>(word);
            }
        }
        INLAY_UNROLL for (int r = 0; r < M; ++r) {
            V const a(x[r * p.x_row + k]);
            INLAY_UNROLL for (int n = 0; n < N; ++n) sum[r][n] = simd::fma(a, b[n], sum[r][n]);
        }
    }
    INLAY_UNROLL for (int r = 0; r < M; ++r) INLAY_UNROLL for (int n = 0; n < N; ++n) {
        int const column = group * P * W + n * W;
        V v = sum[r][n];
        if (p.scale) v *= V::load(p.scale + column);
        if (p.bias) v += V::load(p.bias + column);
        if (column < p.columns) v.store(p.y + (row + r) * p.y_row + column);
    }
}
template <class S, int W, int M> void stored_rows(StoredProduct<S> const& p, int row, int groups) noexcept {
    constexpr int many = M == 1 ? 8 / per_word<S> : 1; // enough sums to hide how long one takes
    int g = 0;
    for (; g + many <= groups; g += many) stored_tile<S, W, M, many>(p, row, g);
    if constexpr (many > 1)
        for (; g < groups; ++g) stored_tile<S, W, M, 1>(p, row, g);
}
} // namespace detail

/// All of m rows.
template <class S, int W>
INLAY_NOINLINE void gemm_stored(int m, int groups, StoredProduct<S> const& p) noexcept {
    int r = 0;
    for (; r + 4 <= m; r += 4) detail::stored_rows<S, W, 4>(p, r, groups);
    for (; r < m; ++r) detail::stored_rows<S, W, 1>(p, r, groups);
}

} // namespace kernels
} // namespace inlay::inline INLAY_ISA
