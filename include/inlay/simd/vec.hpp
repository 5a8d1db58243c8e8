// SPDX-License-Identifier: BSD-3-Clause
// vec<T, W>: W lanes of T. The only room that names xsimd is this one.
#pragma once

#include <inlay/config.hpp>

#include <xsimd/xsimd.hpp>

#include <cmath>
#include <cstddef>
#include <type_traits>

#if XSIMD_VERSION_MAJOR < 13
#error "inlay: xsimd 13 or newer is needed; Debian 12's 8.1 lacks what the kernels use"
#endif

namespace inlay::inline INLAY_ISA {
namespace simd {

/// W lanes without a register of that width: one lane, or more lanes than the machine has.
template <class T, int W> struct plain {
    T lane[std::size_t(W)];
    plain() = default;
    INLAY_INLINE explicit plain(T x) noexcept {
        for (auto& l : lane) l = x;
    }
};

template <class T, int W> struct register_of {
    using type = plain<T, W>;
};
template <class T, int W>
    requires(W > 1 && !std::is_void_v<xsimd::make_sized_batch_t<T, std::size_t(W)>>)
struct register_of<T, W> {
    using type = xsimd::make_sized_batch_t<T, std::size_t(W)>;
};

/// Arithmetic, comparison and selection on W lanes; loads and stores need no alignment.
template <class T, int W> struct vec {
    using value_type = T;
    using native = typename register_of<T, W>::type;
    static constexpr int lanes = W;
    static constexpr bool is_register = !std::is_same_v<native, plain<T, W>>;
    native v;

    vec() = default;
    INLAY_INLINE vec(native n) noexcept : v(n) {}
    INLAY_INLINE explicit vec(T x) noexcept : v(x) {}

    INLAY_INLINE static vec load(T const* p) noexcept {
        if constexpr (is_register) return {native::load_unaligned(p)};
        else {
            vec r;
            for (int i = 0; i < W; ++i) r.v.lane[i] = p[i];
            return r;
        }
    }
    INLAY_INLINE void store(T* p) const noexcept {
        if constexpr (is_register) v.store_unaligned(p);
        else
            for (int i = 0; i < W; ++i) p[i] = v.lane[i];
    }
    /// The first n lanes from memory, the others zero; nothing past them is read.
    INLAY_INLINE static vec load_first(T const* p, int n) noexcept {
        T room[std::size_t(W)];
        for (int i = 0; i < W; ++i) room[i] = i < n ? p[i] : T(0);
        return load(room);
    }
    /// Writes the first n lanes only.
    INLAY_INLINE void store_first(T* p, int n) const noexcept {
        T room[std::size_t(W)];
        store(room);
        for (int i = 0; i < n; ++i) p[i] = room[i];
    }

#define INLAY_BINARY(op)                                                                                     \
    INLAY_INLINE friend vec operator op(vec a, vec b) noexcept {                                             \
        if constexpr (is_register) return {a.v op b.v};                                                      \
        else {                                                                                               \
            vec r;                                                                                           \
            for (int i = 0; i < W; ++i) r.v.lane[i] = a.v.lane[i] op b.v.lane[i];                            \
            return r;                                                                                        \
        }                                                                                                    \
    }
    INLAY_BINARY(+)
    INLAY_BINARY(-)
    INLAY_BINARY(*)
    INLAY_BINARY(/)
#undef INLAY_BINARY
    INLAY_INLINE friend vec operator-(vec a) noexcept { return vec(T(0)) - a; }
    INLAY_INLINE vec& operator+=(vec b) noexcept { return *this = *this + b; }
    INLAY_INLINE vec& operator*=(vec b) noexcept { return *this = *this * b; }
};

/// a * b + c, rounded once where the machine can.
template <class T, int W> INLAY_INLINE vec<T, W> fma(vec<T, W> a, vec<T, W> b, vec<T, W> c) noexcept {
    if constexpr (vec<T, W>::is_register) return {xsimd::fma(a.v, b.v, c.v)};
    else {
        vec<T, W> r;
#if defined(__FMA__)
        for (int i = 0; i < W; ++i) r.v.lane[i] = std::fma(a.v.lane[i], b.v.lane[i], c.v.lane[i]);
#else
        for (int i = 0; i < W; ++i) r.v.lane[i] = a.v.lane[i] * b.v.lane[i] + c.v.lane[i];
#endif
        return r;
    }
}

/// Hides from the compiler where a vector comes from: it stays in its register, and what follows is not
/// merged with what made it.
template <class T, int W> INLAY_INLINE void pin(vec<T, W>& x) noexcept {
#if defined(__GNUC__) && defined(__x86_64__)
    if constexpr (vec<T, W>::is_register) {
        typename vec<T, W>::native::register_type machine = x.v;
#if defined(__AVX512F__)
        __asm__("" : "+v"(machine));
#else
        __asm__("" : "+x"(machine));
#endif
        x.v = machine;
    }
#else
    (void)x;
#endif
}
/// The same where GCC would load an operand again for each of its uses; Clang does not.
template <class T, int W> INLAY_INLINE void hold([[maybe_unused]] vec<T, W>& x) noexcept {
#if !defined(__clang__)
    pin(x);
#endif
}

/// Lane by lane: a > b ? x : y. A NaN in a or b takes y.
template <class T, int W>
INLAY_INLINE vec<T, W> select_greater(vec<T, W> a, vec<T, W> b, vec<T, W> x, vec<T, W> y) noexcept {
    if constexpr (vec<T, W>::is_register) return {xsimd::select(a.v > b.v, x.v, y.v)};
    else {
        vec<T, W> r;
        for (int i = 0; i < W; ++i) r.v.lane[i] = a.v.lane[i] > b.v.lane[i] ? x.v.lane[i] : y.v.lane[i];
        return r;
    }
}

/// x in lane i and all that follow.
template <class T, int W> INLAY_INLINE vec<T, W> fill_from(vec<T, W> v, int i, T x) noexcept {
    static constexpr auto lane = [] {
        struct {
            T number[std::size_t(W)];
        } r{};
        for (int l = 0; l < W; ++l) r.number[l] = T(l);
        return r;
    }();
    return select_greater(vec<T, W>::load(lane.number), vec<T, W>(T(i) - T(0.5)), vec<T, W>(x), v);
}

/// Applies a scalar function to each lane: for what has no vector form yet.
template <class T, int W, class F> INLAY_INLINE vec<T, W> by_lane(vec<T, W> x, F f) noexcept {
    T room[std::size_t(W)];
    x.store(room);
    for (auto& l : room) l = f(l);
    return vec<T, W>::load(room);
}

/// The sum of all lanes, in an order that depends on W only.
template <class T, int W> INLAY_INLINE T sum(vec<T, W> x) noexcept {
    if constexpr (vec<T, W>::is_register) return xsimd::reduce_add(x.v);
    else {
        T s = x.v.lane[0];
        for (int i = 1; i < W; ++i) s += x.v.lane[i];
        return s;
    }
}

} // namespace simd
} // namespace inlay::inline INLAY_ISA
