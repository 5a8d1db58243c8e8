// SPDX-License-Identifier: BSD-3-Clause
#include "check.hpp"

using namespace combine;
using I = Tokens<5, 7>;

TEST_CASE("Tied reads and scores tokens with one table") {
    using M = Small<I, Tied<Embed<3>, Dense<6>, Dense<3>>>;
    TokenRows<I, M::Scalar> x;
    Case<M> k(x.view());
    auto const all = reference::tied(reference::stack({reference::dense, reference::dense}));
    for (int b : {0, 1}) {
        k.check_row(b, all(k.reference.child("0"), x.row(b)).value);
        k.check_step(b);
    }
    k.check_gradient();
    CHECK(k.reference["0.embed.weight"].rows == 7);
    CHECK(M::parameters == 7 * 3 + 3 * 6 + 6 + 6 * 3 + 3);
    for (int t = k.y().length(1); t < 5; ++t)
        for (int i = 0; i < k.y().stride; ++i) CHECK(k.y()(1, t)[i] == 0);
    initialize<M>(k.m->params, Seed{1});
    double sum = 0;
    M::Block::visit(k.m->params, Path{}, [&](auto, Path const&, Kind kind, auto w) {
        if (kind == Kind::table)
            for (int r = 0; r < w.rows; ++r)
                for (int i = 0; i < w.width; ++i) sum += w(r, i) * w(r, i);
    });
    CHECK(std::sqrt(sum / 21) == doctest::Approx(0.02).epsilon(0.5));
}

TEST_CASE("Tied reports other inputs, bodies and tables") {
    CHECK(std::is_same_v<ProblemOf<Shape<5, 3>, Tied<Embed<3>, Tanh>>,
                         Misfit<Tied<>, Place<>, Got<Shape<5, 3>>, Wants<tokens>>>);
    CHECK(std::is_same_v<ProblemOf<I, Tied<Embed<3>, Dense<4>>>,
                         Misfit<Tied<>, Place<>, Got<Shape<5, 4>>, Wants<Shape<5, 3>>>>);
    CHECK(std::is_same_v<ProblemOf<I, Tied<Dense<3>, Tanh>>,
                         Misfit<Tied<Dense<3>, Tanh>, Place<>, Got<I>, Wants<an_Embed_then_a_body>>>);
}
