// SPDX-License-Identifier: BSD-3-Clause
#include "../laws.hpp"

namespace {
reference::Result dense(reference::Parameters const& p, reference::Sequence const& x) {
    return reference::dense(p, x);
}
using reference::flatten;
} // namespace

TEST_CASE("laws: flatten") { laws<Flatten, Sequence<5, 7>>(flatten(5, 7)); }
TEST_CASE("laws: stack") {
    laws<Stack<Dense<9>, Tanh, Dense<3>>, Sequence<5, 6>>(reference::stack({dense, reference::tanh, dense}));
}
TEST_CASE("laws: stack over tokens") {
    laws<Stack<Embed<6>, Dense<17>, Relu>, Tokens<5, 40>>(
        reference::stack({reference::embed, dense, reference::relu}));
}
TEST_CASE("laws: stack that forgets the length") {
    laws_in_float<Stack<Dense<3>, Flatten, Dense<4>>, Sequence<4, 5>>(
        reference::stack({dense, flatten(4, 3), dense}));
}
TEST_CASE("laws: residual") {
    laws<Residual<Dense<9>, Relu, Dense<6>>, Sequence<5, 6>>(
        reference::residual(reference::stack({dense, reference::relu, dense})));
}
TEST_CASE("laws: residual of a residual") {
    laws_in_float<Residual<Tanh, Residual<Dense<17>>>, Vector<17>>(reference::residual(
        reference::stack({reference::tanh, reference::residual(reference::stack({dense}))})));
}
TEST_CASE("laws: sum") {
    laws<Sum<Dense<9>, Stack<Dense<3>, Silu, Dense<9>>, Dense<9, NoBias>>, Sequence<5, 6>>(
        reference::sum({dense, reference::stack({dense, reference::silu, dense}), dense}));
}
