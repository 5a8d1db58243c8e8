// SPDX-License-Identifier: BSD-3-Clause
// Sums over all pairs of fields, or all sets of a few, in linear time: factorization machines.
#pragma once

#include <inlay/blocks/cross/policies.hpp>
#include <inlay/core/block.hpp>
#include <inlay/kernels/field_sums.hpp>

namespace inlay::inline INLAY_ISA {

/// Words of a misfit.
struct a_row_for_each_field;

namespace detail {
/// e_2 ... e_N of the rows of [F, D].
template <class Spec_, int N, class... P> struct SymmetricForm {
    using Wanted = a_row_for_each_field;
    using Allowed = PolicyKinds<CrossForm>;
    template <class I> using Problem = PolicyProblem<Spec_, I, Allowed, P...>;
    template <int F, int D> static Tag<Shape<N - 1, D>> out(Tag<Shape<F, D>>);

    template <class I, class R> struct Block : BlockDefaults {
        using Spec = Spec_;
        using T = typename R::type;
        using Output = Shape<N - 1, I::width>;
        static constexpr int W = R::lanes, stride = In<I, R>::stride;
        static constexpr double flops = 2.0 * (N - 1) * I::rows * I::width;

        static Lengths lengths(In<I, R>) noexcept { return {}; }
        template <class C, class Tp>
        static void forward(C const& c, Params const&, In<I, R> x, Out<Output, R> y, Tp&, Scratch) noexcept {
            for (int b = 0; b < c.rows; ++b)
                kernels::symmetric_sums<W, N>(x.length(b), stride, x(b), stride, y(b), stride);
        }
        template <class C, class Tp, class DX, class G>
        static void backward(C const& c, Params const&, In<I, R> x, Tp const&, In<Output, R> dy, DX dx, G&,
                             Scratch) noexcept {
            if constexpr (wants_grad<DX>)
                for (int b = 0; b < c.rows; ++b) {
                    kernels::symmetric_slopes<W, N>(x.length(b), stride, x(b), stride, dy(b), stride, dx(b));
                    clear_rows_from(dx, b, x.length(b));
                }
        }
    };
};

/// e_2 of the rows as one vector, or its sum.
template <class Spec_, bool Summed, class... P> struct PairSumForm {
    using Wanted = a_row_for_each_field;
    using Allowed = PolicyKinds<CrossForm>;
    template <class I> using Problem = PolicyProblem<Spec_, I, Allowed, P...>;
    template <int F, int D> static Tag<Shape<Summed ? 1 : D>> out(Tag<Shape<F, D>>);

    template <class I, class R> struct Block : BlockDefaults {
        using Spec = Spec_;
        using T = typename R::type;
        using Output = Shape<Summed ? 1 : I::width>;
        static constexpr int W = R::lanes, stride = In<I, R>::stride;
        static constexpr double flops = (2.0 * I::rows + Summed) * I::width;
        static constexpr std::size_t scratch(int) { return lines(sizeof(T) * std::size_t(stride)); }

        template <class C, class Tp>
        static void forward(C const& c, Params const&, In<I, R> x, Out<Output, R> y, Tp&,
                            Scratch s) noexcept {
            T* const sums = s.take<T>(std::size_t(stride));
            for (int b = 0; b < c.rows; ++b) {
                T* const to = Summed ? sums : y(b);
                kernels::symmetric_sums<W, 2>(x.length(b), stride, x(b), stride, to, stride);
                if constexpr (Summed) {
                    simd::vec<T, W> all(T(0));
                    for (int i = 0; i < stride; i += W) all += simd::vec<T, W>::load(sums + i);
                    y(b)[0] = simd::sum(all);
                    kernels::clear_pads(y(b), 1, y.stride);
                }
            }
        }
        template <class C, class Tp, class DX, class G>
        static void backward(C const& c, Params const&, In<I, R> x, Tp const&, In<Output, R> dy, DX dx, G&,
                             Scratch s) noexcept {
            if constexpr (wants_grad<DX>) {
                T* const slopes = s.take<T>(std::size_t(stride));
                for (int b = 0; b < c.rows; ++b) {
                    if constexpr (Summed) std::fill_n(slopes, stride, dy(b)[0]);
                    kernels::symmetric_slopes<W, 2>(x.length(b), stride, x(b), stride,
                                                    Summed ? slopes : dy(b), stride, dx(b));
                    if constexpr (Summed)
                        for (int t = 0; t < x.length(b); ++t) kernels::clear_pads(dx(b, t), I::width, stride);
                    clear_rows_from(dx, b, x.length(b));
                }
            }
        }
    };
};
} // namespace detail

/// Cross<Fm>: the second order of a factorization machine (Rendle 2010), y = sum over i < j of <v_i, v_j>,
/// for fields v_i, such as Embed gives: `Shape<F, D>` to `Shape<1>`. Fields past the true length are zeros.
/// No parameters. Cost: 2 F D flops, summed so that nothing cancels. Backward: dv_i = dy (sum of the others).
/// Linear weights and bias are those of `Cross<Hashed<N>, Each>`. PyTorch: `((v.sum(1)**2 -
/// (v**2).sum(1)) / 2).sum(1)`. Error: a vector, ids or a record.
struct Fm {
    using PolicyKind = CrossForm;
    template <class Spec, class... P> using Form = detail::PairSumForm<Spec, true, P...>;
};
/// Cross<BiInteraction>: the same, not summed over the width (NFM, arXiv 1708.05027): sum over i < j of v_i
/// v_j, `Shape<F, D>` to `Shape<D>`.
struct BiInteraction {
    using PolicyKind = CrossForm;
    template <class Spec, class... P> using Form = detail::PairSumForm<Spec, false, P...>;
};
/// Cross<PowerSums<N>>: rows e_2 ... e_N, e_k the sum over all sets of k fields of their product (HOFM, arXiv
/// 1607.07195): `Shape<F, D>` to `Shape<N - 1, D>`. Cost: 2 (N - 1) F D flops.
template <int N> struct PowerSums {
    using Must = detail::Must<(N > 1), struct an_order_above_1>;
    using PolicyKind = CrossForm;
    template <class Spec, class... P> using Form = detail::SymmetricForm<Spec, N, P...>;
};

} // namespace inlay::inline INLAY_ISA
