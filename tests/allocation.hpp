// SPDX-License-Identifier: BSD-3-Clause
// Counts every allocation of the program. Include it in one translation unit of an executable.
#pragma once

#include <inlay/testing/report.hpp>

#include <cstddef>
#include <cstdlib>
#include <new>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define INLAY_TESTS_OWN_NEW 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define INLAY_TESTS_OWN_NEW 0
#endif
#endif
#ifndef INLAY_TESTS_OWN_NEW
#define INLAY_TESTS_OWN_NEW 1
#endif

#if INLAY_TESTS_OWN_NEW
namespace tests {
inline std::size_t allocations = 0;
inline std::size_t allocation_count() noexcept { return allocations; }
inline bool const counts_allocations = (inlay::detail::laws::allocations = allocation_count) != nullptr;

inline void* allocate(std::size_t n, std::size_t alignment) {
    ++allocations;
    void* p = nullptr;
    if (alignment <= alignof(std::max_align_t)) p = std::malloc(n ? n : 1);
    else p = std::aligned_alloc(alignment, (n + alignment - 1) / alignment * alignment);
    if (!p) std::abort();
    return p;
}
} // namespace tests

// Not inlined, or GCC sees a new that is freed and warns.
INLAY_NOINLINE void* operator new(std::size_t n) { return tests::allocate(n, 1); }
INLAY_NOINLINE void* operator new[](std::size_t n) { return tests::allocate(n, 1); }
INLAY_NOINLINE void* operator new(std::size_t n, std::align_val_t a) {
    return tests::allocate(n, std::size_t(a));
}
INLAY_NOINLINE void* operator new[](std::size_t n, std::align_val_t a) {
    return tests::allocate(n, std::size_t(a));
}
INLAY_NOINLINE void operator delete(void* p) noexcept { std::free(p); }
INLAY_NOINLINE void operator delete[](void* p) noexcept { std::free(p); }
INLAY_NOINLINE void operator delete(void* p, std::size_t) noexcept { std::free(p); }
INLAY_NOINLINE void operator delete[](void* p, std::size_t) noexcept { std::free(p); }
INLAY_NOINLINE void operator delete(void* p, std::align_val_t) noexcept { std::free(p); }
INLAY_NOINLINE void operator delete[](void* p, std::align_val_t) noexcept { std::free(p); }
INLAY_NOINLINE void operator delete(void* p, std::size_t, std::align_val_t) noexcept { std::free(p); }
INLAY_NOINLINE void operator delete[](void* p, std::size_t, std::align_val_t) noexcept { std::free(p); }

#if defined(__GLIBC__)
// malloc itself, for what goes past operator new.
extern "C" void* __libc_malloc(std::size_t);
extern "C" void* malloc(std::size_t n) {
    ++tests::allocations;
    return __libc_malloc(n);
}
#endif
#endif
