// SPDX-License-Identifier: BSD-3-Clause
// Lists of types, indexed storage and strings as template arguments.
#pragma once

#include <inlay/config.hpp>

#include <concepts>
#include <cstddef>
#include <type_traits>
#include <utility>

namespace inlay::inline INLAY_ISA {

/// A string literal as a template argument: `Numeric<"age">`.
template <std::size_t N> struct Name {
    char text[N]{};
    consteval Name(char const (&literal)[N]) {
        for (std::size_t i = 0; i < N; ++i) text[i] = literal[i];
    }
};

template <std::size_t N, std::size_t M> constexpr bool operator==(Name<N> const& a, Name<M> const& b) {
    if constexpr (N != M) return false;
    else {
        for (std::size_t i = 0; i < N; ++i)
            if (a.text[i] != b.text[i]) return false;
        return true;
    }
}

/// Stands for a type where a value is wanted.
template <class T> struct Tag {
    using type = T;
};

/// The element stored for index I. An empty type takes no room.
template <std::size_t I, class T> struct Leaf {
    T leaf;
};
template <std::size_t I, class T>
    requires std::is_empty_v<T>
struct Leaf<I, T> {};

template <std::size_t I, class T> constexpr T& get(Leaf<I, T>& l) noexcept { return l.leaf; }
template <std::size_t I, class T> constexpr T const& get(Leaf<I, T> const& l) noexcept { return l.leaf; }
template <std::size_t I, class T>
    requires std::is_empty_v<T>
inline T& get(Leaf<I, T>&) noexcept {
    static T empty;
    return empty;
}
template <std::size_t I, class T>
    requires std::is_empty_v<T>
inline T const& get(Leaf<I, T> const&) noexcept {
    static T empty;
    return empty;
}

namespace detail {
template <class, class...> struct LeavesOf;
template <std::size_t... I, class... T> struct LeavesOf<std::index_sequence<I...>, T...> : Leaf<I, T>... {};

template <std::size_t I, class T> struct Indexed {
    using type = T;
};
template <class, class...> struct IndexedAll;
template <std::size_t... I, class... T>
struct IndexedAll<std::index_sequence<I...>, T...> : Indexed<I, T>... {};
template <std::size_t I, class T> Indexed<I, T> pick(Indexed<I, T> const*);

// As noexcept as f: inside a noexcept function any other call would drag in the tables of exceptions.
template <std::size_t... I, class F>
constexpr void each(std::index_sequence<I...>,
                    F& f) noexcept((noexcept(f(std::integral_constant<std::size_t, I>{})) && ...)) {
    (f(std::integral_constant<std::size_t, I>{}), ...);
}
} // namespace detail

/// A tuple that is trivially copyable when its elements are (std::tuple is not).
template <class... T> using Leaves = detail::LeavesOf<std::index_sequence_for<T...>, T...>;

/// The I-th type of a pack, without recursion.
template <std::size_t I, class... T>
using At = typename decltype(detail::pick<I>(
    static_cast<detail::IndexedAll<std::index_sequence_for<T...>, T...>*>(nullptr)))::type;

template <class... T> struct List {
    static constexpr std::size_t size = sizeof...(T);
};

namespace detail {
template <std::size_t I, class L> struct ListAt;
template <std::size_t I, class... T> struct ListAt<I, List<T...>> {
    using type = At<I, T...>;
};

/// Calls f with 0, 1, ... N-1, each as a constant.
template <std::size_t N, class F>
constexpr void each(F f) noexcept(noexcept(each(std::make_index_sequence<N>{}, f))) {
    each(std::make_index_sequence<N>{}, f);
}
/// Calls f, which does not throw, with N-1, ... 1, 0, each as a constant.
template <std::size_t N, class F> constexpr void each_reversed(F f) {
    auto turned = [&](auto i) noexcept { f(std::integral_constant<std::size_t, N - 1 - i>{}); };
    each(std::make_index_sequence<N>{}, turned);
}
} // namespace detail

} // namespace inlay::inline INLAY_ISA
