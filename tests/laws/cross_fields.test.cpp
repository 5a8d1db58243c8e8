// SPDX-License-Identifier: BSD-3-Clause
#include "../laws.hpp"

TEST_CASE("laws: factorization machine") { laws<Cross<Fm>, Sequence<5, 7>>(reference::fm); }
TEST_CASE("laws: bi-interaction") {
    laws_in_float<Cross<BiInteraction>, Sequence<5, 17>>(
        [](auto const& p, auto const& x) { return reference::subset_products(2, 17)(p, x); });
}
TEST_CASE("laws: sums of products of up to four fields") {
    laws<Cross<PowerSums<4>>, Sequence<5, 3>>(reference::subset_products(4, 3));
}
TEST_CASE("laws: field-aware machine") { laws<Cross<Ffm>, Sequence<4, 6>>(reference::ffm(4)); }
TEST_CASE("laws: inner products") {
    laws<Cross<Dot>, Sequence<4, 5>>(reference::dots(4, 5, false));
    laws_in_float<Cross<Dot, Diagonal>, Sequence<17, 3>>(reference::dots(17, 3, true));
}
