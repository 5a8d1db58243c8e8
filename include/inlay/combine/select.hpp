// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <inlay/core/block.hpp>
#include <inlay/core/fields.hpp>
#include <inlay/kernels/map.hpp>

#include <algorithm>
#include <cstring>

namespace inlay::inline INLAY_ISA {

namespace detail {
/// What field J of a record is by itself.
template <class Rec, std::size_t J> struct FieldShape {
    using Field = typename Rec::template field<J>;
    static consteval auto find() {
        constexpr int N = Field::capacity, V = Rec::template vocabulary<J>;
        if constexpr (Field::kind == FieldKind::numeric) return Tag<Shape<1>>{};
        else if constexpr (has_weights<Field>) return Tag<WeightedBag<N, V>>{};
        else if constexpr (Field::kind == FieldKind::multi_hot) return Tag<Bag<N, V>>{};
        else return Tag<Tokens<N, V>>{};
    }
    using type = typename decltype(find())::type;
};
} // namespace detail

/// One field of a record.
///
/// A history gives `Tokens<T, V>` with its count as the length, a multi-hot field `Bag<Max, V>`, a
/// categorical field `Tokens<1, V>`, a number `Shape<1>`, a list that is Weighted `WeightedBag<Max, V>`; V is
/// the vocabulary of the field that owns the ids. No parameters, no gradient, no streaming form. PyTorch:
/// `row["field"]`. Error: a field that the record lacks, an input that is no record. Cost: a copy of the
/// field.
template <Name F> struct Select {
    template <class I> struct ProblemOf {
        using type = Misfit<Select, Place<>, Got<detail::Brief<I>>, Wants<a_record>>;
    };
    template <class... G> struct ProblemOf<Record<G...>> {
        static consteval auto find() {
            if constexpr (Record<G...>::template index<F> >= 0) return Tag<Fits>{};
            else
                return Tag<
                    Misfit<Select, Place<>, Got<no_field>, typename detail::FieldList<Record<G...>>::type>>{};
        }
        using type = typename decltype(find())::type;
    };
    template <class I> using Problem = typename ProblemOf<I>::type;
    template <class... G>
    static Tag<typename detail::FieldShape<Record<G...>, std::size_t(Record<G...>::template index<F>)>::type>
        out(Tag<Record<G...>>);

    template <class I, class R> struct Block : BlockDefaults {
        using Spec = Select;
        using T = typename R::type;
        using Output = typename decltype(Select::out(Tag<I>{}))::type;
        static constexpr auto at = std::size_t(I::template index<F>);
        static constexpr bool is_list = detail::is_list_field<typename I::template field<at>>;

        /// The counts stand in the rows themselves, so that even a stack around this block knows them.
        static Lengths lengths(In<I, R> x) noexcept {
            if constexpr (is_list) return {&get<at>(x.row[0]).count, std::ptrdiff_t(sizeof(typename I::Row))};
            else return {};
        }
        template <class C, class Tp>
        static void forward(C const& c, Params const&, In<I, R> x, Out<Output, R> y, Tp&, Scratch) noexcept {
            for (int b = 0; b < c.rows; ++b) {
                auto const& v = get<at>(x.row[b]);
                if constexpr (is_numbers<Output>) {
                    kernels::clear_pads(y(b), 1, y.stride);
                    y(b)[0] = T(v.value);
                } else if constexpr (is_list) {
                    std::copy_n(v.id, v.count, y(b));
                    if constexpr (id_words<Output> > Output::rows)
                        std::memcpy(y(b) + Output::rows, v.weight, sizeof v.weight);
                } else y(b)[0] = v.id;
            }
        }
        template <class C, class Tp, class D, class DX, class G>
        static void backward(C const&, Params const&, In<I, R>, Tp const&, D, DX, G&, Scratch) noexcept {}
    };
};

} // namespace inlay::inline INLAY_ISA
