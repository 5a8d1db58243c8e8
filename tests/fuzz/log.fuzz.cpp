// SPDX-License-Identifier: BSD-3-Clause
#include "fuzz.hpp"
#include "train/executors.hpp"

#include <inlay/data/event_rows.hpp>
#include <inlay/data/read_log.hpp>

#include <cstring>

namespace {
using namespace inlay;
using Visit = Record<Categorical<"item", 6>, Numeric<"hour", Buckets<12>>, MultiHot<"tags", 4, 2>,
                     History<"watched", 2, SameAs<"item">>, History<"liked", 3, SameAs<"tags">>>;

bool same(Rows<Visit> const& a, Rows<Visit> const& b) {
    return a.size() == b.size() &&
           (a.size() == 0 || std::memcmp(a.row.data(), b.row.data(), a.size() * sizeof a.row[0]) == 0);
}
} // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    if (size < 2) return 0;
    fuzz::File const file{fuzz::text_of(data + 2, size - 2)};
    Csv csv{file.path};
    LogColumns columns{.user = data[0] & 1 ? "item" : "user"};
    if (data[0] & 2) columns.time = "when";
    if (data[0] & 4) columns.label = {"y"};
    if (data[0] & 8) columns.label = {"y", "yes"};
    csv.options.skip_bad_rows = data[0] & 16;
    Encoder<Visit> encoder, other;
    EventLog<Visit> log, again;
    std::string const why = fuzz::refusal([&] { log = fit_log(encoder, csv, columns); });
    csv.options.piece = 1 + data[1] % 32u;
    FUZZ_CHECK(fuzz::refusal([&] { again = fit_log(other, csv, columns, executors::Shuffled{3}); }) == why);
    FUZZ_CHECK(encoder.fitted() == why.empty());
    auto const rows = event_rows(log, log.all());
    rows.check();
    FUZZ_CHECK(same(rows, event_rows(again, again.all())));
    auto const parts = log.leave_one_out(), by_time = log.split_last(0.2, 0.2);
    FUZZ_CHECK(parts.train.size() + parts.validation.size() + parts.test.size() == log.size());
    FUZZ_CHECK(by_time.train.size() + by_time.validation.size() + by_time.test.size() == log.size());
    for (auto const* part : {&parts.train, &parts.test, &by_time.validation}) {
        auto const next = next_rows<"item">(log, *part);
        next.check();
        auto const windows = sequence_rows<"watched">(log, *part);
        windows.check();
        // Every event with an item that has one before it is a target once.
        std::size_t targets = 0, wanted = 0;
        for (float const y : windows.target) targets += y == y;
        for (auto const i : *part) wanted += i > log.begin_of(log.user_of(i)) && get<0>(log.event(i)).id > 0;
        FUZZ_CHECK(targets == wanted);
    }
    (void)fuzz::refusal([&] { rows_with_negatives<"item">(log, parts.test, 2, Seed{1}).check(); });
    return 0;
}
