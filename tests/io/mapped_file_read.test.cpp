// SPDX-License-Identifier: BSD-3-Clause
// The same where files cannot be mapped.
#define INLAY_NO_MMAP
#include "mapped_file.test.cpp"

TEST_CASE("nothing is mapped") { CHECK(INLAY_HAS_MMAP == 0); }
