// SPDX-License-Identifier: BSD-3-Clause
// What AVX-512 has an instruction for and xsimd has none, or spells so that GCC 12 warns: the unmasked
// intrinsics of that compiler read a register that they leave undefined, and say so in a user's build. The
// forms that clear instead compile to the same instruction.
#pragma once

#include <inlay/config.hpp>

#if defined(__AVX512F__)
#include <cstdint>
#include <immintrin.h>

namespace inlay::inline INLAY_ISA {
namespace simd::avx512 {

INLAY_INLINE __m512 nearest(__m512 x) noexcept { return _mm512_maskz_roundscale_ps(0xffff, x, 8); }
INLAY_INLINE __m512d nearest(__m512d x) noexcept { return _mm512_maskz_roundscale_pd(0xff, x, 8); }
INLAY_INLINE __m512 sqrt(__m512 x) noexcept { return _mm512_maskz_sqrt_ps(0xffff, x); }
INLAY_INLINE __m512d sqrt(__m512d x) noexcept { return _mm512_maskz_sqrt_pd(0xff, x); }
INLAY_INLINE __m512 min(__m512 a, __m512 b) noexcept { return _mm512_maskz_min_ps(0xffff, a, b); }
INLAY_INLINE __m512d min(__m512d a, __m512d b) noexcept { return _mm512_maskz_min_pd(0xff, a, b); }
INLAY_INLINE __m512 max(__m512 a, __m512 b) noexcept { return _mm512_maskz_max_ps(0xffff, a, b); }
INLAY_INLINE __m512d max(__m512d a, __m512d b) noexcept { return _mm512_maskz_max_pd(0xff, a, b); }
/// x 2^n, rounded once.
INLAY_INLINE __m512 scale(__m512 x, __m512 n) noexcept { return _mm512_maskz_scalef_ps(0xffff, x, n); }
INLAY_INLINE __m512d scale(__m512d x, __m512d n) noexcept { return _mm512_maskz_scalef_pd(0xff, x, n); }

template <int By> INLAY_INLINE __m512i shift_left(__m512i x, std::uint32_t) noexcept {
    return _mm512_maskz_slli_epi32(0xffff, x, By);
}
template <int By> INLAY_INLINE __m512i shift_left(__m512i x, std::uint64_t) noexcept {
    return _mm512_maskz_slli_epi64(0xff, x, By);
}
template <int By> INLAY_INLINE __m512i shift_right(__m512i x, std::uint32_t) noexcept {
    return _mm512_maskz_srli_epi32(0xffff, x, By);
}
template <int By> INLAY_INLINE __m512i shift_right(__m512i x, std::uint64_t) noexcept {
    return _mm512_maskz_srli_epi64(0xff, x, By);
}

/// The first n lanes of p, the others zero: memory past them is not touched.
INLAY_INLINE void load_first(float const* p, int n, __m512& x) noexcept {
    x = _mm512_maskz_loadu_ps(__mmask16((1u << n) - 1), p);
}
INLAY_INLINE void load_first(double const* p, int n, __m512d& x) noexcept {
    x = _mm512_maskz_loadu_pd(__mmask8((1u << n) - 1), p);
}
INLAY_INLINE void store_first(float* p, int n, __m512 x) noexcept {
    _mm512_mask_storeu_ps(p, __mmask16((1u << n) - 1), x);
}
INLAY_INLINE void store_first(double* p, int n, __m512d x) noexcept {
    _mm512_mask_storeu_pd(p, __mmask8((1u << n) - 1), x);
}

} // namespace simd::avx512
} // namespace inlay::inline INLAY_ISA
#endif
