// SPDX-License-Identifier: BSD-3-Clause
// Embed over ids from a table that the model owns.
#pragma once

#include <inlay/blocks/embed/ids.hpp>
#include <inlay/core/shared.hpp>

namespace inlay::inline INLAY_ISA {

namespace detail {
/// A table that blocks share: what the model needs to own it. Its readers have Each ids in a row of the
/// batch.
template <class Spec_, Name N, int V, int D, int Each> struct SharedTable {
    using Spec = Spec_;
    using Size = Table<V, D>;
    static constexpr auto name = N;
    static constexpr int each = Each;
    template <int More> using with = SharedTable<Spec, N, V, D, Each + More>;
    using Output = Shape<V, D>;
    static constexpr long long parameters = 1LL * V * D;
    static constexpr double flops = 0;
    template <class R> using Params = EmbedTable<R, V, D>;
    template <class R, int B> struct Grads {
        SharedTableGrads<R, V, D, B * Each> weight;
    };
    template <class P, class F> static void visit(P& p, Path const& at, F&& f) {
        f(Tag<Spec>{}, Path{&at, "weight"}, Kind::table, p.weight.ref());
    }
    template <class P> static void initialize(Key key, P& p) noexcept { draw_table(key, p.weight.ref()); }
};

template <class Spec_, Name N, int D, class Ids, class R> struct SharedEmbedBlock : BlockDefaults {
    using Spec = Spec_;
    using T = typename R::type;
    using I = Ids;
    using Own = EmbedBlock<Spec, D, I, R>;
    using Output = typename Own::Output;
    using Blocker = typename BlockerOf<Own>::type;
    using Shared = List<SharedTable<Spec, N, I::vocabulary, D, I::rows>>;
    static constexpr double flops = Own::flops;

    template <class C, class Tp>
    static void forward(C const& c, Params const&, In<I, R> x, Out<Output, R> y, Tp& tape,
                        Scratch s) noexcept {
        Own::forward(c, *table(c).value, x, y, tape, s);
    }
    template <class C>
    static void step(C const& c, Params const&, State&, std::int32_t const* x, T* y, Scratch s) noexcept {
        typename Own::State none;
        Own::step(c, *table(c).value, none, x, y, s);
    }
    template <class C, class Tp, class G>
    static void backward(C const& c, Params const&, In<I, R> x, Tp const& tape, In<Output, R> dy, NoGrad, G&,
                         Scratch s) noexcept {
        Own::backward(c, *table(c).value, x, tape, dy, NoGrad{}, *table(c).cotangent, s);
    }

private:
    template <class C> static auto const& table(C const& c) noexcept {
        static_assert(HasSide<N, decltype(c.extras)>,
                      "inlay: a shared table is owned by a Model, and this block runs outside of one");
        return side<N>(c.extras);
    }
};
} // namespace detail

} // namespace inlay::inline INLAY_ISA
