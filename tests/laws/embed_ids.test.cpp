// SPDX-License-Identifier: BSD-3-Clause
#include "../laws.hpp"

namespace {
// A flat mean of the rows of a bag; nothing is zero.
reference::Result bag_mean(reference::Parameters const& p, reference::Sequence const& ids) {
    auto const table = reference::rows_of(p["weight"]);
    reference::Sequence y(1, std::vector<double>(table.at(0).size())), m = y;
    for (auto const& id : ids)
        for (std::size_t i = 0; i < y[0].size(); ++i) {
            double const v = table.at(std::size_t(id.at(0)))[i] / double(ids.size());
            y[0][i] += v, m[0][i] += std::abs(v);
        }
    return {y, m};
}
// A number times the only row.
reference::Result scaled_row(reference::Parameters const& p, reference::Sequence const& x) {
    auto y = reference::rows_of(p["weight"]);
    for (double& v : y.at(0)) v *= x.at(0).at(0);
    return {y, reference::absolute(y)};
}
} // namespace

TEST_CASE("laws: embed over tokens, slots") { laws<Embed<5>, Tokens<7, 50>>(reference::embed); }
TEST_CASE("laws: embed over tokens, few ids") { laws<Embed<17>, Tokens<4, 3>>(reference::embed); }
TEST_CASE("laws: embed over a bag") { laws<Embed<5>, Bag<4, 30>>(bag_mean); }
TEST_CASE("laws: embed over a number") { laws<Embed<5>, Vector<1>>(scaled_row); }
