// SPDX-License-Identifier: BSD-3-Clause
#include <inlay/core/rows_numbers.hpp>
#include <inlay/core/rows_tokens.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

using namespace inlay;

namespace {
using Visit =
    Record<Categorical<"a", 10>, Numeric<"x", Buckets<0>>, MultiHot<"g", 7, 3>, History<"h", 5, SameAs<"a">>>;

template <class R> std::string refusal(R const& rows) {
    try {
        rows.check();
        return "accepted";
    } catch (Error const& e) { return e.what(); }
}
} // namespace

TEST_CASE("random rows are in range, and the seed is all they depend on") {
    auto const rows = Rows<Visit>::random(500, Seed{1});
    CHECK(rows.size() == 500);
    CHECK(refusal(rows) == "accepted");
    using Scored = Record<MultiHot<"g", 7, 3, Weighted>>;
    for (auto const& row : Rows<Scored>::random(100, Seed{1}).row)
        for (int k = 0; k < get<0>(row).count; ++k) {
            CHECK(get<0>(row).weight[k] >= 0.25f);
            CHECK(get<0>(row).weight[k] < 1.25f);
        }
    CHECK(get<0>(rows[7]).id == get<0>(Rows<Visit>::random(8, Seed{1})[7]).id);
    CHECK(refusal(Rows<Shape<3>>::random(20, Seed{1}, 2)) == "accepted");
    auto const sequences = Rows<Shape<4, 3>>::random(200, Seed{1}, 4);
    CHECK(refusal(sequences) == "accepted");
    CHECK(std::set<int>(sequences.length.begin(), sequences.length.end()) == std::set<int>{1, 2, 3, 4});
    auto const text = Rows<Tokens<4, 9>>::random(20, Seed{1});
    CHECK(refusal(text) == "accepted");
    CHECK(text.size() == 20);
    CHECK(*std::max_element(text.id.begin(), text.id.end()) == 8);
}

TEST_CASE("a split keeps every row once, whole and in order") {
    auto rows = Rows<Shape<2>>::random(1000, Seed{1}, 3);
    for (std::size_t i = 0; i < 1000; ++i) rows.weight.push_back(float(i));
    auto const [most, held] = rows.split(0.2, Seed{2});
    CHECK(most.size() + held.size() == 1000);
    CHECK(held.size() > 150);
    CHECK(held.size() < 250);
    for (auto const* part : {&most, &held}) {
        CHECK(std::is_sorted(part->weight.begin(), part->weight.end()));
        for (std::size_t i = 0; i < part->size(); ++i) {
            auto const from = std::size_t(part->weight[i]);
            CHECK(std::ranges::equal((*part)[i], rows[from]));
            CHECK(std::equal(&part->target[3 * i], &part->target[3 * i] + 3, &rows.target[3 * from]));
        }
    }
    auto const records = Rows<Visit>::random(100, Seed{1}).split(0.5, Seed{2});
    CHECK(records.first.size() + records.second.size() == 100);
    CHECK(refusal(records.second) == "accepted");
    auto const sequences = Rows<Shape<4, 3>>::random(100, Seed{1}).split(0.5, Seed{2});
    CHECK(refusal(sequences.first) == "accepted");
}

TEST_CASE("windows of a text: every id but the first is a target once") {
    for (int n = 0; n < 15; ++n) {
        Rows<Tokens<4, 20>> text;
        for (int i = 0; i < n; ++i) text.id.push_back(i);
        std::vector<int> seen;
        for (std::size_t i = 0; i < text.size(); ++i) {
            CHECK(text.length_of(i) > 0);
            CHECK(text.length_of(i) <= 4);
            for (auto const id : text[i]) seen.push_back(id + 1);
        }
        std::vector<int> expected;
        for (int i = 1; i < n; ++i) expected.push_back(i);
        CHECK(seen == expected);
    }
    Rows<Tokens<4, 20>> const text{{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}};
    auto const [begin, end] = text.split(0.3);
    CHECK(begin.id == std::vector<std::int32_t>{0, 1, 2, 3, 4, 5, 6});
    CHECK(end.id == std::vector<std::int32_t>{7, 8, 9});
}

TEST_CASE("rows that do not go together say where") {
    auto rows = Rows<Visit>::random(6, Seed{1});
    get<0>(rows.row[3]).id = 10;
    CHECK(refusal(rows) == "inlay: row 3, field a: expected an id from 0 to 9, found 10");
    get<0>(rows.row[3]).id = 1;
    get<3>(rows.row[2]) = {2, {4, -1}};
    CHECK(refusal(rows) == "inlay: row 2, field h: expected an id from 0 to 9, found -1");
    get<3>(rows.row[2]).count = 6;
    CHECK(refusal(rows) == "inlay: row 2, field h: expected a count from 0 to 5, found 6");
    get<3>(rows.row[2]).count = 0;
    rows.target.pop_back();
    CHECK(refusal(rows) == "inlay: Rows::target: expected the same number for each of 6 rows, found 5");
    rows.target.clear();
    CHECK(refusal(rows) == "inlay: Rows::target: expected the same number for each of 6 rows, found 0");
    rows.target.resize(12);
    CHECK(refusal(rows) == "accepted");
    rows.weight = {1, 1, 1, 1, -1, 1};
    CHECK(refusal(rows) == "inlay: Rows::weight, row 4: expected 0 or more, found -1.000000");

    auto numbers = Rows<Shape<3>>::random(4, Seed{1});
    numbers.length = {1, 1, 1, 1};
    CHECK(refusal(numbers) == "inlay: Rows::length: expected none for vectors, found 4");
    numbers.length.clear();
    numbers.input.push_back(0);
    CHECK(refusal(numbers) == "inlay: Rows::input: expected a multiple of 3 numbers, found 13");
    auto sequences = Rows<Shape<3, 2>>::random(4, Seed{1});
    sequences.length[1] = 4;
    CHECK(refusal(sequences) == "inlay: Rows::length, row 1: expected 0 to 3, found 4");
    sequences.length.pop_back();
    CHECK(refusal(sequences) == "inlay: Rows::length: expected none, or one for each of 4 rows, found 3");
    CHECK(refusal(Rows<Tokens<4, 5>>{{1, 5}}) == "inlay: Rows::id, position 1: expected 0 to 4, found 5");
}
