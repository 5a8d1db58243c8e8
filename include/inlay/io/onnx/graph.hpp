// SPDX-License-Identifier: BSD-3-Clause
// An ONNX graph as it is put together.
#pragma once

#include <inlay/io/onnx/message.hpp>
#include <inlay/io/weights.hpp>

#include <map>
#include <set>
#include <utility>

namespace inlay::inline INLAY_ISA {
namespace detail {

/// Nodes and constants in the order in which they are needed. Values are known by name.
class OnnxGraph {
public:
    using Sizes = std::vector<std::int64_t>;
    static constexpr int float_type = 1, int64_type = 7, double_type = 11; // of TensorProto.DataType

    template <class T> explicit OnnxGraph(std::vector<NamedTensor<T>> const& tensors) {
        for (auto const& t : tensors) {
            Weights w{t.name, {}, {}};
            for (auto const n : t.shape()) w.shape.push_back(std::int64_t(n));
            for (int r = 0; r < t.ref.rows; ++r)
                for (int c = 0; c < t.ref.width; ++c) w.values.push_back(float(t.ref(r, c)));
            weights_.push_back(std::move(w));
        }
    }
    /// A node with one output, whose name it returns.
    std::string node(std::string_view op, std::vector<std::string> const& inputs,
                     std::initializer_list<OnnxAttribute> attributes = {}) {
        return nodes(op, inputs, 1, attributes)[0];
    }
    std::vector<std::string> nodes(std::string_view op, std::vector<std::string> const& inputs, int outputs,
                                   std::initializer_list<OnnxAttribute> attributes = {}) {
        OnnxMessage message;
        std::vector<std::string> const names = fresh(std::size_t(outputs));
        for (auto const& input : inputs) message.put(1, std::string_view(input));
        for (auto const& name : names) message.put(2, std::string_view(name));
        message.put(3, std::string_view(joined("n", values_))).put(4, op);
        for (auto const& a : attributes) message.put(5, a.message);
        graph_.put(1, message);
        return names;
    }
    /// What `body(state, slices)` gives for each place along an axis, from a first state on. The body returns
    /// the state behind it and what it gives; its constants are its own.
    template <class Body>
    std::string scan(std::string const& first, std::vector<std::string> const& inputs, std::int64_t axis,
                     Body const& body) {
        OnnxMessage outer = std::exchange(graph_, {});
        auto slices = fresh(inputs.size());
        auto const state = fresh(1)[0];
        auto const [next, given] = body(state, std::as_const(slices));
        slices.insert(slices.begin(), state);
        graph_.put(2, "body");
        for (auto const& name : slices) graph_.put(11, value(name, float_type));
        for (auto const& name : {next, given}) graph_.put(12, value(name, float_type));
        OnnxMessage const inner = std::exchange(graph_, std::move(outer));
        std::vector<std::string> all{first};
        all.insert(all.end(), inputs.begin(), inputs.end());
        return nodes("Scan", all, 2,
                     {{"num_scan_inputs", std::int64_t(inputs.size())},
                      {"scan_input_axes", Sizes(inputs.size(), axis)},
                      {"scan_output_axes", Sizes{axis}},
                      {"body", inner}})[1];
    }
    /// The numbers of a parameter, row by row.
    std::vector<float> const& numbers(std::string const& name) const { return find(name).values; }
    /// A parameter as a constant; a second reader gets the same one.
    std::string weight(std::string const& name) {
        auto const& w = find(name);
        if (stored_.insert(name).second) store(name, w.shape, w.values);
        return name;
    }
    /// A matrix turned: what follows `x *` for a layer that computes W x.
    std::string turned(std::string const& name) {
        auto const& w = find(name);
        auto const rows = std::size_t(w.shape[0]), width = std::size_t(w.shape[1]);
        std::vector<float> values(rows * width);
        for (std::size_t r = 0; r < rows; ++r)
            for (std::size_t c = 0; c < width; ++c) values[c * rows + r] = w.values[r * width + c];
        std::string const other = name + ".turned";
        if (stored_.insert(other).second) store(other, {w.shape[1], w.shape[0]}, values);
        return other;
    }
    std::string constant(Sizes const& shape, std::vector<float> const& values) {
        return store(joined("c", ++constants_), shape, values);
    }
    std::string constant(double value) { return constant({}, {float(value)}); }
    std::string constant_double(double value) {
        OnnxMessage tensor;
        std::string const name = joined("c", ++constants_);
        tensor.put(2, double_type).put(8, std::string_view(name)).put(9, OnnxMessage::little(value));
        graph_.put(5, tensor);
        return name;
    }
    std::string sizes(Sizes const& values) {
        OnnxMessage tensor;
        tensor.put(1, std::int64_t(values.size())).put(2, int64_type);
        for (auto const v : values) tensor.put(7, v);
        std::string const name = joined("c", ++constants_);
        graph_.put(5, tensor.put(8, std::string_view(name)));
        return name;
    }
    std::string reshape(std::string const& x, Sizes const& shape) {
        return node("Reshape", {x, sizes(shape)});
    }

    /// An input `[batch, ...]`, which the file has if somebody reads it.
    std::string input(std::string const& name, int type, Sizes const& sizes) {
        for (auto const& w : weights_)
            if (w.name == name) fail(Error("", "ONNX", "inputs and parameters of different names", name));
        if (given_.insert(name).second) inputs_.push_back(value(name, type, sizes));
        return name;
    }
    std::string cast(std::string const& x, int type) { return node("Cast", {x}, {{"to", type}}); }
    std::string part(std::string const& x, int from, int to, int axis) {
        return node("Slice", {x, sizes({from}), sizes({to}), sizes({axis})});
    }
    std::string scaled(std::string const& x, double by) { return node("Mul", {x, constant(by)}); }
    /// The sum along the second extent: [B, n, D] becomes [B, 1, D].
    std::string summed(std::string const& x, int n) {
        return node("MatMul", {constant({1, n}, std::vector<float>(std::size_t(n), 1.0F)), x});
    }

    /// A sequence that may be shorter than its capacity T has a mask, [batch, T, 1]: 1 where a row is there.
    std::string mask(std::string const& x) const {
        auto const found = masks_.find(x);
        return found == masks_.end() ? std::string() : found->second;
    }
    void set_mask(std::string const& x, std::string const& mask) {
        if (!mask.empty()) masks_.emplace(x, mask);
    }
    /// The rows of a sequence, those past its length as zeros.
    std::string whole(std::string const& x) { return mask(x).empty() ? x : node("Mul", {x, mask(x)}); }
    /// The weights of a bag's ids, [batch, n, 1]; empty where it has none.
    std::string bag_weights(std::string const& ids) const {
        auto const found = bag_weights_.find(ids);
        return found == bag_weights_.end() ? std::string() : found->second;
    }
    void set_bag_weights(std::string const& ids, std::string const& weights) {
        bag_weights_.emplace(ids, weights);
    }
    /// Side tensors by name: what a Let or a Keep made last.
    std::map<std::string, std::string, std::less<>> sides;

    /// The file: its inputs and one output, whose first extent is the batch.
    std::string model(std::string_view name, std::string const& last, Sizes const& output) {
        OnnxMessage end, graph = graph_;
        end.put(1, std::string_view(last)).put(2, "y").put(3, "n").put(4, "Identity");
        graph.put(1, end).put(2, name);
        for (auto const& one : inputs_) graph.put(11, one);
        graph.put(12, value("y", float_type, output));
        OnnxMessage opset, all;
        opset.put(1, "").put(2, 17);
        return all.put(1, 8).put(2, "inlay").put(7, graph).put(8, opset).bytes();
    }

private:
    struct Weights {
        std::string name;
        Sizes shape;
        std::vector<float> values;
    };
    Weights const& find(std::string const& name) const {
        for (auto const& w : weights_)
            if (w.name == name) return w;
        fail(Error("", "ONNX", "a parameter " + name, "none"));
    }
    std::string store(std::string const& name, Sizes const& shape, std::vector<float> const& values) {
        OnnxMessage tensor;
        for (auto const n : shape) tensor.put(1, n);
        std::string raw;
        for (float const v : values) raw += OnnxMessage::little(v);
        graph_.put(5, tensor.put(2, float_type).put(8, std::string_view(name)).put(9, raw));
        return name;
    }
    static OnnxMessage value(std::string_view name, int type) {
        OnnxMessage tensor, any, info;
        return info.put(1, name).put(2, any.put(1, tensor.put(1, type)));
    }
    static OnnxMessage value(std::string_view name, int type, Sizes const& sizes) {
        OnnxMessage shape, tensor, any, info, batch;
        shape.put(1, batch.put(2, "batch"));
        for (auto const n : sizes) {
            OnnxMessage extent;
            shape.put(1, extent.put(1, n));
        }
        return info.put(1, name).put(2, any.put(1, tensor.put(1, type).put(2, shape)));
    }
    std::vector<std::string> fresh(std::size_t n) {
        std::vector<std::string> names(n);
        for (auto& name : names) name = joined("v", ++values_);
        return names;
    }

    std::vector<Weights> weights_;
    std::set<std::string> stored_, given_;
    std::vector<OnnxMessage> inputs_;
    std::map<std::string, std::string> masks_, bag_weights_;
    OnnxMessage graph_;
    int values_ = 0, constants_ = 0;
};

/// The numbers of a place in a model: `1.0.weight` for `weight` at `1.0.`.
template <class Spec> std::string child_place(std::string const& at, int index) {
    if constexpr (requires { Spec::given_name; }) return at + Spec::given_name.text + ".";
    else return at + std::to_string(index) + ".";
}

/// Words of a misfit.
struct no_onnx_form;
struct an_onnx_form;

/// A block's part of a graph: `template <class I> static std::string emit(graph, place, x)` returns the name
/// of what it gives; `Inside` lists the blocks that it is made of.
template <class Spec> struct OnnxForm;
/// Why a block has no form in a model of input In although others of its kind have one.
template <class Spec, class In> struct OnnxRefusal {
    using type = Fits;
};
/// The first block without an ONNX form and its place, or Fits.
template <class Spec, class In> struct OnnxBlocker;
template <int I, class L, class In> struct FirstOnnxBlocker;
template <int I, class In> struct FirstOnnxBlocker<I, List<>, In> {
    using type = Fits;
};
template <int I, class S, class... Rest, class In> struct FirstOnnxBlocker<I, List<S, Rest...>, In> {
    using own = Inside<I, typename OnnxBlocker<S, In>::type>;
    using type =
        typename std::conditional_t<fits<own>, FirstOnnxBlocker<I + 1, List<Rest...>, In>, Tag<own>>::type;
};
template <class Spec, class In> struct OnnxBlocker {
    static consteval auto find() {
        if constexpr (!requires { sizeof(OnnxForm<Spec>); })
            return Tag<Misfit<Spec, Place<>, no_onnx_form, Wants<an_onnx_form>>>{};
        else if constexpr (!fits<typename OnnxRefusal<Spec, In>::type>) return OnnxRefusal<Spec, In>{};
        else if constexpr (requires { typename OnnxForm<Spec>::Inside; })
            return FirstOnnxBlocker<0, typename OnnxForm<Spec>::Inside, In>{};
        else return Tag<Fits>{};
    }
    using type = typename decltype(find())::type;
};
/// True where every block has a form; otherwise its name carries the one that has none, and its place.
template <class Blocker> struct has_an_onnx_form {
    consteval operator bool() const { return fits<Blocker>; }
};
/// What keeps the length of a sequence hands on its mask.
template <class Spec, class I>
std::string emit_onnx(OnnxGraph& g, std::string const& at, std::string const& x) {
    std::string const y = OnnxForm<Spec>::template emit<I>(g, at, x);
    using O = typename OutputOf<Spec, I>::type;
    if constexpr (!is_record<I> && !is_record<O>)
        if constexpr (I::rows > 1 && I::rows == O::rows)
            if (g.mask(y).empty()) g.set_mask(y, g.mask(x));
    return y;
}

} // namespace detail
} // namespace inlay::inline INLAY_ISA
