// SPDX-License-Identifier: BSD-3-Clause
// One token of a GRU and of an LSTM, forward and back: what is left when the products of matrices are done.
#pragma once

#include <inlay/kernels/map.hpp>

namespace inlay::inline INLAY_ISA {
namespace kernels {

namespace detail {
/// A gate's part of a row that holds gates of n numbers side by side; the last vector of a gate reaches into
/// the next, or past the row.
template <int W, class T> INLAY_INLINE void put_part(simd::vec<T, W> x, int i, int n, T* to) noexcept {
    if (i + W <= n) x.store(to + i);
    else x.store_first(to + i, n - i);
}
} // namespace detail

/// r, z, n of PyTorch: h = (1 - z) n + z h, n = tanh(a_n + r b_n); r, z of sigmoid(a + b). It keeps r, z, n,
/// b_n.
struct GruToken {
    static constexpr int gates = 3, kept = 4, states = 1;

    /// a = W x + b and b = U h + c, gates of n numbers side by side; `from` and `to` may be the same; pads
    /// become zero.
    template <int W, class T>
    INLAY_NOINLINE static void forward(int n, int row, T const* a, T const* b, T const* from, T* to,
                                       std::ptrdiff_t, T* keep) noexcept {
        using V = simd::vec<T, W>;
        for (int i = 0; i < n; i += W) {
            V const r = simd::sigmoid(V::load(a + i) + V::load(b + i)),
                    z = simd::sigmoid(V::load(a + n + i) + V::load(b + n + i)), m = V::load(b + 2 * n + i),
                    c = simd::tanh(simd::fma(r, m, V::load(a + 2 * n + i)));
            simd::fma(z, V::load(from + i) - c, c).store(to + i);
            r.store(keep + i), z.store(keep + row + i), c.store(keep + 2 * row + i);
            m.store(keep + 3 * row + i);
        }
        clear_pads(to, n, row);
    }
    /// dh, the gradient of what came out, becomes that part of the state's that passes by the products.
    template <int W, class T>
    INLAY_NOINLINE static void backward(int n, int row, T const* keep, T const* from, T const*,
                                        std::ptrdiff_t, T* dh, std::ptrdiff_t, T* da, T* db) noexcept {
        using V = simd::vec<T, W>;
        V const one(T(1));
        for (int i = 0; i < n; i += W) {
            V const r = V::load(keep + i), z = V::load(keep + row + i), c = V::load(keep + 2 * row + i),
                    m = V::load(keep + 3 * row + i), d = V::load(dh + i);
            V const dc = d * (one - z) * (one - c * c), dz = d * (V::load(from + i) - c) * z * (one - z),
                    dr = dc * m * r * (one - r);
            detail::put_part(dr, i, n, da), detail::put_part(dr, i, n, db);
            detail::put_part(dz, i, n, da + n), detail::put_part(dz, i, n, db + n);
            detail::put_part(dc, i, n, da + 2 * n), detail::put_part(dc * r, i, n, db + 2 * n);
            (d * z).store(dh + i);
        }
        clear_pads(dh, n, row);
    }
};

/// i, f, g, o of PyTorch: c = f c + i g, h = o tanh(c); g of tanh(a + b), the others of sigmoid. It keeps
/// them. The state is h, and c `apart` behind it.
struct LstmToken {
    static constexpr int gates = 4, kept = 4, states = 2;

    template <int W, class T>
    INLAY_NOINLINE static void forward(int n, int row, T const* a, T const* b, T const* from, T* to,
                                       std::ptrdiff_t apart, T* keep) noexcept {
        using V = simd::vec<T, W>;
        auto const sum = [&](int gate, int i) {
            return V::load(a + gate * n + i) + V::load(b + gate * n + i);
        };
        for (int i = 0; i < n; i += W) {
            V const in = simd::sigmoid(sum(0, i)), f = simd::sigmoid(sum(1, i)), g = simd::tanh(sum(2, i)),
                    o = simd::sigmoid(sum(3, i)), c = simd::fma(f, V::load(from + apart + i), in * g);
            c.store(to + apart + i), (o * simd::tanh(c)).store(to + i);
            in.store(keep + i), f.store(keep + row + i), g.store(keep + 2 * row + i),
                o.store(keep + 3 * row + i);
        }
        clear_pads(to, n, row), clear_pads(to + apart, n, row);
    }
    template <int W, class T>
    INLAY_NOINLINE static void backward(int n, int row, T const* keep, T const* from, T const* to,
                                        std::ptrdiff_t apart, T* dh, std::ptrdiff_t d_apart, T* da,
                                        T* db) noexcept {
        using V = simd::vec<T, W>;
        V const one(T(1));
        for (int i = 0; i < n; i += W) {
            V const in = V::load(keep + i), f = V::load(keep + row + i), g = V::load(keep + 2 * row + i),
                    o = V::load(keep + 3 * row + i), t = simd::tanh(V::load(to + apart + i)),
                    d = V::load(dh + i), dc = V::load(dh + d_apart + i) + d * o * (one - t * t);
            V const slope[] = {dc * g * in * (one - in), dc * V::load(from + apart + i) * f * (one - f),
                               dc * in * (one - g * g), d * t * o * (one - o)};
            for (int gate = 0; gate < 4; ++gate) {
                detail::put_part(slope[gate], i, n, da + gate * n);
                detail::put_part(slope[gate], i, n, db + gate * n);
            }
            V(T(0)).store(dh + i), (dc * f).store(dh + d_apart + i);
        }
        clear_pads(dh, n, row), clear_pads(dh + d_apart, n, row);
    }
};

} // namespace kernels
} // namespace inlay::inline INLAY_ISA
