// SPDX-License-Identifier: BSD-3-Clause
// Attention and memory together, with learned tokens before the first.
#include "../laws.hpp"

namespace {
using Attending = SoftmaxAttn<Heads<2>, Causal, Window<3>>;
using Learning = Memory<Heads<2>, Chunk<3>, Depth<1>, ShortConv<0>>;
reference::MemoryLayout const layout{.memory = {.heads = 2, .chunk = 3, .theta_max = 1.0 / 3},
                                     .attention = {.heads = 2, .mask = {.window = 3}},
                                     .persistent = 2};

// The reference has the learned tokens beside the memory.
reference::Block layered() {
    auto const block = reference::memory_as_layer(layout);
    return [=](reference::Parameters p, reference::Sequence const& x) {
        p.by_name["persistent"] = p["memory.persistent"];
        return block(p, x);
    };
}
} // namespace

TEST_CASE("laws: memory as gate, with learned tokens that all see") {
    using Sinking = SoftmaxAttn<Heads<2>, Causal, Window<3>, Sinks<2>>;
    using Gated = Persistent<2, MemoryAsGate<Sinking, Learning>>;
    laws_in_float<Gated, Sequence<7, 4>>(reference::memory_as_gate(layout));
    auto const report = check_gradients<Gated, Sequence<7, 4>>();
    CHECK_MESSAGE(report.ok(), report.text());
}
TEST_CASE("laws: memory as layer, with learned tokens") {
    laws_in_float<MemoryAsLayer<Attending, Persistent<2, Learning>>, Sequence<7, 4>>(layered());
}
