// SPDX-License-Identifier: BSD-3-Clause
#include "data/file.hpp"

#include <inlay/io/mapped_file.hpp>

#include <doctest/doctest.h>

#include <sys/stat.h>

#include <thread>

using namespace inlay;

namespace {
std::string refusal(std::string const& path) {
    try {
        MappedFile const file{path};
        return "accepted";
    } catch (Error const& e) { return e.what(); }
}
} // namespace

TEST_CASE("a file's bytes, wherever they come from") {
    std::string content;
    for (int i = 0; i < 100'000; ++i) content += char(i % 251);
    File const large{content}, one{"x"}, none;
    std::ofstream{none.path, std::ios::binary}; // empty
    MappedFile file{large.path};
    CHECK(file.text() == content);
    CHECK(file.path() == large.path);
    CHECK(MappedFile{one.path}.text() == "x");
    CHECK(MappedFile{none.path}.text().empty());

    char const* const at = file.text().data();
    MappedFile moved = std::move(file);
    CHECK(moved.text().data() == at);
    CHECK(moved.text() == content);
    moved = MappedFile{one.path};
    CHECK(moved.text() == "x");
    std::filesystem::remove(one.path); // an open file outlives its name
    CHECK(moved.text() == "x");
}

TEST_CASE("a pipe is read to its end") {
    File const place;
    REQUIRE(::mkfifo(place.path.c_str(), 0600) == 0);
    std::string const content(200'000, 'p');
    std::thread writer{[&] { std::ofstream{place.path, std::ios::binary} << content; }};
    MappedFile const file{place.path};
    writer.join();
    CHECK(file.text() == content);
}

TEST_CASE("what cannot be read says why") {
    File const none;
    CHECK(refusal(none.path) ==
          "inlay: " + none.path + ": expected a file to read, found No such file or directory");
    CHECK(refusal(none.folder.string()) ==
          "inlay: " + none.folder.string() + ": expected a file to read, found Is a directory");
}
