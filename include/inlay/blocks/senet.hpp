// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <inlay/blocks/cross/pairs.hpp>
#include <inlay/blocks/dense.hpp>
#include <inlay/blocks/draw.hpp>

namespace inlay::inline INLAY_ISA {

/// Weighs fields by all of them: squeeze and excitation (FiBiNET, arXiv 1905.09433). z_i is the mean of field
/// i's vector, s = relu(W2 relu(W1 z)), y_i = s_i v_i.
///
/// Shapes: `Shape<F, D>`, kept. Parameters: `0.weight [F / r, F]`, at least one row, `1.weight [F, F / r]`,
/// drawn by Xavier, their absolute values so that no field starts closed. Fields past the true length are
/// zeros. Cost: 4 F^2 / r + 3 F D flops. Tape: none; backward computes s again. Backward: ds_i = <dy_i, v_i>,
/// dv_i = s_i dy_i + dz_i / D. Error: a vector, ids or a record. No streaming form. PyTorch: `v *
/// F.relu(w2(F.relu(w1(v.mean(-1)))))[..., None]`.
template <int r> struct Senet {
    using Must = detail::Must<(r > 0), a_positive_number>;
    using Wanted = a_row_for_each_field;
    template <int F, int D> static Tag<Shape<F, D>> out(Tag<Shape<F, D>>);

    template <class I, class R> struct Block : BlockDefaults {
        using Spec = Senet;
        using T = typename R::type;
        using Output = I;
        static constexpr int W = R::lanes, F = I::rows, D = I::width, H = std::max(1, F / r),
                             stride = In<I, R>::stride;
        using All = Shape<F>;
        using Few = Shape<H>;
        using Squeeze = typename Dense<H, NoBias>::template Block<All, R>;
        using Excite = typename Dense<F, NoBias>::template Block<Few, R>;
        static constexpr long long parameters = 2LL * F * H;
        static constexpr double flops = 4.0 * F * H + 3.0 * F * D;
        struct Params {
            typename Squeeze::Params squeeze;
            typename Excite::Params excite;
        };
        template <int> using Grads = Params;
        static constexpr std::size_t scratch(int) {
            return 3 * detail::bytes<All, R>(1) + 2 * detail::bytes<Few, R>(1);
        }
        template <class P, class G> static void visit(P& p, Path const& at, G&& f) {
            Path const first{&at, nullptr, 0}, second{&at, nullptr, 1};
            f(Tag<Senet>{}, Path{&first, "weight"}, Kind::matrix, p.squeeze.weight.ref());
            f(Tag<Senet>{}, Path{&second, "weight"}, Kind::matrix, p.excite.weight.ref());
        }
        template <class C> static void initialize(C const& c, Params& p) noexcept {
            detail::draw_map(c.key.fold(0), 1, p.squeeze);
            detail::draw_map(c.key.fold(1), 1, p.excite);
            for (auto& w : p.squeeze.weight.data) w = std::abs(w);
            for (auto& w : p.excite.weight.data) w = std::abs(w);
        }
        template <class C, class Tp>
        static void forward(C const& c, Params const& p, In<I, R> x, Out<I, R> y, Tp&, Scratch s) noexcept {
            Rooms const room(s);
            for (int b = 0; b < c.rows; ++b) {
                weigh(p, x, b, room);
                for (int i = 0, n = x.length(b); i < n; ++i)
                    kernels::scale<W>(stride, room.s[i], x(b, i), y(b, i));
                detail::clear_rows_from(y, b, x.length(b));
            }
        }
        template <class C, class Tp, class DX, class G>
        static void backward(C const& c, Params const& p, In<I, R> x, Tp const&, In<I, R> dy, DX dx, G& g,
                             Scratch s) noexcept {
            Rooms const room(s);
            T* const ds = s.template take<T>(std::size_t(Out<All, R>::stride));
            for (int b = 0; b < c.rows; ++b) {
                int const n = x.length(b);
                weigh(p, x, b, room);
                kernels::clear(ds, Out<All, R>::stride);
                for (int i = 0; i < n; ++i)
                    if (room.s[i] > 0) ds[i] = kernels::dot<W>(D, dy(b, i), x(b, i));
                Excite::pull(1, p.excite, room.a, ds, room.da, false, g.excite);
                for (int h = 0; h < H; ++h)
                    if (!(room.a[h] > 0)) room.da[h] = T(0);
                Squeeze::pull(1, p.squeeze, room.z, room.da, ds, false, g.squeeze);
                if constexpr (wants_grad<DX>) {
                    for (int i = 0; i < n; ++i) {
                        T const* const from = dy(b, i);
                        T* const to = dx(b, i);
                        for (int t = 0; t < D; ++t) to[t] = room.s[i] * from[t] + ds[i] / T(D);
                        kernels::clear_pads(to, D, stride);
                    }
                    detail::clear_rows_from(dx, b, n);
                }
            }
        }

    private:
        struct Rooms {
            T *z, *s, *a, *da;
            explicit Rooms(Scratch& room)
                : z(room.take<T>(std::size_t(Out<All, R>::stride))),
                  s(room.take<T>(std::size_t(Out<All, R>::stride))),
                  a(room.take<T>(std::size_t(Out<Few, R>::stride))),
                  da(room.take<T>(std::size_t(Out<Few, R>::stride))) {}
        };
        static void weigh(Params const& p, In<I, R> x, int b, Rooms const& room) noexcept {
            auto const relu = [](auto v) { return simd::greater(v, decltype(v)(T(0))); };
            kernels::clear(room.z, Out<All, R>::stride);
            for (int i = 0, n = x.length(b); i < n; ++i) {
                T sum(0);
                for (int t = 0; t < D; ++t) sum += x(b, i)[t];
                room.z[i] = sum / T(D);
            }
            Squeeze::apply(1, p.squeeze, room.z, room.a, relu);
            Excite::apply(1, p.excite, room.a, room.s, relu);
        }
    };
};

} // namespace inlay::inline INLAY_ISA
