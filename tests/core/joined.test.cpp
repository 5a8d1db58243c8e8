// SPDX-License-Identifier: BSD-3-Clause
#include <inlay/core/joined.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <limits>

using inlay::detail::joined;

TEST_CASE("texts and integers one after the other") {
    CHECK(joined() == "");
    CHECK(joined("row ", 7, ", ", std::string("field "), std::string_view("x")) == "row 7, field x");
    CHECK(joined(0, " ", -1, " ", true, " ", std::size_t(12)) == "0 -1 1 12");
    CHECK(joined(std::numeric_limits<std::int64_t>::min()) == "-9223372036854775808");
    CHECK(joined(std::numeric_limits<std::int64_t>::max()) == "9223372036854775807");
    CHECK(joined(std::numeric_limits<std::uint64_t>::max()) == "18446744073709551615");
    CHECK(joined(std::int8_t(-128), "|", std::uint8_t(255)) == "-128|255");
}
