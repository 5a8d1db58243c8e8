// SPDX-License-Identifier: BSD-3-Clause
// Embed over a record: one row a field.
#pragma once

#include <inlay/blocks/embed/ids.hpp>
#include <inlay/blocks/embed/numbers.hpp>

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

/// Numbers that a policy embeds have blocks of their own; all other fields read tables.
template <class Spec_, int D, class... F, class R>
struct EmbedBlock<Spec_, D, Record<F...>, R> : BlockDefaults {
    using Spec = Spec_;
    using T = typename R::type;
    using I = Record<F...>;
    using Tables = RecordTables<I>;
    using Output = Shape<int(sizeof...(F)), D>;
    static constexpr std::size_t fields = sizeof...(F);
    static constexpr int W = R::lanes;

    using How = typename Spec::Numbers;
    using Pool = BagOf<typename PoolingOf<Spec>::type, D, W, T>;
    template <std::size_t K> using Number = NumberBlock<How, At<K, F...>, D, R>;
    template <std::size_t K> static constexpr bool is_embedded = embeds_field<How, At<K, F...>>;

    struct Elsewhere {
        static constexpr long long parameters = 0;
        static constexpr double flops = 0;
    };
    /// What field K owns: a table, a block, or nothing, as its table is that of another field.
    template <std::size_t K> struct Own {
        static constexpr long long parameters = 1LL * Tables::template rows<K> * D;
        static constexpr double flops = 2.0 * D * At<K, F...>::capacity;
        // The vector of a number is a float's in every model.
        using Params = TableOf<std::conditional_t<Tables::template is_number<K>, InFloat<R>, R>,
                               Tables::template rows<K>, D>;
        template <int B>
        using Grads = TableGrads<R, Tables::template rows<K>, D,
                                 B * std::max(1, Tables::template slots_before<K>(fields))>;
        template <int> using Tape = Elsewhere;
    };
    template <std::size_t K>
        requires(is_embedded<K>)
    struct Own<K> {
        static constexpr long long parameters = Number<K>::parameters;
        static constexpr double flops = Number<K>::flops;
        using Params = typename Number<K>::Params;
        template <int> using Grads = Params;
        template <int B> using Tape = typename Number<K>::template Tape<B>;
    };
    template <std::size_t K>
        requires(!Tables::template owns<K>)
    struct Own<K> {
        static constexpr long long parameters = 0;
        static constexpr double flops = 2.0 * D * At<K, F...>::capacity;
        using Params = Elsewhere;
        template <int> using Grads = Elsewhere;
        template <int> using Tape = Elsewhere;
    };
    template <class> struct TypesOf;
    template <std::size_t... J> struct TypesOf<std::index_sequence<J...>> {
        using Params = Leaves<typename Own<J>::Params...>;
        template <int B> using Grads = Leaves<typename Own<J>::template Grads<B>...>;
        template <int B> using Tape = Leaves<typename Own<J>::template Tape<B>...>;
        static constexpr long long parameters = (Own<J>::parameters + ...);
        static constexpr double flops = (Own<J>::flops + ...);
    };
    using Types = TypesOf<std::index_sequence_for<F...>>;
    using Params = typename Types::Params;
    template <int B> using Grads = typename Types::template Grads<B>;
    template <int B> using Tape = typename Types::template Tape<B>;
    static constexpr long long parameters = Types::parameters;
    static constexpr double flops = Types::flops;
    static constexpr std::size_t scratch(int B) {
        std::size_t most = Pool::scratch;
        each<fields>([&](auto j) {
            if constexpr (is_embedded<j>) most = std::max(most, Number<j>::scratch(B));
        });
        return most;
    }

    template <class P, class G> static void visit(P& p, Path const& at, G&& f) {
        each<fields>([&](auto j) {
            Path const here{&at, At<j, F...>::name.text};
            if constexpr (is_embedded<j>)
                Number<j>::visit(get<j>(p), [&](char const* name, Kind kind, auto const& ref) {
                    f(Tag<Spec>{}, Path{&here, name}, kind, ref);
                });
            else if constexpr (Tables::template owns<j>) f(Tag<Spec>{}, here, Kind::table, get<j>(p).ref());
        });
    }
    template <class C> static void initialize(C const& c, Params& p) noexcept {
        each<fields>([&](auto j) noexcept {
            C own = c;
            own.key = c.key.fold(j);
            if constexpr (is_embedded<j>) Number<j>::initialize(own, get<j>(p));
            else if constexpr (Tables::template owns<j>) draw_table(own.key, get<j>(p).ref());
        });
    }
    template <class C, class Tp>
    static void forward(C const& c, Params const& p, In<I, R> x, Out<Output, R> y, Tp& tape,
                        Scratch s) noexcept {
        inference_only<R, Tp>();
        each<fields>([&](auto j) noexcept {
            if constexpr (is_embedded<j>)
                Number<j>::forward(c, get<j>(p), values<j>(x), y(0, int(j)), step, part<j>(tape), s);
        });
        for (int b = 0; b < c.rows; ++b)
            each<fields>([&](auto j) noexcept {
                if constexpr (!is_embedded<j>) {
                    T* const to = y(b, int(j));
                    look_up<j>(get<I::template owner<j>()>(p), get<j>(x.row[b]), to);
                    kernels::clear_pads(to, D, y.stride);
                }
            });
    }
    template <class C, class Tp, class G>
    static void backward(C const& c, Params const& p, In<I, R> x, Tp const& tape, In<Output, R> dy, NoGrad,
                         G& g, Scratch s) noexcept {
        each<fields>([&](auto j) noexcept {
            if constexpr (is_embedded<j>)
                Number<j>::backward(c, get<j>(p), values<j>(x), get<j>(tape), dy(0, int(j)), step, NoGrad{},
                                    get<j>(g), s);
        });
        for (int b = 0; b < c.rows; ++b)
            each<fields>([&](auto j) noexcept {
                if constexpr (!is_embedded<j>)
                    put<j>(get<I::template owner<j>()>(p), get<I::template owner<j>()>(g), b,
                           get<j>(x.row[b]), dy(b, int(j)), s);
            });
    }

private:
    static constexpr std::ptrdiff_t step = std::ptrdiff_t(fields) * Out<Output, R>::stride;

    template <std::size_t J> static auto values(In<I, R> x) noexcept {
        return [x](int b) noexcept -> auto const& { return get<J>(x.row[b]); };
    }
    template <std::size_t J, class Tp> static auto& part(Tp& tape) noexcept {
        if constexpr (is_recording<Tp>) return get<J>(tape);
        else return tape;
    }
    template <std::size_t J, class Table, class V>
    static void look_up(Table const& table, V const& v, T* to) noexcept {
        if constexpr (Tables::template is_number<J>) kernels::scale<W>(D, T(v.value), table[0], to);
        else if constexpr (is_list_field<At<J, F...>>)
            Pool::look_up(v.count, v.id, weights_of<At<J, F...>>(v), table, to);
        else read_row(table, v.id, to);
    }
    template <std::size_t J, class Values, class Table, class V>
    static void put(Values const& values, Table& table, int b, V const& v, T const* from,
                    Scratch s) noexcept {
        constexpr std::size_t owner = I::template owner<J>();
        constexpr int each_row = Tables::template slots_before<owner>(fields);
        int const slot = b * each_row + Tables::template slots_before<owner>(J);
        if constexpr (Tables::template is_number<J>) table.put(slot, 0, from, T(v.value));
        else if constexpr (is_list_field<At<J, F...>>)
            Pool::put(v.count, v.id, weights_of<At<J, F...>>(v), values[0], from, table, slot, s);
        else table.put(slot, v.id, from, T(1));
    }
};
} // namespace detail

} // namespace inlay::inline INLAY_ISA
