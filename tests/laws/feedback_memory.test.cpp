// SPDX-License-Identifier: BSD-3-Clause
#include "../laws.hpp"

namespace {
reference::Block one_layer(reference::Feedback const& f) {
    auto const stack = reference::feedback_stack(f, 1);
    return [=](reference::Parameters const& p, reference::Sequence const& x) {
        reference::Parameters of_layer;
        for (auto const& [name, tensor] : p.by_name)
            of_layer.by_name[name == "fam" ? name : "0." + name] = tensor;
        return stack(of_layer, x);
    };
}
} // namespace

TEST_CASE("laws: feedback memory") {
    using Block = FeedbackMemory<Heads<2>, KvHeads<1>, HeadDim<4>, Rope<100>, BlockWindow<3, 1>,
                                 FeedbackRows<2>, Hidden<5>>;
    laws_in_float<Block, Sequence<8, 6>>(
        one_layer({.heads = 2, .kv_heads = 1, .rope = {.base = 100}, .block = 3, .segments = 1}));
    using Normed = FeedbackMemory<BlockWindow<2, 0>, FeedbackRows<1>, NormRows>;
    laws_in_float<Normed, Sequence<5, 4>>(one_layer({.block = 2, .norm_rows = true}));
    auto report = check_gradients<Block, Sequence<8, 6>>();
    report.add(check_gradients<FeedbackMemory<BlockWindow<2, 0>, FeedbackRows<1>>, Sequence<5, 4>>());
    report.add(check_gradients<Normed, Sequence<5, 4>>());
    CHECK_MESSAGE(report.ok(), report.text());
}
