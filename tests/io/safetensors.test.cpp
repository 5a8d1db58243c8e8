// SPDX-License-Identifier: BSD-3-Clause
#include <inlay/io/safetensors.hpp>

#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#if __has_include(<unistd.h>)
#include <unistd.h>
#endif
#if __has_include(<sys/resource.h>)
#include <sys/resource.h>
#endif

using inlay::DType;
using inlay::Safetensors;
using inlay::TensorInfo;
using inlay::TensorSource;

namespace {

namespace fs = std::filesystem;

std::vector<std::byte> raw(std::string_view text) {
    auto const* first = reinterpret_cast<std::byte const*>(text.data());
    return {first, first + text.size()};
}

std::vector<std::byte> with_size(std::uint64_t size, std::string_view rest) {
    std::vector<std::byte> bytes(8);
    inlay::detail::store_little(size, bytes.data());
    std::vector<std::byte> const tail = raw(rest);
    bytes.insert(bytes.end(), tail.begin(), tail.end());
    return bytes;
}

std::vector<std::byte> file_of(std::string const& header, std::size_t data = 0) {
    return with_size(header.size(), header + std::string(data, '\x01'));
}

std::string refusal(std::vector<std::byte> bytes) {
    try {
        Safetensors::parse(std::move(bytes), "m.st");
    } catch (inlay::Error const& error) {
        CHECK(error.file() == "m.st");
        return error.what();
    }
    return "accepted";
}

void refused(std::vector<std::byte> bytes, std::string const& words) {
    std::string const message = refusal(std::move(bytes));
    INFO(message);
    CHECK(message.find(words) != std::string::npos);
}

// One tensor "a" with this entry.
void refused_entry(std::string const& entry, std::size_t data, std::string const& words) {
    refused(file_of("{\"a\":" + entry + "}", data), words);
}

std::string entry(std::string const& dtype, std::string const& shape, std::string const& offsets) {
    return R"({"dtype":")" + dtype + R"(","shape":)" + shape + R"(,"data_offsets":)" + offsets + "}";
}

struct Folder {
    fs::path path;
    Folder() {
        static int number = 0;
        do path = fs::temp_directory_path() / ("inlay-safetensors-" + std::to_string(++number));
        while (!fs::create_directory(path));
    }
    ~Folder() {
        std::error_code ignored;
        fs::remove_all(path, ignored);
    }
    std::string file(std::string const& name) const { return (path / name).string(); }
    std::ptrdiff_t entries() const { return std::distance(fs::directory_iterator{path}, {}); }
};

std::string content(std::string const& path) {
    std::ifstream stream{path, std::ios::binary};
    return {std::istreambuf_iterator<char>{stream}, {}};
}

TensorSource source(std::string name, std::vector<float> values, std::vector<std::uint64_t> shape) {
    return {std::move(name), DType::F32, std::move(shape),
            [values](std::byte* to) { inlay::write_scalars(values.data(), values.size(), to); }};
}

std::string write_refusal(std::string const& path, std::vector<TensorSource> const& tensors,
                          std::map<std::string, std::string> const& metadata = {}) {
    try {
        inlay::write_safetensors(path, tensors, metadata);
    } catch (inlay::Error const& error) {
        CHECK(error.file() == path);
        return error.what();
    }
    return "accepted";
}

bool has(std::string const& text, std::string const& words) {
    INFO(text);
    CHECK(text.find(words) != std::string::npos);
    return true;
}

} // namespace

TEST_CASE("safetensors: a file made by hand") {
    std::string const header = R"({"__metadata__":{"k":"v"},"b":)" + entry("F32", "[1,2]", "[3, 11]") +
                               R"(,"a":)" + entry("U8", "[3]", "[0,3]") + R"(,"e":)" +
                               entry("F16", "[0,7]", "[3,3]") + R"(,"s":)" + entry("BF16", "[]", "[11,13]") +
                               "}   ";
    std::vector<std::byte> bytes = file_of(header, 13);
    std::byte* const data = bytes.data() + 8 + header.size();
    float const values[] = {1.5F, -2.0F};
    inlay::write_scalars(values, 2, data + 3);
    inlay::detail::store_little<std::uint16_t>(0x3F80, data + 11);

    Safetensors const read = Safetensors::parse(bytes, "m.st");
    REQUIRE(read.tensors().size() == 4);
    CHECK(read.tensors()[0].name == "a");
    CHECK(read.tensors()[1].name == "e");
    CHECK(read.tensors()[1].count() == 0);
    CHECK(read.metadata() == std::map<std::string, std::string>{{"k", "v"}});
    CHECK(read.file() == "m.st");
    CHECK(read.find("c") == nullptr);
    TensorInfo const& b = *read.find("b"); // three bytes into the data: no alignment at all
    CHECK(b.dtype == DType::F32);
    CHECK(b.shape == std::vector<std::uint64_t>{1, 2});
    double out[2] = {};
    inlay::read_scalars(b, out);
    CHECK(out[0] == 1.5);
    CHECK(out[1] == -2.0);
    float scalar = 0;
    CHECK(read.find("s")->count() == 1);
    inlay::read_scalars(*read.find("s"), &scalar);
    CHECK(scalar == 1.0F);
    try {
        inlay::read_scalars(*read.find("a"), out);
        FAIL("U8 was read as real numbers");
    } catch (inlay::Error const& error) {
        has(error.what(), "tensor \"a\": expected dtype F64, F32, F16 or BF16, found U8");
    }
}

TEST_CASE("safetensors: moving keeps the tensors in place") {
    static_assert(!std::is_copy_constructible_v<Safetensors>);
    Safetensors first = Safetensors::parse(file_of("{\"a\":" + entry("U8", "[2]", "[0,2]") + "}", 2), "m.st");
    Safetensors const second = std::move(first);
    CHECK(second.find("a")->bytes[1] == std::byte{1});
    CHECK(Safetensors::parse(file_of("{}"), "m.st").tensors().empty());
}

TEST_CASE("safetensors: header size") {
    refused({}, "expected the 8 bytes of a header size, found 0 bytes");
    refused(raw("1234567"), "the 8 bytes of a header size, found 7 bytes");
    refused(with_size(100'000'001, "{}"), "header size: expected at most 100000000, found 100000001");
    refused(with_size(std::numeric_limits<std::uint64_t>::max(), "{}"),
            "header size: expected at most 100000000");
    refused(with_size(std::numeric_limits<std::uint64_t>::max() - 7, "{}"), "header size");
    refused(with_size(3, "{}"), "header size: expected at most the 2 bytes after it, found 3");
    refused(with_size(0, ""), "header: expected \"{\" as the first byte");
}

TEST_CASE("safetensors: header text") {
    refused(file_of(" {}"), "\"{\" as the first byte, found \" {}\"");
    refused(file_of("[]"), "\"{\" as the first byte");
    refused(file_of("{}\n"), "only spaces after the closing brace");
    refused(file_of("{} x"), "only spaces after the closing brace");
    refused(file_of(std::string("{}\0", 3)), "only spaces after the closing brace, found \"\\x00\"");
    refused(file_of("{}{}"), "header, byte 2: expected the end of the JSON text");
    refused(file_of("{\"a\" 1}"), "header, byte 5: expected \":\"");
    refused(file_of("{\"\xff\":1}"), "header, byte 2: expected UTF-8");
    refused(file_of("{\"a\":[[[1]]]}"), "header, byte 7: expected JSON nested at most 3 deep");
    std::string const e = entry("U8", "[1]", "[0,1]");
    refused(file_of("{\"a\":" + e + ",\"a\":" + e + "}", 1), "each name once, found \"a\" again");
    refused(file_of("{\"a\":" + e + ",\"\\u0061\":" + e + "}", 1), "each name once");
    refused_entry(R"({"dtype":"U8","dtype":"U8","shape":[1],"data_offsets":[0,1]})", 1, "each name once");
}

TEST_CASE("safetensors: metadata is string to string") {
    refused(file_of(R"({"__metadata__":[]})"), "__metadata__: expected an object");
    refused(file_of(R"({"__metadata__":{"n":1}})"), "__metadata__, \"n\": expected a string, found \"1\"");
    refused(file_of(R"({"__metadata__":{"n":{}}})"), "expected a string");
    CHECK(refusal(file_of(R"({"__metadata__":{}})")) == "accepted");
}

TEST_CASE("safetensors: an entry has its three keys") {
    refused_entry("[]", 0, "tensor \"a\": expected an object");
    refused_entry(R"({"shape":[1],"data_offsets":[0,1]})", 1, "expected the key dtype, found none");
    refused_entry(R"({"dtype":"U8","data_offsets":[0,1]})", 1, "expected the key shape, found none");
    refused_entry(R"({"dtype":"U8","shape":[1]})", 1, "expected the key data_offsets, found none");
    refused_entry(R"({"dtype":"U8","shape":[1],"data_offsets":[0,1],"x":1})", 1,
                  "expected the keys dtype, shape and data_offsets, found \"x\"");
    refused_entry(entry("F31", "[1]", "[0,1]"), 1, "tensor \"a\", dtype: expected a dtype of the format");
    refused_entry(entry("f32", "[1]", "[0,4]"), 4, "a dtype of the format");
    refused_entry(R"({"dtype":8,"shape":[1],"data_offsets":[0,1]})", 1, "a dtype of the format");
}

TEST_CASE("safetensors: numbers are digits only") {
    for (char const* number : {"-1", "-0", "1.0", "1e0", "18446744073709551616", "\"1\"", "null", "true"}) {
        std::string const n = number;
        refused_entry(entry("U8", "[" + n + "]", "[0,1]"), 1,
                      "tensor \"a\", shape: expected digits only, below 2^64");
        refused_entry(entry("U8", "[1]", "[0," + n + "]"), 1,
                      "data_offsets: expected digits only, below 2^64");
    }
    refused_entry(entry("U8", "1", "[0,1]"), 1, "shape: expected a list of numbers");
    refused_entry(entry("U8", "[1]", "1"), 1, "data_offsets: expected a list of numbers");
    refused_entry(entry("U8", "[1]", "[0]"), 1, "data_offsets: expected two numbers, found 1");
    refused_entry(entry("U8", "[1]", "[0,1,1]"), 1, "data_offsets: expected two numbers, found 3");
    refused_entry(entry("U8", "[1]", "[1,0]"), 1, "an end that is not before the begin, found [1, 0]");
}

TEST_CASE("safetensors: shapes") {
    std::string ones = "[1";
    for (int i = 0; i < 15; ++i) ones += ",1";
    CHECK(refusal(file_of("{\"a\":" + entry("U8", ones + "]", "[0,1]") + "}", 1)) == "accepted");
    refused_entry(entry("U8", ones + ",1]", "[0,1]"), 1,
                  "shape: expected a shape of at most 16 extents, found 17");
    refused_entry(entry("U8", "[4294967296,4294967296]", "[0,0]"), 0, "a size in bits below 2^64");
    refused_entry(entry("F64", "[288230376151711744]", "[0,0]"), 0, "a size in bits below 2^64");
    refused_entry(entry("U8", "[4294967296,4294967296,0]", "[0,0]"), 0, "a size in bits below 2^64");
    refused_entry(entry("U8", "[0,4294967296,4294967296]", "[0,0]"), 0, "a size in bits below 2^64");
    refused_entry(entry("F4", "[3]", "[0,1]"), 1, "elements that fill whole bytes, found F4 [3]");
    refused_entry(entry("F6_E2M3", "[2]", "[0,1]"), 1, "elements that fill whole bytes");
    refused_entry(entry("F32", "[2]", "[0,7]"), 7, "expected 8 bytes for F32 [2], found 7");
    refused_entry(entry("F32", "[]", "[0,0]"), 0, "expected 4 bytes for F32 []");
    refused_entry(entry("F32", "[0]", "[0,4]"), 4, "expected 0 bytes for F32 [0], found 4");
}

TEST_CASE("safetensors: tensors fill the data without hole or overlap") {
    auto const two = [](std::string const& first, std::string const& second, std::size_t data) {
        return file_of("{\"a\":" + entry("U8", "[2]", first) + ",\"b\":" + entry("U8", "[2]", second) + "}",
                       data);
    };
    CHECK(refusal(two("[2,4]", "[0,2]", 4)) == "accepted");
    refused(
        two("[0,2]", "[3,5]", 5),
        "tensor \"b\", data_offsets: expected a begin at 2, where the tensor before ends, found 3 (a hole)");
    refused(two("[0,2]", "[1,3]", 3), "found 1 (an overlap)");
    refused(two("[0,2]", "[0,2]", 2), "found 0 (an overlap)");
    refused(two("[1,3]", "[3,5]", 5), "tensor \"a\", data_offsets: expected a begin at 0");
    refused(two("[0,2]", "[2,4]", 3),
            "tensor \"b\", data_offsets: expected an end within the 3 bytes of data, found 4");
    refused(two("[0,2]", "[18446744073709551613,18446744073709551615]", 4),
            "an end within the 4 bytes of data");
    refused(two("[0,2]", "[2,4]", 5), "the file to end with the last tensor, found 1 bytes more");
    refused(file_of("{}", 1), "the file to end with the last tensor, found 1 bytes more");
    std::string const empty = entry("U8", "[0]", "[1,1]");
    refused(file_of("{\"a\":" + entry("U8", "[2]", "[0,2]") + ",\"z\":" + empty + "}", 2), "(an overlap)");
    CHECK(refusal(file_of("{\"z\":" + entry("U8", "[0]", "[2,2]") + ",\"a\":" + entry("U8", "[2]", "[0,2]") +
                              ",\"y\":" + entry("U8", "[0]", "[0,0]") + "}",
                          2)) == "accepted");
}

TEST_CASE("safetensors: every dtype has its name and its bits") {
    std::map<std::string, unsigned> const bits{
        {"BOOL", 8},    {"U8", 8},          {"I8", 8},          {"F8_E5M2", 8}, {"F8_E4M3", 8},
        {"F8_E8M0", 8}, {"F8_E4M3FNUZ", 8}, {"F8_E5M2FNUZ", 8}, {"I16", 16},    {"U16", 16},
        {"F16", 16},    {"BF16", 16},       {"I32", 32},        {"U32", 32},    {"F32", 32},
        {"C64", 64},    {"F64", 64},        {"I64", 64},        {"U64", 64},    {"F4", 4},
        {"F6_E2M3", 6}, {"F6_E3M2", 6}};
    CHECK(bits.size() == inlay::detail::dtype_rows.size());
    for (auto const& [name, size] : bits) {
        REQUIRE(inlay::find_dtype(name));
        CHECK(inlay::dtype_name(*inlay::find_dtype(name)) == name);
        CHECK(inlay::dtype_bits(*inlay::find_dtype(name)) == size);
        std::string const bytes = std::to_string(size / 2);
        CHECK(refusal(file_of("{\"a\":" + entry(name, "[4]", "[0," + bytes + "]") + "}", size / 2)) ==
              "accepted");
    }
}

TEST_CASE("safetensors: half precision") {
    using inlay::detail::from_bfloat;
    using inlay::detail::from_half;
    CHECK(from_half(0x3C00) == 1.0F);
    CHECK(from_half(0xC500) == -5.0F);
    CHECK(from_half(0x7BFF) == 65504.0F);
    CHECK(from_half(0x0400) == 0x1p-14F);
    CHECK(from_half(0x0001) == 0x1p-24F);
    CHECK(from_half(0x83FF) == -1023 * 0x1p-24F);
    CHECK(std::signbit(from_half(0x8000)));
    CHECK(from_half(0xFC00) == -std::numeric_limits<float>::infinity());
    CHECK(std::isnan(from_half(0x7E01)));
    CHECK(from_bfloat(0xC049) == -3.140625F);
#if defined(__FLT16_MAX__)
    for (unsigned i = 0; i < 65536; ++i) { // every finite value against the compiler's own
        auto const bits = static_cast<std::uint16_t>(i);
        auto const truth = static_cast<float>(std::bit_cast<_Float16>(bits));
        if (std::isnan(truth) ? !std::isnan(from_half(bits)) : from_half(bits) != truth) FAIL("half ", i);
    }
#endif
}

TEST_CASE("safetensors: whole numbers begin with their lowest byte on every machine") {
    static_assert(inlay::detail::whole_dtype<std::int64_t> == DType::I64 &&
                  inlay::detail::whole_dtype<std::uint64_t> == DType::U64);
    static_assert(inlay::detail::whole_dtype<std::int32_t> == DType::I32);
    std::int64_t const numbers[] = {0x0102030405060708, -2};
    int const bytes[] = {8, 7, 6, 5, 4, 3, 2, 1, 254, 255, 255, 255, 255, 255, 255, 255};
    std::byte packed[16];
    inlay::detail::store_whole(numbers, 2, packed);
    for (int i = 0; i < 16; ++i) CHECK(std::to_integer<int>(packed[i]) == bytes[i]);
    std::int64_t back[2] = {};
    inlay::detail::load_whole(packed, 2, back);
    CHECK(back[0] == numbers[0]);
    CHECK(back[1] == -2);
}

TEST_CASE("safetensors: what is written is read") {
    Folder const folder;
    std::string const path = folder.file("m.safetensors");
    double const wide[] = {0.1, -1e300};
    std::vector<TensorSource> tensors{source("z", {1, 2, 3}, {3}), source("a\"\u00e9", {4.5F}, {}),
                                      source("empty", {}, {0, 3})};
    tensors.push_back({"byte", DType::U8, {1}, [](std::byte* to) { *to = std::byte{7}; }});
    tensors.push_back(
        {"wide", DType::F64, {1, 2}, [&](std::byte* to) { inlay::write_scalars(wide, 2, to); }});
    inlay::write_safetensors(path, tensors, {{"note", "line\n\"two\""}});

    Safetensors const read = Safetensors::read(path);
    std::vector<std::string> names;
    for (TensorInfo const& tensor : read.tensors()) names.push_back(tensor.name);
    std::vector<std::string> const file_order{"wide", "a\"\u00e9", "empty", "z", "byte"};
    CHECK(names == file_order);
    CHECK(read.metadata() == std::map<std::string, std::string>{{"format", "pt"}, {"note", "line\n\"two\""}});
    double got[2] = {};
    inlay::read_scalars(*read.find("wide"), got);
    CHECK(std::memcmp(got, wide, sizeof got) == 0);
    float z[3] = {};
    inlay::read_scalars(*read.find("z"), z);
    CHECK(z[2] == 3.0F);
    CHECK(read.find("empty")->shape == std::vector<std::uint64_t>{0, 3});
    CHECK(read.find("byte")->bytes[0] == std::byte{7});

    std::string const bytes = content(path);
    auto const header = inlay::detail::load_little<std::uint64_t>(raw(bytes).data());
    CHECK((8 + header) % 64 == 0);
    CHECK(folder.entries() == 1);

    inlay::write_safetensors(path, tensors, {{"note", "line\n\"two\""}});
    CHECK(content(path) == bytes); // the same input, the same file
    inlay::write_safetensors(path, {}, {{"format", "np"}});
    CHECK(Safetensors::read(path).metadata().at("format") == "np");
    CHECK(Safetensors::read(path).tensors().empty());
}

TEST_CASE("safetensors: the writer refuses what the reader would") {
    Folder const folder;
    std::string const path = folder.file("m.st");
    TensorSource const good = source("a", {1}, {1});
    has(write_refusal(path, {good, good}), "tensor \"a\": expected each name once");
    has(write_refusal(path, {source("__metadata__", {1}, {1})}), "a name that the format leaves free");
    has(write_refusal(path, {source("\xff", {1}, {1})}), "expected UTF-8, found \"\\xFF\"");
    has(write_refusal(path, {good}, {{"k", "\xff"}}), "metadata: expected UTF-8");
    has(write_refusal(path, {source("b", {}, std::vector<std::uint64_t>(17, 1))}), "at most 16 extents");
    has(write_refusal(path, {source("b", {}, {1ULL << 32U, 1ULL << 32U, 0})}), "a size in bits below 2^64");
    has(write_refusal(path, {{"f", DType::F4, {1}, [](std::byte*) {}}}), "whole bytes");
    CHECK(folder.entries() == 0);
}

TEST_CASE("safetensors: a failed write leaves the old file and no other") {
    Folder const folder;
    std::string const path = folder.file("m.st");
    inlay::write_safetensors(path, std::vector{source("a", {1}, {1})});
    std::string const before = content(path);

    std::vector<TensorSource> tensors{source("a", {2}, {1})};
    tensors.push_back({"b", DType::F32, {1}, [](std::byte*) { throw std::runtime_error("stop"); }});
    CHECK_THROWS_AS(inlay::write_safetensors(path, tensors), std::runtime_error);
    CHECK(content(path) == before);
    CHECK(folder.entries() == 1);

    std::string const nowhere = folder.file("none/m.st");
    has(write_refusal(nowhere, {source("a", {1}, {1})}), "No such file or directory");
    fs::create_directory(folder.file("dir"));
    has(write_refusal(folder.file("dir"), {source("a", {1}, {1})}),
        "to replace this file, found Is a directory");
    CHECK(fs::is_directory(folder.file("dir")));
    CHECK(folder.entries() == 2);
#if __has_include(<unistd.h>)
    if (::geteuid() != 0) { // root may write anywhere
        fs::permissions(folder.path, fs::perms::owner_read | fs::perms::owner_exec);
        has(write_refusal(path, {source("a", {2}, {1})}), "Permission denied");
        fs::permissions(folder.path, fs::perms::owner_all);
        CHECK(content(path) == before);
    }
#endif
    std::ofstream{path + ".partial0"} << "of another writer";
    inlay::write_safetensors(path, std::vector{source("a", {3}, {1})});
    CHECK(content(path + ".partial0") == "of another writer");
    CHECK(content(path) != before);
}

#if __has_include(<sys/resource.h>)
TEST_CASE("safetensors: a disk that takes no more bytes") {
    Folder const folder;
    std::string const path = folder.file("m.st");
    inlay::write_safetensors(path, std::vector{source("a", {1}, {1})});
    std::string const before = content(path);
    rlimit old{};
    getrlimit(RLIMIT_FSIZE, &old);
    auto* const handler = std::signal(SIGXFSZ, SIG_IGN);
    for (std::size_t const size : {1U, 1U << 20U}) { // found by the flush, found by a write
        rlimit const small{32, old.rlim_max};
        setrlimit(RLIMIT_FSIZE, &small);
        std::string const message = write_refusal(path, {source("a", std::vector<float>(size), {size})});
        setrlimit(RLIMIT_FSIZE, &old);
        has(message, "File too large");
        CHECK(content(path) == before);
        CHECK(folder.entries() == 1);
    }
    std::signal(SIGXFSZ, handler);
}
#endif

TEST_CASE("safetensors: files that cannot be read") {
    Folder const folder;
    auto const message = [](std::string const& path) -> std::string {
        try {
            Safetensors::read(path);
        } catch (inlay::Error const& error) { return error.what(); }
        return "accepted";
    };
    has(message(folder.file("none")), folder.file("none") + ": expected a file to read, found No such file");
    has(message(folder.path.string()), "expected a file to read, found Is a directory");
    std::ofstream{folder.file("empty")};
    has(message(folder.file("empty")), "the 8 bytes of a header size, found 0 bytes");
}
