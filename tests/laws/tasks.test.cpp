// SPDX-License-Identifier: BSD-3-Clause
#include "../laws.hpp"
#include "../reference/ease.hpp"

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

// A behaviour sequence transformer: positions, a layer of attention and a network, norms behind both.
using Bst = Stack<LearnedPosition, Residual<SoftmaxAttn<Heads<2>, Bidirectional>>, LayerNorm,
                  Residual<Dense<7>, LeakyRelu, Dense<6>>, LayerNorm, Flatten, Dense<3>>;
auto const bst = reference::let(
    reference::mean_pool(6),
    [](reference::Sequence const& target) {
        auto const body = reference::stack(
            {reference::learned_position,
             reference::residual(reference::stack(
                 {reference::attention({.heads = 2, .mask = {.sees = reference::Sees::all}})})),
             reference::layer_norm,
             reference::residual(
                 reference::stack({reference::dense, reference::leaky_relu, reference::dense})),
             reference::layer_norm, reference::flatten(6, 6), reference::dense});
        return [=](reference::Parameters const& p, reference::Sequence const& x) {
            return reference::target_first(target.at(0), body)(p.child("0.0"), x);
        };
    },
    "t");

// Two levels of extraction; sequences may be short, and what is missing is zero.
auto const ple = [](reference::Parameters const& p, reference::Sequence const& x) {
    return reference::stack({reference::extraction(2, 1, 2, true, mlp),
                             reference::extraction(2, 2, 1, false, reference::dense)})(p, x);
};
auto const level = [](reference::Parameters const& p, reference::Sequence x) {
    x.resize(3, std::vector<double>(5));
    return reference::extraction(2, 1, 1, true, reference::dense)(p, x);
};
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
TEST_CASE("laws: items to each other") {
    laws_in_float<ItemToItem, Sequence<2, 17>>(reference::item_to_item);
}
TEST_CASE("laws: joint logits") { laws<Esmm, Vector<2>>(reference::esmm); }
TEST_CASE("laws: a transformer over a history and its target") {
    laws_in_float<Let<"t", MeanPool, TargetFirst<"t", Bst>>, Sequence<5, 6>>(bst);
}
TEST_CASE("laws: two levels of extraction") {
    laws_in_float<Stack<MultiGate<2, Mlp<4, 3>, SharedExperts<1>, OwnExperts<2>, SharedRow>,
                        MultiGate<2, Dense<17>, SharedExperts<2>, OwnExperts<1>>>,
                  Vector<5>>(ple);
    laws_in_float<MultiGate<2, Dense<3>, SharedExperts<1>, OwnExperts<1>, SharedRow>, Sequence<3, 5>>(level);
}
