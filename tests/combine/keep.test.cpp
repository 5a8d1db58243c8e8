// SPDX-License-Identifier: BSD-3-Clause
#include "check.hpp"

using namespace combine;
using I = Shape<5, 3>;

namespace {
reference::Block times(reference::Sequence const& kept) {
    return [=](reference::Parameters const&, reference::Sequence x) {
        for (std::size_t t = 0; t < x.size(); ++t)
            for (std::size_t i = 0; i < x[t].size(); ++i) x[t][i] *= kept[t][i];
        return reference::Result{x, x};
    };
}
} // namespace

TEST_CASE("Keep shows A(x) to the blocks behind A") {
    using M = Small<I, Keep<"e", Dense<6>, Repeat<2, Dense<6>, TimesSide<"e">>, Dense<2>>>;
    Numbers<I, M::Scalar> x;
    Case<M> k(x.view());
    auto const body = [](reference::Sequence const& e) {
        return reference::stack(
            {reference::repeat(2, reference::stack({reference::dense, times(e)})), reference::dense});
    };
    for (int b : {0, 1}) {
        k.check_row(b, reference::keep(reference::dense, body, "e")(k.reference.child("0"), x.row(b)).value);
        k.check_step(b);
    }
    k.check_gradient();
    CHECK(k.reference.has("0.e.weight"));
}

TEST_CASE("Let shows A(x) to blocks over x, and both reach dx") {
    using M = Small<I, Let<"e", Stack<Dense<6>, Tanh>, Dense<6>, TimesSide<"e">,
                           Let<"f", Dense<6>, TimesSide<"f">, TimesSide<"e">>>>;
    Numbers<I, M::Scalar> x;
    Case<M> k(x.view());
    k.check_gradient();
    k.check_step(0);
    using S = Small<I, Let<"e", Dense<6>, Dense<6>, TimesSide<"e">>>;
    Case<S> s(x.view());
    auto const body = [](reference::Sequence const& e) {
        return reference::stack({reference::dense, times(e)});
    };
    for (int b : {0, 1})
        s.check_row(b, reference::let(reference::dense, body, "e")(s.reference.child("0"), x.row(b)).value);
}

TEST_CASE("Keep and Let below ids and records") {
    using T = Tokens<5, 7>;
    TokenRows<T, Real<double, 4>> ids;
    Case<Small<T, Keep<"e", Embed<3>, Dense<3>, TimesSide<"e">>>> k(ids.view());
    k.check_gradient();
    k.check_step(1);
    Case<Small<T, Let<"e", Embed<3>, Embed<3>, TimesSide<"e">>>>(ids.view()).check_gradient();
    using Rec = Record<History<"h", 4, inlay::Ids<6>>>;
    auto const rows = Rows<Rec>::random(3, Seed{2});
    using H = Small<Rec, Let<"e", Stack<Select<"h">, Embed<3>>, Stack<Select<"h">, Embed<3>>, TimesSide<"e">>,
                    Flatten>;
    Case<H>({rows.row.data()}).check_gradient();
}

TEST_CASE("Keep reports an A that gives ids, and problems inside") {
    using Rec = Record<Categorical<"c", 4>>;
    CHECK(std::is_same_v<ProblemOf<Rec, Keep<"e", Select<"c">, Embed<3>>>,
                         Misfit<Keep<"e", void>, Place<>, Got<Tokens<1, 4>>, Wants<a_vector_or_a_sequence>>>);
    CHECK(std::is_same_v<ProblemOf<I, Let<"e", Dense<3>, Dense<2>, Embed<2>>>,
                         Misfit<Embed<2>, Place<1>, Got<Shape<5, 2>>, Wants<ids_or_a_record>>>);
}
