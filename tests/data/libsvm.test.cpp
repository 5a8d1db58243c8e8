// SPDX-License-Identifier: BSD-3-Clause
#include "file.hpp"
#include "train/executors.hpp"

#include <inlay/data/libsvm.hpp>

#include <doctest/doctest.h>

#include <cstring>

using namespace inlay;

namespace {

// Features: 0 the age, 1 to 3 the job, 4 to 8 the tags, 9 the height.
using Person =
    Record<Numeric<"age", Buckets<18>>, Categorical<"job", 4>, MultiHot<"tags", 6, 2>, Numeric<"height">>;

template <class Input> std::string refusal(std::string_view content, LibSvmOptions options = {}) {
    File const file{content};
    try {
        (void)read_libsvm<Input>({file.path, options});
        return "accepted";
    } catch (Error const& e) {
        std::string const text = e.what(), start = "inlay: " + file.path + ": ";
        CHECK(text.starts_with(start));
        return text.substr(start.size());
    }
}
template <class Data> bool same(Data const& a, Data const& b) {
    if (a.size() != b.size() || a.target != b.target) return false;
    if constexpr (is_record<typename Data::Input>)
        return std::memcmp(a.row.data(), b.row.data(), a.row.size() * sizeof a.row[0]) == 0;
    else return a.input == b.input;
}

} // namespace

TEST_CASE("rows of numbers: what has no pair is zero") {
    File const file{"# two clusters\n+1 1:0.5 3:-2e1 # first\r\n\n -1\t4:1 2:3\n0.25\n1 #1:1\n"};
    auto const rows = read_libsvm<Shape<4>>(LibSvm{file.path});
    rows.check();
    CHECK(rows.target == std::vector<float>{1, -1, 0.25f, 1});
    CHECK(rows.input == std::vector<float>{0.5f, 0, -20, 0, 0, 3, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0});
    CHECK(read_libsvm<Shape<4>>(LibSvm{file.path, {.binary = true}}).target ==
          std::vector<float>{1, 0, 1, 1});
    File const zero{"3 0:7 3:1"};
    CHECK(read_libsvm<Shape<4>>(LibFm{zero.path}).input == std::vector<float>{7, 0, 0, 1});
    CHECK(read_libsvm<Shape<4>>(LibSvm{zero.path, {.first_index = 0}}).target == std::vector<float>{3});
    CHECK(read_libsvm<Shape<4>>(LibSvm{File{"\n"}.path}).size() == 0);
}

TEST_CASE("rows of a record: features are counted through its fields") {
    File const file{"1 0:30 2:1 8:1 4:1 9:1.75\n-1\n"};
    auto const rows = read_libsvm<Person>(LibFm{file.path, {.binary = true}});
    rows.check();
    REQUIRE(rows.size() == 2);
    CHECK(rows.target == std::vector<float>{1, 0});
    CHECK(get<0>(rows[0]).value == 30);
    CHECK(get<0>(rows[0]).id == 2);
    CHECK(get<1>(rows[0]).id == 2);
    CHECK(get<2>(rows[0]).count == 2);
    CHECK(get<2>(rows[0]).id[0] == 5);
    CHECK(get<2>(rows[0]).id[1] == 1);
    CHECK(get<3>(rows[0]).value == 1.75f);
    CHECK(get<0>(rows[1]).value == 0);
    CHECK(get<0>(rows[1]).id == 1); // the bucket of zero
    CHECK(get<1>(rows[1]).id == 0);
    CHECK(get<2>(rows[1]).count == 0);
}

TEST_CASE("the values of a weighted set are its weights") {
    using Scored = Record<Categorical<"job", 4>, MultiHot<"tags", 6, 2, Weighted>>;
    File const file{"1 0:1 7:-0.5 3:2\n"};
    auto const rows = read_libsvm<Scored>(LibFm{file.path});
    rows.check();
    auto const& tags = get<1>(rows[0]);
    CHECK(tags.count == 2);
    CHECK(tags.id[0] == 5);
    CHECK(tags.weight[0] == -0.5f);
    CHECK(tags.id[1] == 1);
    CHECK(tags.weight[1] == 2);
}

TEST_CASE("what is no such file says where and why") {
    using Four = Shape<4>;
    CHECK(refusal<Four>("1 1:1\nyes 2:1\n") == "line 2, column 1: expected a number as label, found \"yes\"");
    CHECK(refusal<Four>("1,2 1:1\n") == "line 1, column 1: expected a number as label, found \"1,2\"");
    CHECK(refusal<Four>("1e39 1:1\n") == "line 1, column 1: expected a number as label, found \"1e39\"");
    for (char const* pair :
         {"2", "2:", ":1", "2:x", "x:1", "2:1:1", "-1:1", "+1:1", "2:nan", "2:1e39", "qid:3", "1.0:1"})
        CHECK(refusal<Four>(detail::joined("1 1:1  ", pair, " 3:1\n")) ==
              detail::joined("line 1, column 3: expected an index, a colon and a number, found \"", pair,
                             "\""));
    CHECK(refusal<Four>("1 0:1\n") == "line 1, column 2: expected an index from 1 to 4, found \"0:1\"");
    CHECK(refusal<Four>("1 4:1 5:1\n") == "line 1, column 3: expected an index from 1 to 4, found \"5:1\"");
    CHECK(refusal<Four>("1 4:1\n", {.first_index = 0}) ==
          "line 1, column 2: expected an index from 0 to 3, found \"4:1\"");
    CHECK(refusal<Four>("1 18446744073709551615:1\n")
              .starts_with("line 1, column 2: expected an index from 1"));
    CHECK(refusal<Four>("1 2:1 1:1 2:1\n") == "line 1, column 4: expected each index once, found \"2:1\"");
    CHECK(refusal<Four>("1\n", {.first_index = 2}) == "option first_index: expected 0 or 1, found 2");

    LibSvmOptions const fm{.first_index = 0};
    CHECK(refusal<Person>("1 1:1 3:1\n", fm) ==
          "line 1, column 3: expected one index of field job, found \"3:1\"");
    CHECK(refusal<Person>("1 1:2\n", fm) ==
          "line 1, column 2: expected the value 1 for field job, found \"1:2\"");
    CHECK(refusal<Person>("1 5:0\n", fm) ==
          "line 1, column 2: expected the value 1 for field tags, found \"5:0\"");
    CHECK(refusal<Person>("1 5:1 6:1 7:1\n", fm) ==
          "line 1, column 4: expected at most 2 indices of field tags, found \"7:1\"");
    CHECK(refusal<Person>("1 5:1 5:1\n", fm) == "line 1, column 3: expected each index once, found \"5:1\"");
    CHECK(refusal<Person>("1 9:1 9:0\n", fm) ==
          "line 1, column 3: expected one value of field height, found \"9:0\"");
    CHECK(refusal<Person>("1 10:1\n", fm) ==
          "line 1, column 2: expected an index from 0 to 9, found \"10:1\"");
}

TEST_CASE("bad rows may be left out, and leave nothing") {
    File const file{"1 1:1 2:1\n1 1:1 2:x\nx\n0 4:1\n"};
    LibSvmOptions const options{.skip_bad_rows = true};
    auto const rows = read_libsvm<Shape<4>>({file.path, options});
    CHECK(rows.input == std::vector<float>{1, 1, 0, 0, 0, 0, 0, 1});
    auto stream = stream_libsvm<Shape<4>>({file.path, options}, 10);
    Rows<Shape<4>> chunk;
    CHECK(stream.next(chunk));
    CHECK(stream.bad() == 2);
}

TEST_CASE("pieces, executors and chunks change nothing") {
    std::mt19937 random{1};
    std::string text;
    for (int i = 0; i < 3000; ++i) {
        text += random() % 2 ? "1" : "-1";
        auto const pair = [&](unsigned at, std::string const& value) {
            text += " " + std::to_string(at) + ":" + value;
        };
        if (random() % 2) pair(0, std::to_string(random() % 80));
        if (random() % 2) pair(1 + unsigned(random() % 3), "1");
        if (random() % 2) pair(4 + unsigned(random() % 5), "1");
        text += random() % 50 ? "\n" : " # comment\r\n\n";
    }
    File const file{text}, wrong{text + "1 11:1\n" + text};
    auto const check = [&]<class Input>(Tag<Input>) {
        auto const whole = read_libsvm<Input>(LibFm{file.path});
        CHECK(whole.size() == 3000);
        for (std::size_t const size : {1u, 70u, 5000u}) {
            LibFm const fm{file.path, {.piece = size}};
            CHECK(same(read_libsvm<Input>(fm), whole));
            CHECK(same(read_libsvm<Input>(fm, executors::Shuffled{3}), whole));
            for (int const n : {1, 2, 3, 5, 16}) {
                if (size > 1) CHECK(same(read_libsvm<Input>(fm, executors::Threads{n}), whole));
            }
            auto stream = stream_libsvm<Input>(fm, 700);
            Rows<Input> chunk, together;
            while (stream.next(chunk, executors::Shuffled{2}))
                detail::append_rows(together, chunk, 0, chunk.size());
            CHECK(same(together, whole));
            CHECK_THROWS_WITH_AS(
                read_libsvm<Input>(LibFm{wrong.path, {.piece = size}}, executors::Shuffled{2}),
                doctest::Contains(": expected an index from 0 to 9, found \"11:1\""), Error);
        }
    };
    check(Tag<Shape<10>>{});
    check(Tag<Person>{});
}
