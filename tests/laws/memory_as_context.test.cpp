// SPDX-License-Identifier: BSD-3-Clause
// A memory's answers as the context of attention, within segments and across them.
#include "../laws.hpp"

TEST_CASE("laws: memory as context") {
    using Block =
        MemoryAsContext<3, 2, SoftmaxAttn<Heads<2>>,
                        Memory<Heads<2>, Chunk<3>, Depth<2>, InnerNorm, NormHeads, SiluGate, ShortConv<2>>>;
    laws_in_float<Block, Sequence<7, 4>>(
        reference::memory_as_context({.memory = {.heads = 2,
                                                 .layers = 2,
                                                 .chunk = 3,
                                                 .layer_norm = true,
                                                 .theta_max = 1.0 / 3,
                                                 .conv = 2,
                                                 .norm = reference::HeadNorm::rms,
                                                 .gate = reference::GateBy::silu},
                                      .attention = {.heads = 2},
                                      .persistent = 2,
                                      .segment = 3}));
    auto const report = check_gradients<Block, Sequence<7, 4>>();
    CHECK_MESSAGE(report.ok(), report.text());
}
