// SPDX-License-Identifier: BSD-3-Clause
// Which crosses of a record fire, and which row of the table each one has.
#pragma once

#include <inlay/core/fields.hpp>
#include <inlay/core/hash.hpp>
#include <inlay/core/policy.hpp>

#include <array>
#include <limits>
#include <vector>

namespace inlay::inline INLAY_ISA {

/// The families of a Cross's policies.
struct HowIndexed;
struct WhichCrosses {
    static constexpr bool many = true;
};
/// N weights, found by hashing.
template <int N> struct Hashed {
    static_assert(N > 0, "inlay: Hashed needs a positive number of slots");
    using PolicyKind = HowIndexed;
    static constexpr int slots = N;
};
/// A weight for every combination of ids.
struct Indexed {
    using PolicyKind = HowIndexed;
};
/// Every field that has ids, by itself.
struct Each {};
/// The product of the named fields.
template <Name... Fields> struct Of {
    static_assert(sizeof...(Fields) > 0, "inlay: Of names no field");
    using PolicyKind = WhichCrosses;
};

/// Words of a misfit.
template <Name Field> struct field_without_one_id;
struct a_field_with_one_id;
struct Hashed_or_Indexed;
struct no_indexing;
struct too_many_combinations;
struct Hashed_slots;

namespace detail {
template <class Rec, Name N> consteval bool has_single_id() {
    constexpr int at = Rec::template index<N>;
    if constexpr (at < 0) return true; // reported as unknown
    else
        return !is_list_field<typename Rec::template field<std::size_t(at)>> &&
               Rec::template vocabulary<std::size_t(at)> > 0;
}

/// One policy's crosses over a record.
template <class Rec, class P> struct CrossPart {
    static constexpr int most = 0, groups = 0;
    static constexpr std::int64_t combinations = 0;
};
template <class... F> struct CrossPart<Record<F...>, Each> {
    using Rec = Record<F...>;
    template <class> struct Sums;
    template <std::size_t... J> struct Sums<std::index_sequence<J...>> {
        static constexpr int most = ((Rec::template vocabulary<J> > 0 ? F::capacity : 0) + ...);
        static constexpr int groups = ((Rec::template vocabulary<J> > 0) + ...);
        static constexpr std::int64_t combinations = (std::int64_t(Rec::template vocabulary<J>) + ...);
    };
    using S = Sums<std::index_sequence_for<F...>>;
    static constexpr int most = S::most, groups = S::groups;
    static constexpr std::int64_t combinations = S::combinations;
};
template <class Rec, Name... N> struct CrossPart<Rec, Of<N...>> {
    static constexpr int most = 1, groups = 1;
    static constexpr std::int64_t combinations =
        (std::int64_t(Rec::template vocabulary<std::size_t(Rec::template index<N>)>) * ...);
};

template <class... P> struct IndexingOf {
    using type = typename PolicyOr<HowIndexed, void, P...>::type;
};
template <class... P>
    requires(!has_policy<HowIndexed, P...>)
struct IndexingOf<P...> {
    using type = void;
};

/// The crosses of a record under a Cross's policies.
template <class Rec, class... P> struct CrossKeys {
    using Indexing = typename IndexingOf<P...>::type;
    static constexpr bool hashed = requires { Indexing::slots; };
    static constexpr int most = (CrossPart<Rec, P>::most + ... + 0);
    static constexpr std::int64_t combinations = (CrossPart<Rec, P>::combinations + ... + 0);
    static consteval int count() {
        if constexpr (hashed) return Indexing::slots;
        else return int(combinations);
    }
    static constexpr int slots = count();

    /// Calls f(k, row) for each cross that fires: k < most names its place, row its weight.
    template <class F> static void each(typename Rec::Row const& row, F f) noexcept {
        each_valued(row, [&f](int k, std::int32_t at, float) noexcept { f(k, at); });
    }
    /// Calls f(k, row, x) for each cross that fires, x being its value: the weight of an id that has one, by
    /// itself under Each, else 1.
    template <class F> static void each_valued(typename Rec::Row const& row, F f) noexcept {
        int k = 0;
        std::int64_t base = 1;
        std::uint64_t product = 0;
        (part<P>(Tag<P>{}, row, k, base, product, f), ...);
    }

    /// Crosses of one kind: an Of is one, and under Each every field that has ids.
    static constexpr int groups = (CrossPart<Rec, P>::groups + ... + 0);
    /// The group of the cross at each place.
    static constexpr auto group_of = [] {
        std::array<int, std::size_t(std::max(1, most))> g{};
        int k = 0, group = 0;
        auto const take = [&](int places) {
            for (int i = 0; i < places; ++i) g[std::size_t(k++)] = group;
            ++group;
        };
        auto const part = [&]<class Q>(Tag<Q>) {
            if constexpr (std::is_same_v<Q, Each>)
                detail::each<std::size_t(Rec::fields)>([&](auto j) {
                    if constexpr (Rec::template vocabulary<j> > 0) take(Rec::template field<j>::capacity);
                });
            else if constexpr (CrossPart<Rec, Q>::groups > 0) take(1);
        };
        (part(Tag<P>{}), ...);
        return g;
    }();

    /// The ids of the cross at place k, in the order of `fields_at`; it fires in this row.
    static std::vector<std::int32_t> ids_at(typename Rec::Row const& row, int k) {
        int first = k; // of the places of its field: a list has several
        while (first > 0 && group_of[std::size_t(first - 1)] == group_of[std::size_t(k)]) --first;
        std::vector<std::int32_t> ids;
        for (int const field : fields_at(k))
            detail::each<std::size_t(Rec::fields)>([&](auto j) {
                if constexpr (Rec::template vocabulary<j> > 0)
                    if (int(j) == field) {
                        int at = 0;
                        each_id<typename Rec::template field<j>>(get<j>(row), [&](std::int32_t id) {
                            if (at++ == k - first) ids.push_back(id);
                        });
                    }
            });
        return ids;
    }

    /// The fields of the cross at place k, in record order.
    static std::vector<int> fields_at(int k) {
        std::vector<int> found;
        int at = 0;
        (fields_of(Tag<P>{}, k, at, found), ...);
        return found;
    }

private:
    static void fields_of(auto, int, int&, std::vector<int>&) {}
    static void fields_of(Tag<Each>, int k, int& at, std::vector<int>& found) {
        detail::each<std::size_t(Rec::fields)>([&](auto j) {
            if constexpr (Rec::template vocabulary<j> > 0) {
                using Field = typename Rec::template field<j>;
                if (k >= at && k < at + Field::capacity) found = {int(j)};
                at += Field::capacity;
            }
        });
    }
    template <Name... N> static void fields_of(Tag<Of<N...>>, int k, int& at, std::vector<int>& found) {
        if (k == at++) {
            found = {Rec::template index<N>...};
            std::sort(found.begin(), found.end());
        }
    }
    static std::uint64_t hash_of(std::size_t field, std::int32_t id) noexcept {
        std::uint64_t const words[] = {field, std::uint64_t(std::uint32_t(id))};
        return xxh64_words(words, 2);
    }
    static std::int32_t slot(std::uint64_t hash) noexcept {
        return 1 + std::int32_t(mulhi64(hash, std::uint64_t(slots)));
    }
    template <class, class F>
    static void part(auto, typename Rec::Row const&, int&, std::int64_t&, std::uint64_t&, F&) noexcept {}

    template <class, class F>
    static void part(Tag<Each>, typename Rec::Row const& row, int& k, std::int64_t& base, std::uint64_t&,
                     F& f) noexcept {
        detail::each<std::size_t(Rec::fields)>([&](auto j) noexcept {
            using Field = typename Rec::template field<j>;
            constexpr int ids = Rec::template vocabulary<j>;
            if constexpr (ids > 0) {
                int place = k;
                float const* const weights = weights_of<Field>(get<j>(row));
                each_id<Field>(get<j>(row), [&](std::int32_t id) noexcept {
                    int const at = place++;
                    if (id == 0) return;
                    float const x = weights ? weights[at - k] : 1.0f;
                    if constexpr (hashed) f(at, slot(hash_of(j, id)), x);
                    else f(at, std::int32_t(base + id), x);
                });
                k += Field::capacity;
                base += ids;
            }
        });
    }
    template <class, class F, Name... N>
    static void part(Tag<Of<N...>>, typename Rec::Row const& row, int& k, std::int64_t& base,
                     std::uint64_t& product, F& f) noexcept {
        // Fields in record order, so that the order of the names does not matter.
        constexpr auto order = [] {
            struct {
                int field[sizeof...(N)];
            } o{{Rec::template index<N>...}};
            std::sort(o.field, o.field + sizeof...(N));
            return o;
        }();
        std::uint64_t words[sizeof...(N)];
        std::int64_t mixed = 0;
        bool fires = true;
        detail::each<sizeof...(N)>([&](auto i) noexcept {
            constexpr auto j = std::size_t(order.field[i]);
            std::int32_t const id = get<j>(row).id;
            fires = fires && id != 0;
            if constexpr (hashed) words[i] = hash_of(j, id);
            mixed = mixed * Rec::template vocabulary<j> + id;
        });
        if (fires) {
            if constexpr (hashed && sizeof...(N) == 1)
                f(k, slot(words[0]), 1.0f); // a cross of one part is the part
            else if constexpr (hashed) f(k, slot(xxh64_words(words, int(sizeof...(N)), product)), 1.0f);
            else f(k, std::int32_t(base + mixed), 1.0f);
        }
        ++k;
        ++product;
        base += CrossPart<Rec, Of<N...>>::combinations;
    }
};

/// What is wrong with a Cross over an input, in the order in which a reader would look.
template <class Spec, class I, class Allowed, class... P> struct CrossProblem {
    using type = PolicyProblem<Spec, I, Allowed, P...>;
};
template <class Spec, class... F, class Allowed, class... P>
struct CrossProblem<Spec, Record<F...>, Allowed, P...> {
    using Rec = Record<F...>;
    template <class Found, Name N> static consteval auto field(Tag<Found> found) {
        if constexpr (!fits<Found>) return found;
        else if constexpr (Rec::template index<N> < 0)
            return Tag<Misfit<Spec, Place<>, unknown_field<N>, typename FieldList<Rec>::type>>{};
        else if constexpr (!has_single_id<Rec, N>())
            return Tag<Misfit<Spec, Place<>, field_without_one_id<N>, Wants<a_field_with_one_id>>>{};
        else return found;
    }
    template <class Found, class Q> struct AfterPolicy {
        using type = Found;
    };
    template <class Found> struct Chain {
        using type = Found;
    };
    template <class Found, Name First, Name... N> static consteval auto fields(Tag<Found> found) {
        auto const next = field<Found, First>(found);
        if constexpr (sizeof...(N) == 0) return next;
        else return fields<typename decltype(next)::type, N...>(next);
    }
    template <class Found, Name... N> struct AfterPolicy<Found, Of<N...>> {
        using type = typename decltype(fields<Found, N...>(Tag<Found>{}))::type;
    };
    template <class Found> static consteval auto walk() { return Tag<Found>{}; }
    template <class Found, class Q, class... Rest> static consteval auto walk() {
        return walk<typename AfterPolicy<Found, Q>::type, Rest...>();
    }
    static consteval auto find() {
        using Policy = PolicyProblem<Spec, Rec, Allowed, P...>;
        using Named = typename decltype(walk<Policy, P...>())::type;
        if constexpr (!fits<Named>) return Tag<Named>{};
        else if constexpr (!has_policy<HowIndexed, P...>)
            return Tag<Misfit<Spec, Place<>, Got<no_indexing>, Wants<Hashed_or_Indexed>>>{};
        else if constexpr (!CrossKeys<Rec, P...>::hashed &&
                           CrossKeys<Rec, P...>::combinations >= std::numeric_limits<std::int32_t>::max())
            return Tag<Misfit<Spec, Place<>, Got<too_many_combinations>, Wants<Hashed_slots>>>{};
        else return Tag<Fits>{};
    }
    using type = typename decltype(find())::type;
};
} // namespace detail

} // namespace inlay::inline INLAY_ISA
