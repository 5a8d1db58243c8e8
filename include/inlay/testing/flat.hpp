// SPDX-License-Identifier: BSD-3-Clause
// Rows of any input as numbers of one length, for the laws.
#pragma once

#include <inlay/core/block.hpp>
#include <inlay/core/rows.hpp>
#include <inlay/testing/memory.hpp>

namespace inlay::inline INLAY_ISA {
namespace detail::laws {

template <class I> inline constexpr bool is_sequence_of_ids = false;
template <int T, int V> inline constexpr bool is_sequence_of_ids<Tokens<T, V>> = true;

/// Numbers of one row of the batch, when it is flat.
template <class I> struct Flat {
    static constexpr std::size_t size = std::size_t(I::rows);
};
template <int... N> struct Flat<Shape<N...>> {
    static constexpr std::size_t size = std::size_t(Shape<N...>::rows) * std::size_t(Shape<N...>::width);
};
template <class... F> struct Flat<Record<F...>> {
    template <class G> static constexpr bool has_part = requires(typename G::Value const& v) { v.part; };
    template <class G>
    static constexpr std::size_t of = has_part<G>                     ? 3
                                      : G::kind == FieldKind::numeric ? 2
                                      : has_weights<G>                ? 2 * std::size_t(G::capacity) + 1
                                      : is_list_field<G>              ? std::size_t(G::capacity) + 1
                                                                      : 1;
    static constexpr std::size_t size = (of<F> + ...);
    using Row = typename Record<F...>::Row;

    static void unpack(Row const& row, double* to) {
        each<sizeof...(F)>([&](auto j) {
            auto const& v = get<j>(row);
            using G = At<j, F...>;
            if constexpr (G::kind == FieldKind::numeric) {
                *to++ = double(v.value), *to++ = v.id;
                if constexpr (has_part<G>) *to++ = double(v.part);
            } else if constexpr (is_list_field<G>) {
                *to++ = v.count;
                for (auto id : v.id) *to++ = id;
                if constexpr (has_weights<G>)
                    for (auto w : v.weight) *to++ = double(w);
            } else *to++ = v.id;
        });
    }
    static Row pack(double const* from) {
        Row row;
        each<sizeof...(F)>([&](auto j) {
            auto& v = get<j>(row);
            using G = At<j, F...>;
            if constexpr (G::kind == FieldKind::numeric) {
                v.value = float(*from++), v.id = std::int32_t(*from++);
                if constexpr (has_part<G>) v.part = float(*from++);
            } else if constexpr (is_list_field<G>) {
                v.count = std::int32_t(*from++);
                for (auto& id : v.id) id = std::int32_t(*from++);
                if constexpr (has_weights<G>)
                    for (auto& w : v.weight) w = float(*from++);
            } else v.id = std::int32_t(*from++);
        });
        return row;
    }
    static void draw(Numbers& x, int n, std::uint64_t seed) {
        auto const rows = Rows<Record<F...>>::random(std::size_t(n), Seed{seed});
        x.resize(std::size_t(n) * size);
        for (std::size_t b = 0; b < std::size_t(n); ++b) unpack(rows[b], x.data() + b * size);
    }
};

} // namespace detail::laws
} // namespace inlay::inline INLAY_ISA
