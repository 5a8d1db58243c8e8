// SPDX-License-Identifier: BSD-3-Clause
// An ONNX graph as it is put together, and its bytes: the messages of onnx.proto that inference needs.
#pragma once

#include <inlay/io/scalars.hpp>
#include <inlay/io/weights.hpp>

#include <bit>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace inlay::inline INLAY_ISA {
namespace detail {

/// One protobuf message: fields in the order in which they are put.
class ProtoMessage {
public:
    ProtoMessage& put(int field, std::int64_t value) {
        varint(std::uint64_t(field) << 3U);
        varint(std::uint64_t(value));
        return *this;
    }
    ProtoMessage& put(int field, std::string_view bytes) {
        varint(std::uint64_t(field) << 3U | 2U);
        varint(bytes.size());
        bytes_ += bytes;
        return *this;
    }
    ProtoMessage& put(int field, ProtoMessage const& message) {
        return put(field, std::string_view(message.bytes_));
    }
    ProtoMessage& put_float(int field, float value) {
        varint(std::uint64_t(field) << 3U | 5U);
        bytes_ += little(value);
        return *this;
    }
    std::string const& bytes() const noexcept { return bytes_; }

    template <class T> static std::string little(T value) {
        using Bits = std::conditional_t<sizeof(T) == 8, std::uint64_t, std::uint32_t>;
        std::byte out[sizeof(T)];
        store_little(std::bit_cast<Bits>(value), out);
        return {reinterpret_cast<char const*>(out), sizeof(T)};
    }

private:
    void varint(std::uint64_t value) {
        for (; value > 127; value >>= 7U) bytes_ += char(static_cast<unsigned char>(value | 128U));
        bytes_ += char(value);
    }
    std::string bytes_;
};

/// An attribute of a node.
struct OnnxAttribute {
    std::string name;
    ProtoMessage message;
    template <std::integral V> OnnxAttribute(char const* n, V value) : name(n) {
        message.put(1, std::string_view(name)).put(20, 2).put(3, value);
    }
    template <std::floating_point V> OnnxAttribute(char const* n, V value) : name(n) {
        message.put(1, std::string_view(name)).put(20, 1).put_float(2, float(value));
    }
    OnnxAttribute(char const* n, std::vector<std::int64_t> const& values) : name(n) {
        message.put(1, std::string_view(name)).put(20, 7);
        for (auto const v : values) message.put(8, v);
    }
    OnnxAttribute(char const* n, ProtoMessage const& graph) : name(n) {
        message.put(1, std::string_view(name)).put(20, 5).put(6, graph);
    }
};

/// Nodes and constants in the order in which they are needed. Values are known by name.
class OnnxGraph {
public:
    using Sizes = std::vector<std::int64_t>;
    static constexpr int float_type = 1, int64_type = 7; // of TensorProto.DataType

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
        ProtoMessage message;
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
        ProtoMessage outer = std::exchange(graph_, {});
        auto slices = fresh(inputs.size());
        auto const state = fresh(1)[0];
        auto const [next, given] = body(state, std::as_const(slices));
        slices.insert(slices.begin(), state);
        graph_.put(2, "body");
        for (auto const& name : slices) graph_.put(11, value(name, float_type));
        for (auto const& name : {next, given}) graph_.put(12, value(name, float_type));
        ProtoMessage const inner = std::exchange(graph_, std::move(outer));
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
    std::string sizes(Sizes const& values) {
        ProtoMessage tensor;
        tensor.put(1, std::int64_t(values.size())).put(2, int64_type);
        for (auto const v : values) tensor.put(7, v);
        std::string const name = joined("c", ++constants_);
        graph_.put(5, tensor.put(8, std::string_view(name)));
        return name;
    }
    std::string reshape(std::string const& x, Sizes const& shape) {
        return node("Reshape", {x, sizes(shape)});
    }

    /// The file: one input and one output, whose first extent is the batch.
    std::string model(std::string_view name, int input_type, Sizes const& input, std::string const& last,
                      Sizes const& output) {
        ProtoMessage end, graph = graph_;
        end.put(1, std::string_view(last)).put(2, "y").put(3, "n").put(4, "Identity");
        graph.put(1, end).put(2, name);
        graph.put(11, value("x", input_type, input)).put(12, value("y", float_type, output));
        ProtoMessage opset, all;
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
        ProtoMessage tensor;
        for (auto const n : shape) tensor.put(1, n);
        std::string raw;
        for (float const v : values) raw += ProtoMessage::little(v);
        graph_.put(5, tensor.put(2, float_type).put(8, std::string_view(name)).put(9, raw));
        return name;
    }
    static ProtoMessage value(std::string_view name, int type) {
        ProtoMessage tensor, any, info;
        return info.put(1, name).put(2, any.put(1, tensor.put(1, type)));
    }
    static ProtoMessage value(std::string_view name, int type, Sizes const& sizes) {
        ProtoMessage shape, tensor, any, info, batch;
        shape.put(1, batch.put(2, "batch"));
        for (auto const n : sizes) {
            ProtoMessage extent;
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
    std::set<std::string> stored_;
    ProtoMessage graph_;
    int values_ = 0, constants_ = 0;
};

/// The numbers of a place in a model: `1.0.weight` for `weight` at `1.0.`.
template <class Spec> std::string child_place(std::string const& at, int index) {
    if constexpr (requires { Spec::given_name; }) return at + Spec::given_name.text + ".";
    else return at + std::to_string(index) + ".";
}

/// A block's part of a graph: `template <class I> static std::string emit(graph, place, x)` returns the name
/// of what it gives; `Inside` lists the blocks that it is made of.
template <class Spec> struct OnnxForm;
/// The first block without an ONNX form, or void.
template <class Spec> struct OnnxBlocker {
    using type = Spec;
};
template <class L> struct FirstOnnxBlocker;
template <> struct FirstOnnxBlocker<List<>> {
    using type = void;
};
template <class S, class... Rest> struct FirstOnnxBlocker<List<S, Rest...>> {
    using own = typename OnnxBlocker<S>::type;
    using type =
        typename std::conditional_t<std::is_void_v<own>, FirstOnnxBlocker<List<Rest...>>, Tag<own>>::type;
};
template <class Spec>
    requires(
        requires { sizeof(OnnxForm<Spec>); } && !requires { typename OnnxForm<Spec>::Inside; })
struct OnnxBlocker<Spec> {
    using type = void;
};
template <class Spec>
    requires requires { typename OnnxForm<Spec>::Inside; }
struct OnnxBlocker<Spec> : FirstOnnxBlocker<typename OnnxForm<Spec>::Inside> {};
/// True where every block has a form; otherwise its name carries the one that has none.
template <class Blocker> struct has_an_onnx_form {
    consteval operator bool() const { return std::is_void_v<Blocker>; }
};
template <class Spec, class I>
std::string emit_onnx(OnnxGraph& g, std::string const& at, std::string const& x) {
    return OnnxForm<Spec>::template emit<I>(g, at, x);
}

} // namespace detail
} // namespace inlay::inline INLAY_ISA
