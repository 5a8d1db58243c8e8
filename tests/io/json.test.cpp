// SPDX-License-Identifier: BSD-3-Clause
#include <inlay/io/json.hpp>

#include <doctest/doctest.h>

#include <bit>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

using inlay::detail::append_json;
using inlay::detail::in_quotes;
using inlay::detail::Json;
using inlay::detail::parse_json;
using inlay::detail::to_json;

namespace {

Json parse(std::string_view text, int depth = 64) { return parse_json(text, "f", "header", depth); }

std::string refusal(std::string_view text, int depth = 64) {
    try {
        parse(text, depth);
    } catch (inlay::Error const& error) { return error.what(); }
    return "accepted";
}

bool refused(std::string_view text, std::string const& words, int depth = 64) {
    std::string const message = refusal(text, depth);
    INFO(message);
    CHECK(message.starts_with("inlay: f: header, byte "));
    CHECK(message.find(words) != std::string::npos);
    return true;
}

std::string text_of(std::string_view json) { return *parse(json).get<std::string>(); }

std::string rewritten(std::string_view json) { return to_json(parse(json)); }

} // namespace

TEST_CASE("json: values keep their kind and order") {
    Json const json = parse(
        " { \"b\" : [ 1 , -2, 3.5, 1e3 ], \"a\" : { } , \"t\":true,\"f\":false,\n\"n\":null,\"s\":\"x\" }\t");
    CHECK(json.get<Json::Object>()->front().name == "b");
    auto const& list = *json.find("b")->get<Json::Array>();
    CHECK(*list[0].get<std::uint64_t>() == 1);
    CHECK(*list[1].get<std::int64_t>() == -2);
    CHECK(*list[2].get<double>() == 3.5);
    CHECK(*list[3].get<double>() == 1000.0);
    CHECK(json.find("a")->get<Json::Object>()->empty());
    CHECK(*json.find("t")->get<bool>());
    CHECK_FALSE(*json.find("f")->get<bool>());
    CHECK(json.find("n")->get<std::nullptr_t>() != nullptr);
    CHECK(json.find("missing") == nullptr);
    CHECK(parse("7").find("a") == nullptr);
    CHECK(parse("[]").get<Json::Array>()->empty());
    CHECK(to_json(json) == "{\"b\":[1,-2,3.5,1000],\"a\":{},\"t\":true,\"f\":false,\"n\":null,\"s\":\"x\"}");
}

TEST_CASE("json: integers are exact to the last of 64 bits") {
    CHECK(*parse("18446744073709551615").get<std::uint64_t>() == 18446744073709551615U);
    CHECK(*parse("9007199254740993").get<std::uint64_t>() == 9007199254740993U);
    CHECK(*parse("-9223372036854775808").get<std::int64_t>() == std::numeric_limits<std::int64_t>::min());
    CHECK(parse("18446744073709551616").get<double>() != nullptr);
    CHECK(*parse("-9223372036854775809").number() == -9223372036854775808.0);
    CHECK(*parse("3").number() == 3.0);
    CHECK(*parse("-3").number() == -3.0);
    CHECK_FALSE(parse("\"3\"").number());
}

TEST_CASE("json: doubles come back with the same bits") {
    double const values[] = {
        0.1,   -0.0,          1.0 / 3, 5e-324, std::numeric_limits<double>::max(), 18446744073709551616.0,
        -1e22, 123456789.125, -7};
    for (double const value : values) {
        std::string text;
        append_json(text, value);
        INFO(text);
        CHECK(std::bit_cast<std::uint64_t>(*parse(text).number()) == std::bit_cast<std::uint64_t>(value));
    }
    std::string out;
    CHECK_THROWS_AS(append_json(out, std::numeric_limits<double>::infinity()), inlay::Error);
    CHECK_THROWS_AS(append_json(out, std::numeric_limits<double>::quiet_NaN()), inlay::Error);
}

TEST_CASE("json: strings and escapes") {
    CHECK(text_of(R"("a\"\\\/\b\f\n\r\t")") == "a\"\\/\b\f\n\r\t");
    CHECK(text_of(R"("\u0041\u00e9\u20AC")") == "A\u00e9\u20ac");
    CHECK(text_of(R"("\ud83d\ude00")") == "\U0001F600");
    CHECK(text_of(R"("\u0000")") == std::string(1, '\0'));
    for (std::string const text : {"plain", "\"\\\n\x1f\x7f", "\u00e9\u20ac\U0001F600"}) {
        std::string json;
        append_json(json, std::string_view{text});
        CHECK(text_of(json) == text);
    }
    std::string out;
    CHECK_THROWS_AS(append_json(out, std::string_view{"\xff"}), inlay::Error);
    CHECK(rewritten(R"({"\u0061":"\u001f"})") == "{\"a\":\"\\u001f\"}");
}

TEST_CASE("json: what is refused, and where") {
    refused("", "byte 0: expected a JSON value, found its end");
    refused("{} x", "byte 3: expected the end of the JSON text, found \"x\"");
    refused("\xef\xbb\xbf{}", "byte 0: expected a JSON value");
    refused("{\"a\":1,}", "byte 7: expected a name in quotes");
    refused("[1,]", "expected a JSON value");
    refused("[1 2]", "\",\" or \"]\"");
    refused("{\"a\" 1}", "\":\" after a name");
    refused("{\"a\":1", "\",\" or \"}\", found its end");
    refused("{a:1}", "a name in quotes");
    refused("nul", "a JSON value");
    refused("NaN", "a JSON value");
    refused("Infinity", "a JSON value");
    refused("-", "a digit");
    refused("+1", "a JSON value");
    refused("01", "without leading zeros");
    refused("-012", "without leading zeros");
    refused("1.", "a digit");
    refused(".5", "a JSON value");
    refused("1e", "a digit");
    refused("0x10", "the end of the JSON text");
    refused("1e999", "within the range of double");
    refused("'a'", "a JSON value");
    refused("// c\n1", "a JSON value");
}

TEST_CASE("json: strings that are refused") {
    refused("\"abc", "byte 0: expected a string with a closing quote");
    refused("\"a\nb\"", "byte 2: expected control characters to be escaped");
    refused("\"\\x41\"", "after a backslash");
    refused("\"\\", "after a backslash");
    refused("\"\\u12", "four hexadecimal digits");
    refused("\"\\u12G4\"", "four hexadecimal digits");
    refused("\"\\u-123\"", "four hexadecimal digits");
    refused("\"\\u 123\"", "four hexadecimal digits");
    refused("\"\\ud83d\"", "a surrogate pair");
    refused("\"\\ud83d\\u0041\"", "a surrogate pair");
    refused("\"\\ude00\"", "a surrogate pair");
    // stray continuation, overlong forms, surrogate, past U+10FFFF, cut short, never a lead byte
    for (char const* bad : {"\x80", "\xc0\xaf", "\xe0\x80\xaf", "\xf0\x80\x80\xaf", "\xed\xa0\x80",
                            "\xf4\x90\x80\x80", "\xe2\x82", "\xf0\x9f\x98", "\xc3", "\xff"})
        refused(inlay::detail::joined("\"", bad, "\""), "byte 1: expected UTF-8");
}

TEST_CASE("json: a name occurs once, escapes read") {
    refused(R"({"a":1,"a":2})", "byte 7: expected each name once, found \"a\" again");
    refused(R"({"a":1,"\u0061":2})", "each name once");
    refused(R"([{"x":{"k":1,"k":1}}])", "each name once");
    CHECK(refusal(R"({"a":{"a":1},"b":{"a":1}})") == "accepted");
}

TEST_CASE("json: depth is limited") {
    CHECK(refusal("[[[1]]]", 3) == "accepted");
    refused("[[[[1]]]]", "byte 3: expected JSON nested at most 3 deep", 3);
    refused(R"({"a":{"b":{"c":{}}}})", "nested at most 3 deep", 3);
    refused(std::string(1000000, '['), "byte 64: expected JSON nested at most 64 deep");
}

TEST_CASE("text: in_quotes shows any bytes on one line") {
    CHECK(in_quotes("a\"b\n\xff\u00e9") == "\"a\\\"b\\x0A\\xFF\u00e9\"");
    CHECK(in_quotes("abcdef", 3) == "\"abc\"...");
    CHECK(in_quotes("ab\u20ac", 3) == "\"ab\u20ac\"");
}
