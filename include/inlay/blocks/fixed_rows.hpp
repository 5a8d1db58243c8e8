// SPDX-License-Identifier: BSD-3-Clause
// Sequences that follow from places alone, whatever comes in: where a FixedStream may begin.
#pragma once

#include <inlay/core/block.hpp>
#include <inlay/kernels/map.hpp>

namespace inlay::inline INLAY_ISA {

/// Word of a misfit.
struct a_sequence_of_ids_that_has_those;

/// y_t = Sigma times standard normal numbers of place t, the same whatever comes in and in every run with the
/// same Seed (arXiv 2510.11602, RndEmbQK). Places may pass T: numbers are drawn by their place.
///
/// Shapes: `Shape<T, W>` or `Tokens<T, V>` to `Shape<T, D>`. No parameters, no state, no gradient. Cost: a
/// normal number for each of the output's, once for all rows of a batch that begin at one place. PyTorch:
/// `torch.randn(T, D)`, a buffer. Error: what is no sequence.
template <int D, double Sigma = 1.0, std::uint64_t Seed_ = 0> struct RandomRows {
    static_assert(D > 0, "inlay: RandomRows needs a positive width");
    using Wanted = a_sequence;
    template <int T, int W> static Tag<Shape<T, D>> out(Tag<Shape<T, W>>);
    template <int T, int V> static Tag<Shape<T, D>> out(Tag<Tokens<T, V>>);

    template <class I, class R> struct Block : BlockDefaults {
        using Spec = RandomRows;
        using Output = Shape<I::rows, D>;
        using T = typename R::type;
        static constexpr int stride = Out<Output, R>::stride;
        static constexpr bool streams = true;
        static constexpr double flops = 30.0 * I::rows * D;

        template <class C, class Tp>
        static void forward(C const& c, Params const&, In<I, R> x, Out<Output, R> y, Tp&, Scratch) noexcept {
            int drawn = 0; // tokens of row 0
            for (int b = 0; b < c.rows; ++b) {
                int const n = x.length(b);
                int const known = b > 0 && c.position_of(b) == c.position_of(0) ? std::min(n, drawn) : 0;
                std::copy_n(y(0), known * stride, y(b));
                for (int t = known; t < n; ++t) draw(c.position_of(b) + t, y(b, t));
                detail::clear_rows_from(y, b, n);
                if (b == 0) drawn = n;
            }
        }
        template <class C, class X>
        static void step(C const& c, Params const&, State&, X const*, T* y, Scratch) noexcept {
            draw(c.position_of(0), y);
        }
        template <class C, class Tp, class DX, class G>
        static void backward(C const& c, Params const&, In<I, R>, Tp const&, In<Output, R>, DX dx, G&,
                             Scratch) noexcept {
            if constexpr (wants_grad<DX>)
                kernels::clear(dx.data, std::ptrdiff_t(c.rows) * I::rows * DX::stride);
        }

    private:
        static void draw(std::int64_t place, T* y) noexcept {
            for (int i = 0; i < D; ++i)
                y[i] = T(Sigma * Key{Seed_}.normal(std::uint64_t(place), std::uint64_t(i)));
            kernels::clear_pads(y, D, stride);
        }
    };
};

/// y_t = the id at place t of the array Ids, whatever comes in (arXiv 2510.11602, FixedSeqQK); behind its end
/// it begins again. Ids is `static constexpr`, of std::int32_t.
///
/// Shapes: `Tokens<T, V>`, kept. No parameters, no state. Error: what is no sequence of ids, an id that is
/// not below V. Cost: a copy. PyTorch: `ids.expand(B, -1)`.
template <auto const& Ids> struct FixedText {
    using Wanted = a_sequence_of_ids_that_has_those;
    static constexpr auto size = std::int64_t(std::size(Ids));
    static constexpr bool below(int V) {
        for (auto id : Ids)
            if (id < 0 || id >= V) return false;
        return true;
    }
    template <int T, int V>
        requires(below(V))
    static Tag<Tokens<T, V>> out(Tag<Tokens<T, V>>);

    template <class I, class R> struct Block : BlockDefaults {
        using Spec = FixedText;
        using Output = I;
        static constexpr bool streams = true;

        template <class C, class Tp>
        static void forward(C const& c, Params const&, In<I, R> x, Out<I, R> y, Tp&, Scratch) noexcept {
            for (int b = 0; b < c.rows; ++b)
                for (int t = 0; t < I::rows; ++t) y(b)[t] = t < x.length(b) ? at(c.position_of(b) + t) : 0;
        }
        template <class C>
        static void step(C const& c, Params const&, State&, std::int32_t const*, std::int32_t* y,
                         Scratch) noexcept {
            *y = at(c.position_of(0));
        }
        template <class... A> static void backward(A&&...) noexcept {}

    private:
        static std::int32_t at(std::int64_t place) noexcept { return Ids[std::size_t(place % size)]; }
    };
};

} // namespace inlay::inline INLAY_ISA
