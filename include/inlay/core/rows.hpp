// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <inlay/core/random.hpp>
#include <inlay/core/record.hpp>

#include <span>
#include <utility>
#include <vector>

namespace inlay::inline INLAY_ISA {

template <class Input> class Rows;

/// Encoded rows of a record with a target each, and a weight each where `weight` is not empty.
template <class... F> class Rows<Record<F...>> {
public:
    using Input = Record<F...>;
    using Row = typename Input::Row;
    std::vector<Row> row;
    std::vector<float> target;
    std::vector<float> weight;

    std::size_t size() const noexcept { return row.size(); }
    Row const& operator[](std::size_t i) const noexcept { return row[i]; }

    /// Two parts: the second holds a share of the rows drawn by the seed, the first the others, both in
    /// order.
    std::pair<Rows, Rows> split(double share, Seed seed) const {
        std::pair<Rows, Rows> parts;
        Key const key{seed.value};
        for (std::size_t i = 0; i < size(); ++i) {
            Rows& part = key.uniform(i) < share ? parts.second : parts.first;
            std::size_t const each = target.size() / size();
            part.row.push_back(row[i]);
            part.target.insert(part.target.end(), target.begin() + std::ptrdiff_t(i * each),
                               target.begin() + std::ptrdiff_t((i + 1) * each));
            if (!weight.empty()) part.weight.push_back(weight[i]);
        }
        return parts;
    }

    /// n rows of ids drawn evenly, numbers from N(0, 1), histories of any length, targets 0 or 1.
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
    static void draw(typename Input::template field<J>::Value& v, Key key, std::uint64_t i) {
        using Field = typename Input::template field<J>;
        auto const ids = std::uint64_t(Input::template vocabulary<J>);
        if constexpr (Field::kind == FieldKind::numeric) {
            v.value = float(key.normal(i));
            v.id = ids ? std::int32_t(key.below(ids, i, 1)) : 0;
        } else if constexpr (detail::is_list_field<Field>) {
            v = {};
            v.count = std::int32_t(key.below(std::uint64_t(Field::capacity) + 1, i));
            for (int k = 0; k < v.count; ++k) v.id[k] = std::int32_t(key.below(ids, i, std::uint64_t(k) + 1));
        } else v.id = std::int32_t(key.below(ids, i));
    }
};

} // namespace inlay::inline INLAY_ISA
