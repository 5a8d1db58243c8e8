// SPDX-License-Identifier: BSD-3-Clause
// Inference in other runtimes.
#pragma once

#include <inlay/io/atomic_file.hpp>
#include <inlay/io/onnx/linear.hpp>

namespace inlay::inline INLAY_ISA {

namespace detail {
template <class M> void write_onnx(Network<M> const& net, std::string const& path) {
    using Input = typename M::Input;
    using Output = typename M::Output;
    OnnxGraph graph(named_tensors<M>(net.params()));
    auto const sizes = []<class S>(Tag<S>) -> OnnxGraph::Sizes {
        if constexpr (is_ids<S>) return {S::rows};
        else if constexpr (is_sequence<S>) return {S::rows, S::width};
        else return {S::width};
    };
    int const type = is_ids<Input> ? OnnxGraph::int64_type : OnnxGraph::float_type;
    std::string const last = emit_onnx<typename M::Top, Input>(graph, "", "x");
    std::string const bytes = graph.model("inlay", type, sizes(Tag<Input>{}), last, sizes(Tag<Output>{}));
    AtomicFile file{path};
    file.write(std::as_bytes(std::span{bytes}));
    file.commit();
}
} // namespace detail

/// Writes a model for inference by ONNX runtimes (opset 17, IR 8), whole or not at all.
///
/// One input `x`: float `[batch, D]` for a Vector, `[batch, T, D]` for a Sequence, int64 `[batch, T]` for
/// Tokens; one output `y`. The batch is open; sequences have their full length T, and start at position 0.
/// Dropout is left out, BatchNorm uses its running statistics. Blocks: Dense, activations, norms, Embed,
/// positions, pools, Flatten, SwiGlu, SoftmaxAttn with masks, Rope and KvHeads, LinearAttn with every policy
/// (a Scan over tokens), Gru, Lstm, CausalConv1d, TokenShift; Stack, Residual, Repeat, Named, Sum, Product,
/// Gate, Concat, Tied. Another block is a compile-time error that names it.
template <class M> void save_onnx(Network<M> const& net, std::string const& path) {
    using Input = typename M::Input;
    using Blocker = typename detail::OnnxBlocker<typename M::Top>::type;
    static_assert(is_numbers<Input> || is_ids<Input>,
                  "inlay: save_onnx takes a Vector, a Sequence or Tokens");
    static_assert(detail::has_an_onnx_form<Blocker>{}, "inlay: a block has no ONNX form");
    if constexpr (std::is_void_v<Blocker>) detail::write_onnx<M>(net, path);
}

} // namespace inlay::inline INLAY_ISA
