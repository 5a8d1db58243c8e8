// SPDX-License-Identifier: BSD-3-Clause
// Embed over a record: one row a field.
#pragma once

#include <inlay/blocks/embed_ids.hpp>

namespace inlay::inline INLAY_ISA {

namespace detail {
template <class Rec> struct RecordTables;
/// Which table each field reads, how many rows it has, and where a row of the batch puts its gradients.
template <class... F> struct RecordTables<Record<F...>> {
    using Rec = Record<F...>;
    static constexpr std::size_t fields = sizeof...(F);
    template <std::size_t I>
    static constexpr bool is_number = Rec::template field<I>::kind == FieldKind::numeric;
    template <std::size_t I> static constexpr bool owns = Rec::template owner<I>() == I;
    template <std::size_t I> static constexpr int rows = is_number<I> ? 1 : Rec::template vocabulary<I>;

    /// Slots before field I among the fields that read the table of Owner; for I = fields, all of them.
    template <std::size_t Owner> static consteval int slots_before(std::size_t i) {
        int n = 0;
        each<fields>([&](auto j) noexcept {
            if (j < i && Rec::template owner<j>() == Owner) n += Rec::template field<j>::capacity;
        });
        return n;
    }
};

template <class Spec_, int D, class... F, class R>
struct EmbedBlock<Spec_, D, Record<F...>, R> : BlockDefaults {
    using Spec = Spec_;
    using T = typename R::type;
    using I = Record<F...>;
    using Tables = RecordTables<I>;
    using Output = Shape<int(sizeof...(F)), D>;
    static constexpr std::size_t fields = sizeof...(F);
    static constexpr int W = R::lanes;

    template <class> struct TypesOf;
    template <std::size_t... J> struct TypesOf<std::index_sequence<J...>> {
        struct Elsewhere {};
        template <std::size_t K>
        using Table = std::conditional_t<Tables::template owns<K>,
                                         Tensor<R, Tables::template rows<K>, D, Layout::packed>, Elsewhere>;
        template <std::size_t K, int B>
        using TableGrad =
            std::conditional_t<Tables::template owns<K>,
                               TableGrads<R, Tables::template rows<K>, D,
                                          B * std::max(1, Tables::template slots_before<K>(fields))>,
                               Elsewhere>;
        using Params = Leaves<Table<J>...>;
        template <int B> using Grads = Leaves<TableGrad<J, B>...>;
        static constexpr int parameters =
            ((Tables::template owns<J> ? Tables::template rows<J> * D : 0) + ...);
    };
    using Types = TypesOf<std::index_sequence_for<F...>>;
    using Params = typename Types::Params;
    template <int B> using Grads = typename Types::template Grads<B>;
    static constexpr int parameters = Types::parameters;
    static constexpr double flops = 2.0 * D * (F::capacity + ...);

    template <class P, class G> static void visit(P& p, Path const& at, G&& f) {
        each<fields>([&](auto j) {
            if constexpr (Tables::template owns<j>)
                f(Tag<Spec>{}, Path{&at, At<j, F...>::name.text}, Kind::table, get<j>(p).ref());
        });
    }
    template <class C> static void initialize(C const& c, Params& p) noexcept {
        each<fields>([&](auto j) noexcept {
            if constexpr (Tables::template owns<j>) draw_table(c.key.fold(j), get<j>(p).ref());
        });
    }
    template <class C, class Tp>
    static void forward(C const& c, Params const& p, In<I, R> x, Out<Output, R> y, Tp&, Scratch) noexcept {
        for (int b = 0; b < c.rows; ++b)
            each<fields>([&](auto j) noexcept {
                auto const& v = get<j>(x.row[b]);
                auto const& table = get<I::template owner<j>()>(p);
                T* to = y(b, int(j));
                if constexpr (Tables::template is_number<j>) kernels::scale<W>(D, T(v.value), table[0], to);
                else if constexpr (is_list_field<At<j, F...>>) {
                    kernels::clear(to, D);
                    for (int k = 0; k < v.count; ++k)
                        kernels::axpy<W>(D, T(1) / T(v.count), table[v.id[k]], to);
                } else std::copy_n(table[v.id], D, to);
                kernels::clear_pads(to, D, y.stride);
            });
    }
    template <class C, class Tp, class G>
    static void backward(C const& c, Params const&, In<I, R> x, Tp const&, In<Output, R> dy, NoGrad, G& g,
                         Scratch) noexcept {
        for (int b = 0; b < c.rows; ++b)
            each<fields>([&](auto j) noexcept {
                constexpr std::size_t owner = I::template owner<j>();
                constexpr int each_row = Tables::template slots_before<owner>(fields);
                constexpr int mine = Tables::template slots_before<owner>(j);
                auto const& v = get<j>(x.row[b]);
                auto& table = get<owner>(g);
                T const* from = dy(b, int(j));
                int const slot = b * each_row + mine;
                if constexpr (Tables::template is_number<j>) table.put(slot, 0, from, T(v.value));
                else if constexpr (is_list_field<At<j, F...>>)
                    for (int k = 0; k < v.count; ++k) table.put(slot + k, v.id[k], from, T(1) / T(v.count));
                else table.put(slot, v.id, from, T(1));
            });
    }
};
} // namespace detail

} // namespace inlay::inline INLAY_ISA
