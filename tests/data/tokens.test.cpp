// SPDX-License-Identifier: BSD-3-Clause
#include "file.hpp"

#include <inlay/data/tokens.hpp>

#include <doctest/doctest.h>

using namespace inlay;

namespace {
std::string refusal(std::string const& path, auto f) {
    try {
        f();
        return "accepted";
    } catch (Error const& e) {
        std::string const text = e.what();
        auto const at = text.find(path);
        return at == std::string::npos ? text : text.substr(at + path.size());
    }
}
template <class Input> std::string refusal(std::string const& path, Split split = {}) {
    return refusal(path, [&] { (void)read_bytes<Input>(path, split); });
}
template <class Input> std::string refused(std::string_view content, TokenFormat format) {
    File const file{content};
    return refusal(file.path, [&] { (void)read_tokens<Input>(file.path, format); });
}
} // namespace

TEST_CASE("a file is a text of bytes, its end for validation") {
    std::string content;
    for (int i = 0; i < 40000; ++i) content += char(i % 256);
    File const file{content};
    auto const text = read_bytes<Tokens<16, 256>>(file.path, Split{.validation = 0.1});
    CHECK(text.train.id.size() == 36000);
    CHECK(text.validation.id.size() == 4000);
    for (std::size_t i = 0; i < 36000; ++i) REQUIRE(text.train.id[i] == int(i % 256));
    for (std::size_t i = 0; i < 4000; ++i) REQUIRE(text.validation.id[i] == int((i + 36000) % 256));
    CHECK(read_bytes<Tokens<16, 256>>(file.path, {.validation = 0}).validation.size() == 0);
}

TEST_CASE("what is no text says why") {
    using Small = Tokens<4, 100>;
    File const file{"abc"}, one{"a"}, fine{"ABC"}, none;
    CHECK(refusal<Small>(fine.path) == "accepted");
    CHECK(refusal<Small>(file.path) == "accepted");
    CHECK(refusal<Tokens<4, 99>>(file.path) == ": byte 2: expected a byte below 99, found 99");
    CHECK(refusal<Small>(one.path) == ": expected at least two bytes, found 1");
    CHECK(refusal<Small>(none.path) == ": expected a file to read, found No such file or directory");
    CHECK(refusal<Small>(none.folder.string()).starts_with(": expected a"));
    CHECK(refusal<Small>(file.path, {.validation = 1}).starts_with(": option validation: expected a share"));
}

TEST_CASE("packed ids, low byte first") {
    using namespace std::literals;
    File const two{"\x01\x00\x34\x12\xFF\xFF\x00\x80"sv}, four{"\x01\x00\x00\x00\x78\x56\x34\x12"sv};
    using Wide = Tokens<3, 1 << 16>;
    CHECK(read_tokens<Wide>(two.path, TokenFormat::uint16, {.validation = 0}).train.id ==
          std::vector<std::int32_t>{1, 0x1234, 0xFFFF, 0x8000});
    CHECK(read_tokens<Wide>(two.path, TokenFormat::uint16, {.validation = 0.5}).validation.id ==
          std::vector<std::int32_t>{0xFFFF, 0x8000});
    using Wider = Tokens<3, 0x7FFFFFFF>;
    CHECK(read_tokens<Wider>(four.path, TokenFormat::uint32, {.validation = 0}).train.id ==
          std::vector<std::int32_t>{1, 0x12345678});
    CHECK(refused<Tokens<3, 0x1234>>("\x01\x00\x34\x12"sv, TokenFormat::uint16) ==
          ": byte 2: expected an id below 4660, found 4660");
    CHECK(refused<Wider>("\x01\x00\x00\x00\xFF\xFF\xFF\xFF"sv, TokenFormat::uint32) ==
          ": byte 4: expected an id below 2147483647, found 4294967295");
    CHECK(refused<Wide>("abc", TokenFormat::uint16) == ": expected a multiple of 2 bytes, found 3");
    CHECK(refused<Wide>("abcdef", TokenFormat::uint32) == ": expected a multiple of 4 bytes, found 6");
    CHECK(refused<Wide>("ab", TokenFormat::uint16) == ": expected at least two ids, found 1");
}

TEST_CASE("ids in words") {
    File const file{"3 1\t4\r\n\n  1 5 \n007"};
    CHECK(read_tokens<Tokens<3, 10>>(file.path, TokenFormat::text, {.validation = 0}).train.id ==
          std::vector<std::int32_t>{3, 1, 4, 1, 5, 7});
    CHECK(refused<Tokens<3, 10>>("1 2\n3  x 4\n", TokenFormat::text) ==
          ": line 2, column 2: expected an id from 0 to 9, found \"x\"");
    for (char const* word : {"10", "-1", "+1", "1.0", "1,2", "18446744073709551616", "\""})
        CHECK(refused<Tokens<3, 10>>(detail::joined("1 ", word, "\n2"), TokenFormat::text)
                  .starts_with(": line 1, column 2: expected an id from 0 to 9, found \""));
    CHECK(refused<Tokens<3, 10>>("\n1\n", TokenFormat::text) == ": expected at least two ids, found 1");
    CHECK(refused<Tokens<3, 10>>(" ", TokenFormat::text) == ": expected at least two ids, found 0");
}
