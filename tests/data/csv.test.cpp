// SPDX-License-Identifier: BSD-3-Clause
#include <inlay/data/csv.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

using inlay::Csv;
using inlay::CsvOptions;
using inlay::CsvRow;
using inlay::parse_number;

namespace {

namespace fs = std::filesystem;

struct File {
    fs::path folder;
    std::string path;
    explicit File(std::string_view content) {
        static int number = 0;
        do folder = fs::temp_directory_path() / ("inlay-csv-" + std::to_string(++number));
        while (!fs::create_directory(folder));
        path = (folder / "t.csv").string();
        std::ofstream{path, std::ios::binary} << content;
    }
    File(File const&) = delete;
    File& operator=(File const&) = delete;
    ~File() {
        std::error_code ignored;
        fs::remove_all(folder, ignored);
    }
};

std::vector<std::string> const fields{"age", "job"};

// "line: age|job|label" for each row, then " bad N" if rows were skipped.
std::string rows(std::string_view content, CsvOptions options = {}, std::string const& label = "income") {
    File const file{content};
    std::string out;
    auto const counts =
        inlay::read_csv({file.path, std::move(options)}, fields, label, [&](CsvRow const& row) {
            out += std::to_string(row.line) + ":";
            for (std::string_view const field : row.fields) (out += field) += '|';
            out.back() = ';';
        });
    return counts.bad == 0 ? out : out + " bad " + std::to_string(counts.bad);
}

// The message after the file's name.
std::string refusal(std::string_view content, CsvOptions options = {}, std::string const& label = "income") {
    try {
        return "accepted " + rows(content, std::move(options), label);
    } catch (inlay::Error const& error) {
        std::string const start = "inlay: " + error.file() + ": ";
        std::string const message = error.what();
        CHECK(message.starts_with(start));
        return message.substr(start.size());
    }
}

} // namespace

TEST_CASE("csv: options as users write them") {
    char path[] = "p.csv";
    char* argv[] = {path, path};
    Csv const plain = Csv{argv[1]};
    CHECK(plain.path == "p.csv");
    CHECK(plain.options.separator == ',');
    CHECK(Csv{argv[1], {.skip_lines = 1}}.options.skip_lines == 1);
    CHECK(Csv{argv[1], {.missing = {}}}.options.missing.empty());
    CHECK(Csv{argv[1], {.separator = ';', .skip_bad_rows = true}}.options.missing.size() == 2);
    CHECK(inlay::is_missing(plain.options, "?"));
    CHECK(inlay::is_missing(plain.options, ""));
    CHECK_FALSE(inlay::is_missing(plain.options, "0"));
    CHECK_FALSE(inlay::is_missing(Csv{argv[1], {.missing = {}}}.options, ""));
    CHECK(inlay::is_missing(Csv{argv[1], {.missing = {"NA"}}}.options, "NA"));
}

TEST_CASE("csv: rows without a header") {
    CHECK(rows("1,a,x\n2,b,y\n") == "1:1|a|x;2:2|b|y;");
    CHECK(rows("1,a,x\r\n2,b,y") == "1:1|a|x;2:2|b|y;");
    CHECK(rows(" 1 ,\ta b\t, x \n") == "1:1|a b|x;");
    CHECK(rows("\n1,a,x\n\r\n  \t \n\n2,,\n") == "2:1|a|x;6:2||;");
    CHECK(rows("\xEF\xBB\xBF"
               "1,a,x\n") == "1:1|a|x;");
    CHECK(rows("|junk, \"\n1,a,x\n", {.skip_lines = 1}) == "2:1|a|x;");
    CHECK(rows("one\n", {.skip_lines = 5}).empty());
    CHECK(rows("").empty());
    CHECK(rows("1;a,b;x\n", {.separator = ';'}) == "1:1|a,b|x;");
    CHECK(rows("1\t\tx\n", {.separator = '\t'}) == "1:1||x;");
    CHECK(rows("1 a x\n", {.separator = ' '}) == "1:1|a|x;");
}

TEST_CASE("csv: a header gives columns in any order") {
    CHECK(rows("age,job,income\n1,a,x\n") == "2:1|a|x;");
    CHECK(rows("\xEF\xBB\xBF"
               "income , id,job,\"age\"\nx,7,a,1\n") == "2:1|a|x;");
    CHECK(rows("job,age,y\na,1,x\n", {}, "") == "2:1|a|x;");
    CHECK(rows("// note\n\nage,job,income\n1,a,x\n", {.skip_lines = 1}) == "4:1|a|x;");
    CHECK(refusal("age,job,wage\n1,a,x\n") == "line 1: expected one column named \"income\", found 0");
    CHECK(refusal("age,job,income,age\n1,a,x,2\n") == "line 1: expected one column named \"age\", found 2");
    CHECK(refusal("age,job,income\n1,a\n") == "line 2: expected 3 columns, found 2");
    CHECK(refusal("age,work,id,income\n1,a,7,x\n") ==
          "line 1: expected 3 columns (the fields and the label) or a header with \"job\", found 4");
    File const file{"income,job,age\nx,a,1\n"};
    inlay::read_csv({file.path}, fields, "income", [](CsvRow const& row) {
        CHECK(std::vector<std::size_t>(row.columns.begin(), row.columns.end()) ==
              std::vector<std::size_t>{3, 2, 1});
        CHECK(row.number(0) == 1.0);
    });
}

TEST_CASE("csv: the columns of a file without a header may be named") {
    std::vector<std::string> const columns{"income", "id", "age", "job"};
    CHECK(rows("x,7,1,a\ny,8,2,b\n", {.columns = columns}) == "1:1|a|x;2:2|b|y;");
    CHECK(rows("x,7,a,1\n", {.columns = {"y", "id", "job", "age"}}, "") == "1:1|a|1;");
    CHECK(rows("job,age,income\na,1,x\n", {.columns = columns}) == "2:1|a|x;"); // a header there is
    CHECK(refusal("x,7,1\n", {.columns = columns}) == "line 1: expected 4 columns, found 3");
    CHECK(refusal("x,7,1,a\ny,8,2\n", {.columns = columns}) == "line 2: expected 4 columns, found 3");
    CHECK(rows("x\nx,7,1,a\n", {.columns = columns, .skip_bad_rows = true}) == "2:1|a|x; bad 1");
    CHECK(refusal("x,7,1,a\n", {.columns = columns}, "wage") ==
          "option columns: expected one column named \"wage\", found 0");
    CHECK(refusal("x,7,1,a\n", {.columns = {"age", "age", "job", "income"}}) ==
          "option columns: expected one column named \"age\", found 2");
}

TEST_CASE("tsv: tabs part, quotes are text") {
    File const file{"1\t\"a \"\tb\" x\n\n2\t\t\r\n"};
    std::string out;
    inlay::read_csv(inlay::Tsv{file.path}, fields, "income", [&](CsvRow const& row) {
        for (std::string_view const field : row.fields) (out += field) += '|';
        out += std::to_string(row.line) + ";";
    });
    CHECK(out == "1|\"a \"|b\" x|1;2|||3;");
    Csv const csv = inlay::Tsv{"t", {.missing = {"NULL"}}};
    CHECK(csv.options.separator == '\t');
    CHECK_FALSE(csv.options.quotes);
    CHECK(csv.options.missing == std::vector<std::string>{"NULL"});
}

TEST_CASE("csv: quotes") {
    CHECK(rows("1,\"a,b\",x\n") == "1:1|a,b|x;");
    CHECK(rows("\"1\" , \" \"\"a\"\" \" ,\"\"\n") == "1:1| \"a\" |;");
    CHECK(rows("1,\"\"\"\",x\n") == "1:1|\"|x;");
    CHECK(rows("1,\"a\n\n b\",x\r\n2,b,y\r\n") == "1:1|a\n\n b|x;4:2|b|y;");
    CHECK(rows("1,\"a\r\nb\",\"x\"\r\n2,\"\r\n\",y\r\n") == "1:1|a\r\nb|x;3:2|\r\n|y;");
    CHECK(refusal("1,a\"b,x\n") ==
          "line 1, column 2: expected quotes around the whole field and doubled inside, found \"a\\\"b\"");
    CHECK(refusal("1,a,x\n2,\"a\"b,x\n") ==
          "line 2, column 2: expected a separator after the closing quote, found \"b,x\"");
    CHECK(refusal("1,a,\"x\n2,b,y\n") ==
          "line 1, column 3: expected a closing quote, found the end of the file");
    CHECK(refusal("1,a,\"x\n2,b,y\n", {.skip_bad_rows = true}) ==
          "line 1, column 3: expected a closing quote, found the end of the file");
}

TEST_CASE("csv: bad rows are errors, or counted where asked") {
    CHECK(refusal("1,a,x\n2,b\n") == "line 2: expected 3 columns, found 2");
    CHECK(refusal("1,a,x\n2,b,y,\n") == "line 2: expected 3 columns, found 4");
    CHECK(refusal("1,a\n") == "line 1: expected 3 columns (the fields and the label), found 2");
    CHECK(refusal(std::string_view("1,\0a,x\n", 8)) ==
          "line 1: expected text without zero bytes (UTF-8), found a zero byte");
    CHECK(rows("1,a,x\n2,b\n3,\"c\"c,z\n4,d,w\n", {.skip_bad_rows = true}) == "1:1|a|x;4:4|d|w; bad 2");
    CHECK(rows("a title\nage,job,income\n1,a,x\n", {.skip_bad_rows = true}) == "3:1|a|x; bad 1");
}

TEST_CASE("csv: on_row may call a row bad") {
    File const file{"job,income,age\na,x,1\nb,y,1e\nc,z,3\n"};
    double sum = 0;
    auto const add = [&](CsvRow const& row) { sum += row.number(0); };
    try {
        inlay::read_csv({file.path}, fields, "income", add);
        FAIL("1e is no number");
    } catch (inlay::Error const& error) {
        CHECK(std::string(error.what()) ==
              "inlay: " + file.path + ": line 3, column 3: expected a number, found \"1e\"");
        CHECK(error.place() == "line 3, column 3");
        CHECK(error.expected() == "a number");
        CHECK(error.found() == "\"1e\"");
    }
    sum = 0;
    auto const counts = inlay::read_csv({file.path, {.skip_bad_rows = true}}, fields, "income", add);
    CHECK(counts.rows == 2);
    CHECK(counts.bad == 1);
    CHECK(sum == 4.0);
    auto const full = [](CsvRow const& row) {
        inlay::detail::fail(inlay::Error{row.file, "field job", "at most 0 values", "1"});
    };
    CHECK_THROWS_AS(inlay::read_csv({file.path, {.skip_bad_rows = true}}, fields, "income", full),
                    inlay::Error);
}

TEST_CASE("csv: files and options that cannot be used") {
    File const file{"1,a,x\n"};
    auto const message = [](Csv const& csv) -> std::string {
        try {
            inlay::read_csv(csv, fields, "income", [](CsvRow const&) {});
        } catch (inlay::Error const& error) { return error.what(); }
        return "accepted";
    };
    std::string const none = file.path + ".none";
    CHECK(message({none}) == "inlay: " + none + ": expected a file to read, found No such file or directory");
    CHECK(message({file.folder.string()}) ==
          "inlay: " + file.folder.string() + ": expected a file to read, found Is a directory");
    CHECK(message({file.path, {.skip_lines = -1}}) ==
          "inlay: " + file.path + ": option skip_lines: expected 0 or more, found -1");
    CHECK(message({file.path, {.separator = '"'}}) ==
          "inlay: " + file.path +
              ": option separator: expected neither a quote nor a line end, found \"\\\"\"");
    CHECK(message({file.path, {.separator = '\n'}}).find("option separator") != std::string::npos);
}

TEST_CASE("csv: numbers") {
    CHECK(parse_number("0") == 0.0);
    CHECK(parse_number("-12.5e-1") == -1.25);
    CHECK(parse_number("+3") == 3.0);
    CHECK(parse_number(".5") == 0.5);
    CHECK(parse_number("5.") == 5.0);
    CHECK(parse_number("007") == 7.0);
    CHECK(parse_number("0.1") == 0.1);
    CHECK(parse_number("999999999999999") == 999999999999999.0);
    CHECK(parse_number("-99999999999999") == -99999999999999.0);
    CHECK(parse_number("12345678901234567890") == 12345678901234567890.0);
    CHECK(std::signbit(*parse_number("-0")));
    CHECK_FALSE(std::signbit(*parse_number("+0")));
    for (char const* text :
         {"",    "+",    "-",   ".",   "+-1",      "--1", "1 ",    " 1",     "1x",    "1,5", "0x10",
          "inf", "-inf", "nan", "NaN", "infinity", "1e",  "1e999", "1e-999", "1_000", "?"}) {
        INFO(text);
        CHECK_FALSE(parse_number(text));
    }
}
