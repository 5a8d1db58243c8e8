// SPDX-License-Identifier: BSD-3-Clause
#include "check.hpp"

using namespace combine;
using I = Shape<6, 4>;
using A = PreNorm<SwiGlu<6>>;
using B = PreNorm<SoftmaxAttn<Heads<2>, Rope<100>>>;

TEST_CASE("Interleave is the stack of its slots, and of periods the stack that goes on") {
    static_assert(std::is_same_v<Interleave<Times<3, A>, B>, Stack<A, A, A, B>>);
    static_assert(std::is_same_v<Interleave<A, Times<2, B>, Times<1, A>>, Stack<A, B, B, A>>);
    static_assert(Repeat<2, Interleave<Times<3, A>, B>>::layers == 2);

    using Periods = Small<I, Repeat<2, Interleave<Times<3, A>, B>>>;
    using Nested = Small<I, Repeat<2, Repeat<3, A>, B>>;
    using Flat = Small<I, A, A, A, B, A, A, A, B>;
    static_assert(Periods::parameters == Flat::parameters && Nested::parameters == Flat::parameters);
    static_assert(sizeof(Periods::Block::State) == sizeof(Flat::Block::State));

    Numbers<I, Flat::Scalar> x;
    Case<Periods> periods(x.view());
    Case<Nested> nested(x.view());
    Case<Flat> flat(x.view()); // all three are filled alike, in the order of their tensors
    for (double loss : {periods.loss(), nested.loss()}) CHECK(loss == flat.loss());
    for (int b : {0, 1})
        for (int t = 0; t < x.view().length(b); ++t)
            for (int i = 0; i < I::width; ++i) {
                CHECK(periods.y()(b, t)[i] == flat.y()(b, t)[i]);
                CHECK(nested.y()(b, t)[i] == flat.y()(b, t)[i]);
            }
    periods.check_gradient();
    periods.check_step(0);
    CHECK(periods.reference.has("0.1.0.3.1.q.weight"));
}

TEST_CASE("a Times that counts none, or stands by itself, is reported") {
    CHECK(std::is_same_v<ProblemOf<I, Interleave<A, Times<0, A>>>,
                         Misfit<Times<0>, Place<1>, Got<I>, Wants<a_positive_count>>>);
    CHECK(std::is_same_v<ProblemOf<I, Times<2, A>>,
                         Misfit<Times<2>, Place<>, Got<I>, Wants<an_Interleave_around_it>>>);
}
