// SPDX-License-Identifier: BSD-3-Clause
#include <inlay/io/tfevents.hpp>

#include <doctest/doctest.h>

#include <fstream>
#include <iterator>

using namespace inlay::detail;

TEST_CASE("CRC-32C of RFC 3720's examples") {
    CHECK(crc32c("") == 0);
    CHECK(crc32c("123456789") == 0xE3069283U);
    CHECK(crc32c(std::string(32, '\0')) == 0x8A9136AAU);
    CHECK(crc32c(std::string(32, '\xFF')) == 0x62A8AB43U);
    std::string up, down;
    for (int i = 0; i < 32; ++i) up += static_cast<char>(i), down += static_cast<char>(31 - i);
    CHECK(crc32c(up) == 0x46DD794EU);
    CHECK(crc32c(down) == 0x113FDB5CU);
}

TEST_CASE("a file of events is byte for byte what TensorBoard's own writer makes") {
    std::string file;
    Scalar const one[] = {{"train/loss", 0.625}}, two[] = {{"train/loss", -1.1}, {"validation/Auc", 0.9135}};
    append_record(file, first_event(1700000000.25));
    append_record(file, scalars_event(1700000001.5, 1, one));
    append_record(file, scalars_event(1700000002.75, 300000, two));
    append_record(file, restart_event(1700000003.0, 128));
    std::ifstream stream("tests/vectors/scalars.tfevents", std::ios::binary); // made by make_events.py
    std::string const wanted{std::istreambuf_iterator<char>(stream), {}};
    REQUIRE(wanted.size() == 193);
    CHECK(file == wanted);
}
