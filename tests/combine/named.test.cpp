// SPDX-License-Identifier: BSD-3-Clause
#include "check.hpp"

using namespace combine;
using I = Shape<5, 3>;

namespace {
struct Mixer : Tanh {
    static constexpr int layers = 1;
};
} // namespace

TEST_CASE("Named is the same block under another name") {
    using M = Small<I, Dense<3>, Named<"mixed", Sum<Named<"left", Dense<2>>, Dense<2>>>>;
    Numbers<I, M::Scalar> x;
    Case<M> k(x.view());
    k.check_gradient();
    k.check_step(1);
    for (char const* name : {"0.weight", "mixed.left.weight", "mixed.1.bias"}) CHECK(k.reference.has(name));
    CHECK(M::parameters == 12 + 8 + 8);
}

TEST_CASE("Named passes on layers, errors and what does not stream") {
    CHECK(Repeat<3, Named<"m", Mixer>>::layers == 3);
    CHECK(std::is_same_v<ProblemOf<Tokens<5, 3>, Stack<Named<"d", Dense<2>>>>,
                         Misfit<Dense<2>, Place<0>, Got<Tokens<5, 3>>, Wants<a_vector_or_a_sequence>>>);
    CHECK_FALSE(Small<I, Named<"f", Flatten>>::streams);
}
