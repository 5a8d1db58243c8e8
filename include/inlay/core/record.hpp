// SPDX-License-Identifier: BSD-3-Clause
// A row of a table described as a type: named fields, each a number, an id, a set or a history of ids.
#pragma once

#include <inlay/core/numeric.hpp>
#include <inlay/core/shape.hpp>

#include <algorithm>
#include <cstdint>

namespace inlay::inline INLAY_ISA {

/// The ids of a history are the ids of another field.
template <Name N> struct SameAs {};

/// One id below V; 0 is unseen or missing.
template <Name N, int V> struct Categorical {
    static_assert(V > 1, "inlay: Categorical needs at least two ids: 0 is unseen");
    static constexpr auto name = N;
    static constexpr FieldKind kind = FieldKind::categorical;
    static constexpr int capacity = 1, ids = V;
    struct Value {
        std::int32_t id;
    };
};
/// A policy of MultiHot and History: each id has a weight, by which Embed multiplies its row where it pools
/// them, and Cross the weight that it has for the id.
struct Weighted {};

namespace detail {
/// The value of a field of up to N ids, and what the field's policies say.
template <int N, class... Policies> struct IdList {
    static constexpr bool weighted = false, known = sizeof...(Policies) == 0;
    using Takes = Weighted;
    struct Value {
        std::int32_t count;
        std::int32_t id[std::size_t(N)];
    };
};
template <int N> struct IdList<N, Weighted> {
    static constexpr bool weighted = true, known = true;
    struct Value {
        std::int32_t count;
        std::int32_t id[std::size_t(N)];
        float weight[std::size_t(N)];
    };
};
} // namespace detail

/// At most Max different ids below V, in no order; `Weighted` gives each a weight.
template <Name N, int V, int Max, class... Policies> struct MultiHot : detail::IdList<Max, Policies...> {
    static constexpr auto name = N;
    static constexpr FieldKind kind = FieldKind::multi_hot;
    static constexpr int capacity = Max, ids = V;
};
/// At most T ids, oldest first; a longer history keeps the newest. With SameAs the ids mean what another
/// field's mean. With `Weighted` each has a weight, and the history is a bag: what reads sequences wants one
/// without.
template <Name N, int T, class Of, class... Policies> struct History;
template <Name N, int T, Name Other, class... Policies>
struct History<N, T, SameAs<Other>, Policies...> : detail::IdList<T, Policies...> {
    static constexpr auto name = N;
    static constexpr auto same_as = Other;
    static constexpr FieldKind kind = FieldKind::history;
    static constexpr int capacity = T, ids = 0; // those of the other field
};
/// Ids of a history with a vocabulary of its own.
template <int V> struct Ids {};
template <Name N, int T, int V, class... Policies>
struct History<N, T, Ids<V>, Policies...> : detail::IdList<T, Policies...> {
    static constexpr auto name = N;
    static constexpr FieldKind kind = FieldKind::history;
    static constexpr int capacity = T, ids = V;
};

namespace detail {
template <class F>
concept RefersToField = requires { F::same_as; };
template <class F>
inline constexpr bool is_list_field = F::kind == FieldKind::multi_hot || F::kind == FieldKind::history;
template <class F>
inline constexpr bool has_weights = [] {
    if constexpr (is_list_field<F>) return F::weighted;
    else return false;
}();
template <class F> float const* weights_of(typename F::Value const& v) noexcept {
    if constexpr (has_weights<F>) return v.weight;
    else return nullptr;
}

/// The index of the field named N among F, or -1.
template <Name N, class... F> consteval int field_index() {
    int i = 0, at = -1;
    ((F::name == N&& at < 0 ? at = i : 0, ++i), ...);
    return at;
}
template <class G, class... F> consteval bool refers_well() {
    if constexpr (RefersToField<G>) {
        constexpr int at = field_index<G::same_as, F...>();
        if constexpr (at < 0) return false;
        else return At<std::size_t(at), F...>::ids > 0;
    } else return true;
}
} // namespace detail

/// One row of a table: the fields in the order of the file. Model and Encoder say what is wrong with one: two
/// fields of one name, SameAs a field that is not there or has no ids, two kinds of edges.
template <class... F> struct Record {
    static_assert(sizeof...(F) > 0, "inlay: a Record needs a field");
    static constexpr int fields = int(sizeof...(F));
    using Row = Leaves<typename F::Value...>;

    template <std::size_t I> using field = At<I, F...>;
    template <Name N> static constexpr int index = detail::field_index<N, F...>();

    /// The field that owns the ids of the I-th: itself, or the one it is SameAs.
    template <std::size_t I> static consteval std::size_t owner() {
        if constexpr (detail::RefersToField<field<I>>) return std::size_t(index<field<I>::same_as>);
        else return I;
    }
    /// The number of ids of the I-th field; 0 for a number without edges.
    template <std::size_t I> static constexpr int vocabulary = field<owner<I>()>::ids;
};

template <class X> inline constexpr bool is_record = false;
template <class... F> inline constexpr bool is_record<Record<F...>> = true;

namespace detail {
/// Calls f(id) for every valid id of a field's value.
template <class Field, class F> void each_id(typename Field::Value const& v, F f) {
    if constexpr (is_list_field<Field>)
        for (int k = 0; k < v.count; ++k) f(v.id[k]);
    else f(v.id);
}
} // namespace detail

} // namespace inlay::inline INLAY_ISA
