// SPDX-License-Identifier: BSD-3-Clause
// Embed from two small tables instead of a large one.
#pragma once

#include <inlay/blocks/embed/ids.hpp>
#include <inlay/core/policy.hpp>
#include <inlay/kernels/hadamard.hpp>

namespace inlay::inline INLAY_ISA {

namespace detail {
template <class Spec_, int M, int D, class I, class R> struct QuotientBlock;
} // namespace detail

/// Policy of Embed over tokens: the row of id i is the product, element by element, of row i mod M of a table
/// `remainder [M, D]` and row i / M of `quotient [V / M, D]` (arXiv 1909.02107): V ids in M + V / M rows, no
/// two of them alike. The first is drawn from N(0, 0.05^2), the second around 1.
template <int M> struct QuotientRemainder {
    using Must = detail::Must<(M > 0), a_positive_number>;
    using PolicyKind = struct TableForm;
    template <class Spec, int D, class I, class R> using Block = detail::QuotientBlock<Spec, M, D, I, R>;
};

namespace detail {
template <class Spec_, int M, int D, int L, int V, class R>
struct QuotientBlock<Spec_, M, D, Tokens<L, V>, R> : BlockDefaults {
    using Spec = Spec_;
    using T = typename R::type;
    using I = Tokens<L, V>;
    using Output = Shape<L, D>;
    static constexpr int W = R::lanes, Q = (V + M - 1) / M;
    static constexpr bool streams = true;
    static constexpr long long parameters = (1LL * M + Q) * D;
    static constexpr double flops = 1.0 * L * D;
    struct Params {
        TableOf<R, M, D> remainder;
        TableOf<R, Q, D> quotient;
    };
    template <int B> struct Grads {
        TableGrads<R, M, D, B * L> remainder;
        TableGrads<R, Q, D, B * L> quotient;
    };
    static constexpr std::size_t scratch(int) { return lines(sizeof(T) * std::size_t(D)); }

    template <class P, class F> static void visit(P& p, Path const& at, F&& f) {
        f(Tag<Spec>{}, Path{&at, "remainder"}, Kind::table, p.remainder.ref());
        f(Tag<Spec>{}, Path{&at, "quotient"}, Kind::table, p.quotient.ref());
    }
    template <class C> static void initialize(C const& c, Params& p) noexcept {
        draw_table(c.key.fold(0), p.remainder.ref());
        draw_table(c.key.fold(1), p.quotient.ref());
        for (auto& x : p.quotient.data) x += T(1);
    }
    template <class C, class Tp>
    static void forward(C const& c, Params const& p, In<I, R> x, Out<Output, R> y, Tp&, Scratch) noexcept {
        inference_only<R, Tp>();
        for (int b = 0; b < c.rows; ++b)
            for (int t = 0; t < L; ++t)
                if (t < x.length(b)) look_up(p, x(b)[t], y(b, t));
                else kernels::clear(y(b, t), y.stride);
    }
    template <class C>
    static void step(C const&, Params const& p, State&, std::int32_t const* x, T* y, Scratch) noexcept {
        look_up(p, *x, y);
    }
    template <class C, class Tp, class G>
    static void backward(C const& c, Params const& p, In<I, R> x, Tp const&, In<Output, R> dy, NoGrad, G& g,
                         Scratch s) noexcept {
        T* const d = s.template take<T>(std::size_t(D));
        for (int b = 0; b < c.rows; ++b)
            for (int t = 0, n = x.length(b); t < n; ++t) {
                std::int32_t const id = x(b)[t];
                auto const times = [&](T const* row) noexcept {
                    for (int i = 0; i < D; ++i) d[i] = dy(b, t)[i] * row[i];
                    return d;
                };
                g.remainder.put(b * L + t, id % M, times(p.quotient[id / M]), T(1));
                g.quotient.put(b * L + t, id / M, times(p.remainder[id % M]), T(1));
            }
    }

private:
    static void look_up(Params const& p, std::int32_t id, T* y) noexcept {
        read_row(p.remainder, id % M, y);
        multiply_row(p.quotient, id / M, y);
        kernels::clear_pads(y, D, row_stride<R>(D));
    }
};
} // namespace detail

} // namespace inlay::inline INLAY_ISA
