// SPDX-License-Identifier: BSD-3-Clause
#include "check.hpp"

using namespace combine;
using I = Shape<5, 3>;

TEST_CASE("Concat joins the widths of its branches") {
    using M = Small<I, Concat<Dense<3>, Stack<Dense<2>, Dense<6>>, Dense<1>>>;
    Numbers<I, M::Scalar> x;
    Case<M> k(x.view());
    auto const all = reference::concat(
        {reference::dense, reference::stack({reference::dense, reference::dense}), reference::dense});
    for (int b : {0, 1}) {
        k.check_row(b, all(k.reference.child("0"), x.row(b)).value);
        k.check_step(b);
    }
    k.check_gradient();
    CHECK(M::Output::width == 10);
}

TEST_CASE("Sum of branches over tokens, of one length") {
    using In = Tokens<5, 7>;
    using M = Small<In, Sum<Embed<3>, Stack<Embed<2>, Dense<3>>>, Concat<Residual<Dense<3>>, Dense<2>>>;
    TokenRows<In, M::Scalar> x;
    Case<M> k(x.view());
    k.check_gradient();
    k.check_step(1);
}

TEST_CASE("Concat reports a branch that gives ids or another length") {
    using Rec = Record<Categorical<"a", 4>, Numeric<"n">>;
    CHECK(std::is_same_v<ProblemOf<I, Concat<Dense<3>, Flatten>>,
                         Misfit<Concat<void>, Place<1>, Got<Shape<15>>, Wants<Shape<5, 15>>>>);
    CHECK(std::is_same_v<ProblemOf<Rec, Concat<Embed<3>, Dense<3>>>,
                         Misfit<Dense<3>, Place<1>, Got<RecordOf<2>>, Wants<a_vector_or_a_sequence>>>);
}
