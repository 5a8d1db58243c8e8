// SPDX-License-Identifier: BSD-3-Clause
// What is wrong with a model's input itself. Its types hold no assertions, so that the model says it, once.
#pragma once

#include <inlay/core/fields.hpp>

namespace inlay::inline INLAY_ISA {

/// Words of a misfit.
struct ModelInput;
template <Name Field> struct two_fields_named;
template <Name Field> struct SameAs_of;
template <Name Field> struct two_kinds_of_edges_for;
struct names_that_differ;
template <Name Field> struct unknown_policy_of;
struct one_of_Buckets_LogBuckets_Quantiles_TargetBins;
struct a_positive_length_and_width;
struct a_positive_length_and_vocabulary;
struct Vector_Sequence_Tokens_or_a_Record;

namespace detail {
/// What a model can read; a block, a field or a number in its place is a model whose input was forgotten.
template <class I> inline constexpr bool is_input = is_numbers<I> || is_ids<I> || is_record<I>;

template <class I> struct InputProblemOf {
    using type = std::conditional_t<
        is_input<I>, Fits,
        Misfit<ModelInput, Place<>, Got<Brief<I>>, Wants<Vector_Sequence_Tokens_or_a_Record>>>;
};
template <int... N> struct InputProblemOf<Shape<N...>> {
    using type = std::conditional_t<
        ((N > 0) && ...), Fits,
        Misfit<Shape<N...>, Place<>, Got<a_number_out_of_range>, Wants<a_positive_length_and_width>>>;
};
template <int T, int V> struct InputProblemOf<Tokens<T, V>> {
    using type = std::conditional_t<
        (T > 0 && V > 0), Fits,
        Misfit<Tokens<T, V>, Place<>, Got<a_number_out_of_range>, Wants<a_positive_length_and_vocabulary>>>;
};
template <class... F> struct InputProblemOf<Record<F...>> {
    using Rec = Record<F...>;
    template <class What, class Wish>
    using Of = Tag<Misfit<RecordOf<int(sizeof...(F))>, Place<>, What, Wish>>;

    template <class... Left> struct First {
        static consteval auto find() { return Tag<Fits>{}; }
    };
    template <class G, class... Left> struct First<G, Left...> {
        static consteval auto find() {
            if constexpr (((F::name == G::name ? 1 : 0) + ...) > 1)
                return Of<two_fields_named<G::name>, names_that_differ>{};
            else if constexpr (requires { requires G::kinds_of_edges > 1; })
                return Of<two_kinds_of_edges_for<G::name>, one_of_Buckets_LogBuckets_Quantiles_TargetBins>{};
            else if constexpr (requires { requires !G::known; })
                return Of<unknown_policy_of<G::name>, typename G::Takes>{};
            else if constexpr (!refers_well<G, F...>())
                return Of<SameAs_of<G::same_as>, typename FieldList<Rec>::type>{};
            else return First<Left...>::find();
        }
    };
    using type = typename decltype(First<F...>::find())::type;
};
template <class I> using InputProblem = typename InputProblemOf<I>::type;
} // namespace detail

} // namespace inlay::inline INLAY_ISA
