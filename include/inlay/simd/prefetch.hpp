// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <inlay/config.hpp>

#if defined(_MSC_VER) && !defined(__clang__) && (defined(_M_X64) || defined(_M_IX86))
#include <xmmintrin.h>
#endif

namespace inlay::inline INLAY_ISA {
namespace simd {

/// Asks for the cache line at p; any address is allowed.
INLAY_INLINE void prefetch(void const* p) noexcept {
#if defined(__GNUC__) || defined(__clang__)
    __builtin_prefetch(p);
#elif defined(_MSC_VER) && (defined(_M_X64) || defined(_M_IX86))
    _mm_prefetch(static_cast<char const*>(p), _MM_HINT_T0);
#else
    (void)p;
#endif
}

} // namespace simd
} // namespace inlay::inline INLAY_ISA
