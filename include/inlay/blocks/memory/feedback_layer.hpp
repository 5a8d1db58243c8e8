// SPDX-License-Identifier: BSD-3-Clause
// What a layer of a transformer does to some rows, tokens or feedback memory, apart from which keys they see:
// projections before attention, and all that is behind it.
#pragma once

#include <inlay/blocks/attention/policies.hpp>
#include <inlay/blocks/attention/rope.hpp>
#include <inlay/blocks/dense.hpp>
#include <inlay/blocks/draw.hpp>
#include <inlay/blocks/norm.hpp>
#include <inlay/kernels/attention/lists.hpp>
#include <inlay/kernels/glu.hpp>

#include <array>

namespace inlay::inline INLAY_ISA {
namespace detail {

template <class I_, class R, class P> struct FeedbackLayer {
    using I = I_;
    using T = typename R::type;
    static constexpr int W = R::lanes, D = I::width, H = P::heads, K = P::kv_heads, group = H / K,
                         d = P::template head_dim<D>, hidden = P::template hidden<D>;
    using Norm = typename RmsNorm::Block<I, R>;
    template <int N, class From> using Linear = typename Dense<N, NoBias>::template Block<From, R>;
    using Q = Linear<H * d, I>;
    using Key = Linear<K * d, I>;
    using O = Linear<D, Shape<I::rows, H * d>>;
    using Up = Linear<hidden, I>;
    using Down = Linear<D, Shape<I::rows, hidden>>;
    using Turn = Rotation<R, typename P::Places, d>;
    using Lists = kernels::KeyList<T>;
    static constexpr int row = row_stride<R>(D), q_row = row_stride<R>(H * d), k_row = row_stride<R>(K * d),
                         wide = row_stride<R>(hidden), head_row = padded(d, W);
    static constexpr T eps = T(1e-6);

    struct Params {
        typename Norm::Params norm;
        typename Q::Params q;
        typename Key::Params k, v;
        typename O::Params o;
        typename Norm::Params ff_norm;
        typename Up::Params gate, up;
        typename Down::Params down;
    };
    static constexpr long long parameters =
        2 * D + Q::parameters + 2 * Key::parameters + O::parameters + 2 * Up::parameters + Down::parameters;
    static constexpr double flops = Q::flops + 2 * Key::flops + O::flops + 2 * Up::flops + Down::flops;
    template <class Ps, class F> static void visit(Ps& p, Path const& at, F&& f) {
        Path const attn{&at, "attn"}, ff{&at, "ff"};
        Norm::visit(p.norm, Path{&at, "norm"}, f);
        Q::visit(p.q, Path{&attn, "q"}, f), Key::visit(p.k, Path{&attn, "k"}, f);
        Key::visit(p.v, Path{&attn, "v"}, f), O::visit(p.o, Path{&attn, "o"}, f);
        Norm::visit(p.ff_norm, Path{&at, "ff_norm"}, f);
        Up::visit(p.gate, Path{&ff, "gate"}, f), Up::visit(p.up, Path{&ff, "up"}, f);
        Down::visit(p.down, Path{&ff, "down"}, f);
    }
    template <class Key_> static void initialize(Key_ key, int depth, Params& p) noexcept {
        double const last = depth > 0 ? 1 / std::sqrt(2.0 * depth) : 1;
        fill(p.norm.weight.ref(), 1), fill(p.ff_norm.weight.ref(), 1);
        draw_map(key.fold(0), 1, p.q), draw_map(key.fold(1), 1, p.k), draw_map(key.fold(2), 1, p.v);
        draw_map(key.fold(3), last, p.o), draw_map(key.fold(4), 1, p.gate), draw_map(key.fold(5), 1, p.up);
        draw_map(key.fold(6), last, p.down);
    }

    /// Rows on their way through the layer, or gradients of them. Heads lie behind each other.
    struct Work {
        int capacity;
        T *normed, *q, *k, *v, *heads, *read, *mixed, *sum, *ff, *gate, *up, *hidden;
        T* weights[2]; ///< of one head
        template <class F> constexpr void each(F f, int seen) {
            auto const n = std::size_t(capacity);
            f(normed, n * row), f(q, n * q_row), f(k, n * k_row), f(v, n * k_row);
            f(heads, n * H * head_row), f(read, n * H * head_row), f(mixed, n * q_row), f(sum, n * row);
            f(ff, n * row), f(gate, n * wide), f(up, n * wide), f(hidden, n * wide);
            f(weights[0], n * std::size_t(padded(P::feedback, W)));
            f(weights[1], n * std::size_t(padded(seen, W)));
        }
        HeadRows<T> head_rows(T* of) const noexcept { return {of, capacity * head_row, head_row}; }
    };
    static constexpr std::size_t bytes(int capacity, int seen) {
        std::size_t sum = Turn::scratch;
        Work w{};
        w.capacity = capacity;
        w.each([&](T*&, std::size_t n) { sum += lines(sizeof(T) * n); }, seen);
        return sum;
    }
    static Work take(Scratch& s, int capacity, int seen) noexcept {
        Work w{};
        w.capacity = capacity;
        w.each([&](T*& at, std::size_t n) noexcept { at = s.template take<T>(n); }, seen);
        return w;
    }

    /// Queries at places from `asking` on, into w; scaled.
    static void ask(int n, Params const& p, T const* x, std::int64_t asking, Work const& w,
                    Scratch s) noexcept {
        norm(n, p, x, w);
        Q::apply(n, p.q, w.normed, w.q);
        split_heads<W>(n, H, d, w.q, q_row, w.head_rows(w.heads));
        Turn::turn(asking, n, H, w.head_rows(w.heads), 0, HeadRows<T>{}, T(1), s);
        kernels::scale<W>(H * w.capacity * head_row, scale(), w.heads, w.heads);
    }
    /// Keys at places from `standing` on and values, into rows of heads; x is normed in w.
    static void answer(int n, Params const& p, std::int64_t standing, Work const& w, HeadRows<T> key,
                       HeadRows<T> value, Scratch s) noexcept {
        Key::apply(n, p.k, w.normed, w.k);
        Key::apply(n, p.v, w.normed, w.v);
        split_heads<W>(n, K, d, w.k, k_row, key), split_heads<W>(n, K, d, w.v, k_row, value);
        Turn::turn(standing, n, 0, HeadRows<T>{}, K, key, T(1), s);
    }
    /// Behind the heads: y = a + SwiGlu(RmsNorm(a)) with a = Wo heads + x, or without x where it is null.
    static void finish(int n, Params const& p, T const* x, Work const& w, T* y) noexcept {
        merge_heads<W>(n, H, d, w.head_rows(w.read), w.mixed, q_row);
        O::apply(n, p.o, w.mixed, w.sum);
        if (x) kernels::add<W>(std::ptrdiff_t(n) * row, x, w.sum);
        kernels::rms_norm<W>(n, D, eps, w.sum, p.ff_norm.weight[0], w.ff, row);
        Up::apply(n, p.gate, w.ff, w.gate), Up::apply(n, p.up, w.ff, w.up);
        kernels::swiglu<W>(std::ptrdiff_t(n) * wide, w.gate, w.up, w.hidden);
        if (!y) return;
        Down::apply(n, p.down, w.hidden, y);
        kernels::add<W>(std::ptrdiff_t(n) * row, w.sum, y);
    }
    /// dread of heads into d; adds to dx, where x was added.
    static void finish_backward(int n, Params const& p, Params& g, Work const& w, Work const& back,
                                T const* dy, T* dx) noexcept {
        Down::pull(n, p.down, w.hidden, dy, back.hidden, false, g.down);
        kernels::swiglu_backward<W>(std::ptrdiff_t(n) * wide, w.gate, w.up, back.hidden, back.gate, back.up);
        Up::pull(n, p.gate, w.ff, back.gate, back.ff, false, g.gate);
        Up::pull(n, p.up, w.ff, back.up, back.ff, true, g.up);
        kernels::rms_norm_backward<W>(n, D, eps, w.sum, p.ff_norm.weight[0], back.ff, back.sum,
                                      g.ff_norm.weight[0], row);
        kernels::add<W>(std::ptrdiff_t(n) * row, dy, back.sum);
        if (dx) kernels::add<W>(std::ptrdiff_t(n) * row, back.sum, dx);
        O::pull(n, p.o, w.mixed, back.sum, back.mixed, false, g.o);
        split_heads<W>(n, H, d, back.mixed, q_row, back.head_rows(back.read));
    }
    /// From gradients of queries in d to those of x, which are added to dx; x is normed in w.
    static void ask_backward(int n, Params const& p, Params& g, T const* x, std::int64_t asking,
                             Work const& w, Work const& back, T* dx, Scratch s) noexcept {
        kernels::scale<W>(H * back.capacity * head_row, scale(), back.heads, back.heads);
        Turn::turn(asking, n, H, back.head_rows(back.heads), 0, HeadRows<T>{}, T(-1), s);
        merge_heads<W>(n, H, d, back.head_rows(back.heads), back.q, q_row);
        Q::pull(n, p.q, w.normed, back.q, back.normed, false, g.q);
        norm_backward(n, p, g, x, back, dx);
    }
    /// From those of keys, which are turned back in place, and values.
    static void answer_backward(int n, Params const& p, Params& g, T const* x, std::int64_t standing,
                                Work const& w, Work const& back, HeadRows<T> dkey, HeadRows<T> dvalue, T* dx,
                                Scratch s) noexcept {
        Turn::turn(standing, n, 0, HeadRows<T>{}, K, dkey, T(-1), s);
        merge_heads<W>(n, K, d, dkey, back.k, k_row), merge_heads<W>(n, K, d, dvalue, back.v, k_row);
        Key::pull(n, p.k, w.normed, back.k, back.normed, false, g.k);
        Key::pull(n, p.v, w.normed, back.v, back.normed, true, g.v);
        norm_backward(n, p, g, x, back, dx);
    }
    static void norm(int n, Params const& p, T const* x, Work const& w) noexcept {
        kernels::rms_norm<W>(n, D, eps, x, p.norm.weight[0], w.normed, row);
    }

    /// Rows over their root mean square; on the way back, what weights would get goes to `of_ones`.
    static void norm_rows(int n, T const* x, T* y) noexcept {
        kernels::rms_norm<W>(n, D, eps, x, ones.data(), y, row);
    }
    static void norm_rows_backward(int n, T const* x, T const* dy, T* dx, T* of_ones) noexcept {
        kernels::rms_norm_backward<W>(n, D, eps, x, ones.data(), dy, dx, of_ones, row);
    }

    /// What n queries in w see: feedback memory, and so many keys of tokens, whose heads lie `apart`.
    struct Seen {
        HeadRows<T> fam_key, fam_value, key, value;
        int count, seen, grows;
        kernels::ListView view(int n) const noexcept { return {n, head_row, head_row, seen, grows}; }
        kernels::KeyList<T const> fam(int h) const noexcept {
            return {P::feedback, fam_key(h / group), fam_value(h / group)};
        }
        kernels::KeyList<T const> tokens(int h) const noexcept {
            return {count, key(h / group), value(h / group)};
        }
        Lists fam_slopes(int h) const noexcept {
            return {P::feedback, fam_key(h / group), fam_value(h / group)};
        }
        Lists token_slopes(int h) const noexcept { return {count, key(h / group), value(h / group)}; }
    };
    static void attend(int n, Seen const& seen, Work const& w) noexcept {
        for (int h = 0; h < H; ++h)
            kernels::attend_lists<W>(seen.view(n), static_cast<T const*>(w.head_rows(w.heads)(h)),
                                     seen.fam(h), seen.tokens(h), w.weights, w.head_rows(w.read)(h));
    }
    /// Weights are computed again; gradients of queries into d, those of keys and values are added to `to`.
    static void attend_backward(int n, Seen const& seen, Seen const& to, Work const& w,
                                Work const& back) noexcept {
        for (int h = 0; h < H; ++h) {
            T const* const q = w.head_rows(w.heads)(h);
            kernels::attend_lists<W>(seen.view(n), q, seen.fam(h), seen.tokens(h), w.weights,
                                     w.head_rows(w.read)(h));
            T const* const weights[] = {w.weights[0], w.weights[1]};
            kernels::attend_lists_backward<W>(seen.view(n), q, seen.fam(h), seen.tokens(h), weights,
                                              static_cast<T const*>(back.head_rows(back.read)(h)),
                                              back.head_rows(back.heads)(h), to.fam_slopes(h),
                                              to.token_slopes(h), back.weights);
        }
    }

private:
    alignas(64) static constexpr auto ones = [] {
        std::array<T, std::size_t(row)> weights{};
        for (std::size_t i = 0; i < std::size_t(D); ++i) weights[i] = 1;
        return weights;
    }();
    static void norm_backward(int n, Params const& p, Params& g, T const* x, Work const& back,
                              T* dx) noexcept {
        kernels::rms_norm_backward<W>(n, D, eps, x, p.norm.weight[0], back.normed, back.sum, g.norm.weight[0],
                                      row);
        kernels::add<W>(std::ptrdiff_t(n) * row, back.sum, dx);
    }
    static T scale() noexcept { return T(1 / std::sqrt(double(d))); }
};

} // namespace detail
} // namespace inlay::inline INLAY_ISA
