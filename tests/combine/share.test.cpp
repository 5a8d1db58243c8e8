// SPDX-License-Identifier: BSD-3-Clause
#include "check.hpp"

#include <sstream>

using namespace combine;
using Visit = Record<Categorical<"item", 9>, MultiHot<"genres", 7, 3>, History<"watched", 4, SameAs<"item">>>;

TEST_CASE("Embeds of one share read one table, and their gradients add up") {
    using Watched = Stack<Select<"watched">, Embed<3, Share<"items">>, Flatten, Dense<2>>;
    using Genres = Stack<Select<"genres">, Embed<4, Share<"genres">>, Flatten, Dense<2>>;
    using Plain = Stack<Select<"item">, Embed<3, Share<"items">>, Flatten, Dense<2>>;
    using M = Small<Visit, Sum<Watched, Genres, Plain>>;
    auto const rows = Rows<Visit>::random(3, Seed{4});
    Case<M> k({rows.row.data()});
    k.check_gradient();
    CHECK(M::parameters == 9 * 3 + 7 * 4 + (12 + 4 + 3) * 2 + 6);
    CHECK(k.reference.by_name.at("items.weight").rows == 9);
    CHECK(k.reference.by_name.at("genres.weight").cols == 4);
    CHECK(k.reference.has("0.0.3.weight"));
}

TEST_CASE(
    "The gradient of a shared table has a slot for each id that its readers may have, not for each row") {
    using Large =
        Record<Categorical<"item", 90>, MultiHot<"liked", 90, 3>, History<"watched", 4, SameAs<"item">>>;
    using E = Embed<2, Share<"items">>;
    using Liked = Stack<Select<"liked">, Embed<2, Share<"items">, BagMax>, Flatten, Dense<2>>;
    using M = Small<Large, Sum<Stack<Select<"watched">, E, Flatten, Dense<2>>, Liked,
                               Stack<Select<"item">, Concat<E, E>, Flatten, Dense<2>>>>;
    auto const rows = Rows<Large>::random(3, Seed{4});
    Case<M> k({rows.row.data()});
    k.check_gradient();
    M::Block::Grads<3> g{};
    M::Block::visit(g, Path{}, [](auto, Path const& at, Kind, auto const& ref) {
        if (text(at) != "items.weight") return;
        CHECK(ref.id != nullptr);
        CHECK(ref.rows == 3 * (4 + 3 + 1 + 1));
    });
}

TEST_CASE("A shared table reaches into every combinator, and streams") {
    using I = Tokens<5, 7>;
    using E = Embed<3, Share<"tokens">>;
    using M = Small<I, Concat<E, Keep<"e", E, TimesSide<"e">, Repeat<2, Dense<3>>>>, Named<"out", Dense<2>>>;
    TokenRows<I, M::Scalar> x;
    Case<M> k(x.view());
    k.check_gradient();
    k.check_step(0);
    k.check_step(1);
    CHECK(M::parameters == 21 + 2 * 12 + 2 * 6 + 2);
    Network<Model<I, Sum<E, E>>> net(Seed{3});
    float first = 0;
    decltype(net)::Params& p = net.params();
    Model<I, Sum<E, E>>::Block::visit(p, Path{}, [&](auto, Path const&, Kind, auto w) { first = w(0, 0); });
    CHECK(first != 0);
}

TEST_CASE("Share reports tables of different shapes, and inputs without ids") {
    using Two = detail::ModelProblem<Visit, Native,
                                     Sum<Stack<Select<"item">, Embed<3, Share<"s">>, Flatten, Dense<1>>,
                                         Stack<Select<"genres">, Embed<3, Share<"s">>, Flatten, Dense<1>>>>;
    CHECK(std::is_same_v<Two, Misfit<Embed<3, Share<"s">>, Place<>, Got<Table<7, 3>>, Wants<Table<9, 3>>>>);
    CHECK(std::is_same_v<
          ProblemOf<Visit, Embed<3, Share<"s">>>,
          Misfit<Embed<3, Share<"s">>, Place<>, Got<RecordOf<3>>, Wants<ids_as_the_table_is_shared>>>);
}

TEST_CASE("summary lists what combinators own besides their children") {
    using I = Tokens<5, 7>;
    using M = Model<
        I, Tied<Embed<3>, Repeat<2, Dense<3>>, Let<"e", Dense<3>, Gate<Dense<3>, Dense<3>>, TimesSide<"e">>>>;
    std::ostringstream out;
    summary<M>(out);
    for (char const* place : {"0.embed", "0.0.*.0 x2", "0.1.e", "0.1.0.1", "0.1.0.gate"})
        CHECK(out.str().find(place) != std::string::npos);
    out.str("");
    summary<Model<I, Sum<Embed<3, Share<"words">>, Embed<3, Share<"words">>>>>(out);
    CHECK(out.str().find("words") != std::string::npos);
}
