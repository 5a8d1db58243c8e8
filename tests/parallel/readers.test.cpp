// SPDX-License-Identifier: BSD-3-Clause
// Files parsed by a pool of threads: the rows, bits and errors of one.
#include "data/file.hpp"

#include <inlay/data.hpp>
#include <inlay/parallel.hpp>

#include <doctest/doctest.h>

#include <cstring>
#include <random>

using namespace inlay;

namespace {
using Visit = Record<Numeric<"x", Quantiles<4>>, Categorical<"job", 80>, MultiHot<"tags", 9, 2>>;
Label const yes{"y", "yes"};

template <class Data> bool same(Data const& a, Data const& b) {
    return a.size() == b.size() && a.target == b.target &&
           std::memcmp(a.row.data(), b.row.data(), a.row.size() * sizeof a.row[0]) == 0;
}
} // namespace

TEST_CASE("an encoder, a stream, a log and sparse rows by a pool") {
    std::mt19937 random{1};
    std::string table, sparse, log;
    for (int i = 0; i < 2000; ++i) {
        auto const draw = [&](unsigned n) { return std::to_string(random() % n); };
        table += draw(1000) + ",\"j" + draw(30) + (i % 50 ? "" : "\n") + "\",t" + draw(4) + "|t" + draw(8) +
                 (random() % 2 ? ",yes\n" : ",no\n");
        sparse += draw(2) + " 1:" + draw(9) + " " + std::to_string(2 + random() % 3) + ":0.5\n";
        log += "1,j" + draw(30) + ",,u" + draw(9) + "," + draw(500) + "\n";
    }
    File const file{table}, numbers{sparse}, events{log}, wrong{table + "x,j,,no\n" + table};
    Encoder<Visit> whole;
    auto const rows = whole.fit_transform(Csv{file.path}, yes);
    auto const few = read_libsvm<Shape<4>>(LibSvm{numbers.path});
    LogColumns const columns{.user = "who", .time = "when"};
    Encoder<Visit> of_log;
    auto const visits = fit_log(of_log, Csv{events.path}, columns);
    for (int const n : {1, 2, 3, 5, 16}) {
        Threads const threads(n);
        CsvOptions const options{.piece = 1500};
        Encoder<Visit> encoder;
        CHECK(same(encoder.fit_transform(Csv{file.path, options}, yes, threads), rows));
        CHECK(encoder.to_json() == whole.to_json());
        auto stream = encoder.stream(Csv{file.path, options}, yes, 300);
        Rows<Visit> chunk, together;
        while (stream.next(chunk, threads)) detail::append_rows(together, chunk, 0, chunk.size());
        CHECK(same(together, rows));
        CHECK(read_libsvm<Shape<4>>(LibSvm{numbers.path, {.piece = 900}}, threads).input == few.input);
        auto const others = fit_log(encoder, Csv{events.path, options}, columns, threads);
        CHECK(same(event_rows(others, others.all()), event_rows(visits, visits.all())));
        CHECK_THROWS_WITH_AS((void)whole.transform(Csv{wrong.path, options}, yes, threads),
                             doctest::Contains("line 2041, column 1: expected a number, found \"x\""), Error);
    }
}
