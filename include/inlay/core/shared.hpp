// SPDX-License-Identifier: BSD-3-Clause
// Tables that several blocks of a model read: who reads which, and whether they agree.
#pragma once

#include <inlay/core/fit.hpp>

namespace inlay::inline INLAY_ISA {

/// The family of Share.
struct Sharing;
/// The table that blocks elsewhere in the model share under a name: `Embed<16, Share<"items">>`.
template <Name N> struct Share {
    using PolicyKind = Sharing;
    static constexpr auto name = N;
};

/// Words of a misfit: a table of V rows of D numbers.
template <int V, int D> struct Table;

namespace detail {
/// The tables that a block shares with others: its `Shared`, a list, if it has one. Combinators join their
/// children's.
template <class B> struct SharedOf {
    using type = List<>;
};
template <class B>
    requires requires { typename B::Shared; }
struct SharedOf<B> {
    using type = typename B::Shared;
};
template <class... A, class... B> List<A..., B...> operator+(List<A...>, List<B...>);
template <class... B> using SharedIn = decltype((List<>{} + ... + typename SharedOf<B>::type{}));

/// The table S, with the ids of a further reader where it is the one that this names.
template <class S, class New> struct ReadBy {
    using type = S;
};
template <class S, class New>
    requires(S::name == New::name)
struct ReadBy<S, New> {
    using type = typename S::template with<New::each>;
};
/// The tables of a list, each name once, and the first reader that wants another shape than the one before.
template <class Problem, class... S> struct OwnedWalk {
    using problem = Problem;
    using tables = List<S...>;
};
template <class Problem, class... S, class New>
consteval auto operator>>(OwnedWalk<Problem, S...> owned, Tag<New>) {
    if constexpr (((S::name == New::name) || ...)) {
        using Old = At<std::size_t(field_index<New::name, S...>()), S...>;
        using Now = Misfit<typename New::Spec, Place<>, Got<typename New::Size>, Wants<typename Old::Size>>;
        if constexpr (!fits<Problem>) return owned;
        else if constexpr (std::is_same_v<typename Old::Size, typename New::Size>)
            return OwnedWalk<Problem, typename ReadBy<S, New>::type...>{};
        else return OwnedWalk<Now, S...>{};
    } else return OwnedWalk<Problem, S..., New>{};
}
template <class L> struct OwnedOf;
template <class... S> struct OwnedOf<List<S...>> {
    using type = decltype((OwnedWalk<Fits>{} >> ... >> Tag<S>{}));
};
template <class L> using Owned = typename OwnedOf<L>::type;
} // namespace detail

} // namespace inlay::inline INLAY_ISA
