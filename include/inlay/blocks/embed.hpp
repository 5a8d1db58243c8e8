// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <inlay/blocks/embed_ids.hpp>
#include <inlay/blocks/embed_record.hpp>
#include <inlay/blocks/embed_shared.hpp>
#include <inlay/core/policy.hpp>

namespace inlay::inline INLAY_ISA {

/// A word of a misfit.
struct ids_as_the_table_is_shared;

namespace detail {
template <class Spec, int D, class I, class R, class... Policies> struct EmbedChoice {
    using type = EmbedBlock<Spec, D, I, R>;
};
template <class Spec, int D, class I, class R, Name N> struct EmbedChoice<Spec, D, I, R, Share<N>> {
    using type = SharedEmbedBlock<Spec, N, D, I, R>;
};
} // namespace detail

/// Learned vectors for ids and numbers.
///
/// Over `Tokens<T, V>`: `[T, D]`, a row of `weight [V, D]` for each id. Over a `Bag` (Select of a multi-hot
/// field): the mean of its rows, `[1, D]`; zeros for an empty one. Over `Shape<1>` (Select of a number): `[1,
/// D]`, the number times a learned vector. Over a `Record` of F fields: `[F, D]`, one row a field, each as
/// above, histories pooled by their mean; tables are named after their fields, and fields that are SameAs
/// another share its table. Drawn from N(0, 0.05^2). Cost: D loads an id. Gradients reach only the rows that
/// occurred; ids get none. `Embed<D, Share<"items">>` over ids reads the one table of that name, which the
/// Model owns: `items.weight`. PyTorch: `nn.Embedding(V, D, sparse=True)`,
/// `nn.EmbeddingBag(V, D, mode="mean")`. Error: vectors or sequences of numbers, shares of one name with
/// different V or D.
template <int D, class... Policies> struct Embed {
    using Must = detail::Must<(D > 0), a_positive_width>;
    static constexpr bool shares = detail::has_policy<Sharing, Policies...>;
    using Wanted = std::conditional_t<shares, ids_as_the_table_is_shared, ids_or_a_record>;
    using Allowed = PolicyKinds<Sharing>;
    template <class I> using Problem = detail::PolicyProblem<Embed, I, Allowed, Policies...>;

    template <int T, int V> static Tag<Shape<T, D>> out(Tag<Tokens<T, V>>);
    template <int N, int V> static Tag<Shape<1, D>> out(Tag<Bag<N, V>>);
    static Tag<Shape<1, D>> out(Tag<Shape<1>>)
        requires(!shares);
    template <class... F>
        requires(!shares)
    static Tag<Shape<int(sizeof...(F)), D>> out(Tag<Record<F...>>);

    template <class I, class R> using Block = typename detail::EmbedChoice<Embed, D, I, R, Policies...>::type;
};

} // namespace inlay::inline INLAY_ISA
