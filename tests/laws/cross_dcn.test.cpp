// SPDX-License-Identifier: BSD-3-Clause
#include "../laws.hpp"

TEST_CASE("laws: dcn of full rank") { laws<Cross<Dcn<2>>, Vector<13>>(reference::dcn(2)); }
TEST_CASE("laws: dcn of low rank") {
    laws_in_float<Cross<Dcn<3>, Rank<2>>, Sequence<3, 5>>(reference::dcn(3));
}
TEST_CASE("laws: dcn of experts") {
    laws<Cross<Dcn<2>, Experts<3>, Rank<2>>, Vector<5>>(reference::dcn(2, reference::dcn_mixture(3)));
}
TEST_CASE("laws: gated dcn") { laws_in_float<Cross<Gdcn<2>>, Vector<17>>(reference::dcn(2)); }
TEST_CASE("laws: gated dcn of low rank") {
    laws_in_float<Cross<Gdcn<2>, Rank<3>>, Vector<5>>(reference::dcn(2));
}
TEST_CASE("laws: the first dcn") { laws<Cross<DcnV1<3>>, Sequence<2, 7>>(reference::dcn_first(3)); }
