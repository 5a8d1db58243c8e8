// SPDX-License-Identifier: BSD-3-Clause
// Who did what, in the order of time: parts for training and testing. What rows come of it: event_rows.hpp.
#pragma once

#include <inlay/core/rows.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <span>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace inlay::inline INLAY_ISA {

/// Events to learn from and to be tested by, as their places in an EventLog. All of them keep the histories
/// that the whole log gives them.
struct LogSplit {
    std::vector<std::uint32_t> train, validation, test;
};

namespace detail {
/// Whether a field's value follows from earlier events: a history SameAs another field. One that is Weighted
/// stands in the file.
template <class Field> inline constexpr bool is_derived = false;
template <Name N, int T, Name Other> inline constexpr bool is_derived<History<N, T, SameAs<Other>>> = true;

struct NotStored {};
template <class Rec> struct StoredOf;
/// A row without what follows from earlier ones.
template <class... F> struct StoredOf<Record<F...>> {
    using type = Leaves<std::conditional_t<is_derived<F>, NotStored, typename F::Value>...>;
};
} // namespace detail

/// Events of users, each the fields of a record with a target: user by user in the order of first sight, each
/// user's in the order of time, equal times in the order of the file. A `History<"watched", 50,
/// SameAs<"item">>` is not part of an event: it is what "item" was in the user's events before.
template <class Rec> class EventLog {
public:
    using Row = typename Rec::Row;

    /// Events in any order, users numbered from 0 without gaps. Histories of `rows` that follow from the log
    /// are not looked at. Throws Error where these do not go together.
    EventLog(std::vector<std::uint32_t> const& user, std::vector<double> const& time, Rows<Rec> const& rows) {
        for (std::size_t const n : {user.size(), time.size(), rows.target.size()})
            if (n != rows.size())
                detail::fail(
                    Error("", "EventLog",
                          detail::joined("a user, a time and a target for each of ", rows.size(), " rows"),
                          std::to_string(n)));
        for (std::size_t i = 0; i < rows.size(); ++i) add(user[i], time[i], stored(rows[i]), rows.target[i]);
        sort();
    }

    /// Events.
    std::size_t size() const noexcept { return time_.size(); }
    std::size_t users() const noexcept { return begin_.size() - 1; }
    /// Events of a user: those from `begin_of(user)` to before `begin_of(user + 1)`.
    std::size_t begin_of(std::size_t user) const noexcept { return begin_[user]; }
    std::uint32_t user_of(std::size_t event) const noexcept { return user_[event]; }
    double time_of(std::size_t event) const noexcept { return time_[event]; }
    float target_of(std::size_t event) const noexcept { return target_[event]; }

    /// All events.
    std::vector<std::uint32_t> all() const {
        std::vector<std::uint32_t> events(size());
        std::iota(events.begin(), events.end(), 0u);
        return events;
    }
    /// Each user's last event is for testing, the one before for validation; users of fewer than three events
    /// are for training only.
    LogSplit leave_one_out() const {
        LogSplit parts;
        for (std::size_t user = 0; user < users(); ++user) {
            std::size_t const end = begin_[user + 1], held = end - begin_[user] < 3 ? 0 : 2;
            for (std::size_t i = begin_[user]; i < end; ++i)
                (i + held < end ? parts.train
                 : i + 1 < end  ? parts.validation
                                : parts.test)
                    .push_back(std::uint32_t(i));
        }
        return parts;
    }
    /// By time: before `validation`, before `test`, and from then on.
    LogSplit split_at(double validation, double test) const {
        LogSplit parts;
        for (std::size_t i = 0; i < size(); ++i)
            (time_[i] < validation ? parts.train
             : time_[i] < test     ? parts.validation
                                   : parts.test)
                .push_back(std::uint32_t(i));
        return parts;
    }
    /// By time, so that about these shares of all events come last; events of one time stay together.
    LogSplit split_last(double validation, double test) const {
        if (!(validation >= 0 && test >= 0 && validation + test <= 1))
            detail::fail(Error("", "EventLog::split_last", "two shares from 0 to a sum of 1",
                               detail::joined(std::to_string(validation), " and ", std::to_string(test))));
        auto times = time_;
        std::ranges::sort(times);
        auto const from = [&](double share) {
            auto const last = std::size_t(share * double(size()) + 0.5);
            return last == 0 ? std::numeric_limits<double>::infinity() : times[size() - last];
        };
        return split_at(from(validation + test), from(test));
    }

    // What follows is for the readers of data/.
    using Stored = typename detail::StoredOf<Rec>::type;
    EventLog() = default;
    void add(std::uint32_t user, double time, Stored const& event, float target) {
        user_.push_back(user), time_.push_back(time), event_.push_back(event), target_.push_back(target);
    }
    /// To be called after the last add.
    void sort() {
        for (std::size_t i = 0; i < size(); ++i)
            if (!(std::abs(time_[i]) <= std::numeric_limits<double>::max()))
                detail::fail(Error("", detail::joined("EventLog, event ", i), "a finite time",
                                   std::to_string(time_[i])));
        std::vector<std::size_t> order(size());
        std::iota(order.begin(), order.end(), std::size_t{0});
        std::ranges::sort(order, {}, [&](std::size_t i) { return std::tuple{user_[i], time_[i], i}; });
        auto const sorted = [&](auto& list) {
            std::remove_reference_t<decltype(list)> other;
            other.reserve(list.size());
            for (std::size_t const i : order) other.push_back(list[i]);
            list = std::move(other);
        };
        sorted(user_), sorted(time_), sorted(event_), sorted(target_);
        begin_.assign(1, 0);
        for (std::size_t i = 1; i < size(); ++i)
            if (user_[i] != user_[i - 1]) begin_.push_back(i);
        if (size() > 0) begin_.push_back(size());
        if (size() > 0 && std::size_t(user_.back()) + 1 != users())
            detail::fail(Error("", "EventLog", detail::joined("users from 0 to ", users() - 1),
                               detail::joined("one numbered ", user_.back())));
    }
    Stored const& event(std::size_t i) const noexcept { return event_[i]; }
    static Stored stored(Row const& row) {
        Stored event{};
        detail::each<std::size_t(Rec::fields)>([&](auto j) {
            if constexpr (!detail::is_derived<typename Rec::template field<j>>) get<j>(event) = get<j>(row);
        });
        return event;
    }

private:
    std::vector<std::uint32_t> user_;
    std::vector<double> time_;
    std::vector<Stored> event_;
    std::vector<float> target_;
    std::vector<std::size_t> begin_ = {0};
};

} // namespace inlay::inline INLAY_ISA
