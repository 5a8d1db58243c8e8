// SPDX-License-Identifier: BSD-3-Clause
#include "check.hpp"

using namespace combine;
using I = Shape<5, 3>;

TEST_CASE("Repeat is its body N times with parameters 0, 1, ...") {
    using M = Small<I, Repeat<3, Dense<4>, Tanh, Dense<3>>>;
    Numbers<I, M::Scalar> x;
    Case<M> k(x.view());
    auto const tanh = [](reference::Parameters const&, reference::Sequence const& z) {
        reference::Result y{z, z};
        for (auto& row : y.value)
            for (double& v : row) v = std::tanh(v);
        return y;
    };
    auto const body = reference::stack({reference::dense, tanh, reference::dense});
    auto const all = reference::repeat(3, body);
    reference::Parameters const p = k.reference.child("0");
    for (int b : {0, 1}) {
        k.check_row(b, all(p, x.row(b)).value);
        k.check_step(b);
    }
    k.check_gradient();
    CHECK(M::parameters == 3 * (4 * 3 + 4 + 3 * 4 + 3));
    CHECK(p.has("2.0.weight"));
}

TEST_CASE("Repeat nests, and each repetition draws its own parameters") {
    using M = Small<I, Repeat<1, Tanh, Repeat<2, Residual<Dense<3>>>>>;
    Numbers<I, M::Scalar> x;
    Case<M> k(x.view());
    k.check_gradient();
    k.check_step(0);
    CHECK(k.reference.by_name.count("0.0.1.1.0.0.bias") == 1);
    initialize<M>(k.m->params, Seed{3});
    std::vector<double> first;
    M::Block::visit(k.m->params, Path{}, [&](auto, Path const&, Kind, auto w) { first.push_back(w(0, 0)); });
    REQUIRE(first.size() == 4);
    CHECK(first[0] != first[2]);
}

TEST_CASE("Repeat keeps what has no members empty, and reports a body that changes the shape") {
    using B = Repeat<4, Tanh>::Block<I, Native>;
    CHECK(std::is_empty_v<B::Params>);
    CHECK(std::is_empty_v<B::State>);
    CHECK(std::is_same_v<ProblemOf<I, Repeat<2, Tanh, Dense<4>>>,
                         Misfit<Repeat<2>, Place<>, Got<Shape<5, 4>>, Wants<I>>>);
    CHECK(std::is_same_v<ProblemOf<Tokens<5, 3>, Repeat<2, Embed<3>>>,
                         Misfit<Repeat<2>, Place<>, Got<Tokens<5, 3>>, Wants<a_vector_or_a_sequence>>>);
}
