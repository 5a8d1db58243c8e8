// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <inlay/combine/stack.hpp>
#include <inlay/kernels/map.hpp>

namespace inlay::inline INLAY_ISA {

/// Words of a misfit.
template <int N> struct a_sequence_of_rows;

/// A block for each row of a sequence, their outputs side by side: towers of the tasks behind a MultiGate.
///
/// Shapes: `Shape<N, D>` to `Shape<O + ...>`, for N blocks from `Shape<D>` to `Shape<O>`. Rows past the true
/// length are read as zeros. Parameters are named by row: `1.0.weight`. Cost: the blocks and a copy. Tape:
/// the blocks'. Error: as many blocks as there are no rows, a block that does not give a vector. Backward:
/// each block its row. No streaming form. PyTorch: `torch.cat([f(x[:, i]) for i, f in enumerate(blocks)],
/// -1)`.
template <class... Specs> struct PerRow {
    static constexpr int rows = int(sizeof...(Specs));
    template <class I> struct ProblemOf {
        using type = Misfit<PerRow<void>, Place<>, Got<detail::Brief<I>>, Wants<a_sequence_of_rows<rows>>>;
    };
    template <int D> struct ProblemOf<Shape<rows, D>> {
        template <int At, class... Rest> static consteval auto find() {
            if constexpr (sizeof...(Rest) == 0) return Tag<Fits>{};
            else return next<At, Rest...>();
        }
        template <int At, class First, class... Rest> static consteval auto next() {
            using P = detail::Inside<At, detail::Problem<First, Shape<D>>>;
            if constexpr (!detail::fits<P>) return Tag<P>{};
            else {
                using O = typename detail::OutputOf<First, Shape<D>>::type;
                if constexpr (is_numbers<O> && !is_sequence<O>) return find<At + 1, Rest...>();
                else return Tag<Misfit<PerRow<void>, Place<At>, Got<detail::Brief<O>>, Wants<a_vector>>>{};
            }
        }
        using type = typename decltype(find<0, Specs...>())::type;
    };
    template <class I> using Problem = typename ProblemOf<I>::type;
    template <int D>
    static Tag<Shape<(detail::OutputOf<Specs, Shape<D>>::type::width + ...)>> out(Tag<Shape<rows, D>>);

    template <class I, class R> struct Block : BlockDefaults {
        using Spec = PerRow;
        using T = typename R::type;
        using Row = Shape<I::width>;
        using Output = typename decltype(PerRow::out(Tag<I>{}))::type;
        template <std::size_t J> using child = typename At<J, Specs...>::template Block<Row, R>;
        template <std::size_t J> using part = typename child<J>::Output;
        using Shared = detail::SharedIn<typename Specs::template Block<Row, R>...>;
        static constexpr std::size_t N = sizeof...(Specs);
        static constexpr long long parameters = (Specs::template Block<Row, R>::parameters + ... + 0LL);
        static constexpr double flops = (Specs::template Block<Row, R>::flops + ...);
        using Params = Leaves<typename Specs::template Block<Row, R>::Params...>;
        template <int B> using Grads = Leaves<typename Specs::template Block<Row, R>::template Grads<B>...>;
        template <int B> using Tape = Leaves<typename Specs::template Block<Row, R>::template Tape<B>...>;
        static constexpr int before(std::size_t j) {
            int n = 0;
            detail::each<N>([&](auto k) noexcept { n += k < j ? part<k>::width : 0; });
            return n;
        }
        static constexpr std::size_t scratch(int B) {
            std::size_t most = 0;
            detail::each<N>([&](auto j) noexcept {
                most = std::max(most, child<j>::scratch(B) + detail::bytes<part<j>, R>(B));
            });
            return most + 2 * detail::bytes<Row, R>(B);
        }
        template <class P, class F> static void visit(P& p, Path const& at, F&& f) {
            detail::each<N>([&](auto j) {
                child<j>::visit(get<j>(p), detail::child_path<inlay::At<j, Specs...>>(at, int(j)), f);
            });
        }
        template <class C> static void initialize(C const& c, Params& p) noexcept {
            detail::each<N>([&](auto j) noexcept { child<j>::initialize(own(c, j), get<j>(p)); });
        }
        template <class C, class Tp>
        static void forward(C const& c, Params const& p, In<I, R> x, Out<Output, R> y, Tp& tape,
                            Scratch s) noexcept {
            auto const row = s.template take<Row, R>(c.capacity, {});
            detail::each<N>([&](auto j) noexcept {
                Scratch room = s;
                auto const z = room.template take<part<j>, R>(c.capacity, {});
                pick(c, x, int(j), row);
                child<j>::forward(own(c, j), get<j>(p), row, z, detail::tape_of<j>(tape), room);
                for (int b = 0; b < c.rows; ++b) std::copy_n(z(b), z.width, y(b) + before(j));
            });
            for (int b = 0; b < c.rows; ++b) kernels::clear_pads(y(b), Output::width, y.stride);
        }
        template <class C, class Tp, class DX, class G>
        static void backward(C const& c, Params const& p, In<I, R> x, Tp const& tape, In<Output, R> dy, DX dx,
                             G& g, Scratch s) noexcept {
            auto const row = s.template take<Row, R>(c.capacity, {});
            auto const drow = s.template take<Row, R>(c.capacity, {});
            detail::each<N>([&](auto j) noexcept {
                Scratch room = s;
                auto const dz = room.template take<part<j>, R>(c.capacity, {});
                for (int b = 0; b < c.rows; ++b) {
                    std::copy_n(dy(b) + before(j), dz.width, dz(b));
                    kernels::clear_pads(dz(b), dz.width, dz.stride);
                }
                pick(c, x, int(j), row);
                if constexpr (wants_grad<DX>) {
                    child<j>::backward(own(c, j), get<j>(p), row, get<j>(tape), dz, drow, get<j>(g), room);
                    for (int b = 0; b < c.rows; ++b) std::copy_n(drow(b), drow.stride, dx(b, int(j)));
                } else
                    child<j>::backward(own(c, j), get<j>(p), row, get<j>(tape), dz, NoGrad{}, get<j>(g),
                                       room);
            });
            if constexpr (wants_grad<DX>)
                for (int b = 0; b < c.rows; ++b) detail::clear_rows_from(dx, b, x.length(b));
        }

    private:
        template <class C> static C own(C const& c, std::size_t j) noexcept {
            C child = c;
            child.key = c.key.fold(j);
            child.carry = {};
            return child;
        }
        template <class C> static void pick(C const& c, In<I, R> x, int j, Out<Row, R> row) noexcept {
            for (int b = 0; b < c.rows; ++b)
                if (j < x.length(b)) std::copy_n(x(b, j), row.stride, row(b));
                else kernels::clear(row(b), row.stride);
        }
    };
};

} // namespace inlay::inline INLAY_ISA
