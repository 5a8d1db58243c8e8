// SPDX-License-Identifier: BSD-3-Clause
// Recurrences and convolutions over time in the words of ONNX.
#pragma once

#include <inlay/blocks/conv.hpp>
#include <inlay/blocks/recurrent.hpp>
#include <inlay/blocks/token_shift.hpp>
#include <inlay/io/onnx/blocks.hpp>

namespace inlay::inline INLAY_ISA {
namespace detail {

/// GRU and LSTM: `order` says where ONNX's gates are among PyTorch's. A step is [T, B, D] there.
template <int H, bool Biased>
std::string emit_recurrent(OnnxGraph& g, std::string const& at, std::string const& x, int T,
                           std::string_view op, std::vector<int> const& order) {
    auto const ordered = [&](std::string const& name, int width) {
        auto const& from = g.numbers(at + name);
        std::vector<float> to;
        for (int const gate : order) {
            auto const first = from.begin() + gate * H * width;
            to.insert(to.end(), first, first + H * width);
        }
        return to;
    };
    int const gates = int(order.size()) * H, D = int(g.numbers(at + "weight_ih").size()) / gates;
    std::vector<std::string> inputs{g.node("Transpose", {x}, {{"perm", {1, 0, 2}}}),
                                    g.constant({1, gates, D}, ordered("weight_ih", D)),
                                    g.constant({1, gates, H}, ordered("weight_hh", H))};
    if constexpr (Biased) {
        auto both = ordered("bias_ih", 1);
        auto const of_state = ordered("bias_hh", 1);
        both.insert(both.end(), of_state.begin(), of_state.end());
        inputs.push_back(g.constant({1, 2 * gates}, both));
    }
    std::string y; // [T, 1, B, H]
    if (op == "GRU") y = g.node(op, inputs, {{"hidden_size", H}, {"linear_before_reset", 1}});
    else y = g.node(op, inputs, {{"hidden_size", H}});
    return g.reshape(g.node("Transpose", {y}, {{"perm", {2, 0, 1, 3}}}), {0, T, H});
}
template <int H, class... P> struct OnnxForm<Gru<H, P...>> {
    template <class I> static std::string emit(OnnxGraph& g, std::string const& at, std::string const& x) {
        return emit_recurrent<H, !has_policy<NoBias, P...>>(g, at, x, I::rows, "GRU", {1, 0, 2});
    }
};
template <int H, class... P> struct OnnxForm<Lstm<H, P...>> {
    template <class I> static std::string emit(OnnxGraph& g, std::string const& at, std::string const& x) {
        return emit_recurrent<H, !has_policy<NoBias, P...>>(g, at, x, I::rows, "LSTM", {0, 3, 1, 2});
    }
};

/// A convolution that reads the past, of rows: the weight is [to, from / groups, taps].
inline std::string emit_conv(OnnxGraph& g, std::string const& x, OnnxGraph::Sizes const& shape,
                             std::vector<float> const& weight, int apart, int groups,
                             std::string const& bias = {}) {
    std::vector<std::string> inputs{g.node("Transpose", {x}, {{"perm", {0, 2, 1}}}),
                                    g.constant(shape, weight)};
    if (!bias.empty()) inputs.push_back(g.weight(bias));
    auto const y = g.node("Conv", inputs,
                          {{"kernel_shape", {shape[2]}},
                           {"pads", {(shape[2] - 1) * apart, 0}},
                           {"dilations", {apart}},
                           {"group", groups}});
    return g.node("Transpose", {y}, {{"perm", {0, 2, 1}}});
}
template <int Taps, class... P> struct OnnxForm<CausalConv1d<Taps, P...>> {
    using Spec = CausalConv1d<Taps, P...>;
    template <class I> static std::string emit(OnnxGraph& g, std::string const& at, std::string const& x) {
        constexpr bool depthwise = Spec::channels == 0;
        constexpr int D = I::width;
        return emit_conv(g, x, {depthwise ? D : Spec::channels, depthwise ? 1 : D, Taps},
                         g.numbers(at + "weight"), Spec::apart, depthwise ? D : 1,
                         Spec::has_bias ? at + "bias" : "");
    }
};
/// Two taps: mix for the token before, and the rest for the token itself.
template <> struct OnnxForm<TokenShift> {
    template <class I> static std::string emit(OnnxGraph& g, std::string const& at, std::string const& x) {
        std::vector<float> taps;
        for (float const mix : g.numbers(at + "mix")) taps.push_back(mix), taps.push_back(1 - mix);
        return emit_conv(g, x, {I::width, 1, 2}, taps, 1, I::width);
    }
};

} // namespace detail
} // namespace inlay::inline INLAY_ISA
