// SPDX-License-Identifier: BSD-3-Clause
#include "../laws.hpp"

namespace {
using Row = Record<Numeric<"age", Buckets<0, 1>>, Categorical<"job", 9>, MultiHot<"tags", 12, 3>,
                   Categorical<"item", 40>, Numeric<"height">>;
using Policies = std::vector<reference::CrossPolicy>;
Policies policies() {
    return {reference::each(), reference::of({"job", "item"}), reference::of({"age", "job"}),
            reference::of({"job"})};
}

auto hashed = [](reference::Parameters const& p, reference::Schema const& s,
                 reference::RecordRow const& row) { return reference::cross_hashed(p, s, policies(), row); };
auto indexed = [](reference::Parameters const& p, reference::Schema const& s,
                  reference::RecordRow const& row) {
    return reference::cross_indexed(p, s, policies(), row);
};
auto wide_and_deep = [](reference::Parameters const& p, reference::Schema const& s,
                        reference::RecordRow const& row) {
    auto y = reference::cross_hashed(p.child("0"), s, policies(), row);
    auto const e = reference::embed_record(p.child("1.0"), s, row);
    std::vector<double> flat, magnitude;
    for (auto const& v : e.value) flat.insert(flat.end(), v.begin(), v.end());
    for (auto const& v : e.magnitude) magnitude.insert(magnitude.end(), v.begin(), v.end());
    auto const deep =
        reference::apply([&](reference::Sequence const& z) { return reference::dense(p.child("1.2"), z); },
                         {{flat}, {magnitude}});
    return reference::Result{reference::plus(y.value, deep.value),
                             reference::plus(y.magnitude, deep.magnitude)};
};
using Wide = Cross<Hashed<100>, Each, Of<"item", "job">, Of<"age", "job">, Of<"job">>;
} // namespace

TEST_CASE("laws: cross, hashed") { laws<Wide, Row>(hashed); }
TEST_CASE("laws: cross, hashed into few slots") {
    laws_in_float<Cross<Hashed<7>, Each, Of<"item", "job">, Of<"age", "job">, Of<"job">>, Row>(hashed);
}
TEST_CASE("laws: cross, indexed") {
    laws_in_float<Cross<Indexed, Each, Of<"item", "job">, Of<"age", "job">, Of<"job">>, Row>(indexed);
}
TEST_CASE("laws: crosses of weighted ids") {
    using Scored = Record<MultiHot<"tags", 12, 3, Weighted>, Categorical<"item", 40>,
                          History<"seen", 4, SameAs<"item">, Weighted>>;
    auto const each = [](auto cross) {
        return
            [=](reference::Parameters const& p, reference::Schema const& s, reference::RecordRow const& row) {
                return cross(p, s, std::vector{reference::each(), reference::of({"item"})}, row);
            };
    };
    laws<Cross<Hashed<50>, Each, Of<"item">>, Scored>(each(reference::cross_hashed));
    laws_in_float<Cross<Indexed, Each, Of<"item">>, Scored>(each(reference::cross_indexed));
}
TEST_CASE("laws: wide and deep") { laws<Sum<Wide, Stack<Embed<3>, Flatten, Dense<1>>>, Row>(wide_and_deep); }
