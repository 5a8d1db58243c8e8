// SPDX-License-Identifier: BSD-3-Clause
#include "check.hpp"

using namespace combine;
using I = Shape<5, 3>;

TEST_CASE("Gate weighs its branches by a softmax, token by token") {
    using M = Small<I, Gate<Dense<6>, Stack<Dense<2>, Dense<6>>, Dense<6>>>;
    Numbers<I, M::Scalar> x;
    Case<M> k(x.view());
    auto const all = reference::gate(
        {reference::dense, reference::stack({reference::dense, reference::dense}), reference::dense});
    for (int b : {0, 1}) {
        k.check_row(b, all(k.reference.child("0"), x.row(b)).value);
        k.check_step(b);
    }
    k.check_gradient();
    CHECK(k.reference["0.gate.weight"].rows == 3);
    initialize<M>(k.m->params, Seed{1});
    M::Block::visit(k.m->params, Path{}, [](auto, Path const& path, Kind kind, auto w) {
        if (text(path).find("gate.bias") != std::string::npos) CHECK(w(0, 0) == 0);
        if (kind == Kind::matrix) CHECK(w(0, 0) != 0);
    });
}

TEST_CASE("Gate over vectors, and below ids") {
    Numbers<Shape<3>, Real<double, 4>> x;
    Case<Small<Shape<3>, Gate<Dense<2>, Dense<2>>>>(x.view()).check_gradient();
    using T = Tokens<4, 5>;
    TokenRows<T, Real<double, 4>> ids;
    Case<Small<T, Embed<3>, Gate<Dense<2>, Dense<2>>>> k(ids.view());
    k.check_gradient();
    k.check_step(1);
}

TEST_CASE("Gate reports ids and branches that differ or leave the positions") {
    CHECK(std::is_same_v<ProblemOf<Tokens<5, 3>, Gate<Embed<2>, Embed<2>>>,
                         Misfit<Gate<void>, Place<>, Got<Tokens<5, 3>>, Wants<a_vector_or_a_sequence>>>);
    CHECK(std::is_same_v<ProblemOf<I, Gate<Dense<2>, Dense<3>>>,
                         Misfit<Gate<void>, Place<1>, Got<Shape<5, 3>>, Wants<Shape<5, 2>>>>);
    CHECK(std::is_same_v<ProblemOf<I, Gate<Flatten, Flatten>>,
                         Misfit<Gate<void>, Place<0>, Got<Shape<15>>, Wants<Shape<5, 15>>>>);
}
