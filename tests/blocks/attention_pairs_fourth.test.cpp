// SPDX-License-Identifier: BSD-3-Clause
#include "attention_pairs.hpp"

TEST_CASE("policies of attention that go together, the fourth part") { pairs::check_all(pairs::Fourth{}); }
