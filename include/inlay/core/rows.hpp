// SPDX-License-Identifier: BSD-3-Clause
// Data sets: one for each kind of input. Rows of numbers: rows_numbers.hpp; texts: rows_tokens.hpp.
#pragma once

#include <inlay/core/error.hpp>
#include <inlay/core/joined.hpp>
#include <inlay/core/random.hpp>
#include <inlay/core/record.hpp>

#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace inlay::inline INLAY_ISA {

template <class Input> class Rows;

namespace detail {
/// Throws Error unless there is a fixed number of targets a row, and a weight a row that is not negative, or
/// none.
inline void check_rows(std::size_t rows, std::vector<float> const& target, std::vector<float> const& weight) {
    if (rows == 0 ? !target.empty() : target.size() % rows != 0 || target.empty())
        fail(Error("", "Rows::target", joined("the same number for each of ", rows, " rows"),
                   std::to_string(target.size())));
    if (!weight.empty() && weight.size() != rows)
        fail(Error("", "Rows::weight", joined("none, or one for each of ", rows, " rows"),
                   std::to_string(weight.size())));
    for (std::size_t i = 0; i < weight.size(); ++i)
        if (!(weight[i] >= 0))
            fail(Error("", joined("Rows::weight, row ", i), "0 or more", std::to_string(weight[i])));
}
/// Copies the `each` values of row i.
template <class T>
void append_row(std::vector<T>& to, std::vector<T> const& from, std::size_t i, std::size_t each) {
    auto const begin = from.begin() + std::ptrdiff_t(i * each);
    to.insert(to.end(), begin, begin + std::ptrdiff_t(each));
}
} // namespace detail

/// Encoded rows of a record with a target each, and a weight each where `weight` is not empty.
template <class... F> class Rows<Record<F...>> {
public:
    using Input = Record<F...>;
    using Row = typename Input::Row;
    std::vector<Row> row{};
    std::vector<float> target{};
    std::vector<float> weight{};

    std::size_t size() const noexcept { return row.size(); }
    Row const& operator[](std::size_t i) const noexcept { return row[i]; }
    /// Targets of each row.
    int targets() const noexcept { return row.empty() ? 1 : int(target.size() / row.size()); }

    /// Throws Error where targets or weights do not go with the rows, or an id is not of its field.
    void check() const {
        detail::check_rows(size(), target, weight);
        for (std::size_t i = 0; i < size(); ++i) check(row[i], i);
    }
    /// Throws Error, in which the row is the i-th, where an id is not of its field.
    static void check(Row const& row, std::size_t i) {
        detail::each<sizeof...(F)>([&](auto j) { check_field<j>(get<j>(row), i); });
    }

    /// Two parts: the second holds a share of the rows drawn by the seed, the first the others, both in
    /// order.
    std::pair<Rows, Rows> split(double share, Seed seed) const {
        std::pair<Rows, Rows> parts;
        Key const key{seed.value};
        for (std::size_t i = 0; i < size(); ++i) {
            Rows& part = key.uniform(i) < share ? parts.second : parts.first;
            part.row.push_back(row[i]);
            detail::append_row(part.target, target, i, std::size_t(targets()));
            if (!weight.empty()) part.weight.push_back(weight[i]);
        }
        return parts;
    }

    /// n rows of ids drawn evenly, numbers from N(0, 1), histories of any length, weights from .25 to
    /// 1.25, targets 0 or 1.
    static Rows random(std::size_t n, Seed seed) {
        Rows r;
        r.row.resize(n);
        r.target.resize(n);
        Key const key{seed.value};
        for (std::size_t i = 0; i < n; ++i) {
            detail::each<sizeof...(F)>([&](auto j) { draw<j>(get<j>(r.row[i]), key.fold(j), i); });
            r.target[i] = float(key.below(2, i));
        }
        return r;
    }

private:
    template <std::size_t J>
    static void check_field(typename Input::template field<J>::Value const& v, std::size_t i) {
        using Field = typename Input::template field<J>;
        auto const refuse = [&](char const* what, std::int32_t most, std::int32_t found) {
            detail::fail(Error("", detail::joined("row ", i, ", field ", Field::name.text),
                               detail::joined(what, " from 0 to ", most), std::to_string(found)));
        };
        if constexpr (detail::is_list_field<Field>)
            if (v.count < 0 || v.count > Field::capacity) refuse("a count", Field::capacity, v.count);
        if constexpr (Input::template vocabulary<J> > 0)
            detail::each_id<Field>(v, [&](std::int32_t id) {
                constexpr int ids = Input::template vocabulary<J>;
                if (id < 0 || id >= ids) refuse("an id", ids - 1, id);
            });
    }
    template <std::size_t J>
    static void draw(typename Input::template field<J>::Value& v, Key key, std::uint64_t i) {
        using Field = typename Input::template field<J>;
        auto const ids = std::uint64_t(Input::template vocabulary<J>);
        if constexpr (Field::kind == FieldKind::numeric) {
            v.value = float(key.normal(i));
            v.id = ids ? std::int32_t(key.below(ids, i, 1)) : 0;
            if constexpr (Field::learned) v.part = float(key.uniform(i, 2));
        } else if constexpr (detail::is_list_field<Field>) {
            v = {};
            v.count = std::int32_t(key.below(std::uint64_t(Field::capacity) + 1, i));
            for (int k = 0; k < v.count; ++k) v.id[k] = std::int32_t(key.below(ids, i, std::uint64_t(k) + 1));
            if constexpr (Field::weighted)
                for (int k = 0; k < v.count; ++k)
                    v.weight[k] = float(0.25 + key.fold(1).uniform(i, std::uint64_t(k)));
        } else v.id = std::int32_t(key.below(ids, i));
    }
};

} // namespace inlay::inline INLAY_ISA
