// SPDX-License-Identifier: BSD-3-Clause
// Exact crosses in the words of ONNX: a table of every combination of ids.
#pragma once

#include <inlay/combine/gated_cross.hpp>
#include <inlay/io/onnx/record.hpp>

namespace inlay::inline INLAY_ISA {
/// Words of a misfit.
struct at_most_two_to_the_22nd;

namespace detail {

/// What a Cross is by its form.
template <class Form, class... P> struct OnnxCross;
template <class... P>
struct OnnxForm<Cross<P...>> : OnnxCross<typename PolicyOr<CrossForm, Exact, P...>::type, P...> {};

template <class... P, class... F>
    requires(has_policy<HowIndexed, P...> && (CrossKeys<Record<F...>, P...>::combinations > 1 << 22))
struct OnnxRefusal<Cross<P...>, Record<F...>> {
    using type = Misfit<Cross<>, Place<>, too_many_combinations, Wants<at_most_two_to_the_22nd>>;
};
/// The sums of weights of each kind of cross that fires, [batch, groups], and where one fires at all.
template <class Rec, class... P> struct OnnxKinds {
    using Keys = CrossKeys<Rec, P...>;
    static constexpr int n = Keys::groups;
    std::vector<std::string> sums, fires;

    OnnxKinds(OnnxGraph& g, std::string const& at) {
        auto const& weight = g.numbers(at + "weight");
        for (int k = 0, group = -1; k < Keys::most; ++k) {
            if (Keys::group_of[std::size_t(k)] == group) continue;
            group = Keys::group_of[std::size_t(k)];
            kind(g, weight, k, Keys::fields_at(k));
        }
    }

private:
    void kind(OnnxGraph& g, std::vector<float> const& weight, int place, std::vector<int> const& fields) {
        std::string index, there, values; // weights of ids, which only a cross of one field has
        std::int64_t count = 1;
        int most = 1;
        for (int const field : fields)
            each<std::size_t(Rec::fields)>([&](auto j) {
                if constexpr (Rec::template vocabulary<j> > 0)
                    if (int(j) == field) {
                        constexpr int ids = Rec::template vocabulary<j>;
                        most = OnnxField<Rec, j>::N;
                        if constexpr (OnnxField<Rec, j>::is_list)
                            values = g.bag_weights(OnnxField<Rec, j>::value(g));
                        auto const id = g.node("Max", {OnnxField<Rec, j>::ids(g), g.sizes({0})});
                        auto const fired = g.node("Min", {id, g.sizes({1})});
                        there = there.empty() ? fired : g.node("Mul", {there, fired});
                        if (index.empty()) index = id;
                        else index = g.node("Add", {g.node("Mul", {index, g.sizes({ids})}), id});
                        count *= ids;
                    }
            });
        auto found = g.node("Gather", {g.constant({count}, table(weight, place, fields, count)), index});
        if (!values.empty()) found = g.node("Mul", {found, g.reshape(values, {0, most})});
        auto const flags = g.cast(there, OnnxGraph::float_type);
        std::vector<float> const ones(std::size_t(most), 1.0F);
        sums.push_back(most == 1 ? found : g.node("MatMul", {found, g.constant({most, 1}, ones)}));
        fires.push_back(most == 1 ? flags : g.node("ReduceMax", {flags}, {{"axes", {1}}, {"keepdims", 1}}));
    }
    /// The weight of each combination, by asking the keys themselves; 0 where nothing fires.
    static std::vector<float> table(std::vector<float> const& weight, int place,
                                    std::vector<int> const& fields, std::int64_t count) {
        std::vector<float> all(std::size_t(count), 0.0F);
        typename Rec::Row row{};
        for (std::int64_t i = 0; i < count; ++i) {
            std::int64_t rest = i;
            for (std::size_t f = fields.size(); f-- > 0;)
                each<std::size_t(Rec::fields)>([&](auto j) {
                    if constexpr (Rec::template vocabulary<j> > 0)
                        if (int(j) == fields[f]) {
                            constexpr int ids = Rec::template vocabulary<j>;
                            put<typename Rec::template field<j>>(get<j>(row), std::int32_t(rest % ids));
                            rest /= ids;
                        }
                });
            Keys::each(row, [&](int k, std::int32_t slot) noexcept {
                if (k == place) all[std::size_t(i)] = weight[std::size_t(slot)];
            });
        }
        return all;
    }
    template <class Field, class V> static void put(V& value, std::int32_t id) {
        if constexpr (is_list_field<Field>) value.count = 1, value.id[0] = id;
        else value.id = id;
    }
};
inline std::string emit_sum(OnnxGraph& g, std::vector<std::string> const& terms) {
    std::string sum;
    for (auto const& term : terms) sum = sum.empty() ? term : g.node("Add", {sum, term});
    return sum;
}
inline std::string emit_bias(OnnxGraph& g, std::string const& at) {
    return g.constant({1}, {g.numbers(at + "weight")[0]});
}
template <class... P> struct OnnxCross<Exact, P...> {
    template <class Rec> static std::string emit(OnnxGraph& g, std::string const& at, std::string const&) {
        OnnxKinds<Rec, P...> const kinds(g, at);
        return g.node("Add", {emit_sum(g, kinds.sums), emit_bias(g, at)});
    }
};
template <class... Blocks, class... P> struct OnnxCross<Gated<Blocks...>, P...> {
    using Inside = List<Blocks...>;
    template <class Rec> static std::string emit(OnnxGraph& g, std::string const& at, std::string const& x) {
        OnnxKinds<Rec, P...> const kinds(g, at);
        auto const hidden = emit_onnx<Stack<Blocks...>, Rec>(g, at + "gate.", x);
        auto const scores = emit_map(g, at + "gate.score.", hidden, true);
        auto const side_by_side = [&](auto const& all) { return g.node("Concat", all, {{"axis", -1}}); };
        auto const gates = gate(g, scores, side_by_side(kinds.fires), kinds.n);
        auto const all = g.node("Mul", {gates, side_by_side(kinds.sums)});
        std::vector<float> const ones(std::size_t(kinds.n), 1.0F);
        auto const sum = g.node("MatMul", {all, g.constant({kinds.n, 1}, ones)});
        return g.node("Add", {sum, emit_bias(g, at)});
    }

private:
    using How = typename PolicyOr<HowGated, ThresholdGate, P...>::type;
    static std::string gate(OnnxGraph& g, std::string const& z, std::string const& fires, int n) {
        if constexpr (std::is_same_v<How, ThresholdGate>)
            return g.node("Sub", {z, g.node("Clip", {z, g.constant(-0.5), g.constant(0.5)})});
        std::vector<float> const ones(std::size_t(n), 1.0F);
        auto const count = g.node("MatMul", {fires, g.constant({n, 1}, ones)});
        auto const silent = g.scaled(g.node("Sub", {fires, g.constant(1)}), 1e30);
        if constexpr (std::is_same_v<How, SoftmaxGate>) {
            auto const shares = g.node("Softmax", {g.node("Add", {z, silent})}, {{"axis", -1}});
            return g.node("Mul", {shares, count});
        } else {
            // Of those at least as large as z_i: how many, and their sum. z_i is in the support where 1 + k
            // z_i is above it.
            auto const mine = g.reshape(z, {0, n, 1}), others = g.reshape(z, {0, 1, n});
            auto const above = g.cast(g.node("GreaterOrEqual", {others, mine}), OnnxGraph::float_type);
            auto const seen = g.node("Mul", {above, g.reshape(fires, {0, 1, n})});
            auto const over = [&](std::string const& what) {
                return g.reshape(g.node("MatMul", {what, g.constant({n, 1}, ones)}), {0, n});
            };
            auto const k = over(seen), sum = over(g.node("Mul", {seen, others}));
            auto const level = g.node("Add", {g.node("Mul", {k, z}), g.constant(1)});
            auto const inside = g.cast(g.node("Greater", {level, sum}), OnnxGraph::float_type);
            auto const support = g.node("Mul", {inside, fires});
            auto const total = [&](std::string const& what) {
                return g.node("MatMul", {what, g.constant({n, 1}, ones)});
            };
            auto const excess = g.node("Sub", {total(g.node("Mul", {support, z})), g.constant(1)});
            auto const level_of_all = g.node("Div", {excess, g.node("Max", {total(support), g.constant(1)})});
            return g.node("Mul", {g.node("Relu", {g.node("Sub", {z, level_of_all})}), count});
        }
    }
};

} // namespace detail
} // namespace inlay::inline INLAY_ISA
