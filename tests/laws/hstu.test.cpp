// SPDX-License-Identifier: BSD-3-Clause
#include "../laws.hpp"

namespace {
// Times that the tokens tell themselves.
auto const timed = reference::let(
    reference::dense,
    [](reference::Sequence const& side) {
        std::vector<double> times;
        for (auto const& t : side) times.push_back(t.at(0));
        return [=](reference::Parameters const& p, reference::Sequence const& x) {
            return reference::hstu(2, 3, 5, times, 0.01)(p.child("0"), x);
        };
    },
    "time");
} // namespace

TEST_CASE("laws: hstu") { laws<Hstu<Heads<2>>, Sequence<5, 6>>(reference::hstu(2, 3, 5)); }
TEST_CASE("laws: hstu of one head") { laws_in_float<Hstu<>, Sequence<19, 17>>(reference::hstu(1, 17, 19)); }
TEST_CASE("laws: hstu with times") {
    laws_in_double<Let<"time", Dense<1, NoBias>, Hstu<Heads<2>, BasicTimeBuckets<"time", 9, 0.01>>>,
                   Sequence<5, 6>>(timed);
}
TEST_CASE("laws: ids as numbers") {
    laws_in_float<AsNumbers, Tokens<4, 300>>(
        [](reference::Parameters const&, reference::Sequence const& ids) {
            return reference::Result{ids, ids};
        });
}
