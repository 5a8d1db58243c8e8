// SPDX-License-Identifier: BSD-3-Clause
// A row of a table described as a type: named fields, each a number, an id, a set or a history of ids.
#pragma once

#include <inlay/core/shape.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace inlay::inline INLAY_ISA {

/// Edges that turn a number into ids where ids are wanted: id = 1 + (number of edges <= x); 0 = missing.
template <int... Edges> struct Buckets {
    static constexpr int ids = int(sizeof...(Edges)) + 2;
    static constexpr std::int32_t id(double x) noexcept { return 1 + ((x >= Edges ? 1 : 0) + ... + 0); }
    /// The least number with an id above 1.
    static constexpr double lower(std::int32_t id) noexcept {
        double const edges[] = {0, double(Edges)...};
        return edges[id - 1];
    }
};
/// Bucket of a count by powers of two: id = 1 + min(floor(log2(1 + x)), N - 1); 0 = missing. x below 0 counts
/// as 0.
template <int N> struct LogBuckets {
    static constexpr int ids = N + 1;
    static std::int32_t id(double x) noexcept {
        int const b = x > 0 ? int(std::floor(std::log2(1 + x))) : 0;
        return 1 + std::min(b, N - 1);
    }
    /// The least number with an id above 1.
    static double lower(std::int32_t id) noexcept { return std::exp2(id - 1) - 1; }
};
/// The ids of a history are the ids of another field.
template <Name N> struct SameAs {};

enum class FieldKind : std::uint8_t { numeric, categorical, multi_hot, history };

/// A number. With Buckets or LogBuckets it has ids too, for crosses. `value` is standardised by the Encoder.
template <Name N, class... Edges> struct Numeric {
    static constexpr auto name = N;
    static constexpr FieldKind kind = FieldKind::numeric;
    static constexpr int capacity = 1, ids = (Edges::ids + ... + 0), kinds_of_edges = int(sizeof...(Edges));
    struct Value {
        float value;
        std::int32_t id;
    };
    static std::int32_t bucket([[maybe_unused]] double x) noexcept {
        if constexpr (sizeof...(Edges) == 1) return (Edges::id(x) + ...);
        else return 0;
    }
    static double lower([[maybe_unused]] std::int32_t id) noexcept {
        if constexpr (sizeof...(Edges) == 1) return (Edges::lower(id) + ...);
        else return 0;
    }
};
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
/// At most Max different ids below V, in no order.
template <Name N, int V, int Max> struct MultiHot {
    static constexpr auto name = N;
    static constexpr FieldKind kind = FieldKind::multi_hot;
    static constexpr int capacity = Max, ids = V;
    struct Value {
        std::int32_t count;
        std::int32_t id[std::size_t(Max)];
    };
};
/// At most T ids, oldest first; a longer history keeps the newest. With SameAs the ids mean what another
/// field's mean.
template <Name N, int T, class Of> struct History;
template <Name N, int T, Name Other> struct History<N, T, SameAs<Other>> {
    static constexpr auto name = N;
    static constexpr auto same_as = Other;
    static constexpr FieldKind kind = FieldKind::history;
    static constexpr int capacity = T, ids = 0; // those of the other field
    struct Value {
        std::int32_t count;
        std::int32_t id[std::size_t(T)];
    };
};
/// Ids of a history with a vocabulary of its own.
template <int V> struct Ids {};
template <Name N, int T, int V> struct History<N, T, Ids<V>> {
    static constexpr auto name = N;
    static constexpr FieldKind kind = FieldKind::history;
    static constexpr int capacity = T, ids = V;
    struct Value {
        std::int32_t count;
        std::int32_t id[std::size_t(T)];
    };
};

namespace detail {
template <class F>
concept RefersToField = requires { F::same_as; };
template <class F>
inline constexpr bool is_list_field = F::kind == FieldKind::multi_hot || F::kind == FieldKind::history;

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
