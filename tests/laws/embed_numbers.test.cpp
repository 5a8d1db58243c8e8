// SPDX-License-Identifier: BSD-3-Clause
#include "../laws.hpp"

namespace {
using Row = Record<Numeric<"age", Quantiles<6>>, Numeric<"height">, Categorical<"job", 9>,
                   Numeric<"gain", TargetBins<17>>, Numeric<"hours", Buckets<1, 2>>>;
} // namespace

TEST_CASE("laws: numbers by waves") { laws<Embed<5, Periodic<17>>, Vector<1>>(reference::embed_bare_number); }
TEST_CASE("laws: a record with numbers by waves") {
    laws<Embed<5, Periodic<3>>, Row>(reference::embed_record);
}
TEST_CASE("laws: a record with numbers by bins") {
    laws<Embed<17, PiecewiseLinear>, Row>(reference::embed_record);
}
