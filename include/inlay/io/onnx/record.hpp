// SPDX-License-Identifier: BSD-3-Clause
// Records in the words of ONNX: an input for each field, and what reads them.
#pragma once

#include <inlay/blocks/as_numbers.hpp>
#include <inlay/blocks/embed.hpp>
#include <inlay/combine/select.hpp>
#include <inlay/io/onnx/blocks.hpp>

namespace inlay::inline INLAY_ISA {
namespace detail {

/// The inputs of field J: numbers and ids are [batch, 1], lists [batch, capacity] with -1 behind the last.
template <class Rec, std::size_t J> struct OnnxField {
    using Field = typename Rec::template field<J>;
    static constexpr int N = Field::capacity;
    static constexpr bool is_list = is_list_field<Field>, is_number = Field::kind == FieldKind::numeric;
    static std::string name() { return std::string("x.") + Field::name.text; }
    static std::string value(OnnxGraph& g) {
        auto const x = g.input(name(), is_number ? OnnxGraph::float_type : OnnxGraph::int64_type, {N});
        if constexpr (is_list)
            if (g.mask(x).empty()) { // the first who reads it
                auto const there = g.node("Greater", {x, g.sizes({-1})});
                g.set_mask(x, g.reshape(g.cast(there, OnnxGraph::float_type), {0, N, 1}));
                if constexpr (has_weights<Field>) {
                    auto const given = g.input(name() + ".weight", OnnxGraph::float_type, {N});
                    g.set_bag_weights(x, g.reshape(given, {0, N, 1}));
                }
            }
        return x;
    }
    /// The ids that crosses read, [batch, capacity].
    static std::string ids(OnnxGraph& g) {
        if constexpr (is_number) return g.input(name() + ".id", OnnxGraph::int64_type, {1});
        else return value(g);
    }
    /// How far a number is through its bin.
    static std::string part(OnnxGraph& g) { return g.input(name() + ".part", OnnxGraph::float_type, {1}); }
};

template <Name F> struct OnnxForm<Select<F>> {
    template <class Rec> static std::string emit(OnnxGraph& g, std::string const&, std::string const&) {
        return OnnxField<Rec, std::size_t(Rec::template index<F>)>::value(g);
    }
};
template <> struct OnnxForm<AsNumbers> {
    template <class I> static std::string emit(OnnxGraph& g, std::string const&, std::string const& x) {
        return g.reshape(g.cast(x, OnnxGraph::float_type), {0, I::rows, 1});
    }
};

/// One row [B, 1, D] of rows [B, n, D], those that the mask leaves, each times its weight if there are any.
template <class How>
std::string emit_bag(OnnxGraph& g, std::string const& rows, std::string const& mask, std::string const& given,
                     int n) {
    if constexpr (std::is_same_v<How, BagMax>) return emit_most(g, rows, mask);
    else {
        auto const weight = given.empty() ? mask : g.node("Mul", {mask, given});
        auto const sum = g.summed(g.node("Mul", {rows, weight}), n);
        if constexpr (std::is_same_v<How, BagSum>) return sum;
        else if constexpr (std::is_same_v<How, BagMean>)
            return g.node("Div", {sum, g.node("Max", {g.summed(mask, n), g.constant(1)})});
        else if constexpr (std::is_same_v<How, BagSqrtN>) {
            auto const squares = g.summed(g.node("Mul", {weight, weight}), n);
            return g.node("Div", {sum, g.node("Sqrt", {g.node("Max", {squares, g.constant(1e-30)})})});
        } else {
            auto const all = g.summed(weight, n);
            auto const none = g.cast(g.node("Equal", {all, g.constant(0)}), OnnxGraph::float_type);
            auto const share = g.node("Div", {sum, g.node("Add", {all, none})});
            return g.node("Mul", {share, g.node("Sub", {g.constant(1), none})});
        }
    }
}

/// Rows of ids by Embed's table, or by what a policy has in its place.
template <class Form, int V> struct OnnxRows {
    static std::string of(OnnxGraph& g, std::string const& at, std::string const& ids) {
        return g.node("Gather", {g.weight(at + "weight"), ids});
    }
};
template <int M, int V> struct OnnxRows<QuotientRemainder<M>, V> {
    static std::string of(OnnxGraph& g, std::string const& at, std::string const& ids) {
        auto const pick = [&](char const* op, char const* table) {
            return g.node("Gather", {g.weight(at + table), g.node(op, {ids, g.sizes({M})})});
        };
        return g.node("Mul", {pick("Mod", "remainder"), pick("Div", "quotient")});
    }
};
template <int N, int V> struct OnnxRows<HashedRows<N>, V> {
    static std::string of(OnnxGraph& g, std::string const& at, std::string const& ids) {
        OnnxGraph::Sizes rows;
        for (std::int32_t id = 0; id < V; ++id) rows.push_back(RowOfHash<N>::row(id));
        return g.node("Gather", {g.weight(at + "weight"), g.node("Gather", {g.sizes(rows), ids})});
    }
};
/// What a number becomes, by Embed's policy: [B, 1, D].
template <class How, class Field, int D>
std::string emit_number(OnnxGraph& g, std::string const& at, std::string const& value,
                        [[maybe_unused]] std::string const& id, [[maybe_unused]] std::string const& part) {
    constexpr int to_float = OnnxGraph::float_type;
    std::string features;
    [[maybe_unused]] auto const missing = [&] {
        return g.cast(g.node("Equal", {id, g.sizes({0})}), to_float);
    };
    if constexpr (std::is_same_v<How, PiecewiseLinear>) {
        std::vector<float> places;
        for (int t = 1; t < Field::ids; ++t) places.push_back(float(t));
        auto const bins = g.constant({Field::ids - 1}, places), at_bin = g.cast(id, to_float);
        auto const full = g.cast(g.node("Less", {bins, at_bin}), to_float);
        auto const here = g.cast(g.node("Equal", {bins, at_bin}), to_float);
        auto const v = g.node("Add", {full, g.node("Mul", {here, part})});
        features = g.node("Concat", {v, missing()}, {{"axis", -1}});
    } else {
        auto const turns = g.node("Mul", {value, g.weight(at + "frequency")});
        auto const rest = g.node("Sub", {turns, g.node("Round", {turns})});
        auto const angle = g.scaled(rest, 6.283185307179586);
        std::vector<std::string> all{g.node("Cos", {angle}), g.node("Sin", {angle})};
        if constexpr (Field::ids > 0) all.push_back(missing());
        features = g.node("Concat", all, {{"axis", -1}});
    }
    return g.reshape(g.node("Relu", {emit_map(g, at, features, true)}), {0, 1, D});
}

template <class S> inline constexpr bool is_bag = is_ids<S>;
template <int T, int V> inline constexpr bool is_bag<Tokens<T, V>> = false;

template <int D, class... P> struct OnnxForm<Embed<D, P...>> {
    using Spec = Embed<D, P...>;
    using Numbers = typename Spec::Numbers;
    template <class I> static std::string emit(OnnxGraph& g, std::string const& at, std::string const& x) {
        if constexpr (is_record<I>) return fields<I>(g, at);
        else if constexpr (is_bag<I>) return bag(g, look_up<I>(g, at, x), x, I::rows);
        else if constexpr (is_ids<I>) return look_up<I>(g, at, x);
        else if constexpr (Spec::numbers_only) return emit_number<Numbers, BareNumber, D>(g, at, x, {}, {});
        else return times_vector(g, x, at + "weight");
    }

private:
    template <class I> static std::string look_up(OnnxGraph& g, std::string const& at, std::string const& x) {
        if constexpr (Spec::shares) {
            std::string const name = PolicyOr<Sharing, void, P...>::type::name.text;
            return g.node("Gather", {g.weight(name + ".weight"), x});
        } else return OnnxRows<typename PolicyOr<TableForm, void, P...>::type, I::vocabulary>::of(g, at, x);
    }
    static std::string bag(OnnxGraph& g, std::string const& rows, std::string const& ids, int n) {
        return emit_bag<typename Spec::Pooling>(g, rows, g.mask(ids), g.bag_weights(ids), n);
    }
    static std::string times_vector(OnnxGraph& g, std::string const& x, std::string const& vector) {
        return g.reshape(g.node("Mul", {x, g.weight(vector)}), {0, 1, D});
    }
    template <class Rec> static std::string fields(OnnxGraph& g, std::string const& at) {
        std::vector<std::string> rows;
        each<std::size_t(Rec::fields)>([&](auto j) {
            using In = OnnxField<Rec, j>;
            using Field = typename In::Field;
            constexpr std::size_t owner = Rec::template owner<j>();
            std::string const table = at + Rec::template field<owner>::name.text, x = In::value(g);
            if constexpr (embeds_field<Numbers, Field>) {
                std::string id, part;
                if constexpr (Field::ids > 0) id = In::ids(g);
                if constexpr (Field::learned) part = In::part(g);
                rows.push_back(emit_number<Numbers, Field, D>(g, table + ".", x, id, part));
            } else if constexpr (In::is_number) rows.push_back(times_vector(g, x, table));
            else {
                auto const found = g.node("Gather", {g.weight(table), x});
                if constexpr (In::is_list) rows.push_back(bag(g, found, x, In::N));
                else rows.push_back(found);
            }
        });
        return g.node("Concat", rows, {{"axis", 1}});
    }
};

} // namespace detail
} // namespace inlay::inline INLAY_ISA
