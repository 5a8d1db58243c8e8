// SPDX-License-Identifier: BSD-3-Clause
// The way back of memory_chunk, through the gradients that the memory took: all is computed again from the
// memories that the tokens met.
#pragma once

#include <inlay/kernels/memory/chunk.hpp>

namespace inlay::inline INLAY_ISA {
namespace kernels {

/// Gradients of the tokens, laid out as they are; all are overwritten. alpha and eta may be null. Those of a
/// norm are added to.
template <class T> struct MemorySlopes {
    T *q, *k, *v, *alpha, *eta, *theta;
    T *weight = nullptr, *bias = nullptr;
};

namespace detail {
template <int W, class F, class T> struct MemoryWayBack {
    using V = simd::vec<T, W>;
    using Parts = MemoryParts<W, F, T>;
    Parts& p;
    MemoryForm const& f;
    int const n, row, L;
    MemoryWeightSlopes<T> d{};
    T *cross, *out_rows, *in_rows, *dx, *dy;
    T *da[Parts::places]{}, *dpush[Parts::places]{}, *dz[Parts::places]{};

    explicit MemoryWayBack(Parts& parts) noexcept
        : p(parts), f(parts.f), n(parts.n), row(parts.row), L(parts.L) {
        int const wide = n * f.widest();
        d.worth = p.take(n * row), cross = p.take(n * row);
        d.past = p.take(row), d.speed = p.take(row), d.end_worth = p.take(row), d.end_speed = p.take(row);
        clear(d.worth, n * row), clear(d.past, 4 * row); // of d.past to d.end_speed
        out_rows = p.take(wide), in_rows = p.take(wide), dx = p.take(wide), dy = p.take(wide);
        for (int l = 1; l <= L; ++l) dpush[l] = p.rows(l), da[l - 1] = p.rows(l - 1), dz[l] = p.rows(l);
    }

    /// What is read of layer l, and what it is left with. dmemory and dspeed are the gradients of what was
    /// left, and become those of what was met.
    void layer(int l, T const* memory, T const* speed, T const* slope, T* dfirst, T* dmemory,
               T* dspeed) noexcept {
        int const in = f.row[l - 1], out = f.row[l], width = f.width[l - 1], numbers = width * out;
        T const *const x = p.x[l - 1], *const a = p.a[l - 1], *const u = p.push[l];
        bool const now = f.read != MemoryRead::previous_chunk;
        auto const weighted = [&](T const* from, T* by, T* slopes, bool accumulate) noexcept {
            gemm_nt<W>(n, width, in, out, slope, out, from, out, in_rows, in, false);
            for (int t = 0; t < n; ++t) {
                V const part(by[t]);
                V sum(T(0));
                for (int at = t * in; at < (t + 1) * in; at += W) {
                    V const of = V::load(in_rows + at);
                    sum = simd::fma(V::load(x + at), of, sum);
                    (accumulate ? simd::fma(part, of, V::load(dx + at)) : part * of).store(dx + at);
                }
                slopes[t] += simd::sum(sum);
            }
        };
        if (now) {
            weighted(memory, p.w.past, d.past, false);
            if (speed) weighted(speed, p.w.speed, d.speed, true);
            p.overlap(l, p.scores);
            transpose_rows<W>(n, out, slope, out, p.turned, row);
            band_products<W>(n, f.width[l], u, out, p.turned, row, cross, row);
            for (int j = 0; j < n; ++j)
                for (int t = j / band * band; t < row; t += W) {
                    std::ptrdiff_t const at = std::ptrdiff_t(j) * row + t;
                    V const of = V::load(cross + at), seen = V::load(p.scores + at),
                            worth = V::load(p.w.worth + at);
                    simd::fma(of, seen, V::load(d.worth + at)).store(d.worth + at);
                    (worth * of).store(cross + at), (worth * seen).store(p.scores + at);
                }
            triangle_to_later<W>(n, in, cross, row, a, in, dx, in);
            triangle_to_earlier<W>(n, in, cross, row, x, in, da[l - 1], in, false);
            triangle_to_earlier<W>(n, out, p.scores, row, slope, out, dpush[l], out, false);
        } else {
            T const* const first = p.layer(l, p.c.first);
            gemm_nt<W>(n, width, in, out, slope, out, first, out, dx, in, false);
            gemm<W>(width, out, n, x, 1, in, slope, out, dfirst, out, true);
            clear(da[l - 1], std::ptrdiff_t(n) * in), clear(dpush[l], std::ptrdiff_t(n) * out);
        }
        auto const left = [&](T const* dend, T const* worth, T const* added, T* slopes) noexcept {
            gemm<W>(n, out, width, a, in, 1, dend, out, out_rows, out, false);
            for (int t = 0; t < n; ++t) {
                V const part(worth[t]);
                V sum(T(0));
                for (int at = t * out; at < (t + 1) * out; at += W) {
                    V const of = V::load(out_rows + at);
                    sum = simd::fma(of, V::load(u + at), sum);
                    simd::fma(part, of, V::load(dpush[l] + at)).store(dpush[l] + at);
                }
                slopes[t] += simd::sum(sum);
            }
            gemm_nt<W>(n, width, in, out, added, out, dend, out, da[l - 1], in, true);
        };
        left(dmemory, p.w.end_worth, p.in_end[l], d.end_worth);
        if (speed) left(dspeed, p.w.end_speed, p.in_speed[l], d.end_speed);
        if (speed) turn_back(numbers, memory, speed, dmemory, dspeed);
        else d.end_past += padded_dot<W>(numbers, static_cast<T const*>(dmemory), memory);
        if (!now) return scale<W>(numbers, p.w.end_past, dmemory, dmemory);
        p.fade(l);
        auto const met = [&](T const* seen, T* to, T keep) noexcept {
            gemm<W>(width, out, Product<T>{n, seen, 1, in, slope, out, to, out, {}},
                    Fading<T>{to, nullptr, keep, T(0), out});
        };
        met(p.at_past, dmemory, p.w.end_past);
        if (speed) met(p.at_speed, dspeed, T(1));
    }

    /// How M and S go into both that were left, and dspeed.
    void turn_back(int numbers, T const* memory, T const* speed, T const* dmemory, T* dspeed) noexcept {
        V const to_memory(p.w.end_push), keep(p.w.end_keep);
        V past(T(0)), push(T(0)), kept(T(0));
        for (int i = 0; i < numbers; i += W) {
            V const s = V::load(speed + i), dm = V::load(dmemory + i), ds = V::load(dspeed + i);
            past = simd::fma(dm, V::load(memory + i), past);
            push = simd::fma(dm, s, push), kept = simd::fma(ds, s, kept);
            simd::fma(to_memory, dm, keep * ds).store(dspeed + i);
        }
        d.end_past += simd::sum(past), d.end_push += simd::sum(push), d.end_keep += simd::sum(kept);
    }

    /// From slopes of what is added to those of errors, in their place, and to the gradient of theta.
    void step(T* dtheta) noexcept {
        for (int t = 0; t < n; ++t) {
            T sum(0);
            for (int l = 1; l <= L; ++l)
                sum += dot<W>(f.row[l], dpush[l] + t * f.row[l], p.error[l] + t * f.row[l]);
            dtheta[t] = -p.damp[t] * sum;
            for (int l = 1; l <= L; ++l)
                scale<W>(f.row[l], p.reach[t], dpush[l] + t * f.row[l], dpush[l] + t * f.row[l]);
            if (f.limit <= 0) continue;
            // damp = (1 + square / limit^2)^(-1/2), square = sum over layers of |a|^2 |error|^2
            T const damp = p.damp[t],
                    dsquare = p.c.theta[t] * sum * damp * damp * damp / T(2 * f.limit * f.limit);
            for (int l = 1; l <= L; ++l) {
                int const in = f.row[l - 1], out = f.row[l];
                axpy<W>(out, 2 * dsquare * p.norm(l - 1, p.a[l - 1], t), p.error[l] + t * out,
                        dpush[l] + t * out);
                axpy<W>(in, 2 * dsquare * p.norm(l, p.error[l], t), p.a[l - 1] + t * in, da[l - 1] + t * in);
            }
        }
    }

    /// Through the errors and what the keys gave: the gradient of the chunk's memory by its gradients.
    void learn(T* dfirst, MemorySlopes<T> const& to) noexcept {
        T** const derror = dpush;
        for (int l = 1; l < L; ++l) {
            int const in = f.row[l + 1], out = f.row[l];
            T* const db = in_rows;
            for (std::ptrdiff_t i = 0, all = std::ptrdiff_t(n) * out; i < all; i += W) {
                V const e = V::load(derror[l] + i), v = V::load(p.z[l] + i);
                (e * F::derivative(v)).store(db + i);
                (e * V::load(p.back[l] + i) * F::second(v)).store(dz[l] + i);
            }
            gemm<W>(n, in, f.width[l], db, out, 1, p.layer(l + 1, p.c.first), in, derror[l + 1], in, true);
            if (!f.first_order)
                gemm<W>(f.width[l], in, n, db, 1, out, p.error[l + 1], in, p.layer(l + 1, dfirst), in, true);
        }
        std::ptrdiff_t const all = std::ptrdiff_t(n) * f.row[L];
        V const c_l(T(f.loss_scale));
        map<W>(all, derror[L], dz[L], [=](auto v) { return c_l * v; });
        T* doff = dz[L]; // the gradient of M(k) - v
        if (f.norm) {
            doff = out_rows;
            norm_error_backward<W>(n, f.width[L], T(memory_norm_eps), p.z[L], p.c.weight, p.off, dz[L],
                                   derror[L], doff, to.weight, to.bias, f.row[L]);
            std::swap(dz[L], derror[L]);
        }
        map<W>(all, doff, to.v, [](auto v) { return -v; });
        for (int l = L; l >= 1; --l) {
            int const in = f.row[l - 1], out = f.row[l], width = f.width[l - 1];
            if (!f.first_order)
                gemm<W>(width, out, n, p.a[l - 1], 1, in, dz[l], out, p.layer(l, dfirst), out, true);
            gemm_nt<W>(n, width, in, out, dz[l], out, p.layer(l, p.c.first), out, da[l - 1], in, true);
            for (std::ptrdiff_t i = 0, m = std::ptrdiff_t(n) * in; i < m; i += W) {
                V const slope = V::load(da[l - 1] + i);
                if (l == 1) slope.store(to.k + i);
                else
                    simd::fma(slope, F::derivative(V::load(p.z[l - 1] + i)), V::load(dz[l - 1] + i))
                        .store(dz[l - 1] + i);
            }
        }
        if (f.residual) add<W>(all, doff, to.k);
    }
};
} // namespace detail

/// From the memories that the tokens met and the gradient `dout` of what was read. `dmemory` and `dspeed` are
/// the gradients of what was left, and become those of what was met; the gradient of `c.first` is added to
/// `dfirst`. F has `second`, the second derivative, as well.
template <int W, class F, class T>
INLAY_NOINLINE inline void memory_chunk_backward(MemoryChunk<T> const& c, T const* memory, T const* speed,
                                                 T const* dout, T* dfirst, T* dmemory, T* dspeed,
                                                 MemorySlopes<T> const& to, T* room) noexcept {
    detail::MemoryParts<W, F, T> p(c, room);
    MemoryForm const& f = c.form;
    int const n = c.tokens, L = f.layers;
    p.pass(memory, speed);
    detail::MemoryWayBack<W, F, T> back(p);
    T const* slope = dout;
    if (f.norm) {
        T* const read = p.rows(L);
        p.read(L, memory, speed, read);
        layer_norm_backward<W>(n, f.width[L], T(memory_norm_eps), read, c.weight, dout, back.dy, to.weight,
                               to.bias, f.row[L]);
        slope = back.dy;
    }
    for (int l = L; l >= 1; --l) {
        back.layer(l, p.layer(l, memory), speed ? p.layer(l, speed) : nullptr, slope, p.layer(l, dfirst),
                   p.layer(l, dmemory), speed ? p.layer(l, dspeed) : nullptr);
        std::ptrdiff_t const all = std::ptrdiff_t(n) * f.row[l - 1];
        if (l > 1) {
            zip<W>(all, back.dx, p.y[l - 1], back.dy, [](auto g, auto v) { return g * F::derivative(v); });
            slope = back.dy;
        } else if (f.residual) zip<W>(all, back.dx, dout, to.q, [](auto g, auto r) { return g + r; });
        else map<W>(all, back.dx, to.q, [](auto g) { return g; });
    }
    back.step(to.theta);
    back.learn(dfirst, to);
    memory_weights_backward<W>(n, c.alpha, c.eta, f.read == MemoryRead::pre, p.w, back.d, to.alpha, to.eta);
}

} // namespace kernels
} // namespace inlay::inline INLAY_ISA
