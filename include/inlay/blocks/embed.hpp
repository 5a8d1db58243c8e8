// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <inlay/blocks/embed/hashed.hpp>
#include <inlay/blocks/embed/ids.hpp>
#include <inlay/blocks/embed/quotient.hpp>
#include <inlay/blocks/embed/record.hpp>
#include <inlay/blocks/embed/shared.hpp>
#include <inlay/core/policy.hpp>

namespace inlay::inline INLAY_ISA {

/// Words of a misfit.
struct ids_as_the_table_is_shared;
struct a_number;
struct tokens;
struct a_number_with_learned_bins;
struct bags_without_weights;

namespace detail {
template <class Spec, int D, class I, class R, class... P> struct EmbedChoice {
    using type = EmbedBlock<Spec, D, I, R>;
};
template <class Spec, int D, class I, class R, class... P>
    requires(has_policy<Sharing, P...>)
struct EmbedChoice<Spec, D, I, R, P...> {
    using type = SharedEmbedBlock<Spec, PolicyOr<Sharing, void, P...>::type::name, D, I, R>;
};
template <class Spec, int D, class R, class... P>
    requires(has_policy<NumberEmbedding, P...>)
struct EmbedChoice<Spec, D, Shape<1>, R, P...> {
    using type = NumberEmbedBlock<Spec, typename Spec::Numbers, D, R>;
};
template <class Spec, int D, class I, class R, class... P>
    requires(has_policy<TableForm, P...>)
struct EmbedChoice<Spec, D, I, R, P...> {
    using type = typename PolicyOr<TableForm, void, P...>::type::template Block<Spec, D, I, R>;
};

template <class How> struct WantedByNumbers {
    using type = a_number;
};
template <> struct WantedByNumbers<PiecewiseLinear> {
    using type = a_number_with_learned_bins;
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
/// Model owns: `items.weight`.
///
/// With `PiecewiseLinear` the numbers that have learned bins, with `Periodic<K>` all numbers, are embedded as
/// said there, with parameters `age.weight [D, M]` and `age.bias [D]` drawn as those of Dense, and
/// `age.frequency [K]`; M is the number of bins or 2 K, and one more for a missing number where the field has
/// ids. Over `Shape<1>` they are `weight`, `bias` and `frequency`. Cost: 2 M D flops a number. Tape: its D
/// outputs.
///
/// With `BagSum`, `BagSqrtN` or `BagMax` bags and histories are pooled so, and those whose field is Weighted
/// by weights, `BagWeightedMean` among the policies; with `QuotientRemainder<M>` the table of a large
/// vocabulary becomes two small ones, with `HashedRows<N>` one of N rows.
///
/// PyTorch: `nn.Embedding(V, D, sparse=True)`, `nn.EmbeddingBag(V, D, mode="mean")`; BagSum of a
/// weighted bag is its `per_sample_weights`. Error: vectors or sequences of numbers, shares of one name with
/// different V or D, a policy for numbers where there are none to embed, BagMax of weighted bags.
template <int D, class... Policies> struct Embed {
    using Must = detail::Must<(D > 0), a_positive_width>;
    using Numbers = typename detail::PolicyOr<NumberEmbedding, detail::Proportional, Policies...>::type;
    static constexpr bool shares = detail::has_policy<Sharing, Policies...>;
    using Pooling = typename detail::PolicyOr<BagPooling, BagMean, Policies...>::type;
    static constexpr bool takes_weights = !std::is_same_v<Pooling, BagMax>;
    static constexpr bool numbers_only = detail::has_policy<NumberEmbedding, Policies...>;
    static constexpr bool other_table = detail::has_policy<TableForm, Policies...>;
    using Wanted = std::conditional_t<
        other_table, tokens,
        std::conditional_t<
            numbers_only, typename detail::WantedByNumbers<Numbers>::type,
            std::conditional_t<takes_weights,
                               std::conditional_t<shares, ids_as_the_table_is_shared, ids_or_a_record>,
                               bags_without_weights>>>;
    using Allowed = std::conditional_t<other_table, PolicyKinds<TableForm>,
                                       PolicyKinds<Sharing, NumberEmbedding, BagPooling>>;
    template <class I> using Problem = detail::PolicyProblem<Embed, I, Allowed, Policies...>;

    template <int T, int V>
        requires(!numbers_only)
    static Tag<Shape<T, D>> out(Tag<Tokens<T, V>>);
    template <int N, int V>
        requires(!numbers_only && !other_table)
    static Tag<Shape<1, D>> out(Tag<Bag<N, V>>);
    template <int N, int V>
        requires(!numbers_only && !other_table && takes_weights)
    static Tag<Shape<1, D>> out(Tag<WeightedBag<N, V>>);
    static Tag<Shape<1, D>> out(Tag<Shape<1>>)
        requires(!shares && !other_table &&
                 (!numbers_only || detail::embeds_number<Numbers, detail::BareNumber>));
    template <class... F>
        requires(!shares && !other_table && (!numbers_only || (detail::embeds_field<Numbers, F> || ...)) &&
                 (takes_weights || !(detail::has_weights<F> || ...)))
    static Tag<Shape<int(sizeof...(F)), D>> out(Tag<Record<F...>>);

    template <class I, class R> using Block = typename detail::EmbedChoice<Embed, D, I, R, Policies...>::type;
};

} // namespace inlay::inline INLAY_ISA
