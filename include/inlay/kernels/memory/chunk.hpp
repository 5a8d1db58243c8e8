// SPDX-License-Identifier: BSD-3-Clause
// One head of a memory that learns while it reads (arXiv 2501.00663), over some tokens of one chunk. The
// memory M(.) is a product with a matrix, or several with a function between them, and
//
//     S_t = eta_t S_(t-1) - theta_t grad l(M_c; k_t, v_t),  M_t = (1 - alpha_t) M_(t-1) + S_t,  o_t =
//     M_t(q_t)
//
// where l = c / 2 |M(k) - v|^2 and M_c is the memory at the chunk's start. A gradient is an outer product in
// each layer, a^T u, so all is products of matrices: what tokens add, u, comes from M_c alone, and layers are
// read as linear attention with the weights of memory_weights.hpp.
#pragma once

#include <inlay/kernels/memory/norm.hpp>
#include <inlay/kernels/memory/token.hpp>
#include <inlay/kernels/memory/weights.hpp>

namespace inlay::inline INLAY_ISA {
namespace kernels {

/// Numbers of temporaries for at most `tokens`.
template <int W> constexpr std::size_t memory_chunk_room(int tokens, MemoryForm const& f, bool backward) {
    std::size_t const n = std::size_t(tokens), row = std::size_t(whole<W>(tokens)),
                      wide = std::size_t(f.widest()), layers = std::size_t(f.layers);
    std::size_t const forward = memory_weights_room<W>(tokens) + row * wide + n * row + 2 * n * wide +
                                9 * layers * n * wide + 2 * row + (n + 2) * wide;
    return forward + (backward ? 2 * n * row + 4 * row + (3 * layers + 5) * n * wide : 0);
}

namespace detail {
/// Rows of two matrices: those of x times a_t, and times b_t.
template <int W, class T>
inline void scale_rows(int n, int row, T const* x, T const* a, T* ax, T const* b, T* bx) noexcept {
    using V = simd::vec<T, W>;
    for (int t = 0; t < n; ++t) {
        V const of_a(a[t]), of_b(b[t]);
        for (std::ptrdiff_t at = std::ptrdiff_t(t) * row, end = at + row; at < end; at += W) {
            V const v = V::load(x + at);
            (of_a * v).store(ax + at), (of_b * v).store(bx + at);
        }
    }
}

/// What a product's sums become: x + of_old old + of_other other, matrices that lie alike; `other` may be
/// null.
template <class T> struct Fading {
    T const *old, *other;
    T of_old, of_other;
    std::ptrdiff_t row;

    Fading from(std::ptrdiff_t r, std::ptrdiff_t column) const noexcept {
        Fading at = *this;
        at.old += r * row + column;
        if (other) at.other += r * row + column;
        return at;
    }
    INLAY_INLINE void next() noexcept {
        old += row;
        if (other) other += row;
    }
    template <class V> INLAY_INLINE V operator()(V x, std::ptrdiff_t column) const noexcept {
        if (other) x = simd::fma(V(of_other), V::load(other + column), x);
        return simd::fma(V(of_old), V::load(old + column), x);
    }
};

/// What both directions need of the tokens, their chunk's memory, and the state that they meet.
template <int W, class F, class T> struct MemoryParts {
    using V = simd::vec<T, W>;
    static constexpr std::size_t places = std::size_t(most_memory_layers) + 1;
    MemoryChunk<T> const& c;
    MemoryForm const& f;
    int const n, row, L;
    T* next;
    MemoryWeights<T> w{};
    T *turned, *scores, *reach, *damp;
    T *at_past, *at_speed; ///< of `fade`
    T const* a[places]{};  ///< what layer l + 1 gets of the keys
    T const* x[places]{};  ///< and of the queries
    T* z[places]{};        ///< what layer l gives of the keys, before the function
    T* y[places]{};        ///< and of the queries
    T* error[places]{};    ///< the gradient of l in z
    T* back[places]{};     ///< the same before the function's slope
    T* push[places]{};     ///< u: error times -theta
    T* in_end[places]{};   ///< what of u is in M behind the last token
    T* in_speed[places]{}; ///< and in S
    T* off = nullptr;      ///< M(k) - v, where there is a norm

    MemoryParts(MemoryChunk<T> const& chunk, T* room) noexcept
        : c(chunk), f(chunk.form), n(chunk.tokens), row(whole<W>(chunk.tokens)), L(chunk.form.layers),
          next(room) {
        w.kept = take(n * row), w.worth = take(n * row);
        w.past = take(row), w.speed = take(row);
        w.end_worth = take(row), w.end_speed = take(row);
        turned = take(row * f.widest());
        scores = take(n * row);
        at_past = take(n * f.widest()), at_speed = take(n * f.widest());
        reach = take(row), damp = take(row);
        memory_weights<W>(n, c.alpha, c.eta, f.read == MemoryRead::pre, w);
        learn();
        x[0] = c.q;
    }
    T* take(int numbers) noexcept {
        T* const here = next;
        next += numbers;
        return here;
    }
    T* rows(int l) noexcept { return take(n * f.row[l]); }
    template <class P> P* layer(int l, P* memory) const noexcept { return memory + f.numbers(l - 1); }

    /// Layer l over the queries, into `to`.
    void read(int l, T const* memory, T const* speed, T* to) const noexcept {
        int const in = f.row[l - 1], out = f.row[l], width = f.width[l - 1];
        if (f.read == MemoryRead::previous_chunk)
            return gemm<W>(n, out, width, x[l - 1], in, 1, layer(l, c.first), out, to, out, false);
        overlap(l, scores);
        weigh(scores);
        triangle_to_later<W>(n, out, scores, row, push[l], out, to, out, false);
        fade(l);
        gemm<W>(n, out, width, at_past, in, 1, layer(l, memory), out, to, out, true);
        if (speed) gemm<W>(n, out, width, at_speed, in, 1, layer(l, speed), out, to, out, true);
    }
    /// What layer l gets of the queries, as M and S at the start count for them.
    void fade(int l) const noexcept {
        scale_rows<W>(n, f.row[l - 1], x[l - 1], w.past, at_past, w.speed, at_speed);
    }
    /// Layers below the last, and what the last one gets.
    void pass(T const* memory, T const* speed) noexcept {
        for (int l = 1; l < L; ++l) {
            T* const into = rows(l);
            y[l] = rows(l);
            read(l, memory, speed, y[l]);
            activate(l, y[l], into);
            x[l] = into;
        }
    }
    /// m(t, j) = x_t a_j of layer l, in whole bands.
    void overlap(int l, T* m) const noexcept {
        int const in = f.row[l - 1];
        transpose_rows<W>(n, in, x[l - 1], in, turned, row);
        band_products<W>(n, f.width[l - 1], a[l - 1], in, turned, row, m, row);
    }
    /// Times worth, whose zeros clear what lies above a band's diagonal.
    void weigh(T* m) const noexcept {
        for (int j = 0; j < n; ++j)
            for (int t = j / band * band; t < row; t += W)
                (V::load(m + j * row + t) * V::load(w.worth + j * row + t)).store(m + j * row + t);
    }
    void activate(int l, T const* from, T* to) const noexcept {
        map<W>(std::ptrdiff_t(n) * f.row[l], from, to, [](auto v) { return F::value(v); });
    }

    /// What layer L gives, behind the norm.
    void normed(T const* from, T* to) const noexcept {
        layer_norm<W>(n, f.width[L], T(memory_norm_eps), from, c.weight, c.bias, to, f.row[L]);
    }

private:
    void learn() noexcept {
        V const c_l(T(f.loss_scale));
        a[0] = c.k;
        for (int l = 1; l <= L; ++l) {
            int const in = f.row[l - 1], out = f.row[l];
            z[l] = rows(l), error[l] = rows(l), push[l] = rows(l);
            in_end[l] = rows(l), in_speed[l] = rows(l);
            T* const to = l < L || f.norm ? z[l] : error[l];
            gemm<W>(n, out, f.width[l - 1], a[l - 1], in, 1, layer(l, c.first), out, to, out, false);
            if (l == L) break;
            T* const into = rows(l);
            activate(l, z[l], into);
            a[l] = into;
        }
        T* const missed = f.norm ? (off = rows(L)) : error[L];
        if (f.norm) normed(z[L], missed);
        for (std::ptrdiff_t i = 0, all = std::ptrdiff_t(n) * f.row[L]; i < all; i += W) {
            V e = V::load(missed + i) - V::load(c.v + i);
            if (f.residual) e += V::load(c.k + i);
            (f.norm ? e : c_l * e).store(missed + i);
        }
        if (f.norm) {
            T* const unused = take(2 * f.row[L]);
            clear(unused, 2 * f.row[L]);
            layer_norm_backward<W>(n, f.width[L], T(memory_norm_eps), z[L], c.weight, off, error[L], unused,
                                   unused + f.row[L], f.row[L]);
            map<W>(std::ptrdiff_t(n) * f.row[L], error[L], error[L], [=](auto e) { return c_l * e; });
        }
        for (int l = L - 1; l >= 1; --l) {
            int const in = f.row[l + 1], out = f.row[l];
            back[l] = rows(l);
            gemm_nt<W>(n, f.width[l], out, in, error[l + 1], in, layer(l + 1, c.first), in, back[l], out,
                       false);
            zip<W>(std::ptrdiff_t(n) * out, back[l], z[l], error[l],
                   [](auto b, auto v) { return b * F::derivative(v); });
        }
        for (int t = 0; t < n; ++t) {
            damp[t] = T(1);
            if (f.limit > 0) {
                T square(0);
                for (int l = 1; l <= L; ++l) square += norm(l - 1, a[l - 1], t) * norm(l, error[l], t);
                damp[t] = 1 / std::sqrt(1 + square / T(f.limit * f.limit));
            }
            reach[t] = -c.theta[t] * damp[t];
        }
        for (int l = 1; l <= L; ++l)
            for (int t = 0; t < n; ++t) {
                V const here(reach[t]), end(w.end_worth[t]), speed(w.end_speed[t]);
                for (std::ptrdiff_t at = std::ptrdiff_t(t) * f.row[l], next_row = at + f.row[l];
                     at < next_row; at += W) {
                    V const u = here * V::load(error[l] + at);
                    u.store(push[l] + at), (end * u).store(in_end[l] + at),
                        (speed * u).store(in_speed[l] + at);
                }
            }
    }

public:
    /// |rows of x|^2 of token t, as wide as layer l.
    T norm(int l, T const* of, int t) const noexcept {
        return dot<W>(f.row[l], of + t * f.row[l], of + t * f.row[l]);
    }
};
} // namespace detail

/// Reads and learns all tokens; `memory` and `speed` (M and S, null for a memory without momentum) move
/// behind the last. `c.first` may be `memory`. F has `value` and `derivative`.
template <int W, class F, class T>
INLAY_NOINLINE inline void memory_chunk(MemoryChunk<T> const& c, T* memory, T* speed, T* o,
                                        T* room) noexcept {
    MemoryForm const& f = c.form;
    if (c.tokens == 1 && f.layers == 1 && !f.norm) return memory_token<W>(c, memory, speed, o, room);
    detail::MemoryParts<W, F, T> p(c, room);
    int const n = c.tokens, L = f.layers;
    p.pass(memory, speed);
    p.read(L, memory, speed, o);
    if (f.norm) p.normed(o, o);
    if (f.residual) add<W>(std::ptrdiff_t(n) * f.row[L], c.q, o);
    for (int l = 1; l <= L; ++l) {
        int const in = f.row[l - 1], out = f.row[l];
        auto const put = [&](T const* added, T* to, T keep, T const* other, T of_other) noexcept {
            gemm<W>(f.width[l - 1], out, Product<T>{n, p.a[l - 1], 1, in, added, out, to, out, {}},
                    detail::Fading<T>{to, other, keep, of_other, out});
        };
        T *const m = p.layer(l, memory), *const s = speed ? p.layer(l, speed) : nullptr;
        put(p.in_end[l], m, p.w.end_past, s, p.w.end_push);
        if (s) put(p.in_speed[l], s, p.w.end_keep, nullptr, T(0));
    }
}

} // namespace kernels
} // namespace inlay::inline INLAY_ISA
