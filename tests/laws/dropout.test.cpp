// SPDX-License-Identifier: BSD-3-Clause
#include "../laws.hpp"

namespace {
reference::Result same(reference::Parameters const&, reference::Sequence const& x) {
    return {x, reference::absolute(x)};
}
} // namespace

TEST_CASE("laws: dropout, serving") { laws_in_float<Dropout<0.3>, Sequence<5, 7>>(same); }
TEST_CASE("laws: dropout, training") { laws<Dropout<0.3>, Sequence<5, 7>>(nullptr, {.training = true}); }
