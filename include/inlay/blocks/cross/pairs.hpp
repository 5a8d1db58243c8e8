// SPDX-License-Identifier: BSD-3-Clause
// A number for each pair of fields, without parameters.
#pragma once

#include <inlay/blocks/cross/sums.hpp>
#include <inlay/kernels/gemm.hpp>
#include <inlay/kernels/hadamard.hpp>

namespace inlay::inline INLAY_ISA {

/// <v_i, v_i> as well.
struct Diagonal {};
/// Words of a misfit.
struct a_part_for_each_other;

namespace detail {
/// The rows of a sequence, those past its length as zeros.
template <class I, class R>
typename R::type const* whole_rows(In<I, R> x, int b, typename R::type* room) noexcept {
    int const n = x.length(b);
    if (n == I::rows) return x(b);
    std::copy_n(x(b), std::ptrdiff_t(n) * x.stride, room);
    kernels::clear(room + std::ptrdiff_t(n) * x.stride, std::ptrdiff_t(I::rows - n) * x.stride);
    return room;
}

template <class Spec_, class... P> struct DotForm {
    using Wanted = a_row_for_each_field;
    using Allowed = PolicyKinds<CrossForm, Diagonal>;
    template <class I> using Problem = PolicyProblem<Spec_, I, Allowed, P...>;
    static constexpr int own = has_policy<Diagonal, P...>;
    template <int F, int D>
        requires(F + own > 1)
    static Tag<Shape<F*(F - 1 + 2 * own) / 2>> out(Tag<Shape<F, D>>);

    template <class I, class R> struct Block : BlockDefaults {
        using Spec = Spec_;
        using T = typename R::type;
        static constexpr int W = R::lanes, F = I::rows, stride = In<I, R>::stride, row = padded(F, W),
                             width = padded(I::width, W);
        using Output = Shape<F*(F - 1 + 2 * own) / 2>;
        static constexpr double flops = 2.0 * Output::width * I::width;
        static constexpr std::size_t scratch(int) {
            return lines(sizeof(T) * std::size_t(F) * row) + lines(sizeof(T) * std::size_t(F) * stride);
        }

        template <class C, class Tp>
        static void forward(C const& c, Params const&, In<I, R> x, Out<Output, R> y, Tp&,
                            Scratch s) noexcept {
            T* const all = s.take<T>(std::size_t(F) * row);
            T* const room = s.take<T>(std::size_t(F) * stride);
            for (int b = 0; b < c.rows; ++b) {
                T const* const v = whole_rows<I, R>(x, b, room);
                kernels::gemm_nt<W>(F, F, row, width, v, stride, v, stride, all, row, false);
                T* to = y(b);
                for (int i = 0; i < F; ++i) to = std::copy_n(all + i * row, i + own, to);
                kernels::clear_pads(y(b), Output::width, y.stride);
            }
        }
        template <class C, class Tp, class DX, class G>
        static void backward(C const& c, Params const&, In<I, R> x, Tp const&, In<Output, R> dy, DX dx, G&,
                             Scratch s) noexcept {
            if constexpr (wants_grad<DX>) {
                T* const all = s.take<T>(std::size_t(F) * row); // symmetric
                T* const room = s.take<T>(std::size_t(F) * stride);
                for (int b = 0; b < c.rows; ++b) {
                    T const* from = dy(b);
                    for (int i = 0; i < F; ++i) {
                        for (int j = 0; j < i; ++j) all[i * row + j] = all[j * row + i] = *from++;
                        all[i * row + i] = own ? 2 * *from++ : T(0);
                    }
                    T const* const v = whole_rows<I, R>(x, b, room);
                    kernels::gemm<W>(F, width, F, all, row, 1, v, stride, dx(b), stride, false);
                    if constexpr (stride > width)
                        for (int i = 0; i < F; ++i) kernels::clear_pads(dx(b, i), width, stride);
                    clear_rows_from(dx, b, x.length(b));
                }
            }
        }
    };
};

template <class Spec_, class... P> struct FfmForm {
    using Wanted = a_part_for_each_other;
    using Allowed = PolicyKinds<CrossForm>;
    template <class I> using Problem = PolicyProblem<Spec_, I, Allowed, P...>;
    template <int F, int D>
        requires(F > 1 && D % (F > 1 ? F - 1 : 1) == 0)
    static Tag<Shape<1>> out(Tag<Shape<F, D>>);

    template <class I, class R> struct Block : BlockDefaults {
        using Spec = Spec_;
        using T = typename R::type;
        static constexpr int W = R::lanes, F = I::rows, k = I::width / (F - 1);
        using Output = Shape<1>;
        static constexpr double flops = double(F) * (F - 1) * k;

        template <class C, class Tp>
        static void forward(C const& c, Params const&, In<I, R> x, Out<Output, R> y, Tp&, Scratch) noexcept {
            for (int b = 0; b < c.rows; ++b) {
                T sum(0);
                for (int i = 0, n = x.length(b); i < n; ++i)
                    for (int j = i + 1; j < n; ++j)
                        sum += kernels::dot<W>(k, x(b, i) + (j - 1) * k, x(b, j) + i * k);
                kernels::clear_pads(y(b), 1, y.stride);
                y(b)[0] = sum;
            }
        }
        template <class C, class Tp, class DX, class G>
        static void backward(C const& c, Params const&, In<I, R> x, Tp const&, In<Output, R> dy, DX dx, G&,
                             Scratch) noexcept {
            if constexpr (wants_grad<DX>)
                for (int b = 0; b < c.rows; ++b) {
                    kernels::clear(dx(b), std::ptrdiff_t(F) * DX::stride);
                    for (int i = 0, n = x.length(b); i < n; ++i)
                        for (int j = i + 1; j < n; ++j) {
                            int const at_i = (j - 1) * k, at_j = i * k;
                            kernels::scale<W>(k, dy(b)[0], x(b, j) + at_j, dx(b, i) + at_i);
                            kernels::scale<W>(k, dy(b)[0], x(b, i) + at_i, dx(b, j) + at_j);
                        }
                }
        }
    };
};

} // namespace detail

/// Cross<Dot>: <v_i, v_j> for all pairs of fields, in the order (1, 0), (2, 0), (2, 1), ... (DLRM, arXiv
/// 1906.00091; IPNN): `Shape<F, D>` to `Shape<F (F - 1) / 2>`; with `Diagonal` also the <v_i, v_i>, to
/// `Shape<F (F + 1) / 2>`. Fields past the true length are zeros. No parameters. Cost: F^2 D flops. Backward:
/// dV = S V with S symmetric. PyTorch: `(v @ v.mT)[:, i, j]` with `i, j = torch.tril_indices(F, F, -1)`.
struct Dot {
    using PolicyKind = CrossForm;
    template <class Spec, class... P> using Form = detail::DotForm<Spec, P...>;
};
/// Cross<Ffm>: the second order of a field-aware factorization machine (Juan et al. 2016), y = sum over i < j
/// of <v_ij, v_ji>: row i holds, for every other field j in order, a vector v_ij. `Embed<(F - 1) * k>` over a
/// record gives such rows: `Shape<F, (F - 1) k>` to `Shape<1>`. No parameters. Cost: F^2 k flops.
struct Ffm {
    using PolicyKind = CrossForm;
    template <class Spec, class... P> using Form = detail::FfmForm<Spec, P...>;
};
} // namespace inlay::inline INLAY_ISA
