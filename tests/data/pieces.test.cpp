// SPDX-License-Identifier: BSD-3-Clause
// What is parsed in pieces, side by side, is what one pass finds: rows, line numbers, errors.
#include "file.hpp"
#include "reference/csv.hpp"
#include "train/executors.hpp"

#include <inlay/data/encoder.hpp>

#include <doctest/doctest.h>

#include <cstring>

using namespace inlay;

namespace {

struct Cells {
    struct Part : detail::Piece {
        std::vector<reference::CsvLine> rows;
    };
    Csv const& csv;
    detail::CsvLayout const& layout;
    void parse(std::string_view text, detail::TextMark from, std::size_t stop, Part& part) const {
        detail::read_rows(csv, layout, text, from, stop, part, [&](CsvRow const& row) {
            part.rows.push_back({row.line, {row.fields.begin(), row.fields.end()}});
        });
    }
};

struct Outcome {
    std::vector<reference::CsvLine> rows;
    std::size_t bad = 0;
    std::string error;
    bool operator==(Outcome const&) const = default;
};

std::vector<std::string> const names{"a", "b"};
std::string const label = "c";

template <class E> Outcome in_pieces(std::string_view text, CsvOptions const& options, E executor) {
    Csv const csv{"f", options};
    Outcome all;
    try {
        detail::CsvLayout const layout{csv, text, names, {&label, 1}, "three"};
        all.bad = layout.bad;
        Cells const parser{csv, layout};
        std::exception_ptr error;
        for (detail::TextMark mark = layout.begin; mark.at < text.size() && !error;)
            error = detail::parse_some(parser, text, mark, options.piece, executor,
                                       [&](Cells::Part&& part, std::size_t lines) {
                                           for (auto& row : part.rows) {
                                               row.line += lines;
                                               all.rows.push_back(std::move(row));
                                           }
                                           all.bad += part.bad;
                                       });
        if (error) std::rethrow_exception(error);
    } catch (Error const& e) { all.error = e.what(); }
    return all;
}

// Rows of three cells are good; what the first bad one is, is all that is compared of an error.
Outcome expected(std::string_view text, CsvOptions const& options) {
    Outcome all;
    auto const read = reference::read_csv(text, options.separator, options.quotes);
    for (auto const& row : read.lines) {
        if (!row.broken && row.cells.size() == 3) {
            all.rows.push_back(row);
        } else if (options.skip_bad_rows) {
            ++all.bad;
        } else {
            all.error = "inlay: f: line " + std::to_string(row.line);
            return all;
        }
    }
    if (read.open) all.error = "inlay: f: line";
    return all;
}

std::string random_text(std::mt19937& random, std::size_t length) {
    using namespace std::literals;
    static constexpr std::string_view parts[] = {"1"sv,       ","sv,
                                                 ","sv,       ","sv,
                                                 "\n"sv,      "x"sv,
                                                 "\r\n"sv,    "\""sv,
                                                 "\"\""sv,    " "sv,
                                                 "\t"sv,      "yy"sv,
                                                 "1,2,3"sv,   "\n"sv,
                                                 "\r"sv,      "\"a\n\""sv,
                                                 ",\"b,"sv,   "\","sv,
                                                 "\0"sv,      "\"q\""sv,
                                                 "4,5,6\n"sv, "7,8,9\n"sv,
                                                 ","sv,       "\n\n"sv,
                                                 "  \n"sv,    "1,\"\n\n\",3\n"sv};
    std::string text;
    while (text.size() < length) text += parts[random() % std::size(parts)];
    return text;
}
// Mostly good rows, with quotes that hold line ends.
std::string good_text(std::mt19937& random, std::size_t length) {
    static char const* const cells[] = {
        "1", "23", "\"\"", "\"4\n5\"", "\"6\"\"\n\"", " 7 ", "\"8\r\n\n\n\"", "", "\"a\"\"b\""};
    std::string text;
    auto const cell = [&] { text += cells[random() % std::size(cells)]; };
    while (text.size() < length) {
        cell(), text += ',', cell(), text += ',', cell();
        text += random() % 3 ? "\n" : "\r\n";
        if (random() % 8 == 0) text += "\n";
    }
    return text;
}

} // namespace

TEST_CASE("pieces of every size give the rows of one pass") {
    std::mt19937 random{7};
    int errors = 0;
    for (int trial = 0; trial < 3000; ++trial) {
        std::string const text =
            trial % 2 ? random_text(random, random() % 60) : good_text(random, random() % 90);
        CsvOptions options;
        options.skip_bad_rows = trial % 3 == 0;
        options.quotes = trial % 5 != 0;
        Outcome const want = expected(text, options);
        CAPTURE(text);
        Outcome const whole = in_pieces(text, options, Serial{});
        // A first row that is no row of three leaves open what the others are.
        CHECK(whole.rows == want.rows);
        if (want.error.empty()) CHECK(whole.bad == want.bad);
        CHECK(whole.error.starts_with(want.error));
        CHECK(whole.error.empty() == want.error.empty());
        errors += !want.error.empty();
        for (std::size_t const size : {1u, 2u, 3u, 5u, 8u, 13u, 40u}) {
            options.piece = size;
            CAPTURE(size);
            REQUIRE(in_pieces(text, options, Serial{}) == whole);
            REQUIRE(in_pieces(text, options, executors::Shuffled{3}) == whole);
        }
    }
    CHECK(errors > 500);
    CHECK(errors < 2500);
}

TEST_CASE("threads give the rows of one pass") {
    std::mt19937 random{8};
    for (int trial = 0; trial < 20; ++trial) {
        std::string text = good_text(random, 2000);
        if (trial % 4 == 0) text += "1,2\n" + good_text(random, 500);
        CsvOptions options;
        Outcome const whole = in_pieces(text, options, Serial{});
        CHECK(whole.error.empty() == (trial % 4 != 0));
        CHECK(whole.rows.size() > 50);
        options.piece = 100;
        for (int const n : {1, 2, 3, 5, 16})
            REQUIRE(in_pieces(text, options, executors::Threads{n}) == whole);
    }
}

namespace {

using Visit = Record<Numeric<"x", Buckets<0>>, Categorical<"job", 40>, MultiHot<"tags", 9, 2>,
                     Categorical<"item", 30>, History<"seen", 3, SameAs<"item">>>;
Label const yes{"y", "yes"};

std::string visits(std::mt19937& random, int rows) {
    std::string text;
    for (int i = 0; i < rows; ++i) {
        auto const draw = [&](unsigned n) { return std::to_string(random() % n); };
        text += random() % 9 ? std::to_string(double(random() % 4000) / 1000 - 2) : "?";
        text += ",j" + draw(39) + ",t" + draw(4) + "|t" + draw(8) + ",i" + draw(20) + ",i" + draw(20) + "|i" +
                draw(29) + "," + (random() % 2 ? "yes" : "no") + "\n";
    }
    return text;
}
template <class Data> bool same(Data const& a, Data const& b) {
    return a.size() == b.size() && a.target == b.target &&
           std::memcmp(a.row.data(), b.row.data(), a.row.size() * sizeof a.row[0]) == 0;
}
std::string refusal(auto f) {
    try {
        f();
        return "no error";
    } catch (Error const& e) { return e.place() + ": " + e.expected() + ", " + e.found(); }
}

} // namespace

TEST_CASE("an encoder learns the same bits from pieces, and encodes the same rows, by any executor") {
    std::mt19937 random{9};
    File const file{visits(random, 2000)};
    Encoder<Visit> whole;
    auto const rows = whole.fit_transform(Csv{file.path}, yes);
    REQUIRE(rows.size() == 2000);
    for (std::size_t const size : {64u, 1000u, 20000u}) {
        Csv const csv{file.path, {.piece = size}};
        auto const check = [&](auto executor) {
            Encoder<Visit> encoder;
            CHECK(same(encoder.fit_transform(csv, yes, executor), rows));
            CHECK(encoder.to_json() == whole.to_json());
        };
        check(Serial{});
        check(executors::Shuffled{5});
        for (int const n : {1, 2, 3, 5, 16}) check(executors::Threads{n});
    }
}

TEST_CASE("the first error is the first of the file, by any executor; what was learned stays") {
    std::mt19937 random{10};
    std::string const before = visits(random, 300), after = visits(random, 300);
    std::string many; // two fields pass their ids, job first but in a later row than item
    for (int i = 0; i < 45; ++i)
        many += "1,k" + std::to_string(i) + ",,n" + std::to_string(i * (i > 5)) + ",,yes\n";
    File const number{before + "1,j1,,i1,,no\noops,j1,,i1,,no\n" + after},
        full{before + many + "oops\n" + after}, few{"1,j,,i,,yes\n"};
    std::string const at_number = refusal([&] { (void)Encoder<Visit>{}.fit(Csv{number.path}, yes); });
    CHECK(at_number == "line 302, column 1: a number, \"oops\"");
    std::string const at_full = refusal([&] { (void)Encoder<Visit>{}.fit(Csv{full.path}, yes); });
    CHECK(at_full.starts_with("line 3"));
    for (std::size_t const size : {50u, 400u, 5000u})
        for (int const n : {1, 2, 5}) {
            CsvOptions const options{.piece = size};
            Encoder<Visit> encoder;
            encoder.fit(Csv{few.path}, yes);
            std::string const learned = encoder.to_json();
            executors::Threads const threads{n};
            CHECK(refusal([&] { encoder.fit(Csv{number.path, options}, yes, threads); }) == at_number);
            CHECK(refusal([&] { (void)encoder.transform(Csv{number.path, options}, yes, threads); }) ==
                  at_number);
            CHECK(refusal([&] { encoder.fit(Csv{full.path, options}, yes, threads); }) == at_full);
            CHECK(encoder.to_json() == learned);
        }
}

TEST_CASE("a stream hands out the file in chunks of the same rows, by any executor") {
    std::mt19937 random{11};
    File const file{visits(random, 1000)};
    Encoder<Visit> encoder;
    auto const all = encoder.fit_transform(Csv{file.path}, yes);
    for (std::size_t const rows : {1u, 7u, 64u, 999u, 1000u, 5000u})
        for (std::size_t const size : {90u, 3000u, 1u << 20})
            for (int const n : {1, 3}) {
                auto stream = encoder.stream(Csv{file.path, {.piece = size}}, yes, rows);
                Rows<Visit> chunk, together;
                std::size_t chunks = 0;
                for (; stream.next(chunk, executors::Threads{n}); ++chunks) {
                    REQUIRE(chunk.size() == std::min(rows, 1000 - chunks * rows));
                    detail::append_rows(together, chunk, 0, chunk.size());
                }
                CHECK(chunks == (1000 + rows - 1) / rows);
                CHECK(chunk.size() == 0);
                CHECK(!stream.next(chunk));
                CHECK(same(together, all));
            }
}

TEST_CASE("a stream that meets a bad row") {
    std::mt19937 random{12};
    std::string const text = visits(random, 250) + "oops,j,,i,,no\n" + visits(random, 250);
    File const file{text}, good{visits(random, 50)};
    Encoder<Visit> encoder;
    encoder.fit(Csv{good.path}, yes);
    for (std::size_t const size : {90u, 3000u, 1u << 20})
        for (int const n : {1, 4}) {
            auto stream = encoder.stream(Csv{file.path, {.piece = size}}, yes, 60);
            Rows<Visit> chunk;
            int chunks = 0;
            auto const drain = [&] {
                while (stream.next(chunk, executors::Threads{n})) ++chunks;
            };
            CHECK(refusal(drain) == "line 251, column 1: a number, \"oops\"");
            CHECK(chunks == 4); // the rows of 240 lines; the fifth chunk would hold the bad one
            CHECK(chunk.size() == 60);
            CHECK(refusal(drain) == "line 251, column 1: a number, \"oops\"");
            auto skipping = encoder.stream(Csv{file.path, {.skip_bad_rows = true, .piece = size}}, yes, 60);
            std::size_t rows = 0;
            while (skipping.next(chunk, executors::Threads{n})) rows += chunk.size();
            CHECK(rows == 500);
            CHECK(skipping.bad() == 1);
        }
    CHECK(refusal([&] { (void)encoder.stream(Csv{file.path}, yes, 0); }) ==
          "option rows: at least one row a chunk, 0");
    // A label that never occurs shows at the end only.
    auto stream = encoder.stream(Csv{good.path}, Label{"y", "maybe"}, 20);
    Rows<Visit> chunk;
    CHECK(stream.next(chunk));
    CHECK(stream.next(chunk));
    CHECK(refusal([&] { (void)stream.next(chunk); }) == "label y: a row with \"maybe\", none");
    CHECK(chunk.size() == 20);
}
