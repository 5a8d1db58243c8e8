// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <inlay/combine/stack.hpp>

namespace inlay::inline INLAY_ISA {

/// Words of a misfit.
struct an_Interleave_around_it;

/// N blocks of one kind in an Interleave, each with parameters of its own.
template <int N, class Spec = void> struct Times {
    template <class I>
    using Problem =
        Misfit<Times<N>, Place<>, Got<detail::Brief<I>>,
               std::conditional_t<(N > 0), Wants<an_Interleave_around_it>, Wants<a_positive_count>>>;
};

namespace detail {
/// The blocks of a slot: itself, or as many as it counts. What counts none stays, and is reported where it
/// stands.
template <class Slot> struct Slots {
    using type = List<Slot>;
};
template <int N, class Spec>
    requires(N > 0)
struct Slots<Times<N, Spec>> {
    template <std::size_t> using Each = Spec;
    template <std::size_t... K> static List<Each<K>...> expand(std::index_sequence<K...>);
    using type = decltype(expand(std::make_index_sequence<std::size_t(N)>{}));
};
template <class... A, class... B> List<A..., B...> operator+(List<A...>, List<B...>);
template <class L> struct StackFrom;
template <class... Specs> struct StackFrom<List<Specs...>> {
    using type = Stack<Specs...>;
};
template <class... Slot> using Period = StackFrom<decltype((List<>{} + ... + typename Slots<Slot>::type{}))>;
} // namespace detail

/// One period of layers of several kinds: `Interleave<Times<3, A>, B>` is `Stack<A, A, A, B>`, three layers
/// of A for every B.
///
/// Shapes, cost, state, names (`0.` to `3.`) and errors are those of the stack. `Repeat<N, Interleave<...>>`
/// is N periods, in a loop. `Repeat<3, A>` in the place of `Times<3, A>` computes the same, in a loop too,
/// with names one level deeper. Error: a `Times` that counts none, or stands elsewhere.
template <class... Slot> using Interleave = typename detail::Period<Slot...>::type;

} // namespace inlay::inline INLAY_ISA
