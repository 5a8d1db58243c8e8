// SPDX-License-Identifier: BSD-3-Clause
#include "file.hpp"

#include <inlay/data/encoder.hpp>

#include <doctest/doctest.h>

using namespace inlay;

namespace {

using Visit = Record<Numeric<"age", Buckets<18, 30>>, Categorical<"job", 4>, MultiHot<"genres", 6, 2>,
                     Categorical<"item", 6>, History<"watched", 3, SameAs<"item">>>;
Label const yes{"y", "yes"};

std::string refusal(auto f) {
    try {
        f();
        return "no error";
    } catch (Error const& e) {
        std::string const text = e.what(); // without "inlay: FILE"
        auto const at = text.find("/f: ");
        return at == std::string::npos ? text : text.substr(at + 4);
    }
}
std::string ids(auto const& list) {
    std::string s;
    for (int i = 0; i < list.count; ++i) s += std::to_string(list.id[i]) + " ";
    return s;
}

char const* const training = "10,smith,rock|pop,i1,i1|i2,yes\n"
                             "20,clerk,pop,i2,,no\n"
                             "?,smith,,i3,i1|i2|i3|i4,no\n"
                             "30,?,jazz|rock|jazz|pop,i4,i2,yes\n";

} // namespace

TEST_CASE("vocabularies by first sight, scales, lists") {
    File const file{training};
    Encoder<Visit> encoder;
    CHECK(!encoder.fitted());
    auto const rows = encoder.fit_transform(Csv{file.path}, yes);
    CHECK(encoder.fitted());
    REQUIRE(rows.size() == 4);
    CHECK(rows.target == std::vector<float>{1, 0, 0, 1});
    rows.check();

    // Mean 20 and population deviation sqrt(200 / 3) of 10, 20, 30.
    double const s = std::sqrt(200.0 / 3);
    CHECK(get<0>(rows[0]).value == doctest::Approx(-10 / s));
    CHECK(get<0>(rows[1]).value == 0);
    CHECK(get<0>(rows[2]).value == 0); // missing
    CHECK(get<0>(rows[0]).id == 1);
    CHECK(get<0>(rows[1]).id == 2);
    CHECK(get<0>(rows[2]).id == 0);
    CHECK(get<0>(rows[3]).id == 3);
    CHECK(encoder.text<"age">(2) == "18 to 30");

    CHECK(get<1>(rows[0]).id == 1);
    CHECK(get<1>(rows[1]).id == 2);
    CHECK(get<1>(rows[3]).id == 0); // missing
    CHECK(encoder.text<"job">(2) == "clerk");
    CHECK(encoder.text<"job">(0) == "unseen");
    CHECK(refusal([&] { (void)encoder.text<"job">(3); }) ==
          "inlay: Encoder::text, field job: expected an id from 0 to 2, found 3");
    CHECK(refusal([&] { (void)encoder.text<"age">(-1); }).ends_with("expected an id from 0 to 3, found -1"));
    CHECK(refusal([&] { (void)encoder.text<"age">(4); }).ends_with("found 4"));

    CHECK(ids(get<2>(rows[0])) == "1 2 ");
    CHECK(ids(get<2>(rows[2])) == "");
    CHECK(ids(get<2>(rows[3])) == "3 1 ");   // a set of at most two keeps the first
    CHECK(ids(get<4>(rows[0])) == "1 2 ");   // the ids of item
    CHECK(ids(get<4>(rows[2])) == "2 3 4 "); // the newest three
    CHECK(encoder.text<"watched">(2) == "i2");
}

TEST_CASE("other files: what is unseen, and what is far away") {
    File const file{training}, other{"50,pilot,funk|pop,i9,i9|i1,yes\n"};
    Encoder<Visit> encoder;
    encoder.fit(Csv{file.path}, yes);
    auto const rows = encoder.transform(Csv{other.path}, yes);
    CHECK(get<0>(rows[0]).value == doctest::Approx(30 / std::sqrt(200.0 / 3)));
    CHECK(get<1>(rows[0]).id == 0);
    CHECK(ids(get<2>(rows[0])) == "0 2 ");
    CHECK(get<3>(rows[0]).id == 0);
    CHECK(ids(get<4>(rows[0])) == "0 1 ");
}

TEST_CASE("a label may be a number; a header may be in any order") {
    using One = Record<Numeric<"x">, Categorical<"c", 3>>;
    File const file{"price,c,other,x\n1.5,a,?,2\n-3,b,?,2\n"};
    Encoder<One> encoder;
    auto const rows = encoder.fit_transform(Csv{file.path}, Label{"price"});
    CHECK(rows.target == std::vector<float>{1.5f, -3});
    CHECK(get<0>(rows[1]).value == 0); // a constant has the deviation 1
    CHECK(get<1>(rows[1]).id == 2);
}

TEST_CASE("more values than ids") {
    File const file{"1,a,,,,yes\n1,b,,,,no\n1,c,,,,no\n1,d,,,,no\n"};
    Encoder<Visit> strict, loose{{.overflow = Overflow::unseen}};
    CHECK(
        refusal([&] { strict.fit(Csv{file.path}, yes); }) ==
        "line 4, field job: expected at most 3 distinct values (or Overflow::unseen), found one more: \"d\"");
    CHECK(!strict.fitted());
    auto const rows = loose.fit_transform(Csv{file.path}, yes);
    CHECK(get<1>(rows[2]).id == 3);
    CHECK(get<1>(rows[3]).id == 0);
}

TEST_CASE("what cannot be encoded says why") {
    File const file{training}, bad{"1,a,,,,yes\nx1,a,,,,no\n"}, unlabelled{"1,a,,,,?\n"};
    Encoder<Visit> encoder;
    CHECK(refusal([&] { (void)encoder.transform(Csv{file.path}, yes); }) ==
          "Encoder: expected fit before transform, found an empty encoder");
    CHECK(refusal([&] { encoder.fit(Csv{bad.path}, yes); }) ==
          "line 2, column 1: expected a number, found \"x1\"");
    CHECK(refusal([&] { (void)encoder.fit_transform(Csv{file.path}, Label{"y", "maybe"}); }) ==
          "label y: expected a row with \"maybe\", found none");
    CHECK(refusal([&] { (void)encoder.fit_transform(Csv{file.path}, Label{"y"}); }) ==
          "line 1, column 6: expected a number, found \"yes\"");
    CHECK(refusal([&] { (void)encoder.fit_transform(Csv{unlabelled.path}, yes); }) ==
          "line 1, column 6: expected a label, found \"?\"");
    // Bad rows may be skipped, and leave no trace.
    encoder.fit(Csv{bad.path, {.skip_bad_rows = true}}, yes);
    CHECK(encoder.code(0).mean() == 1);
    CHECK(encoder.transform(Csv{bad.path, {.skip_bad_rows = true}}, yes).size() == 1);
}

TEST_CASE("JSON keeps every bit, and the separator of lists") {
    File const file{"0.1,\"sm\\\"ith\xC3\xA4\",rock;pop,i1,i1;i2,yes\n0.7,clerk,pop,i2,,no\n1e-7,,,,,no\n"};
    Encoder<Visit> encoder{{.list_separator = ';'}};
    File const plain{"0.1,sm\xC3\xA4,rock;pop,i1,i1;i2,yes\n0.7,clerk,pop,i2,,no\n1e-7,,,,,no\n"};
    auto const rows = encoder.fit_transform(Csv{plain.path}, yes);
    auto const read = Encoder<Visit>::from_json(encoder.to_json(), "file");
    CHECK(read.to_json() == encoder.to_json());
    auto const again = read.transform(Csv{plain.path}, yes);
    for (std::size_t i = 0; i < rows.size(); ++i) {
        CHECK(get<0>(again[i]).value == get<0>(rows[i]).value);
        CHECK(get<1>(again[i]).id == get<1>(rows[i]).id);
        CHECK(ids(get<2>(again[i])) == ids(get<2>(rows[i])));
        CHECK(ids(get<4>(again[i])) == ids(get<4>(rows[i])));
    }
    CHECK(ids(get<2>(again[0])) == "1 2 ");
    CHECK(read.code(0).mean() == encoder.code(0).mean());
    CHECK(read.code(0).deviation() == encoder.code(0).deviation());
}

TEST_CASE("JSON of something else is refused") {
    File const file{training};
    Encoder<Visit> encoder;
    encoder.fit(Csv{file.path}, yes);
    std::string const good = encoder.to_json();
    auto const with = [&](std::string_view from, std::string_view to) {
        std::string text = good;
        auto const at = text.find(from);
        REQUIRE(at != std::string::npos);
        text.replace(at, from.size(), to);
        return refusal([&] { (void)Encoder<Visit>::from_json(text, "file"); });
    };
    CHECK(with("", "") == "no error");
    for (std::string const version : {"2", "0", "-1", "1.0", "\"1\"", "null", "18446744073709551616"}) {
        std::string const why = with("\"version\":1", "\"version\":" + version);
        CHECK(why.starts_with(
            "inlay: file: encoder, version: expected 1 to 1, which this version of inlay knows, "
            "found "));
        if (version.size() < 10) CHECK(why.ends_with(version == "1.0" ? "found 1" : "found " + version));
    }
    CHECK(with("\"version\":1,", "").ends_with("found none"));
    CHECK(with("\"job\"", "\"work\"") == "inlay: file: encoder, field 2: expected job, found work");
    CHECK(with("\"mean\"", "\"men\"") ==
          "inlay: file: encoder, field 1: expected a scale, found another form");
    CHECK(with("[\"smith\",\"clerk\"]", "[\"a\",\"b\",\"c\",\"d\"]") ==
          "inlay: file: encoder, field 2: expected a vocabulary that fits its ids, found another form");
    CHECK(with("[\"smith\",\"clerk\"]", "[\"a\",\"a\"]").find("field 2") != std::string::npos);
    CHECK(with("\"separator\"", "\"sep\"").find("separator") != std::string::npos);
    CHECK(with("{", "[").find("encoder") != std::string::npos);
    using Other = Record<Numeric<"age">>;
    CHECK(refusal([&] { (void)Encoder<Other>::from_json(good, "file"); }) ==
          "inlay: file: encoder: expected 1 fields, found 5");
}

namespace {
using Sale =
    Record<Numeric<"age", Quantiles<4>>, Numeric<"gain", TargetBins<3, 1>, Log>, Numeric<"loss", Log>>;
char const* const sales = "32,0,-3,no\n1,0,0,no\n8,1,3,yes\n2,3,0,yes\n?,7,1,no\n16,15,1,no\n4,?,?,no\n";
} // namespace

TEST_CASE("edges are learned, and say in which bin a number is and how far through it") {
    File const file{sales}, other{"6,2,?,no\n64,?,0,yes\n-2,100,0,no\n"};
    Encoder<Sale> encoder;
    auto const rows = encoder.fit_transform(Csv{file.path}, yes);
    rows.check();
    CHECK(encoder.code(0).bins().edges() == std::vector<double>{1, 2.5, 6, 14, 32});
    CHECK(encoder.code(1).bins().edges() == std::vector<double>{0, 0.5, 5, 15});
    CHECK(get<0>(rows[0]).id == 4);
    CHECK(get<0>(rows[0]).part == 1);
    CHECK(get<0>(rows[1]).id == 1);
    CHECK(get<0>(rows[1]).part == 0);
    CHECK(get<0>(rows[2]).id == 3);
    CHECK(get<0>(rows[2]).part == 0.25f);
    CHECK(get<0>(rows[4]).id == 0); // missing
    CHECK(get<0>(rows[4]).part == 0);
    CHECK(get<1>(rows[6]).id == 0);

    auto const beyond = encoder.transform(Csv{other.path}, yes);
    CHECK(get<0>(beyond[0]).id == 3);
    CHECK(get<0>(beyond[0]).part == 0);
    CHECK(get<0>(beyond[1]).id == 4);
    CHECK(get<0>(beyond[1]).part == doctest::Approx(50.0 / 18)); // the last bin is open above
    CHECK(get<0>(beyond[2]).id == 1);
    CHECK(get<0>(beyond[2]).part == -2); // and the first below
    // Log bends what lies between the edges, not the edges.
    CHECK(get<1>(beyond[0]).id == 2);
    CHECK(get<1>(beyond[0]).part ==
          doctest::Approx((std::log(3) - std::log(1.5)) / (std::log(6) - std::log(1.5))));

    CHECK(encoder.text<"age">(1) == "below 2.5");
    CHECK(encoder.text<"age">(2) == "2.5 to 6");
    CHECK(encoder.text<"age">(4) == "from 14");
    CHECK(encoder.text<"gain">(0) == "unseen");
}

TEST_CASE("edges are the same however the file is cut into pieces") {
    File const file{sales};
    Encoder<Sale> whole, cut;
    whole.fit(Csv{file.path}, yes);
    cut.fit(Csv{file.path, {.piece = 10}}, yes);
    CHECK(cut.to_json() == whole.to_json());
}

TEST_CASE("Log is the value's, with its sign; the scale is learned behind it") {
    File const file{sales};
    Encoder<Sale> encoder;
    auto const rows = encoder.fit_transform(Csv{file.path}, yes);
    double const logs[] = {-std::log(4), 0, std::log(4), 0, std::log(2), std::log(2)};
    double mean = 0, squares = 0;
    for (double x : logs) mean += x / 6;
    for (double x : logs) squares += (x - mean) * (x - mean) / 6;
    for (std::size_t i = 0; i < 6; ++i)
        CHECK(get<2>(rows[i]).value == doctest::Approx((logs[i] - mean) / std::sqrt(squares)));
    CHECK(get<2>(rows[6]).value == 0); // missing
}

TEST_CASE("edges by the target need the label to be there already when fitting") {
    File const unlabelled{"1,2,3,?\n"};
    Encoder<Sale> encoder;
    CHECK(refusal([&] { encoder.fit(Csv{unlabelled.path}, yes); }) ==
          "line 1, column 4: expected a label, found \"?\"");
    Encoder<Record<Numeric<"a", Quantiles<3>>, Numeric<"b">, Numeric<"c">>> other;
    other.fit(Csv{unlabelled.path}, yes);
    CHECK(other.text<"a">(1) == "any");
}

TEST_CASE("JSON keeps every edge, and whether there was a Log") {
    File const file{sales};
    Encoder<Sale> encoder;
    auto const rows = encoder.fit_transform(Csv{file.path}, yes);
    std::string const good = encoder.to_json();
    auto const read = Encoder<Sale>::from_json(good, "file");
    CHECK(read.to_json() == good);
    auto const again = read.transform(Csv{file.path}, yes);
    for (std::size_t i = 0; i < rows.size(); ++i) {
        CHECK(get<0>(again[i]).part == get<0>(rows[i]).part);
        CHECK(get<1>(again[i]).id == get<1>(rows[i]).id);
        CHECK(get<1>(again[i]).part == get<1>(rows[i]).part);
        CHECK(get<1>(again[i]).value == get<1>(rows[i]).value);
    }
    auto const with = [&](std::string_view from, std::string_view to) {
        std::string text = good;
        auto const at = text.find(from);
        REQUIRE(at != std::string::npos);
        text.replace(at, from.size(), to);
        return refusal([&] { (void)Encoder<Sale>::from_json(text, "file"); });
    };
    std::string const complaint =
        "inlay: file: encoder, field 1: expected a scale and rising edges, found another form";
    CHECK(with("[1,2.5,6,14,32]", "[1,2.5,6,14]") == "no error");
    CHECK(with("[1,2.5,6,14,32]", "[1,2.5,6,14,32,33]") == complaint); // more bins than ids
    CHECK(with("[1,2.5,6,14,32]", "[1,2.5,2.5,14]") == complaint);
    CHECK(with("[1,2.5,6,14,32]", "[1]") == complaint);
    CHECK(with("[1,2.5,6,14,32]", "[1,\"2\"]") == complaint);
    CHECK(with("\"edges\"", "\"hedges\"") == complaint);
    using Plain =
        Record<Numeric<"age", Quantiles<4>>, Numeric<"gain", TargetBins<3, 1>>, Numeric<"loss", Log>>;
    CHECK(refusal([&] { (void)Encoder<Plain>::from_json(good, "file"); }).find("field 2") !=
          std::string::npos);
    using Bare = Record<Numeric<"age">, Numeric<"gain", TargetBins<3, 1>, Log>, Numeric<"loss", Log>>;
    CHECK(refusal([&] { (void)Encoder<Bare>::from_json(good, "file"); }).find("field 1") !=
          std::string::npos);
}

TEST_CASE("an encoder that has learned nothing is not written") {
    CHECK(refusal([] { (void)Encoder<Visit>{}.to_json(); }) ==
          "inlay: Encoder: expected fit before to_json, found an empty encoder");
}

// What version 1 wrote, and what it meant: later versions still read it so.
TEST_CASE("the first version of the text") {
    auto const encoder =
        Encoder<Visit>::from_json(R"({"version":1,"separator":";","fields":[)"
                                  R"({"field":"age","code":{"count":4,"mean":20.5,"squares":36}},)"
                                  R"({"field":"job","code":{"words":["smith","k\u00f6nig \"x\""]}},)"
                                  R"({"field":"genres","code":{"words":["rock","pop"]}},)"
                                  R"({"field":"item","code":{"words":["i1","i2","i3"]}},)"
                                  R"({"field":"watched","code":{"words":[]}}]})",
                                  "file");
    CHECK(encoder.fitted());
    File const quoted{"26.5,\"k\xC3\xB6nig \"\"x\"\"\",pop;rock,i3,i1;i9;i2,yes\n"};
    auto const rows = encoder.transform(Csv{quoted.path}, yes);
    CHECK(get<0>(rows[0]).value == 2); // (26.5 - 20.5) / sqrt(36 / 4)
    CHECK(get<0>(rows[0]).id == 2);
    CHECK(get<1>(rows[0]).id == 2);
    CHECK(ids(get<2>(rows[0])) == "2 1 ");
    CHECK(get<3>(rows[0]).id == 3);
    CHECK(ids(get<4>(rows[0])) == "1 0 2 ");
}

TEST_CASE("lists with weights") {
    using Scored = Record<MultiHot<"genres", 6, 2, Weighted>, Categorical<"item", 6>,
                          History<"watched", 3, SameAs<"item">, Weighted>>;
    File const file{"rock:0.5|pop|rock:9,i1,i1:1|i2:2|i3:-3|i4:4,yes\npop:2e-1|a:b:3,i2,,no\n?,i3,i1,no\n"};
    Encoder<Scored> encoder;
    auto const rows = encoder.fit_transform(Csv{file.path}, yes);
    rows.check();
    CHECK(ids(get<0>(rows[0])) == "1 2 ");
    CHECK(get<0>(rows[0]).weight[0] == 0.5f);
    CHECK(get<0>(rows[0]).weight[1] == 1);
    CHECK(encoder.text<"genres">(3) == "a:b");
    CHECK(get<0>(rows[1]).weight[0] == 0.2f);
    CHECK(get<0>(rows[1]).weight[1] == 3);
    CHECK(get<0>(rows[2]).count == 0);
    CHECK(ids(get<2>(rows[0])) == "2 3 4 "); // the newest three of i1, i2, i3, i4
    CHECK(get<2>(rows[0]).weight[0] == 2);
    CHECK(get<2>(rows[0]).weight[2] == 4);
    File const bad{"rock:high,i1,,yes\n"};
    CHECK(refusal([&] { Encoder<Scored>{}.fit(Csv{bad.path}, yes); }) ==
          "line 1, column 1: expected values with a colon and a weight, or without, found \"rock:high\"");
}
