// SPDX-License-Identifier: BSD-3-Clause
// Inference in other runtimes.
#pragma once

#include <inlay/io/atomic_file.hpp>
#include <inlay/io/onnx/crosses.hpp>
#include <inlay/io/onnx/linear.hpp>
#include <inlay/io/onnx/recommenders.hpp>

namespace inlay::inline INLAY_ISA {

namespace detail {
template <class M> void write_onnx(Network<M> const& net, std::string const& path) {
    using Input = typename M::Input;
    using Output = typename M::Output;
    constexpr std::size_t most = 0x7fffffff; // bytes of a protobuf message
    auto const expect = [&](std::size_t bytes) {
        if (bytes > most)
            fail(Error(path, "ONNX", joined("at most ", most, " bytes in all"), std::to_string(bytes)));
    };
    expect(sizeof(float) * std::size_t(M::parameters));
    OnnxGraph graph(named_tensors<M>(net.params()));
    auto const sizes = []<class S>(Tag<S>) -> OnnxGraph::Sizes {
        if constexpr (is_ids<S>) return {S::rows};
        else if constexpr (is_sequence<S>) return {S::rows, S::width};
        else return {S::width};
    };
    std::string x;
    if constexpr (!is_record<Input>)
        x = graph.input("x", is_ids<Input> ? OnnxGraph::int64_type : OnnxGraph::float_type,
                        sizes(Tag<Input>{}));
    std::string const last = emit_onnx<typename M::Top, Input>(graph, "", x);
    std::string const bytes = graph.model("inlay", last, sizes(Tag<Output>{}));
    expect(bytes.size());
    AtomicFile file{path};
    file.write(std::as_bytes(std::span{bytes}));
    file.commit();
}
} // namespace detail

/// Writes a model for inference by ONNX runtimes (opset 17, IR 8), whole or not at all.
///
/// One input `x`: float `[batch, D]` for a Vector, `[batch, T, D]` for a Sequence, int64 `[batch, T]` for
/// Tokens; one output `y`. A Record has an input for each field that is read, `x.age`, float `[batch, 1]`, or
/// int64 `[batch, N]` with -1 behind the last id of a list; `x.age.id` and `x.age.part` where buckets are
/// asked for, `x.tags.weight` for a list with weights. The batch is open; a Sequence and Tokens have their
/// full length T, and start at position 0. Dropout is left out, BatchNorm uses its running statistics. An
/// exact Cross becomes a table of every combination of its ids. docs/serving.md lists the blocks; one without
/// a form is a compile-time error that names it and its place. PyTorch: `torch.onnx.export`.
template <class M> void save_onnx(Network<M> const& net, std::string const& path) {
    using Blocker = typename detail::OnnxBlocker<typename M::Top, typename M::Input>::type;
    static_assert(detail::has_an_onnx_form<Blocker>{}, "inlay: a block has no ONNX form");
    if constexpr (detail::fits<Blocker>) detail::write_onnx<M>(net, path);
}

} // namespace inlay::inline INLAY_ISA
