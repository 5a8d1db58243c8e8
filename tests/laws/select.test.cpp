// SPDX-License-Identifier: BSD-3-Clause
#include "../laws.hpp"

namespace {
using Row = Record<Categorical<"item", 9>, Numeric<"age">, MultiHot<"tags", 7, 3>,
                   History<"seen", 4, SameAs<"item">>>;
reference::Result dense(reference::Parameters const& p, reference::Sequence const& x) {
    return reference::dense(p, x);
}

reference::Sequence ids_of(reference::RecordRow const& row, std::size_t field) {
    return reference::tokens(row.at(field).ids);
}
reference::Result history(reference::Parameters const& p, reference::Schema const&,
                          reference::RecordRow const& row) {
    auto const pool = reference::mean_pool(5);
    return reference::apply([&](reference::Sequence const& z) { return pool({}, z); },
                            reference::embed(p.child("1"), ids_of(row, 3)));
}
reference::Result item(reference::Parameters const& p, reference::Schema const&,
                       reference::RecordRow const& row) {
    return reference::embed(p.child("1"), ids_of(row, 0));
}
} // namespace

TEST_CASE("laws: select of a history") { laws<Stack<Select<"seen">, Embed<5>, MeanPool>, Row>(history); }
// Long enough that every buffer between blocks is used again: the lengths must outlive the ids.
TEST_CASE("laws: select of a history through a long stack") {
    laws<Stack<Select<"seen">, Embed<5>, Dense<5>, Tanh, Dense<5>, Last>, Row>();
    laws_in_float<Stack<Stack<Select<"seen">, Embed<5>>, PreNorm<Dense<5>, Tanh>, Dense<6>, MaxPool>, Row>();
}
TEST_CASE("laws: select of an id") { laws_in_float<Stack<Select<"item">, Embed<5>>, Row>(item); }
TEST_CASE("laws: select of a set and a number") {
    laws<Concat<Stack<Select<"tags">, Embed<3>, Flatten>, Stack<Select<"age">, Dense<2>>>, Row>();
}
TEST_CASE("laws: tied") {
    laws<Tied<Embed<6>, Dense<9>, Tanh, Dense<6>>, Tokens<4, 11>>(
        reference::tied(reference::stack({dense, reference::tanh, dense})));
}
