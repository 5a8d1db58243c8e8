// SPDX-License-Identifier: BSD-3-Clause
#include "../laws.hpp"

namespace {
auto const mlp = reference::mlp({"0", "2"}, reference::relu);
auto const attends = reference::let(
    reference::mean_pool(6),
    [](reference::Sequence const& target) {
        return [=](reference::Parameters const& p, reference::Sequence const& x) {
            return reference::target_attention(target.at(0), mlp)(p.child("0.0"), x);
        };
    },
    "t");
} // namespace

TEST_CASE("laws: attention to a target") {
    laws<Let<"t", MeanPool, TargetAttn<"t", Mlp<7, 1>>>, Sequence<5, 6>>(attends);
}
TEST_CASE("laws: experts for several tasks") {
    laws<MultiGate<2, Mlp<4, 3>, SharedExperts<2>, OwnExperts<1>>, Vector<5>>(
        reference::multi_gate(2, 2, 1, mlp));
    laws_in_float<MultiGate<3, Dense<17>>, Vector<5>>(reference::multi_gate(3, 4, 0, reference::dense));
}
TEST_CASE("laws: towers") {
    laws_in_float<PerRow<Dense<3>, Mlp<4, 2>>, Sequence<2, 5>>(
        reference::per_row({reference::dense, mlp}, 5));
}
TEST_CASE("laws: joint logits") { laws<Esmm, Vector<2>>(reference::esmm); }
