// SPDX-License-Identifier: BSD-3-Clause
#include "file.hpp"

#include <inlay/data/bytes.hpp>

#include <doctest/doctest.h>

using namespace inlay;

namespace {
template <class Input> std::string refusal(std::string const& path, Split split = {}) {
    try {
        (void)read_bytes<Input>(path, split);
        return "accepted";
    } catch (Error const& e) {
        std::string const text = e.what();
        auto const at = text.find(path);
        return at == std::string::npos ? text : text.substr(at + path.size());
    }
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
