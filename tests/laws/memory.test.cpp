// SPDX-License-Identifier: BSD-3-Clause
#include "../laws.hpp"

TEST_CASE("laws: memory of one layer") {
    laws<Memory<Heads<2>, Chunk<3>, Depth<1>>, Sequence<7, 6>>(
        reference::memory({.heads = 2, .chunk = 3, .theta_max = 1.0 / 3, .conv = 4}));
}
