// SPDX-License-Identifier: BSD-3-Clause
// One row of index:value pairs, as numbers or as a record.
#pragma once

#include <inlay/core/rows_numbers.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace inlay::inline INLAY_ISA {
namespace detail {

/// Features are counted from 0. `put` says what should be instead, or nothing where it took the pair. What no
/// sparse row can be is refused where it is asked for, and does nothing here, so that there is one error.
template <class Input> struct SparseRow {
    static constexpr bool possible = false;
    static constexpr std::size_t features = 0;
    void clear() {}
    std::string put(std::size_t, float) { return {}; }
    void append_to(Rows<Input>&) const {}
};

template <int D> class SparseRow<Shape<D>> {
public:
    static constexpr bool possible = true;
    static constexpr std::size_t features = std::size_t(D);

    void clear() {
        for (std::size_t const at : given_) value_[at] = 0, is_given_[at] = false;
        given_.clear();
    }
    std::string put(std::size_t at, float value) {
        if (is_given_[at]) return "each index once";
        given_.push_back(at);
        is_given_[at] = true;
        value_[at] = value;
        return {};
    }
    void append_to(Rows<Shape<D>>& rows) const {
        rows.input.insert(rows.input.end(), value_.begin(), value_.end());
    }

private:
    std::vector<float> value_ = std::vector<float>(features);
    std::vector<bool> is_given_ = std::vector<bool>(features);
    std::vector<std::size_t> given_;
};

/// Whether a field can be read without an Encoder, and as single features.
template <class Field>
inline constexpr bool is_plain_field =
    Field::kind != FieldKind::history && !requires { requires Field::learned; };

template <class... F>
    requires(... && is_plain_field<F>)
class SparseRow<Record<F...>> {
    using Rec = Record<F...>;
    static constexpr std::size_t fields = sizeof...(F);
    template <class Field> static consteval std::size_t width() {
        return Field::kind == FieldKind::numeric ? 1 : std::size_t(Field::ids) - 1;
    }
    /// The features before each field, and at the end all.
    static constexpr auto first = [] {
        std::array<std::size_t, fields + 1> at{};
        std::size_t i = 0;
        ((at[i + 1] = at[i] + width<F>(), ++i), ...);
        return at;
    }();

public:
    static constexpr bool possible = true;
    static constexpr std::size_t features = first[fields];

    void clear() {
        row_ = {};
        given_ = {};
        each<fields>([&](auto j) {
            using Field = typename Rec::template field<j>;
            if constexpr (Field::kind == FieldKind::numeric) get<j>(row_).id = Field::bucket(0);
        });
    }
    std::string put(std::size_t at, float value) {
        std::string wants;
        std::size_t const field = std::size_t(std::ranges::upper_bound(first, at) - first.begin()) - 1;
        each<fields>([&](auto j) {
            if (std::size_t(j) == field)
                wants = put(Tag<typename Rec::template field<j>>{}, get<j>(row_), given_[j],
                            std::int32_t(at - first[j]) + 1, value);
        });
        return wants;
    }
    void append_to(Rows<Rec>& rows) const { rows.row.push_back(row_); }

private:
    template <class Field>
    static std::string put(Tag<Field>, typename Field::Value& v, bool& given, std::int32_t id, float value) {
        if constexpr (Field::kind == FieldKind::numeric) {
            if (given) return joined("one value of field ", Field::name.text);
            v.value = float(Field::curve(double(value)));
            v.id = Field::bucket(double(value));
        } else {
            if (value != 1 && !has_weights<Field>) return joined("the value 1 for field ", Field::name.text);
            if constexpr (Field::kind == FieldKind::categorical) {
                if (given) return joined("one index of field ", Field::name.text);
                v.id = id;
            } else {
                if (std::find(v.id, v.id + v.count, id) != v.id + v.count) return "each index once";
                if (v.count == Field::capacity)
                    return joined("at most ", Field::capacity, " indices of field ", Field::name.text);
                if constexpr (has_weights<Field>) v.weight[v.count] = value;
                v.id[v.count++] = id;
            }
        }
        given = true;
        return {};
    }

    typename Rec::Row row_{};
    std::array<bool, fields> given_{};
};

} // namespace detail
} // namespace inlay::inline INLAY_ISA
