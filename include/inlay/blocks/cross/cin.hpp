// SPDX-License-Identifier: BSD-3-Clause
// Compressed interactions of fields, layer by layer.
#pragma once

#include <inlay/blocks/cross/pairs.hpp>

#include <array>

namespace inlay::inline INLAY_ISA {
namespace detail {

template <class Spec_, class Rows, class... P> struct CinForm;
template <class Spec_, int... H, class... P> struct CinForm<Spec_, std::integer_sequence<int, H...>, P...> {
    using Wanted = a_row_for_each_field;
    using Allowed = PolicyKinds<CrossForm>;
    template <class I> using Problem = PolicyProblem<Spec_, I, Allowed, P...>;
    template <int F, int D> static Tag<Shape<(H + ...)>> out(Tag<Shape<F, D>>);

    template <class I, class R> struct Block : BlockDefaults {
        using Spec = Spec_;
        using T = typename R::type;
        using Output = Shape<(H + ...)>;
        static constexpr int W = R::lanes, M = I::rows, D = I::width, L = int(sizeof...(H)),
                             stride = In<I, R>::stride, width = padded(D, W);
        static constexpr std::array<int, std::size_t(L)> heights{H...};
        /// Rows that layer l reads besides the input, and rows of the layers before it.
        static constexpr int below(int l) { return l == 0 ? M : heights[std::size_t(l - 1)]; }
        static constexpr int before(int l) {
            int n = 0;
            for (int i = 0; i < l; ++i) n += heights[std::size_t(i)];
            return n;
        }
        static constexpr int highest = std::max({M, H...}), all = (H + ...), products = M * highest;
        static constexpr long long count(bool bias) {
            long long n = 0;
            for (int l = 0; l < L; ++l) n += heights[std::size_t(l)] * (1LL * M * below(l) + bias);
            return n;
        }
        static constexpr long long parameters = count(true);
        static constexpr double flops = 2.0 * D * count(false);

        template <std::size_t... J> static auto layers(std::index_sequence<J...>) {
            return Tag<Leaves<Tensor<R, heights[J], M * below(int(J))>...>>{};
        }
        template <std::size_t... J> static auto shifts(std::index_sequence<J...>) {
            return Tag<Leaves<Tensor<R, 1, heights[J]>...>>{};
        }
        using Index = std::make_index_sequence<std::size_t(L)>;
        struct Params {
            typename decltype(layers(Index{}))::type weight;
            typename decltype(shifts(Index{}))::type bias;
        };
        template <int> using Grads = Params;
        /// The rows of all layers.
        template <int B> struct Tape {
            Buffer<Shape<all, D>, R, B> x;
        };
        static constexpr std::size_t room(int rows) { return lines(sizeof(T) * std::size_t(rows * stride)); }
        static constexpr std::size_t scratch(int) {
            return 2 * room(M) + 2 * room(products) + std::max(room(all), 2 * room(highest));
        }

        template <class Q, class F> static void visit(Q& p, Path const& at, F&& f) {
            each<std::size_t(L)>([&](auto l) {
                Path const here{&at, nullptr, int(l)};
                f(Tag<Spec>{}, Path{&here, "weight"}, Kind::matrix, get<l>(p.weight).ref());
                f(Tag<Spec>{}, Path{&here, "bias"}, Kind::vector, get<l>(p.bias).ref());
            });
        }
        template <class C> static void initialize(C const& c, Params& p) noexcept {
            each<std::size_t(L)>([&](auto l) noexcept {
                auto const w = get<l>(p.weight).ref();
                draw_uniform(c.key.fold(l), std::sqrt(6.0 / (w.rows + w.width)), w);
                fill(get<l>(p.bias).ref(), 0);
            });
        }
        template <class C, class Tp>
        static void forward(C const& c, Params const& p, In<I, R> x, Out<Output, R> y, Tp& tape,
                            Scratch s) noexcept {
            T* const zeros = s.take<T>(std::size_t(M * stride));
            T* const outer = s.take<T>(std::size_t(products * stride));
            T* layer = s.take<T>(std::size_t(all * stride));
            for (int b = 0; b < c.rows; ++b) {
                T const* const x0 = whole_rows<I, R>(x, b, zeros);
                if constexpr (is_recording<Tp>) layer = tape.x.view({})(b);
                each<std::size_t(L)>([&](auto l) noexcept {
                    constexpr int h = heights[l], q = below(int(l)), first = before(int(l));
                    auto const& w = get<l>(p.weight);
                    T* const out = layer + first * stride;
                    T const* const in = l == 0 ? x0 : out - q * stride;
                    multiply_all(x0, in, q, outer);
                    kernels::gemm<W>(h, width, M * q, w.data, w.stride, 1, outer, stride, out, stride, false);
                    for (int i = 0; i < h; ++i) {
                        T* const row = out + i * stride;
                        T sum(0);
                        for (int t = 0; t < D; ++t) sum += row[t] += get<l>(p.bias)[0][i];
                        kernels::clear_pads(row, D, stride);
                        y(b)[first + i] = sum;
                    }
                });
                kernels::clear_pads(y(b), all, y.stride);
            }
        }
        template <class C, class Tp, class DX, class G>
        static void backward(C const& c, Params const& p, In<I, R> x, Tp const& tape, In<Output, R> dy, DX dx,
                             G& g, Scratch s) noexcept {
            T* const zeros = s.take<T>(std::size_t(M * stride));
            T* const dx0 = s.take<T>(std::size_t(M * stride));
            T* const outer = s.take<T>(std::size_t(products * stride));
            T* const douter = s.take<T>(std::size_t(products * stride));
            T* d = s.take<T>(std::size_t(highest * stride)); // of a layer's rows
            T* dbelow = s.take<T>(std::size_t(highest * stride));
            for (int b = 0; b < c.rows; ++b) {
                T const* const x0 = whole_rows<I, R>(x, b, zeros);
                T const* const layer = tape.x.view({})(b);
                kernels::clear(dx0, M * stride);
                kernels::clear(d, highest * stride);
                each_reversed<std::size_t(L)>([&](auto l) noexcept {
                    constexpr int h = heights[l], q = below(int(l)), first = before(int(l));
                    auto const& w = get<l>(p.weight);
                    auto& dw = get<l>(g.weight);
                    T const* const in = l == 0 ? x0 : layer + (first - q) * stride;
                    for (int i = 0; i < h; ++i) {
                        T* const row = d + i * stride;
                        T sum(0);
                        for (int t = 0; t < D; ++t) sum += row[t] += dy(b)[first + i];
                        get<l>(g.bias)[0][i] += sum;
                    }
                    multiply_all(x0, in, q, outer);
                    kernels::gemm_nt<W>(h, M * q, dw.stride, width, d, stride, outer, stride, dw.data,
                                        dw.stride, true);
                    kernels::gemm<W>(M * q, width, h, w.data, 1, w.stride, d, stride, douter, stride, false);
                    kernels::clear(dbelow, highest * stride);
                    for (int m = 0; m < M; ++m)
                        for (int i = 0; i < q; ++i) {
                            T const* const from = douter + (m * q + i) * stride;
                            kernels::multiply_add<W>(width, from, in + i * stride, dx0 + m * stride,
                                                     dx0 + m * stride);
                            kernels::multiply_add<W>(width, from, x0 + m * stride, dbelow + i * stride,
                                                     dbelow + i * stride);
                        }
                    std::swap(d, dbelow);
                });
                if constexpr (wants_grad<DX>) {
                    int const n = x.length(b);
                    kernels::add<W>(M * stride, d, dx0);
                    std::copy_n(dx0, std::ptrdiff_t(n) * stride, dx(b));
                    clear_rows_from(dx, b, n);
                }
            }
        }

    private:
        /// Row (m, i) of the products: x0_m in_i.
        static void multiply_all(T const* x0, T const* in, int q, T* to) noexcept {
            for (int m = 0; m < M; ++m)
                for (int i = 0; i < q; ++i)
                    kernels::multiply<W>(stride, x0 + m * stride, in + i * stride, to + (m * q + i) * stride);
        }
    };
};
} // namespace detail

/// Cross<Cin<H...>>: the compressed interaction network of xDeepFM (arXiv 1803.05170). Layer l has H_l rows,
/// X'_h = b_h + sum over m, q of W_h,mq X0_m X_q, element by element, X0 the block's input and X the layer
/// before; the output is the sum of every row of every layer: `Shape<F, D>` to `Shape<H + ...>`. Fields past
/// the true length are zeros. Parameters of layer l: `l.weight [H_l, F H_(l-1)]` by Xavier, `l.bias [H_l]`
/// zero. Cost: 2 D F H_(l-1) H_l flops a layer; backward twice that. Tape: the layers. PyTorch:
/// `einsum("hmq,bmt,bqt->bht", w, x0, x)`.
template <int... H> struct Cin {
    using Must = detail::Must<(sizeof...(H) > 0 && ((H > 0) && ...)), a_positive_count>;
    using PolicyKind = CrossForm;
    template <class Spec, class... P>
    using Form = detail::CinForm<Spec, std::integer_sequence<int, H...>, P...>;
};

} // namespace inlay::inline INLAY_ISA
