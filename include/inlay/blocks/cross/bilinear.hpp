// SPDX-License-Identifier: BSD-3-Clause
// A row for each pair of fields: one turned by a matrix, times the other.
#pragma once

#include <inlay/blocks/cross/pairs.hpp>
#include <inlay/blocks/dense.hpp>
#include <inlay/blocks/draw.hpp>

namespace inlay::inline INLAY_ISA {

/// A matrix for each field, or for each pair.
struct PerField {
    using PolicyKind = struct HowManyMaps;
};
struct PerPair {
    using PolicyKind = struct HowManyMaps;
};
namespace detail {
struct OneMap {};
/// (A v_i) v_j for i < j, with one A, one for each i but the last, or one for each pair.
template <class Spec_, class... P> struct BilinearForm {
    using Wanted = a_row_for_each_field;
    using Allowed = PolicyKinds<CrossForm, HowManyMaps>;
    template <class I> using Problem = PolicyProblem<Spec_, I, Allowed, P...>;
    using Maps = typename PolicyOr<HowManyMaps, OneMap, P...>::type;
    static constexpr bool one = std::is_same_v<Maps, OneMap>, by_pair = std::is_same_v<Maps, PerPair>;
    template <int F, int D>
        requires(F > 1)
    static Tag<Shape<F*(F - 1) / 2, D>> out(Tag<Shape<F, D>>);

    template <class I, class R> struct Block : BlockDefaults {
        using Spec = Spec_;
        using T = typename R::type;
        static constexpr int W = R::lanes, F = I::rows, D = I::width, stride = In<I, R>::stride,
                             pairs = F * (F - 1) / 2,
                             maps = one       ? 1
                                    : by_pair ? pairs
                                              : F - 1;
        using Output = Shape<pairs, D>;
        using Map = typename Dense<D, NoBias>::template Block<Shape<D>, R>;
        static constexpr long long parameters = 1LL * maps * D * D;
        static constexpr double flops = 2.0 * D * D * (by_pair ? pairs : F - 1) + 1.0 * pairs * D;
        struct Params {
            typename Map::Params map[std::size_t(maps)];
        };
        template <int> using Grads = Params;
        static constexpr std::size_t scratch(int) {
            return 2 * lines(sizeof(T) * std::size_t(stride)) + lines(sizeof(T) * std::size_t(F) * stride);
        }

        static Lengths lengths(In<I, R>) noexcept { return {}; }
        template <class Q, class G> static void visit(Q& p, Path const& at, G&& f) {
            auto const tell = [&](Path const& here, auto& map) {
                f(Tag<Spec>{}, Path{&here, "weight"}, Kind::matrix, map.weight.ref());
            };
            if constexpr (one) tell(at, p.map[0]);
            else
                for (int m = 0; m < maps; ++m) tell(Path{&at, nullptr, m}, p.map[m]);
        }
        template <class C> static void initialize(C const& c, Params& p) noexcept {
            for (int m = 0; m < maps; ++m) draw_map(c.key.fold(std::uint64_t(m)), 1, p.map[m]);
        }
        template <class C, class Tp>
        static void forward(C const& c, Params const& p, In<I, R> x, Out<Output, R> y, Tp&,
                            Scratch s) noexcept {
            T* const u = s.take<T>(std::size_t(stride));
            T* const room = s.take<T>(std::size_t(F) * stride);
            for (int b = 0; b < c.rows; ++b) {
                T const* const v = whole_rows<I, R>(x, b, room);
                each_pair([&](int i, int j, int pair) noexcept {
                    if (by_pair || j == i + 1) Map::apply(1, p.map[place(i, pair)], v + i * stride, u);
                    kernels::multiply<W>(stride, u, v + j * stride, y(b, pair));
                });
            }
        }
        template <class C, class Tp, class DX, class G>
        static void backward(C const& c, Params const& p, In<I, R> x, Tp const&, In<Output, R> dy, DX dx,
                             G& g, Scratch s) noexcept {
            T* const u = s.take<T>(std::size_t(stride));
            T* const du = s.take<T>(std::size_t(stride));
            T* const room = s.take<T>(std::size_t(F) * stride);
            for (int b = 0; b < c.rows; ++b) {
                T const* const v = whole_rows<I, R>(x, b, room);
                if constexpr (wants_grad<DX>) kernels::clear(dx(b), std::ptrdiff_t(F) * stride);
                each_pair([&](int i, int j, int pair) noexcept {
                    auto const& map = p.map[place(i, pair)];
                    if (by_pair || j == i + 1) {
                        Map::apply(1, map, v + i * stride, u);
                        kernels::clear(du, stride);
                    }
                    kernels::multiply_add<W>(stride, dy(b, pair), v + j * stride, du, du);
                    T* to = nullptr;
                    if constexpr (wants_grad<DX>) {
                        kernels::multiply_add<W>(stride, dy(b, pair), u, dx(b, j), dx(b, j));
                        to = dx(b, i);
                    }
                    if (by_pair || j + 1 == F)
                        Map::pull(1, map, v + i * stride, du, to, true, g.map[place(i, pair)]);
                });
                if constexpr (wants_grad<DX>) clear_rows_from(dx, b, x.length(b));
            }
        }

    private:
        static constexpr int place(int i, int pair) { return one ? 0 : by_pair ? pair : i; }
        template <class Do> static void each_pair(Do f) noexcept {
            for (int i = 0, pair = 0; i < F; ++i)
                for (int j = i + 1; j < F; ++j, ++pair) f(i, j, pair);
        }
    };
};
} // namespace detail

/// Cross<Bilinear>: rows (A v_i) v_j for i < j, element by element (FiBiNET, arXiv 1905.09433): `Shape<F, D>`
/// to `Shape<F (F - 1) / 2, D>`. Parameters: `weight [D, D]`; with `PerField` one for each field but the
/// last, `i.weight`, with `PerPair` one for each pair; drawn by Xavier. Cost: 2 D^2 flops a field or pair.
/// Backward: du = dy v_j, dv_j += dy u, dv_i += A^T du, dA += du v_i^T with u = A v_i.
struct Bilinear {
    using PolicyKind = CrossForm;
    template <class Spec, class... P> using Form = detail::BilinearForm<Spec, P...>;
};

} // namespace inlay::inline INLAY_ISA
