// SPDX-License-Identifier: BSD-3-Clause
#include "../laws.hpp"

namespace {
reference::Result dense(reference::Parameters const& p, reference::Sequence const& x) {
    return reference::dense(p, x);
}
using reference::stack;
} // namespace

TEST_CASE("laws: repeat") {
    laws<Repeat<3, Dense<6>, Tanh>, Sequence<4, 6>>(reference::repeat(3, stack({dense, reference::tanh})));
}
TEST_CASE("laws: named") {
    laws_in_float<Stack<Named<"first", Dense<4>>, Dense<3>>, Sequence<4, 6>>(
        [](reference::Parameters const& p, reference::Sequence const& x) {
            return reference::apply(
                [&](reference::Sequence const& z) { return reference::dense(p.child("1"), z); },
                reference::dense(p.child("first"), x));
        });
}
TEST_CASE("laws: concat") {
    laws<Concat<Dense<3>, Stack<Dense<17>, Relu>, Dense<2>>, Sequence<4, 5>>(
        reference::concat({dense, stack({dense, reference::relu}), dense}));
}
TEST_CASE("laws: gate") {
    laws<Gate<Dense<5>, Stack<Dense<3>, Silu, Dense<5>>>, Sequence<4, 6>>(
        reference::gate({dense, stack({dense, reference::silu, dense})}));
}
TEST_CASE("laws: combinators in combinators") {
    laws_in_float<Residual<Repeat<2, Dense<6>>>, Sequence<4, 6>>(
        reference::residual(stack({reference::repeat(2, stack({dense}))})));
    laws_in_float<Stack<Dense<6>, MeanPool>, Sequence<4, 5>>(stack({dense, reference::mean_pool(6)}));
}
