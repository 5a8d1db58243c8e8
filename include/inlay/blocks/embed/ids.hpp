// SPDX-License-Identifier: BSD-3-Clause
// Embed over tokens, over a bag of ids and over a single number.
#pragma once

#include <inlay/blocks/embed/bags.hpp>
#include <inlay/core/block.hpp>
#include <inlay/kernels/gather.hpp>
#include <inlay/kernels/gemm.hpp>

#include <algorithm>

namespace inlay::inline INLAY_ISA {

namespace detail {
template <class Spec, int D, class I, class R> struct EmbedBlock;

/// The parameters of an Embed over ids.
template <class R, int V, int D> struct EmbedTable {
    TableOf<R, V, D> weight;
};

/// Draws a table from N(0, deviation^2).
template <class T> void draw_table(Key key, TensorRef<T> const& table, double deviation = 0.05) noexcept {
    for (int r = 0; r < table.rows; ++r)
        for (int i = 0; i < table.width; ++i)
            table(r, i) =
                T(deviation * key.normal(std::uint64_t(r) * std::uint64_t(table.width) + std::uint64_t(i)));
}

/// An Embed with one table of V rows, whose gradient has Each slots for a row of the batch.
template <class Spec_, int V, int D, int Each, class R> struct OneTable : BlockDefaults {
    using Spec = Spec_;
    using T = typename R::type;
    using Params = EmbedTable<R, V, D>;
    static constexpr int W = R::lanes;
    static constexpr long long parameters = 1LL * V * D;
    template <int B> struct Grads {
        TableGrads<R, V, D, B * Each> weight;
    };
    template <class P, class F> static void visit(P& p, Path const& at, F&& f) {
        f(Tag<Spec>{}, Path{&at, "weight"}, Kind::table, p.weight.ref());
    }
    template <class C> static void initialize(C const& c, Params& p) noexcept {
        draw_table(c.key, p.weight.ref());
    }
};

/// Each id has a row of its own.
struct RowOfId {
    static std::int32_t row(std::int32_t id) noexcept { return id; }
};
/// A row for each token, which Place says, from a table of N.
template <class Spec_, int N, int D, class I, class R, class Place> struct EmbedTokens;
template <class Spec_, int N, int D, int L, int V, class R, class Place>
struct EmbedTokens<Spec_, N, D, Tokens<L, V>, R, Place> : OneTable<Spec_, N, D, L, R> {
    using Base = OneTable<Spec_, N, D, L, R>;
    using typename Base::Params, typename Base::State, typename Base::T;
    using I = Tokens<L, V>;
    using Output = Shape<L, D>;
    static constexpr bool streams = true;
    static constexpr double flops = 0;

    template <class C, class Tp>
    static void forward(C const& c, Params const& p, In<I, R> x, Out<Output, R> y, Tp&, Scratch) noexcept {
        inference_only<R, Tp>();
        for (int b = 0; b < c.rows; ++b) {
            int const n = x.length(b);
            if constexpr (stores_less<R> || !std::is_same_v<Place, RowOfId>)
                for (int t = 0; t < n; ++t) put(p, x(b)[t], y(b, t));
            else kernels::gather(n, x(b), p.weight[0], p.weight.stride, D, y(b, 0), y.stride);
            for (int t = n; t < L; ++t) kernels::clear_pads(y(b, t), 0, y.stride);
        }
    }
    template <class C>
    static void step(C const&, Params const& p, State&, std::int32_t const* x, T* y, Scratch) noexcept {
        put(p, *x, y);
    }
    template <class C, class Tp, class G>
    static void backward(C const& c, Params const&, In<I, R> x, Tp const&, In<Output, R> dy, NoGrad, G& g,
                         Scratch) noexcept {
        for (int b = 0; b < c.rows; ++b)
            for (int t = 0, n = x.length(b); t < n; ++t)
                g.weight.put(b * L + t, Place::row(x(b)[t]), dy(b, t), T(1));
    }

private:
    static void put(Params const& p, std::int32_t id, T* y) noexcept {
        read_row(p.weight, Place::row(id), y);
        kernels::clear_pads(y, D, row_stride<R>(D));
    }
};
template <class Spec_, int D, int L, int V, class R>
struct EmbedBlock<Spec_, D, Tokens<L, V>, R> : EmbedTokens<Spec_, V, D, Tokens<L, V>, R, RowOfId> {};

/// One row for each bag, weighted or not.
template <class Spec_, int D, class I_, class R>
struct EmbedBag : OneTable<Spec_, I_::vocabulary, D, I_::rows, R> {
    using I = I_;
    static constexpr int N = I::rows;
    using Base = OneTable<Spec_, I::vocabulary, D, N, R>;
    using Base::W;
    using typename Base::Params, typename Base::State, typename Base::T;
    using Output = Shape<1, D>;
    static constexpr double flops = 2.0 * N * D;
    using How = typename PoolingOf<Spec_>::type;
    using Pool = BagOf<How, D, W, T>;
    static constexpr std::size_t scratch(int) { return Pool::scratch; }

    template <class C, class Tp>
    static void forward(C const& c, Params const& p, In<I, R> x, Out<Output, R> y, Tp&, Scratch) noexcept {
        inference_only<R, Tp>();
        constexpr bool mean = std::is_same_v<How, BagMean>, bare = id_words<I> == N && !stores_less<R>;
        if constexpr (bare && (mean || std::is_same_v<How, BagSum>))
            kernels::pool_rows<W, mean>(c.rows, x, p.weight[0], p.weight.stride, D, y(0), y.stride);
        else
            for (int b = 0; b < c.rows; ++b) {
                Pool::look_up(x.length(b), x(b), x.weights(b), p.weight, y(b));
                kernels::clear_pads(y(b), D, y.stride);
            }
    }
    template <class C, class Tp, class G>
    static void backward(C const& c, Params const& p, In<I, R> x, Tp const&, In<Output, R> dy, NoGrad, G& g,
                         Scratch s) noexcept {
        for (int b = 0; b < c.rows; ++b)
            Pool::put(x.length(b), x(b), x.weights(b), p.weight[0], dy(b), g.weight, b * N, s);
    }
};
template <class Spec_, int D, int N, int V, class R>
struct EmbedBlock<Spec_, D, Bag<N, V>, R> : EmbedBag<Spec_, D, Bag<N, V>, R> {};
template <class Spec_, int D, int N, int V, class R>
struct EmbedBlock<Spec_, D, WeightedBag<N, V>, R> : EmbedBag<Spec_, D, WeightedBag<N, V>, R> {};

/// The vector of a number is a float's in every model.
template <class Spec_, int D, class R>
struct EmbedBlock<Spec_, D, Shape<1>, R> : OneTable<Spec_, 1, D, 1, InFloat<R>> {
    using Base = OneTable<Spec_, 1, D, 1, InFloat<R>>;
    using Base::W;
    using typename Base::Params, typename Base::State, typename Base::T;
    using I = Shape<1>;
    using Output = Shape<1, D>;
    static constexpr double flops = D;

    template <class C, class Tp>
    static void forward(C const& c, Params const& p, In<I, R> x, Out<Output, R> y, Tp&, Scratch) noexcept {
        for (int b = 0; b < c.rows; ++b) {
            kernels::scale<W>(D, x(b)[0], p.weight[0], y(b));
            kernels::clear_pads(y(b), D, y.stride);
        }
    }
    template <class C, class Tp, class DX, class G>
    static void backward(C const& c, Params const& p, In<I, R> x, Tp const&, In<Output, R> dy, DX dx, G& g,
                         Scratch) noexcept {
        for (int b = 0; b < c.rows; ++b) {
            g.weight.put(b, 0, dy(b), x(b)[0]);
            if constexpr (wants_grad<DX>) {
                kernels::clear(dx(b), dx.stride);
                dx(b)[0] = kernels::dot<W>(D, dy(b), p.weight[0]);
            }
        }
    }
};
} // namespace detail

} // namespace inlay::inline INLAY_ISA
