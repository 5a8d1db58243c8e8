// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <inlay/blocks/stored.hpp>
#include <inlay/core/policy.hpp>
#include <inlay/kernels/gemm.hpp>

namespace inlay::inline INLAY_ISA {

/// Leaves the bias out.
struct NoBias {};

/// The linear map y = W x + b, token by token.
///
/// Shapes: `Shape<D>` to `Shape<O>`, `Shape<T, D>` to `Shape<T, O>`. Parameters: `weight [O, D]`, `bias [O]`
/// (none with NoBias), both drawn from U(-1/sqrt(D), 1/sqrt(D)). Cost 2 O D flops a token; backward twice
/// that. No state. Backward: dx = W^T dy, dW += dy x^T, db += dy. PyTorch: `nn.Linear(D, O)`. Error: ids or a
/// record as input.
template <int O, class... Policies> struct Dense {
    using Must = detail::Must<(O > 0), a_positive_width>;
    using Wanted = a_vector_or_a_sequence;
    using Allowed = PolicyKinds<NoBias>;
    template <class I> using Problem = detail::PolicyProblem<Dense, I, Allowed, Policies...>;
    static constexpr bool has_bias = !detail::has_policy<NoBias, Policies...>;

    template <int... N> static Tag<typename detail::WithWidth<Shape<N...>, O>::type> out(Tag<Shape<N...>>);

    template <class I, class R> struct Block : BlockDefaults {
        using Spec = Dense;
        using T = typename R::type;
        using Output = typename decltype(Dense::out(Tag<I>{}))::type;
        static constexpr int D = I::width, W = R::lanes;
        static constexpr bool streams = true;
        static constexpr long long parameters = 1LL * O * D + (has_bias ? O : 0);
        static constexpr double flops = 2.0 * O * D * I::rows;
        // Whole vectors of outputs where there are enough of them, dot products where there are few.
        static constexpr Layout layout = O >= W ? Layout::transposed : Layout::padded;

        struct NoVector {};
        using Bias = std::conditional_t<has_bias, Tensor<R, 1, O>, NoVector>;
        struct Params {
            Tensor<R, O, D, layout> weight;
            INLAY_EMPTY Bias bias;
        };
        template <int> using Grads = Params;

        template <class P, class F> static void visit(P& p, Path const& at, F&& f) {
            f(Tag<Dense>{}, Path{&at, "weight"}, Kind::matrix, p.weight.ref());
            if constexpr (has_bias) f(Tag<Dense>{}, Path{&at, "bias"}, Kind::vector, p.bias.ref());
        }
        template <class C> static void initialize(C const& c, Params& p) noexcept {
            double const bound = 1 / std::sqrt(double(D));
            auto const w = p.weight.ref();
            for (int o = 0; o < O; ++o)
                for (int i = 0; i < D; ++i)
                    w(o, i) = T(bound * (2 * c.key.uniform(std::uint64_t(o) * D + std::uint64_t(i)) - 1));
            if constexpr (has_bias)
                for (int o = 0; o < O; ++o)
                    p.bias[0][o] = T(bound * (2 * c.key.uniform(std::uint64_t(o), 1) - 1));
        }

        template <class C, class Tp>
        static void forward(C const& c, Params const& p, In<I, R> x, Out<Output, R> y, Tp&,
                            Scratch) noexcept {
            apply(c.rows * I::rows, p, x.data, y.data, kernels::AsItIs{});
        }
        template <class C>
        static void step(C const&, Params const& p, State&, T const* x, T* y, Scratch) noexcept {
            apply(1, p, x, y, kernels::AsItIs{});
        }
        template <class C, class F>
        static void forward_then(C const& c, Params const& p, In<I, R> x, Out<Output, R> y, F f) noexcept {
            apply(c.rows * I::rows, p, x.data, y.data, f);
        }
        template <class F> static void step_then(Params const& p, T const* x, T* y, F f) noexcept {
            apply(1, p, x, y, f);
        }
        template <class C, class Tp, class DX, class G>
        static void backward(C const& c, Params const& p, In<I, R> x, Tp const&, In<Output, R> dy, DX dx,
                             G& g, Scratch) noexcept {
            T* to = nullptr;
            if constexpr (wants_grad<DX>) to = dx.data;
            pull(c.rows * I::rows, p, x.data, dy.data, to, false, g);
        }

        /// The map and its way back over m rows, for blocks that hold a Dense; dx may be null. y = f(x W^T +
        /// b), f(0) = 0. One row goes through the registers once; of many rows f makes a pass of its own,
        /// which costs less than a second set of tiles to compile.
        template <class F = kernels::AsItIs>
        static void apply(int m, Params const& p, T const* x, T* y, F f = {}) noexcept {
            constexpr int xs = In<I, R>::stride, ys = In<Output, R>::stride, N = detail::padded(O, W);
            constexpr bool plain = std::is_same_v<F, kernels::AsItIs>;
            auto const product = [&] {
                kernels::Product<T> r{D, x, xs, 1, p.weight.data, p.weight.stride, y, ys, {}};
                if constexpr (has_bias) r.onto = kernels::Onto<T>::bias(p.bias.data);
                if constexpr (layout != Layout::transposed) r.k = detail::padded(D, W);
                return r;
            };
            if (m == 1) {
                if constexpr (layout == Layout::transposed) kernels::gemv<W, N>(product(), f);
                else kernels::gemv_nt<W>(O, product(), f);
                if constexpr (ys > N) kernels::clear_pads(y, N, ys);
                return;
            }
            if constexpr (layout == Layout::transposed) {
                if constexpr (kernels::is_small(I::rows, N / W, D)) {
                    if (m == I::rows) kernels::gemm_small<W, I::rows, N, D>(product());
                    else kernels::gemm<W>(m, N, product());
                } else kernels::gemm<W>(m, N, product());
                if constexpr (ys > N)
                    for (int r = 0; r < m; ++r) kernels::clear_pads(y + std::ptrdiff_t(r) * ys, N, ys);
            } else kernels::gemm_nt<W>(m, O, ys, product());
            if constexpr (!plain) kernels::map<W>(std::ptrdiff_t(m) * ys, y, y, f);
        }
        template <class G>
        static void pull(int m, Params const& p, T const* x, T const* dy, T* dx, bool add_to_dx,
                         G& g) noexcept {
            pull_weights(m, x, dy, g);
            if (dx) pull_input(m, p, dy, dx, add_to_dx);
        }
        template <class G> static void pull_weights(int m, T const* x, T const* dy, G& g) noexcept {
            constexpr int xs = In<I, R>::stride, ys = In<Output, R>::stride;
            auto& dw = g.weight;
            if constexpr (layout == Layout::transposed) // W^T is stored: dW^T += x^T dy
                kernels::gemm<W>(D, detail::padded(O, W), m, x, 1, xs, dy, ys, dw.data, dw.stride, true);
            else // dW += dy^T x
                kernels::gemm<W>(O, detail::padded(D, W), m, dy, 1, ys, x, xs, dw.data, dw.stride, true);
            if constexpr (has_bias)
                for (int r = 0; r < m; ++r)
                    kernels::add<W>(detail::padded(O, W), dy + std::ptrdiff_t(r) * ys, g.bias[0]);
        }
        static void pull_input(int m, Params const& p, T const* dy, T* dx, bool add_to_dx) noexcept {
            constexpr int xs = In<I, R>::stride, ys = In<Output, R>::stride;
            auto const& w = p.weight;
            if constexpr (layout == Layout::transposed) // dx = dy (W^T)^T
                kernels::gemm_nt<W>(m, D, xs, detail::padded(O, W), dy, ys, w.data, w.stride, dx, xs,
                                    add_to_dx);
            else { // dx = dy W
                kernels::gemm<W>(m, detail::padded(D, W), O, dy, ys, 1, w.data, w.stride, dx, xs, add_to_dx);
                clear_rows(m, dx);
            }
        }

    private:
        /// A stride of one vector more than the padded width has a gap that no product writes.
        static void clear_rows(int m, T* dx) noexcept {
            constexpr int xs = In<I, R>::stride;
            if constexpr (xs > detail::padded(D, W))
                for (int r = 0; r < m; ++r)
                    kernels::clear_pads(dx + std::ptrdiff_t(r) * xs, detail::padded(D, W), xs);
        }
    };

    /// Weights of fewer bits, where there are enough outputs for whole vectors of them.
    template <class I, class R>
        requires(detail::stores_less<R> && O >= R::lanes)
    struct Block<I, R> : detail::StoredDense<Dense, O, I, R> {};
};

} // namespace inlay::inline INLAY_ISA
