// SPDX-License-Identifier: BSD-3-Clause
// Whether blocks fit together, decided before any of their bodies is instantiated, and said once.
#pragma once

#include <inlay/core/record.hpp>

namespace inlay::inline INLAY_ISA {

/// The words of a misfit. They are never defined: compilers print them, and Got and Wants may be left out
/// where other words say it.
template <int... Index> struct Place;
template <class Shape> struct Got;
template <class What> struct Wants;
template <class Block, class Where, class GotShape, class WantsShape> struct Misfit;
struct Fits {};

/// A record in a message: its fields would fill the page.
template <int Fields> struct RecordOf;
/// What blocks want, in words.
struct a_vector_or_a_sequence;
struct a_sequence;
struct a_vector;
struct ids_or_a_record;
struct a_record;
struct the_shape_of_its_input;
struct a_number_out_of_range;
struct a_positive_width;
struct a_positive_count;
struct a_positive_number;
struct numbers_of_at_least_0;
struct a_probability_below_1;
struct no_block;
struct a_template_Block_of_an_input_and_numbers;

namespace detail {
template <class S> struct BriefOf {
    using type = S;
};
template <class... F> struct BriefOf<Record<F...>> {
    using type = RecordOf<int(sizeof...(F))>;
};
template <class S> using Brief = typename BriefOf<S>::type;

template <class Spec> struct WantsOf {
    using type = struct another_shape;
};
template <class Spec>
    requires requires { typename Spec::Wanted; }
struct WantsOf<Spec> {
    using type = typename Spec::Wanted;
};

/// What a block asks of its own numbers: `using Must = detail::Must<(O > 0), a_positive_width>;`. Said where
/// the block stands in a model, and not by an assertion inside it, which would be the first of many errors.
template <bool Holds, class Wish> using Must = std::conditional_t<Holds, Fits, Wants<Wish>>;
template <class Spec> inline constexpr bool in_range = true;
template <class Spec>
    requires requires { typename Spec::Must; }
inline constexpr bool in_range<Spec> = std::is_same_v<typename Spec::Must, Fits>;

template <template <class, class> class> struct Templated;
template <class Spec>
inline constexpr bool has_block = requires { typename Templated<Spec::template Block>; };

/// A composite says what is wrong inside it; a leaf is asked whether it has an overload for the shape.
template <class Spec, class I> struct ProblemOf {
    static consteval auto find() {
        if constexpr (!in_range<Spec>)
            return Tag<Misfit<Spec, Place<>, Got<a_number_out_of_range>, typename Spec::Must>>{};
        else if constexpr (requires { typename Spec::template Problem<I>; })
            return Tag<typename Spec::template Problem<I>>{};
        else if constexpr (!has_block<Spec>)
            return Tag<
                Misfit<Spec, Place<>, Got<no_block>, Wants<a_template_Block_of_an_input_and_numbers>>>{};
        else if constexpr (requires { Spec::out(Tag<I>{}); }) return Tag<Fits>{};
        else return Tag<Misfit<Spec, Place<>, Got<Brief<I>>, Wants<typename WantsOf<Spec>::type>>>{};
    }
    using type = typename decltype(find())::type;
};
/// Fits, or the first Misfit of a block for an input shape.
template <class Spec, class I> using Problem = typename ProblemOf<Spec, I>::type;
template <class P> inline constexpr bool fits = std::is_same_v<P, Fits>;

template <int I, class P> struct InsideOf;
template <int I, class B, int... P, class G, class W> struct InsideOf<I, Misfit<B, Place<P...>, G, W>> {
    using type = Misfit<B, Place<I, P...>, G, W>;
};
template <int I> struct InsideOf<I, Fits> {
    using type = Fits;
};
/// A child's problem as its parent reports it.
template <int I, class P> using Inside = typename InsideOf<I, P>::type;

/// The shape behind a block, or void.
template <class Spec, class I> struct OutputOf {
    using type = void;
};
template <class Spec, class I>
    requires(fits<Problem<Spec, I>>)
struct OutputOf<Spec, I> {
    using type = typename decltype(Spec::out(Tag<I>{}))::type;
};

/// The walk along a pack of blocks: the shape reached, the problem met, the shapes seen.
template <class Now, class Trouble, class... Seen> struct Walk {
    using output = Now;
    using problem = Trouble;
    using seen = List<Seen...>;
};
template <class Spec, class Now, class Trouble, class... Seen>
consteval auto operator>>(Walk<Now, Trouble, Seen...> walk, Tag<Spec>) {
    if constexpr (!fits<Trouble>) return walk;
    else {
        using P = Inside<int(sizeof...(Seen)) - 1, Problem<Spec, Now>>;
        if constexpr (!fits<P>) return Walk<Now, P, Seen...>{};
        else {
            using Next = typename OutputOf<Spec, Now>::type;
            return Walk<Next, Fits, Seen..., Next>{};
        }
    }
}
/// From an input shape through blocks; `seen` starts with the input.
template <class I, class... Specs> using walk = decltype((Walk<I, Fits, I>{} >> ... >> Tag<Specs>{}));
template <std::size_t J, class W> using shape_at = typename ListAt<J, typename W::seen>::type;
} // namespace detail

/// True for Fits; otherwise its name carries the misfit into the compiler's message. An object and not a
/// function or a variable: both compilers print its type when an assertion fails. Its name is short, and not
/// in `detail`, since GCC prints its use and its name between the words and the misfit.
template <class P> struct Says {
    consteval operator bool() const { return detail::fits<P>; }
};

} // namespace inlay::inline INLAY_ISA
