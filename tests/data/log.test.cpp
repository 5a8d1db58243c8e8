// SPDX-License-Identifier: BSD-3-Clause
// Logs of events: reading, parts, histories, targets.
#include "file.hpp"
#include "train/executors.hpp"

#include <inlay/data/event_rows.hpp>
#include <inlay/data/read_log.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <map>
#include <set>

using namespace inlay;

namespace {

using Visit = Record<Categorical<"user", 20>, Categorical<"item", 40>, Numeric<"hour", Buckets<12>>,
                     MultiHot<"genres", 8, 2>, History<"watched", 3, SameAs<"item">>,
                     History<"liked", 4, SameAs<"genres">>>;
LogColumns const columns{.user = "user", .time = "when"};

// Out of order in time, two events of ann at one time.
char const* const visits = "item,user,when,hour,genres\n"
                           "i1,ann,30,1,a\n"
                           "i2,bob,10,13,a|b\n"
                           "i3,ann,10,2,b\n"
                           "i4,ann,20,3,\n"
                           "i5,ann,20,4,c|a\n"
                           "i6,ann,40,?,b\n"
                           "i7,bob,5,6,c\n"
                           "i8,cy,7,7,a\n";

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
template <class Rec> std::string watched(Rows<Rec> const& rows, std::size_t i) {
    return ids(get<std::size_t(Rec::template index<"watched">)>(rows[i]));
}
std::string list(std::vector<std::uint32_t> const& v) {
    std::string s;
    for (auto const i : v) s += std::to_string(i) + " ";
    return s;
}

} // namespace

TEST_CASE("bins by the target of an event need one") {
    File const file{"u,x,y\na,1,0\na,2,1\nb,3,1\n"};
    using Event = Record<Numeric<"x", TargetBins<2, 1>>>;
    Encoder<Event> encoder;
    CHECK_THROWS_WITH_AS((void)fit_log(encoder, Csv{file.path}, {.user = "u"}),
                         doctest::Contains("option label: expected a column for TargetBins"), Error);
    auto const log = fit_log(encoder, Csv{file.path}, {.user = "u", .label = {"y"}});
    CHECK(encoder.code(0).bins().edges() == std::vector<double>{1, 1.5, 3});
}

TEST_CASE("events by user and time, with the histories before them") {
    File const file{visits};
    Encoder<Visit> encoder;
    auto const log = fit_log(encoder, Csv{file.path}, columns);
    REQUIRE(log.size() == 8);
    CHECK(log.users() == 3);
    CHECK(log.begin_of(1) == 5);
    CHECK(log.user_of(4) == 0);
    CHECK(log.user_of(5) == 1);
    CHECK(log.time_of(5) == 5);
    CHECK(log.target_of(0) == 1);
    auto const rows = event_rows(log, log.all());
    rows.check();
    // ann: i3 i4 i5 i1 i6; bob: i7 i2; cy: i8. Ids follow the file.
    std::string items;
    for (std::size_t i = 0; i < 8; ++i) items += std::to_string(get<1>(rows[i]).id) + " ";
    CHECK(items == "3 4 5 1 6 7 2 8 ");
    CHECK(watched(rows, 0) == "");
    CHECK(watched(rows, 1) == "3 ");
    CHECK(watched(rows, 3) == "3 4 5 ");
    CHECK(watched(rows, 4) == "4 5 1 ");
    CHECK(watched(rows, 5) == "");
    CHECK(watched(rows, 6) == "7 ");
    CHECK(get<0>(rows[4]).id == 1);
    CHECK(get<0>(rows[6]).id == 2);
    CHECK(get<2>(rows[6]).id == 2); // bob's hour is 13
    CHECK(get<2>(rows[4]).id == 0); // missing
    CHECK(ids(get<3>(rows[6])) == "1 2 ");
    // Genres a 1, b 2, c 3: what ann liked, the newest four.
    CHECK(ids(get<5>(rows[4])) == "2 3 1 1 ");
    CHECK(ids(get<5>(rows[2])) == "2 ");
    CHECK(rows.target == std::vector<float>(8, 1.0f));
    CHECK(encoder.text<"watched">(7) == "i7");
}

TEST_CASE("columns: in order without a header, a label, a user that is no field, no time") {
    using Item = Record<Categorical<"item", 10>, History<"watched", 2, SameAs<"item">>>;
    File const plain{"7\tu1\t3\tyes\n8\tu2\t1\tno\n9\tu1\t2\tno\n"};
    Encoder<Item> encoder;
    LogColumns const all{.user = "who", .time = "when", .label = {"clicked", "yes"}};
    auto const log = fit_log(encoder, Tsv{plain.path}, all);
    CHECK(log.users() == 2);
    CHECK(event_rows(log, log.all()).target == std::vector<float>{0, 1, 0});
    CHECK(watched(event_rows(log, log.all()), 1) == "3 "); // 9 came before 7
    File const named{"3,2,881250949,196\n4,3,891717742,196\n"};
    Csv const ratings{named.path, {.columns = {"item", "rating", "when", "who"}}};
    auto const rated = fit_log(encoder, ratings, {.user = "who", .label = {"rating"}});
    CHECK(event_rows(rated, rated.all()).target == std::vector<float>{2, 3});
    CHECK(rated.time_of(1) == 1); // the order of the file
    // An encoder that has learned reads other logs: what it has not seen is 0.
    File const later{"9,1,5,7\n4,1,6,7\n3,1,7,7\n"};
    auto const other = read_log(encoder, Csv{later.path, ratings.options}, {.user = "who", .time = "when"});
    CHECK(watched(event_rows(other, other.all()), 2) == "0 2 ");
}

TEST_CASE("what is no log says why, and the encoder stays as it was") {
    File const file{visits};
    auto const said = [&](std::string const& content, LogColumns const& wanted) {
        File const bad{content};
        Encoder<Visit> encoder;
        (void)fit_log(encoder, Csv{file.path}, columns);
        std::string const before = encoder.to_json();
        std::string const why = refusal([&] { (void)fit_log(encoder, Csv{bad.path}, wanted); });
        CHECK(encoder.to_json() == before);
        CHECK(refusal([&] { (void)read_log(encoder, Csv{bad.path}, wanted); }) == why);
        return why;
    };
    CHECK(said("ann,i1,1,a,9\n?,i2,1,a,9\n", columns) == "line 2, column 1: expected a user, found \"?\"");
    CHECK(said("ann,i1,1,a,noon\n", columns) == "line 1, column 5: expected a number, found \"noon\"");
    CHECK(said("ann,i1,one,a,1\n", columns) == "line 1, column 3: expected a number, found \"one\"");
    CHECK(said("ann,i1,1,a\n", columns) == "line 1: expected 5 columns (the fields, when), found 4");
    CHECK(said("item,user,hour,genres\ni,u,1,g\n", columns) ==
          "line 1: expected one column named \"when\", found 0");
    CHECK(said("ann,i1,1,a,9\n", {}) == "option user: expected the name of a column, found none");
    LogColumns const clicked{.user = "user", .label = {"y", "yes"}};
    CHECK(said("ann,i1,1,a,?\n", clicked) == "line 1, column 5: expected a label, found \"?\"");
    CHECK(said("ann,i1,1,a,no\n", clicked) == "label y: expected a row with \"yes\", found none");
    Encoder<Visit> empty;
    CHECK(refusal([&] { (void)read_log(empty, Csv{file.path}, columns); }) ==
          "Encoder: expected fit_log before read_log, found an empty encoder");
    CHECK(EventLog<Visit>{}.size() == 0);
    // Bad rows may be skipped.
    File const some{"ann,i1,1,a,1\n,i2,1,a,2\nann,i3,1,a,3\nann,i4,x,a,4\n"};
    auto const log = fit_log(empty, Csv{some.path, {.skip_bad_rows = true}}, columns);
    CHECK(log.size() == 2);
    CHECK(watched(event_rows(log, log.all()), 1) == "1 ");
    CHECK(empty.code(1).distinct() == 2);
}

TEST_CASE("parts: leave one out, and by time") {
    File const file{visits};
    Encoder<Visit> encoder;
    auto const log = fit_log(encoder, Csv{file.path}, columns);
    auto const last = log.leave_one_out(); // bob and cy have fewer than three events
    CHECK(list(last.train) == "0 1 2 5 6 7 ");
    CHECK(list(last.validation) == "3 ");
    CHECK(list(last.test) == "4 ");
    auto const at = log.split_at(10, 30); // times 10 20 20 30 40; 5 10; 7
    CHECK(list(at.train) == "5 7 ");
    CHECK(list(at.validation) == "0 1 2 6 ");
    CHECK(list(at.test) == "3 4 ");
    auto const share = log.split_last(0.25, 0.25);
    CHECK(list(share.train) == "0 5 6 7 ");
    CHECK(list(share.validation) == "1 2 ");
    CHECK(list(share.test) == "3 4 ");
    CHECK(log.split_last(0, 0).train.size() == 8);
    CHECK(log.split_last(0, 1).test.size() == 8);
    CHECK(refusal([&] { (void)log.split_last(0.6, 0.5); }).find("two shares") != std::string::npos);
    // Histories of the test's events reach back into training.
    CHECK(watched(event_rows(log, last.test), 0) == "4 5 1 ");
}

TEST_CASE("the next item as a class, which the row itself does not tell") {
    File const file{visits};
    Encoder<Visit> encoder;
    auto const log = fit_log(encoder, Csv{file.path}, columns);
    auto const rows = next_rows<"item">(log, log.leave_one_out().test);
    REQUIRE(rows.size() == 1);
    CHECK(rows.target == std::vector<float>{6});
    CHECK(get<1>(rows[0]).id == 0);
    CHECK(watched(rows, 0) == "4 5 1 ");
    CHECK(get<0>(rows[0]).id == 1);
    auto const hours = next_rows<"hour">(log, log.all()); // the bucket; one hour is missing
    CHECK(hours.target == std::vector<float>{1, 1, 1, 1, 1, 2, 1});
    CHECK(get<2>(hours[5]).value == 0);
    CHECK(get<2>(hours[5]).id == 0);
}

TEST_CASE("windows with a target a place, cut from the newest event backwards") {
    File const file{visits};
    Encoder<Visit> encoder;
    auto const log = fit_log(encoder, Csv{file.path}, columns);
    auto const text = [](Rows<Visit> const& rows) {
        std::string s;
        for (std::size_t i = 0; i < rows.size(); ++i) {
            s += watched(rows, i) + "->";
            for (std::size_t t = 0; t < 3; ++t) {
                float const y = rows.target[3 * i + t];
                s += std::isnan(y) ? " -" : " " + std::to_string(int(y));
            }
            s += "; ";
        }
        return s;
    };
    auto const all = sequence_rows<"watched">(log, log.all());
    CHECK(all.targets() == 3);
    CHECK(text(all) == "4 5 1 -> 5 1 6; 3 -> 4 - -; 7 -> 2 - -; ");
    CHECK(get<1>(all[0]).id == 0);
    auto const parts = log.leave_one_out();
    CHECK(text(sequence_rows<"watched">(log, parts.train)) == "3 4 -> 4 5 -; 7 -> 2 - -; ");
    CHECK(text(sequence_rows<"watched">(log, parts.test)) == "4 5 1 -> - - 6; ");
}

TEST_CASE("negatives: never an item that the user had, evenly, by the seed") {
    std::string content;
    std::mt19937 random{3};
    for (int i = 0; i < 400; ++i)
        content += "u" + std::to_string(random() % 10) + ",i" + std::to_string(random() % 30) + ",1,,1\n";
    File const file{content};
    Encoder<Visit> encoder;
    auto const log = fit_log(encoder, Csv{file.path}, columns);
    auto const rows = rows_with_negatives<"item">(log, log.all(), 5, Seed{4});
    rows.check();
    REQUIRE(rows.size() == 6 * 400);
    std::map<std::size_t, std::set<std::int32_t>> had;
    for (std::size_t i = 0; i < 400; ++i) had[log.user_of(i)].insert(get<1>(log.event(i)).id);
    auto const plain = event_rows(log, log.all());
    std::map<std::int32_t, int> count;
    for (std::size_t i = 0; i < 400; ++i) {
        CHECK(rows.target[6 * i] == 1);
        CHECK(get<1>(rows[6 * i]).id == get<1>(plain[i]).id);
        for (std::size_t k = 0; k < 6; ++k) {
            CHECK(watched(rows, 6 * i + k) == watched(plain, i));
            if (k == 0) continue;
            CHECK(rows.target[6 * i + k] == 0);
            auto const id = get<1>(rows[6 * i + k]).id;
            CHECK(id >= 1);
            CHECK(id <= 30);
            CHECK(!had[log.user_of(i)].contains(id));
            if (log.user_of(i) == 0) ++count[id];
        }
    }
    CHECK(count.size() == 30 - had[0].size()); // all that the first user has not had
    auto const again = rows_with_negatives<"item">(log, log.all(), 5, Seed{4}),
               other = rows_with_negatives<"item">(log, log.all(), 5, Seed{5});
    int same = 0, differ = 0;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        same += get<1>(again[i]).id == get<1>(rows[i]).id;
        differ += get<1>(other[i]).id != get<1>(rows[i]).id;
    }
    CHECK(same == 2400);
    CHECK(differ > 1000);
    // Of the events asked for, the draws do not depend on the others.
    std::vector<std::uint32_t> const one{17};
    auto const alone = rows_with_negatives<"item">(log, one, 5, Seed{4});
    for (std::size_t k = 0; k < 6; ++k) CHECK(get<1>(alone[k]).id == get<1>(rows[6 * 17 + k]).id);

    File const few{"u,a,1,,1\nu,b,1,,2\n"};
    auto const full = fit_log(encoder, Csv{few.path}, columns);
    CHECK(
        refusal([&] { (void)rows_with_negatives<"item">(full, full.all(), 1, Seed{1}); }) ==
        "inlay: rows_with_negatives, event 0: expected a user who has not had every item, found one who has");
    CHECK(rows_with_negatives<"item">(full, full.all(), 0, Seed{1}).size() == 2);
}

TEST_CASE("pieces and executors change nothing") {
    std::mt19937 random{5};
    std::string content = "user,item,when,genres,hour\n";
    for (int i = 0; i < 3000; ++i) {
        auto const draw = [&](unsigned n) { return std::to_string(random() % n); };
        content +=
            "u" + draw(19) + ",i" + draw(39) + "," + draw(1000) + ",g" + draw(6) + ",\"" + draw(24) + "\"\n";
    }
    File const file{content};
    Encoder<Visit> whole;
    auto const log = fit_log(whole, Csv{file.path}, columns);
    auto const rows = event_rows(log, log.all());
    for (std::size_t const size : {40u, 3000u})
        for (int const n : {1, 2, 5}) {
            Encoder<Visit> encoder;
            auto const other =
                fit_log(encoder, Csv{file.path, {.piece = size}}, columns, executors::Threads{n});
            CHECK(encoder.to_json() == whole.to_json());
            auto const same = event_rows(other, other.all());
            REQUIRE(same.size() == rows.size());
            CHECK(std::memcmp(same.row.data(), rows.row.data(), rows.size() * sizeof rows.row[0]) == 0);
        }
    // Against the plain definition: for each event, all earlier ones of the user, by time and then line.
    for (std::uint32_t i = 0; i < 3000; i += 7) {
        std::vector<std::int32_t> before;
        for (std::size_t k = 0; k < i; ++k)
            if (log.user_of(k) == log.user_of(i)) {
                CHECK(log.time_of(k) <= log.time_of(i));
                before.push_back(get<1>(log.event(k)).id);
            }
        std::string want;
        for (std::size_t k = before.size() < 3 ? 0 : before.size() - 3; k < before.size(); ++k)
            want += std::to_string(before[k]) + " ";
        CHECK(watched(rows, i) == want);
    }
}

TEST_CASE("a log from rows that are already encoded") {
    using Item = Record<Categorical<"item", 10>, History<"watched", 2, SameAs<"item">>>;
    Rows<Item> rows;
    rows.row.resize(3);
    for (int i = 0; i < 3; ++i) get<0>(rows.row[std::size_t(i)]).id = i + 1;
    rows.target = {0, 1, 0};
    EventLog<Item> const log({1, 0, 1}, {5, 0, 4}, rows);
    CHECK(log.users() == 2);
    auto const all = event_rows(log, log.all());
    CHECK(get<0>(all[1]).id == 3);
    CHECK(watched(all, 2) == "3 ");
    CHECK(refusal([&] { EventLog<Item>({1, 0}, {5, 0, 4}, rows); }) ==
          "inlay: EventLog: expected a user, a time and a target for each of 3 rows, found 2");
    CHECK(refusal([&] { EventLog<Item>({3, 0, 1}, {5, 0, 4}, rows); }) ==
          "inlay: EventLog: expected users from 0 to 2, found one numbered 3");
    CHECK(refusal([&] { EventLog<Item>({1, 0, 1}, {5, std::nan(""), 4}, rows); }).find("a finite time") !=
          std::string::npos);
}

TEST_CASE("a history with weights is an event's own") {
    using Item = Record<Categorical<"item", 10>, History<"liked", 2, SameAs<"item">, Weighted>>;
    Rows<Item> rows;
    rows.row.resize(2);
    get<1>(rows.row[0]) = {1, {7}, {0.5f}};
    rows.target = {0, 1};
    EventLog<Item> const log({0, 0}, {1, 2}, rows);
    auto const all = event_rows(log, log.all());
    CHECK(get<1>(all[0]).weight[0] == 0.5f);
    CHECK(get<1>(all[1]).count == 0);
}
