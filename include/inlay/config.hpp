// SPDX-License-Identifier: BSD-3-Clause
// What the compiler and its flags allow, checked before anything else is included.
#pragma once

#include <inlay/version.hpp>

#if !defined(_MSVC_LANG) && __cplusplus < 202002L
#error "inlay: C++20 is needed: compile with -std=c++20 (or CMake: target_compile_features(... cxx_std_20))"
#endif

#if defined(__FAST_MATH__) && !defined(INLAY_ALLOW_FAST_MATH)
#error                                                                                                       \
    "inlay: -ffast-math removes guarantees (NaN checks, bit-equal results); define INLAY_ALLOW_FAST_MATH to accept that"
#endif

#if defined(__AVX512F__) && !(defined(__AVX512CD__) && defined(__AVX512BW__) && defined(__AVX512DQ__))
#error                                                                                                       \
    "inlay: half of AVX-512 is switched on: use -march=x86-64-v4 or -march=native, or add -mavx512cd -mavx512bw -mavx512dq -mavx512vl"
// The rest is read as if there were none, so that this stays the only error.
#undef __AVX512F__
#undef __AVX512CD__
#undef __AVX512BW__
#undef __AVX512DQ__
#undef __AVX512VL__
#endif

// One tag for an instruction set, inside every mangled name: translation units compiled for different
// machines may meet in one binary without sharing a body. Short, because compilers print it before every
// name.
#if defined(__AVX512F__)
#define INLAY_ISA z
#define INLAY_ISA_NAME "AVX-512"
#define INLAY_VECTOR_BYTES 64
#elif defined(__AVX2__) && defined(__FMA__)
#define INLAY_ISA y
#define INLAY_ISA_NAME "AVX2"
#define INLAY_VECTOR_BYTES 32
#elif defined(__SSE2__) || defined(_M_X64)
#define INLAY_ISA x
#define INLAY_ISA_NAME "SSE2"
#define INLAY_VECTOR_BYTES 16
#elif defined(__ARM_NEON)
#define INLAY_ISA n
#define INLAY_ISA_NAME "NEON"
#define INLAY_VECTOR_BYTES 16
#else
#define INLAY_ISA s
#define INLAY_ISA_NAME "scalar"
#define INLAY_VECTOR_BYTES 0
#endif

#if defined(_MSC_VER) && !defined(__clang__)
#define INLAY_INLINE __forceinline
#define INLAY_INLINE_LAMBDA
#define INLAY_NOINLINE __declspec(noinline)
#define INLAY_EMPTY [[msvc::no_unique_address]]
#else
#define INLAY_INLINE [[gnu::always_inline]] inline
#define INLAY_INLINE_LAMBDA __attribute__((always_inline))
#define INLAY_NOINLINE [[gnu::noinline]]
#define INLAY_EMPTY [[no_unique_address]]
#endif

// In front of a loop of constant count: lay out every turn, so that what it indexes lives in registers.
#if defined(__clang__)
#define INLAY_UNROLL _Pragma("clang loop unroll(full)")
#elif defined(__GNUC__)
#define INLAY_UNROLL _Pragma("GCC unroll 64")
#else
#define INLAY_UNROLL
#endif
