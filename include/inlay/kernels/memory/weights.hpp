// SPDX-License-Identifier: BSD-3-Clause
// What each token of a chunk is worth in a memory with momentum and forgetting. Of a memory M and its
// momentum S at the chunk's start, and of what token j adds, u_j, later memories are
//
//     S_t = eta_t S_(t-1) + u_t,  M_t = (1 - alpha_t) M_(t-1) + S_t
//     M_t = past_t M + speed_t S + sum over j <= t of worth_tj u_j
//
// Products of gates are built up from 1 and never divided, so gates may be 0 and 1.
#pragma once

#include <inlay/kernels/triangle.hpp>

namespace inlay::inline INLAY_ISA {
namespace kernels {

/// For n tokens; vectors have room for whole<W>(n) numbers. Triangles lie as those of triangle.hpp. With
/// `before` set row t holds what counts before token t; `end` is always behind the last token.
template <class T> struct MemoryWeights {
    T *kept, *worth; ///< triangles: the product of 1 - alpha from j to t, and worth_tj
    T *past, *speed;
    T *end_worth, *end_speed;       ///< of M and of S
    T end_past, end_push, end_keep; ///< M = end_past M + end_push S + ..., S = end_keep S + ...
};
/// Gradients of the same; `worth`, `past` and `speed` are overwritten. What `worth` holds above a band's
/// diagonal meets zeros only.
template <class T> struct MemoryWeightSlopes {
    T *worth, *past, *speed;
    T *end_worth, *end_speed;
    T end_past, end_push, end_keep;
};

template <int W> constexpr std::size_t memory_weights_room(int n) {
    return std::size_t(2 * n + 4) * std::size_t(whole<W>(n));
}

/// alpha may be null for a memory that forgets nothing, eta for one without momentum.
template <int W, class T>
INLAY_NOINLINE inline void memory_weights(int n, T const* alpha, T const* eta, bool before,
                                          MemoryWeights<T>& w) noexcept {
    using V = simd::vec<T, W>;
    int const row = whole<W>(n);
    auto const keeps = [=](int t) noexcept { return alpha ? T(1) - alpha[t] : T(1); };
    auto const goes_on = [=](int t) noexcept { return eta ? eta[t] : T(0); };
    T kept(1), worth(1), speed(1);
    for (int j = n - 1; j >= 0; --j) {
        if (j + 1 < n) {
            kept *= keeps(j + 1);
            worth = kept + goes_on(j + 1) * worth;
            speed *= goes_on(j + 1);
        }
        w.end_worth[j] = worth;
        w.end_speed[j] = speed;
    }
    for (int t = 0; t < row; t += W) { // the columns of a vector, from their band's last row up
        V k(T(0)), v(T(0));
        for (int j = std::min(t / band * band + band, n) - 1; j >= 0; --j) {
            if (j + 1 < n) {
                k *= V(keeps(j + 1));
                v = simd::fma(V(goes_on(j + 1)), v, k);
            }
            int const here = j + before - t;
            if (here >= 0 && here < W && j + before < n) {
                V const none(T(0)),
                    one = simd::fill_from(none, here, T(1)) - simd::fill_from(none, here + 1, T(1));
                k += one, v += one;
            }
            k.store(w.kept + j * row + t), v.store(w.worth + j * row + t);
        }
    }
    scale<W>(row, keeps(0), w.kept, w.past);
    scale<W>(row, goes_on(0), w.worth, w.speed);
    if (before) w.past[0] = T(1);
    w.end_past = keeps(0) * kept;
    w.end_push = goes_on(0) * worth;
    w.end_keep = goes_on(0) * speed;
}

/// Gradients of alpha and eta, where they are not null.
template <int W, class T>
INLAY_NOINLINE inline void memory_weights_backward(int n, T const* alpha, T const* eta, bool before,
                                                   MemoryWeights<T> const& w, MemoryWeightSlopes<T> const& d,
                                                   T* dalpha, T* deta) noexcept {
    using V = simd::vec<T, W>;
    int const row = whole<W>(n);
    auto const keeps = [=](int t) noexcept { return alpha ? T(1) - alpha[t] : T(1); };
    auto const goes_on = [=](int t) noexcept { return eta ? eta[t] : T(0); };
    // The end is one more row; its numbers are found again, from the last token back.
    T* const end_kept = w.past;                // read for the last time here
    if (before) d.past[0] = d.speed[0] = T(0); // before the first token nothing has happened
    T dkeep(0), dgo(0);
    for (int t = 0; t < n; ++t) {
        dkeep += d.past[t] * w.kept[t];
        dgo += d.speed[t] * w.worth[t];
    }
    T product(1);
    for (int j = n - 1; j >= 0; --j) {
        end_kept[j] = product;
        product *= keeps(j);
    }
    T *const dk = d.past, *const dv = d.speed; // of row j of the triangles
    scale<W>(row, keeps(0), dk, dk);
    for (int t = 0; t < row; t += W)
        simd::fma(V(goes_on(0)), V::load(dv + t), V::load(d.worth + t)).store(dv + t);
    dkeep += d.end_past * end_kept[0];
    dgo += d.end_push * w.end_worth[0] + d.end_keep * w.end_speed[0];
    T dek = d.end_past * keeps(0), dev = d.end_worth[0] + d.end_push * goes_on(0),
      des = d.end_speed[0] + d.end_keep * goes_on(0);
    for (int j = 0; j < n; ++j) {
        if (dalpha) dalpha[j] = -dkeep;
        if (deta) deta[j] = dgo;
        if (j + 1 == n) break;
        // kept_j = keep kept_(j+1), worth_j = kept_j + go worth_(j+1), end by end alike
        V const keep(keeps(j + 1)), go(goes_on(j + 1));
        V sum_keep(T(0)), sum_go(T(0));
        for (int t = (j + 1) / band * band; t < row; t += W) {
            std::ptrdiff_t const below = (j + 1) * row + t;
            V const g = V::load(dv + t), k = V::load(dk + t) + g;
            sum_keep = simd::fma(k, V::load(w.kept + below), sum_keep);
            sum_go = simd::fma(g, V::load(w.worth + below), sum_go);
            (keep * k).store(dk + t);
            simd::fma(go, g, V::load(d.worth + below)).store(dv + t);
        }
        dek += dev;
        dkeep = simd::sum(sum_keep) + dek * end_kept[j + 1];
        dgo = simd::sum(sum_go) + dev * w.end_worth[j + 1] + des * w.end_speed[j + 1];
        dek *= keeps(j + 1);
        dev = d.end_worth[j + 1] + goes_on(j + 1) * dev;
        des = d.end_speed[j + 1] + goes_on(j + 1) * des;
    }
}

} // namespace kernels
} // namespace inlay::inline INLAY_ISA
