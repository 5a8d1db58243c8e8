// SPDX-License-Identifier: BSD-3-Clause
#include "../reference/hstu.hpp"
#include "long_stream.hpp"

using namespace inlay;

TEST_CASE("A stream of HSTU sees the last T tokens, however it is cut") {
    test::long_stream<Hstu<Heads<2>>, 6, 6>(reference::hstu(2, 3, 6));
}
