// SPDX-License-Identifier: BSD-3-Clause
// Policies of a block, in any order: which it knows, whether one is doubled.
#pragma once

#include <inlay/core/fit.hpp>

namespace inlay::inline INLAY_ISA {

/// A policy's kind is itself, unless it names a family: `using PolicyKind = HowIndexed;`. A block takes at
/// most one policy of a kind, except of kinds that say `static constexpr bool many = true`. A policy may ask
/// something of its own numbers: `using Must = detail::Must<(N > 0), a_positive_count>;`.
template <class... Kinds> struct PolicyKinds;

/// Words of a misfit.
template <class Policy> struct unknown_policy;
template <class Policy> struct doubled_policy;
template <class... Kinds> struct one_each_of;
template <class One, class Other> struct both;
struct one_of_them;
template <int Kinds> struct one_each_of_its_kinds; ///< too many for a line
struct one_of_a_kind;

namespace detail {
template <class P> struct KindOf {
    using type = P;
};
template <class P>
    requires requires { typename P::PolicyKind; }
struct KindOf<P> {
    using type = typename P::PolicyKind;
};
template <class P> using PolicyKindOf = typename KindOf<P>::type;

template <class Kind, class... P>
inline constexpr int count_policy = ((std::is_same_v<PolicyKindOf<P>, Kind> ? 1 : 0) + ... + 0);
template <class Kind, class... P> inline constexpr bool has_policy = count_policy<Kind, P...> > 0;
template <class Kind> inline constexpr bool may_repeat = false;
template <class Kind>
    requires requires { Kind::many; }
inline constexpr bool may_repeat<Kind> = Kind::many;

/// The policy of a kind, or Default.
template <class Kind, class Default, class... P> struct PolicyOr {
    using type = Default;
};
template <class Kind, class Default, class First, class... P>
struct PolicyOr<Kind, Default, First, P...> : std::conditional_t<std::is_same_v<PolicyKindOf<First>, Kind>,
                                                                 Tag<First>, PolicyOr<Kind, Default, P...>> {
};

template <class Allowed, class P, class... All> struct OnePolicy;
template <class... Kinds, class P, class... All> struct OnePolicy<PolicyKinds<Kinds...>, P, All...> {
    using Kind = PolicyKindOf<P>;
    static constexpr bool known = (std::is_same_v<Kind, Kinds> || ...);
    static constexpr bool doubled = !may_repeat<Kind> && count_policy<Kind, All...> > 1;
};

template <class Spec, class Allowed, class All, class... P> struct PolicyWalk {
    using type = Fits;
};
template <class Spec, class... Kinds, class... All, class P, class... Rest>
struct PolicyWalk<Spec, PolicyKinds<Kinds...>, List<All...>, P, Rest...> {
    using One = OnePolicy<PolicyKinds<Kinds...>, P, All...>;
    static consteval auto find() {
        if constexpr (!One::known)
            return Tag<Misfit<
                Spec, Place<>, unknown_policy<P>,
                std::conditional_t<(sizeof...(Kinds) > 8), one_each_of_its_kinds<int(sizeof...(Kinds))>,
                                   one_each_of<Kinds...>>>>{};
        else if constexpr (One::doubled)
            return Tag<Misfit<Spec, Place<>, doubled_policy<P>, Wants<one_of_a_kind>>>{};
        else if constexpr (!in_range<P>)
            return Tag<Misfit<P, Place<>, Got<a_number_out_of_range>, typename P::Must>>{};
        else return Tag<typename PolicyWalk<Spec, PolicyKinds<Kinds...>, List<All...>, Rest...>::type>{};
    }
    using type = typename decltype(find())::type;
};

/// What a policy is besides itself: `using Is = List<...>;`, and of what it wants none beside it: `using
/// Refuses = List<...>;`.
template <class P> struct TraitsOf {
    using type = List<>;
};
template <class P>
    requires requires { typename P::Is; }
struct TraitsOf<P> {
    using type = typename P::Is;
};
template <class P> struct RefusalsOf {
    using type = List<>;
};
template <class P>
    requires requires { typename P::Refuses; }
struct RefusalsOf<P> {
    using type = typename P::Refuses;
};
template <class T, class L> inline constexpr bool is_in = false;
template <class T, class... U> inline constexpr bool is_in<T, List<U...>> = (std::is_same_v<T, U> || ...);
template <class Is, class Refused> inline constexpr bool any_of = false;
template <class... Is, class Refused>
inline constexpr bool any_of<List<Is...>, Refused> = (is_in<Is, Refused> || ...);
/// What alone may stand beside a policy: `using Admits = List<kinds...>;`.
template <class P, class Kind> inline constexpr bool admits = true;
template <class P, class Kind>
    requires requires { typename P::Admits; }
inline constexpr bool admits<P, Kind> = is_in<Kind, typename P::Admits>;
/// Of two policies of one kind it is said that they are doubled.
template <class P, class Other>
inline constexpr bool refuses =
    !std::is_same_v<PolicyKindOf<P>, PolicyKindOf<Other>> &&
    (!admits<P, PolicyKindOf<Other>> || any_of<typename TraitsOf<Other>::type, typename RefusalsOf<P>::type>);

/// `both<A, B>` for the first policy that refuses another, or void.
template <class P, class... All> struct RefusedBy {
    using type = void;
};
template <class P, class First, class... Rest>
struct RefusedBy<P, First, Rest...>
    : std::conditional_t<refuses<P, First>, Tag<both<P, First>>, RefusedBy<P, Rest...>> {};
template <class All, class... P> struct FirstRefusal {
    using type = void;
};
template <class... All, class P, class... Rest>
struct FirstRefusal<List<All...>, P, Rest...>
    : std::conditional_t<std::is_void_v<typename RefusedBy<P, All...>::type>,
                         FirstRefusal<List<All...>, Rest...>, RefusedBy<P, All...>> {};

/// The first misfit among a block's policies; then whether it takes the input.
template <class Spec, class I, class Allowed, class... P> consteval auto policies_then_input() {
    using First = typename PolicyWalk<Spec, Allowed, List<P...>, P...>::type;
    using Refused = typename FirstRefusal<List<P...>, P...>::type;
    if constexpr (!fits<First>) return Tag<First>{};
    else if constexpr (!std::is_void_v<Refused>)
        return Tag<Misfit<Spec, Place<>, Got<Refused>, Wants<one_of_them>>>{};
    else if constexpr (requires { Spec::out(Tag<I>{}); }) return Tag<Fits>{};
    else return Tag<Misfit<Spec, Place<>, Got<Brief<I>>, Wants<typename WantsOf<Spec>::type>>>{};
}
template <class Spec, class I, class Allowed, class... P>
using PolicyProblem = typename decltype(policies_then_input<Spec, I, Allowed, P...>())::type;
} // namespace detail

} // namespace inlay::inline INLAY_ISA
