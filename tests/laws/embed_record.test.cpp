// SPDX-License-Identifier: BSD-3-Clause
#include "../laws.hpp"

namespace {
using Row = Record<Numeric<"age", Buckets<0, 1>>, Numeric<"height">, Categorical<"job", 9>,
                   MultiHot<"tags", 12, 3>, Categorical<"item", 40>, History<"seen", 5, SameAs<"item">>>;

reference::Result deep(reference::Parameters const& p, reference::Schema const& s,
                       reference::RecordRow const& row) {
    auto const embedded = reference::embed_record(p.child("0"), s, row);
    std::vector<double> flat, magnitude;
    for (std::size_t f = 0; f < embedded.value.size(); ++f)
        for (std::size_t i = 0; i < embedded.value[f].size(); ++i)
            flat.push_back(embedded.value[f][i]), magnitude.push_back(embedded.magnitude[f][i]);
    auto const top = p.child("2");
    return reference::apply([&](reference::Sequence const& z) { return reference::dense(top, z); },
                            {{flat}, {magnitude}});
}
} // namespace

TEST_CASE("laws: embed over a record") { laws<Embed<5>, Row>(reference::embed_record); }
TEST_CASE("laws: embed over a record, wide") { laws_in_float<Embed<17>, Row>(reference::embed_record); }
TEST_CASE("laws: the deep part") { laws<Stack<Embed<3>, Flatten, Dense<2>>, Row>(deep); }
