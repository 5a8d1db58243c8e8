// SPDX-License-Identifier: BSD-3-Clause
// Crosses of ids with one weight each.
#pragma once

#include <inlay/blocks/cross/keys.hpp>
#include <inlay/blocks/stored.hpp>
#include <inlay/core/block.hpp>
#include <inlay/kernels/map.hpp>

namespace inlay::inline INLAY_ISA {

template <class... Policies> struct Cross;

namespace detail {
/// The form of a Cross that names none.
template <class Spec_, class... Policies> struct ExactForm {
    using Wanted = a_record;
    using Allowed = PolicyKinds<HowIndexed, Each, WhichCrosses>;
    // Named without its policies, which would fill the message.
    template <class I> using Problem = typename CrossProblem<Cross<>, I, Allowed, Policies...>::type;
    template <class... F> static Tag<Shape<1>> out(Tag<Record<F...>>);

    template <class I, class R> struct Block : BlockDefaults {
        using Spec = Spec_;
        using T = typename R::type;
        using Output = Shape<1>;
        using Keys = CrossKeys<I, Policies...>;
        static constexpr int K = Keys::most + 1, slots = Keys::slots; // the bias is the K-th
        static constexpr long long parameters = slots + 1LL;
        static constexpr double flops = K;

        struct Params {
            ColumnOf<R, slots + 1> weight;
        };
        template <int B> struct Grads {
            TableGrads<R, slots + 1, 1, B * K> weight;
        };
        template <class P, class F> static void visit(P& p, Path const& at, F&& f) {
            f(Tag<Spec>{}, Path{&at, "weight"}, Kind::table, p.weight.ref());
        }
        template <class C> static void initialize(C const&, Params& p) noexcept {
            for (auto& w : p.weight.data) w = T(0);
        }
        template <class C, class Tp>
        static void forward(C const& c, Params const& p, In<I, R> x, Out<Output, R> y, Tp&,
                            Scratch) noexcept {
            inference_only<R, Tp>();
            for (int b = 0; b < c.rows; ++b) {
                T sum = read_weight(p.weight, 0);
                Keys::each_valued(x.row[b], [&](int, std::int32_t row, float value) noexcept {
                    sum += T(value) * read_weight(p.weight, row);
                });
                kernels::clear_pads(y(b), 1, y.stride);
                y(b)[0] = sum;
            }
        }
        template <class C, class Tp, class G>
        static void backward(C const& c, Params const&, In<I, R> x, Tp const&, In<Output, R> dy, NoGrad, G& g,
                             Scratch) noexcept {
            for (int b = 0; b < c.rows; ++b) {
                g.weight.put(b * K, 0, dy(b), T(1));
                Keys::each_valued(x.row[b], [&](int k, std::int32_t row, float value) noexcept {
                    g.weight.put(b * K + 1 + k, row, dy(b), T(value));
                });
            }
        }
    };
};
} // namespace detail

} // namespace inlay::inline INLAY_ISA
