// SPDX-License-Identifier: BSD-3-Clause
// vec<T, W>: W lanes of T. The only room that names xsimd is this one.
#pragma once

#include <inlay/simd/avx512.hpp>

#include <xsimd/xsimd.hpp>

#include <cmath>
#include <cstddef>
#include <type_traits>
#include <utility>

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
#if XSIMD_WITH_FMA3_AVX2 && XSIMD_WITH_AVXVNNI
    // xsimd ranks AVX-VNNI before FMA3, and has no fma there: half the speed, and one rounding more.
    using type = std::conditional_t<sizeof(T) * W == 32, xsimd::batch<T, xsimd::fma3<xsimd::avx2>>,
                                    xsimd::make_sized_batch_t<T, std::size_t(W)>>;
#else
    using type = xsimd::make_sized_batch_t<T, std::size_t(W)>;
#endif
};

/// Arithmetic, comparison and selection on W lanes; loads and stores need no alignment.
template <class T, int W> struct vec {
    using value_type = T;
    using native = typename register_of<T, W>::type;
    static constexpr int lanes = W;
    static constexpr bool is_register = !std::is_same_v<native, plain<T, W>>;
    static constexpr bool is_masked = is_register && std::is_floating_point_v<T> && sizeof(native) == 64;
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
#if defined(__AVX512F__)
        if constexpr (is_masked) {
            vec r;
            avx512::load_first(p, n, r.v.data);
            return r;
        } else
#endif
        {
            T room[std::size_t(W)];
            for (int i = 0; i < W; ++i) room[i] = i < n ? p[i] : T(0);
            return load(room);
        }
    }
    /// Writes the first n lanes only.
    INLAY_INLINE void store_first(T* p, int n) const noexcept {
#if defined(__AVX512F__)
        if constexpr (is_masked) avx512::store_first(p, n, v.data);
        else
#endif
        {
            T room[std::size_t(W)];
            store(room);
            for (int i = 0; i < n; ++i) p[i] = room[i];
        }
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
/// Keeps an address or a stride in its register as it is; compilers fold them into more than there are.
template <class A> INLAY_INLINE void pin_address([[maybe_unused]] A& x) noexcept {
#if defined(__GNUC__)
    __asm__("" : "+r"(x));
#endif
}
/// The same as pin where GCC would load an operand again for each of its uses; Clang does not.
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

/// a < b ? a : b; a NaN in either gives b.
template <class T, int W> INLAY_INLINE vec<T, W> lesser(vec<T, W> a, vec<T, W> b) noexcept {
    if constexpr (!vec<T, W>::is_register) return select_greater(b, a, a, b);
#if defined(__AVX512F__)
    else if constexpr (vec<T, W>::is_masked) return {avx512::min(a.v, b.v)};
#endif
    else return {xsimd::min(a.v, b.v)};
}
/// a > b ? a : b; a NaN in either gives b.
template <class T, int W> INLAY_INLINE vec<T, W> greater(vec<T, W> a, vec<T, W> b) noexcept {
    if constexpr (!vec<T, W>::is_register) return select_greater(a, b, a, b);
#if defined(__AVX512F__)
    else if constexpr (vec<T, W>::is_masked) return {avx512::max(a.v, b.v)};
#endif
    else return {xsimd::max(a.v, b.v)};
}

/// Folds the upper half of the lanes onto the lower one until one is left: the order of a reduction depends
/// on W only.
template <class T, int W, class F> INLAY_INLINE T fold_halves(vec<T, W> x, F f) noexcept {
    if constexpr (W == 1) {
        T room;
        x.store(&room);
        return room;
    } else if constexpr (vec<T, W>::is_register && vec<T, W / 2>::is_register) {
#if defined(__GNUC__) && defined(__SSE2__)
        return [&]<std::size_t... I>(std::index_sequence<I...>) {
            using H = vec<T, W / 2>;
            typename H::native const low(__builtin_shufflevector(x.v.data, x.v.data, int(I)...));
            typename H::native const high(__builtin_shufflevector(x.v.data, x.v.data, int(I + W / 2)...));
            return fold_halves(f(H(low), H(high)), f);
        }(std::make_index_sequence<std::size_t(W / 2)>{});
#else
        T room[std::size_t(W)];
        x.store(room);
        using H = vec<T, W / 2>;
        return fold_halves(f(H::load(room), H::load(room + W / 2)), f);
#endif
    } else {
        T room[std::size_t(W)];
        x.store(room);
        using S = vec<T, 1>;
        for (int h = W / 2; h > 0; h /= 2)
            for (int i = 0; i < h; ++i) f(S::load(room + i), S::load(room + i + h)).store(room + i);
        return room[0];
    }
}
/// The sum of all lanes, by halves: for W = 4, (x0 + x2) + (x1 + x3).
template <class T, int W> INLAY_INLINE T sum(vec<T, W> x) noexcept {
    return fold_halves(x, [](auto a, auto b) { return a + b; });
}
/// The largest of all lanes; with a NaN among them, any of them.
template <class T, int W> INLAY_INLINE T max(vec<T, W> x) noexcept {
    return fold_halves(x, [](auto a, auto b) { return greater(a, b); });
}

} // namespace simd
} // namespace inlay::inline INLAY_ISA
