// SPDX-License-Identifier: BSD-3-Clause
#include "../laws.hpp"

namespace {
using Row = Record<MultiHot<"tags", 12, 3>, Categorical<"item", 40>, History<"seen", 5, SameAs<"item">>>;

reference::Result most(reference::Parameters const& p, reference::Schema const&,
                       reference::RecordRow const& row) {
    reference::Result y;
    for (std::size_t f = 0; f < 3; ++f) {
        auto const own = reference::embed_bag("max", p[f == 0 ? "tags" : "item"], row.at(f).ids);
        y.value.push_back(own.value[0]);
        y.magnitude.push_back(own.magnitude[0]);
    }
    return y;
}
reference::Result each_width(reference::Parameters const& p, reference::Schema const&,
                             reference::RecordRow const& row) {
    return reference::joined({reference::embed_bag("sum", p["0.1.weight"], row.at(0).ids),
                              reference::embed_bag("mean", p["1.1.weight"], row.at(2).ids)});
}
using Scored = Record<MultiHot<"tags", 12, 3, Weighted>, Categorical<"item", 40>,
                      History<"seen", 5, SameAs<"item">, Weighted>>;

auto weighted(std::string const& how) {
    return [how](reference::Parameters const& p, reference::Schema const&, reference::RecordRow const& row) {
        reference::Result y;
        for (std::size_t f = 0; f < 3; ++f) {
            auto const own = reference::embed_bag(f == 1 ? "sum" : how, p[f == 0 ? "tags" : "item"],
                                                  row.at(f).ids, row.at(f).weights);
            y.value.push_back(own.value[0]);
            y.magnitude.push_back(own.magnitude[0]);
        }
        return y;
    };
}
reference::Result selected(reference::Parameters const& p, reference::Schema const&,
                           reference::RecordRow const& row) {
    return reference::joined(
        {reference::embed_bag("sqrtn", p["0.1.weight"], row.at(0).ids, row.at(0).weights),
         reference::embed_bag("mean", p["1.1.weight"], row.at(2).ids, row.at(2).weights)});
}
} // namespace

TEST_CASE("laws: bags by sum, root and maximum") {
    laws_in_float<Embed<5, BagSum>, Bag<4, 30>>(reference::embed_bag("sum"));
    laws_in_float<Embed<17, BagSqrtN>, Bag<4, 30>>(reference::embed_bag("sqrtn"));
    laws_in_float<Embed<5, BagMax>, Bag<4, 30>>(reference::embed_bag("max"));
}
TEST_CASE("laws: a record by maxima") { laws<Embed<5, BagMax>, Row>(most); }
TEST_CASE("laws: quotients and remainders") {
    laws<Embed<5, QuotientRemainder<7>>, Tokens<4, 30>>(reference::embed_quotient);
}
TEST_CASE("laws: fewer rows than ids") {
    laws<Embed<5, HashedRows<7>>, Tokens<4, 30>>(reference::embed_hashed);
}
TEST_CASE("laws: fields of their own widths") {
    laws_in_float<EmbedEach<Width<"tags", 3, BagSum>, Width<"seen", 5>>, Row>(each_width);
}
TEST_CASE("laws: bags with weights") {
    laws<Embed<5>, Scored>(weighted("mean"));
    laws_in_float<Embed<5, BagWeightedMean>, Scored>(weighted("weighted"));
    laws_in_float<EmbedEach<Width<"tags", 3, BagSqrtN>, Width<"seen", 5>>, Scored>(selected);
}
