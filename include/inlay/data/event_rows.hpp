// SPDX-License-Identifier: BSD-3-Clause
// Rows of events: what happened, with the histories before it and what is to be predicted.
#pragma once

#include <inlay/data/event_log.hpp>

#include <limits>

namespace inlay::inline INLAY_ISA {

namespace detail {
template <class Rec, Name N> consteval bool has_one_id() {
    if constexpr (Rec::template index<N> < 0) return false;
    else {
        using Field = typename Rec::template field<std::size_t(Rec::template index<N>)>;
        return !is_list_field<Field> && Field::ids > 0;
    }
}
/// The field named N, which has one id; where there is none, which is an error already, it does nothing.
template <class Rec, Name N> struct OneId {
    static std::int32_t of(EventLog<Rec> const&, std::size_t) { return 0; }
    static void set(typename Rec::Row&, std::int32_t) {}
    static void clear(typename Rec::Row&) {}
};
template <class Rec, Name N>
    requires(has_one_id<Rec, N>())
struct OneId<Rec, N> {
    static constexpr auto at = std::size_t(Rec::template index<N>);
    static std::int32_t of(EventLog<Rec> const& log, std::size_t event) {
        return get<at>(log.event(event)).id;
    }
    static void set(typename Rec::Row& row, std::int32_t id) { get<at>(row).id = id; }
    static void clear(typename Rec::Row& row) { get<at>(row) = {}; }
};

/// The same for the field that the history named N is SameAs, of up to `places` ids.
template <class Rec, Name N> struct HistoryOfOneId : OneId<Rec, N> {
    static constexpr bool found = false;
    static constexpr std::size_t places = 1;
};
template <class Rec, Name N>
    requires(Rec::template index<N> >= 0 &&
             is_derived<typename Rec::template field<std::size_t(Rec::template index<N>)>>)
struct HistoryOfOneId<Rec, N>
    : OneId<Rec, Rec::template field<std::size_t(Rec::template index<N>)>::same_as> {
    using Field = typename Rec::template field<std::size_t(Rec::template index<N>)>;
    static constexpr bool found = has_one_id<Rec, Field::same_as>();
    static constexpr auto places = std::size_t(Field::capacity);
};

/// The row of one event: its own fields, and histories of the user's events before it.
template <class Rec> typename Rec::Row event_row(EventLog<Rec> const& log, std::size_t event) {
    typename Rec::Row row{};
    std::size_t const begin = log.begin_of(log.user_of(event));
    each<std::size_t(Rec::fields)>([&](auto j) {
        using Field = typename Rec::template field<j>;
        if constexpr (is_derived<Field>) {
            constexpr auto of = Rec::template owner<j>();
            using Other = typename Rec::template field<of>;
            auto& history = get<j>(row);
            std::int32_t newest_first[std::size_t(Field::capacity)];
            for (std::size_t i = event; i > begin && history.count < Field::capacity; --i) {
                std::int32_t ids[std::size_t(Other::capacity)], count = 0;
                each_id<Other>(get<of>(log.event(i - 1)), [&](std::int32_t id) { ids[count++] = id; });
                while (count > 0 && history.count < Field::capacity)
                    newest_first[history.count++] = ids[--count];
            }
            std::reverse_copy(newest_first, newest_first + history.count, history.id);
        } else get<j>(row) = get<j>(log.event(event));
    });
    return row;
}
} // namespace detail

/// A row for each of these events, its target that of the event: what a ranker of what was shown learns from.
template <class Rec> Rows<Rec> event_rows(EventLog<Rec> const& log, std::span<std::uint32_t const> events) {
    Rows<Rec> rows;
    for (std::uint32_t const i : events) {
        rows.row.push_back(detail::event_row(log, i));
        rows.target.push_back(log.target_of(i));
    }
    return rows;
}

/// A row for each of these events with target 1, and after it `count` rows with target 0 that differ in the
/// field named Item: its id is drawn evenly from those that occur in the log, leaving out all that this user
/// ever had. Throws Error for a user who had them all.
template <Name Item, class Rec>
Rows<Rec> rows_with_negatives(EventLog<Rec> const& log, std::span<std::uint32_t const> events, int count,
                              Seed seed) {
    static_assert(detail::has_one_id<Rec, Item>(),
                  "inlay: rows_with_negatives wants the name of a field of the record with one id");
    using Id = detail::OneId<Rec, Item>;
    Rows<Rec> rows;
    auto const id_of = [&](std::size_t i) { return Id::of(log, i); };
    std::int32_t most = 0;
    for (std::size_t i = 0; i < log.size(); ++i) most = std::max(most, id_of(i));
    std::vector<bool> had(std::size_t(most) + 1);
    Key const key = Key{seed.value}.fold(0x6E65676174697665);
    for (std::uint32_t const event : events) {
        std::size_t const user = log.user_of(event), begin = log.begin_of(user), end = log.begin_of(user + 1);
        std::int32_t left = most;
        for (std::size_t i = begin; i < end; ++i)
            if (id_of(i) > 0 && !had[std::size_t(id_of(i))]) had[std::size_t(id_of(i))] = true, --left;
        if (left == 0 && count > 0)
            detail::fail(Error("", detail::joined("rows_with_negatives, event ", event),
                               detail::joined("a user who has not had every ", Item.text), "one who has"));
        rows.row.push_back(detail::event_row(log, event));
        rows.target.push_back(1);
        for (int k = 0; k < count; ++k) {
            Key const draws = key.fold(std::uint64_t(k));
            std::int32_t id = 0;
            for (std::uint64_t attempt = 0; id == 0 || had[std::size_t(id)]; ++attempt)
                id = 1 + std::int32_t(draws.below(std::uint64_t(most), event, attempt));
            auto row = rows.row[rows.row.size() - 1 - std::size_t(k)];
            Id::set(row, id);
            rows.row.push_back(row);
            rows.target.push_back(0);
        }
        for (std::size_t i = begin; i < end; ++i) had[std::size_t(id_of(i))] = false;
    }
    return rows;
}

/// A row for each of these events with the id of the field named Item as its target, a class for
/// CrossEntropy. In the row itself this field is 0, so that it does not give the answer away. Events whose id
/// is 0, unseen, are left out.
template <Name Item, class Rec>
Rows<Rec> next_rows(EventLog<Rec> const& log, std::span<std::uint32_t const> events) {
    static_assert(detail::has_one_id<Rec, Item>(),
                  "inlay: next_rows wants the name of a field of the record with one id");
    using Id = detail::OneId<Rec, Item>;
    Rows<Rec> rows;
    for (std::uint32_t const i : events) {
        std::int32_t const id = Id::of(log, i);
        if (id == 0) continue;
        rows.row.push_back(detail::event_row(log, i));
        Id::clear(rows.row.back());
        rows.target.push_back(float(id));
    }
    return rows;
}

/// Windows of users' events for a model that predicts after each: a row has as many targets as the history
/// named Seen has places, each the id that follows the one in its place, or NaN, which losses ignore, past
/// the history's end and where what follows is none of these events or unseen. Windows are cut from a user's
/// last event backwards, so every one of these events is a target once, but for a user's first, which nothing
/// precedes. Other fields are those of a window's last event; the one that is predicted is 0.
template <Name Seen, class Rec>
Rows<Rec> sequence_rows(EventLog<Rec> const& log, std::span<std::uint32_t const> events) {
    using Id = detail::HistoryOfOneId<Rec, Seen>;
    static_assert(Id::found,
                  "inlay: sequence_rows wants the name of a History that is SameAs a field with one id");
    constexpr std::size_t T = Id::places;
    std::vector<bool> chosen(log.size());
    for (std::uint32_t const i : events) chosen[i] = true;
    Rows<Rec> rows;
    for (std::size_t user = 0; user < log.users(); ++user) {
        std::size_t const begin = log.begin_of(user);
        std::size_t end = log.begin_of(user + 1);
        while (end > begin && !chosen[end - 1]) --end;
        for (; end > begin + 1; end -= std::min(T, end - 1 - begin)) {
            std::size_t const last = end - 1, count = std::min(T, last - begin);
            float target[T];
            bool any = false;
            for (std::size_t t = 0; t < T; ++t) {
                std::size_t const i = last - count + 1 + t;
                std::int32_t const id = t < count && chosen[i] ? Id::of(log, i) : 0;
                target[t] = id > 0 ? float(id) : std::numeric_limits<float>::quiet_NaN();
                any = any || id > 0;
            }
            if (!any) continue;
            rows.row.push_back(detail::event_row(log, last));
            Id::clear(rows.row.back());
            rows.target.insert(rows.target.end(), target, target + T);
        }
    }
    return rows;
}

} // namespace inlay::inline INLAY_ISA
