// SPDX-License-Identifier: BSD-3-Clause
#include "check.hpp"

using namespace combine;
using Visit = Record<Categorical<"item", 9>, Numeric<"age">, MultiHot<"genres", 7, 3>,
                     History<"watched", 4, SameAs<"item">>>;
template <class... S> using OutOf = typename detail::OutputOf<Stack<S...>, Visit>::type;

TEST_CASE("Select gives a field its shape") {
    CHECK(std::is_same_v<OutOf<Select<"item">>, Tokens<1, 9>>);
    CHECK(std::is_same_v<OutOf<Select<"age">>, Shape<1>>);
    CHECK(std::is_same_v<OutOf<Select<"genres">>, Bag<3, 7>>);
    CHECK(std::is_same_v<OutOf<Select<"watched">>, Tokens<4, 9>>);
    CHECK(std::is_same_v<ProblemOf<Visit, Select<"watch">>,
                         Misfit<Select<"watch">, Place<>, Got<no_field>, one_of<"item age genres watched">>>);
    CHECK(std::is_same_v<ProblemOf<Shape<3>, Select<"age">>,
                         Misfit<Select<"age">, Place<>, Got<Shape<3>>, Wants<a_record>>>);
}

TEST_CASE("Select feeds Embed, and lengths pass through nested stacks") {
    auto const rows = Rows<Visit>::random(3, Seed{4});
    using M =
        Small<Visit,
              Concat<Stack<Stack<Select<"watched">, Embed<2>>, Flatten>,
                     Stack<Select<"genres">, Embed<3>, Flatten>, Stack<Select<"age">, Embed<2>, Flatten>,
                     Stack<Select<"item">, Embed<2>, Flatten>, Select<"age">>>;
    Case<M> k({rows.row.data()});
    k.loss();
    k.check_gradient();
    using H = Small<Visit, Stack<Select<"watched">, Embed<2>>, Dense<3>>;
    Case<H> h({rows.row.data()});
    for (int b : {0, 1}) {
        auto const& v = get<3>(rows[std::size_t(b)]);
        CHECK(h.y().length(b) == v.count);
        auto const embedded =
            reference::embed(h.reference.child("0.1"), reference::tokens({v.id, v.id + v.count}));
        h.check_row(b, reference::dense(h.reference.child("1"), embedded.value).value);
        auto const& g = get<2>(rows[std::size_t(b)]);
        for (int i = 0; i < 3; ++i) {
            double mean = 0;
            for (int n = 0; n < g.count; ++n) mean += k.reference["0.1.1.weight"](g.id[n], i) / g.count;
            CHECK(std::abs(k.y()(b)[8 + i] - mean) < 1e-12);
        }
        for (int i = 2 * v.count; i < 8; ++i) CHECK(k.y()(b)[i] == 0);
        CHECK(k.y()(b)[15] == double(get<1>(rows[std::size_t(b)]).value));
    }
    h.check_gradient();
}
