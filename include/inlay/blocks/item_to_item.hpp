// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <inlay/blocks/dense.hpp>

namespace inlay::inline INLAY_ISA {

/// y_i = sum over j != i of weight_ij x_j: what the other items say of each, never an item of itself, so that
/// a history scores what it lacks (SLIM, EASE, arXiv 1905.03375).
///
/// Shapes: `Shape<N>` or `Shape<T, N>`, kept. Parameters: `weight [N, N]`, zeros at first, its diagonal read
/// as zero; `Ease::write_to` fills it. Cost: 2 N^2 flops. No state, no tape. Backward: dx_j = sum over i != j
/// of weight_ij dy_i, dweight_ij += dy_i x_j, 0 on the diagonal. PyTorch: `F.linear(x, weight -
/// weight.diag().diag())`. Error: what is not numbers.
struct ItemToItem {
    using Wanted = a_vector_or_a_sequence;
    template <int... N> static Tag<Shape<N...>> out(Tag<Shape<N...>>);

    template <class I, class R> struct Block : BlockDefaults {
        using Spec = ItemToItem;
        using T = typename R::type;
        using Output = I;
        static constexpr int N = I::width, stride = In<I, R>::stride;
        using Map = typename Dense<N, NoBias>::template Block<I, Real<T, R::lanes>>;
        static constexpr bool streams = true;
        static constexpr long long parameters = 1LL * N * N;
        static constexpr double flops = 2.0 * I::rows * N * N;
        using Params = typename Map::Params;
        template <int> using Grads = Params;
        static constexpr std::size_t scratch(int) { return detail::lines(std::size_t(N) * sizeof(T)); }

        template <class P, class F> static void visit(P& p, Path const& at, F&& f) {
            f(Tag<ItemToItem>{}, Path{&at, "weight"}, Kind::matrix, p.weight.ref());
        }
        template <class C> static void initialize(C const&, Params& p) noexcept {
            auto const w = p.weight.ref();
            for (int i = 0; i < N; ++i)
                for (int j = 0; j < N; ++j) w(i, j) = T(0);
        }
        template <class C, class Tp>
        static void forward(C const& c, Params const& p, In<I, R> x, Out<I, R> y, Tp&, Scratch) noexcept {
            apply(c.rows * I::rows, p, x.data, y.data);
        }
        template <class C>
        static void step(C const&, Params const& p, State&, T const* x, T* y, Scratch) noexcept {
            apply(1, p, x, y);
        }
        template <class C, class Tp, class DX, class G>
        static void backward(C const& c, Params const& p, In<I, R> x, Tp const&, In<I, R> dy, DX dx, G& g,
                             Scratch s) noexcept {
            int const m = c.rows * I::rows;
            T* const own = s.template take<T>(std::size_t(N));
            auto const dw = g.weight.ref();
            for (int i = 0; i < N; ++i) own[i] = dw(i, i);
            T* to = nullptr;
            if constexpr (wants_grad<DX>) to = dx.data;
            Map::pull(m, p, x.data, dy.data, to, false, g);
            for (int i = 0; i < N; ++i) dw(i, i) = own[i];
            if (to) leave_out(m, p, dy.data, to);
        }

    private:
        static void apply(int m, Params const& p, T const* x, T* y) noexcept {
            Map::apply(m, p, x, y);
            leave_out(m, p, x, y);
        }
        static void leave_out(int m, Params const& p, T const* x, T* y) noexcept {
            auto const w = p.weight.ref();
            for (int r = 0; r < m; ++r, x += stride, y += stride)
                for (int i = 0; i < N; ++i) y[i] -= w(i, i) * x[i];
        }
    };
};

} // namespace inlay::inline INLAY_ISA
