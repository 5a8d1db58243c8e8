// SPDX-License-Identifier: BSD-3-Clause
// A safetensors file read strictly: what the format forbids is an error, and nothing is guessed.
#pragma once

#include <inlay/io/json.hpp>
#include <inlay/io/scalars.hpp>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <iterator>
#include <map>
#include <memory>
#include <numeric>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <tuple>
#include <utility>
#include <vector>

namespace inlay::inline INLAY_ISA {

/// One tensor of a file: row-major, packed, little-endian, at any alignment. `bytes` points into the
/// Safetensors.
struct TensorInfo {
    std::string name;
    DType dtype;
    std::vector<std::uint64_t> shape;
    std::span<std::byte const> bytes;

    /// Elements; a scalar (no extents) is one.
    std::size_t count() const noexcept { return bytes.size() * 8 / dtype_bits(dtype); }
};

/// Converts F64, F32, F16 or BF16 to the T of `out`, which has room for all elements. Another dtype is an
/// error.
template <std::floating_point T> void read_scalars(TensorInfo const& tensor, T* out) {
    if (!is_real(tensor.dtype))
        detail::fail(Error{"", detail::joined("tensor ", detail::in_quotes(tensor.name)),
                           "dtype F64, F32, F16 or BF16", std::string(dtype_name(tensor.dtype))});
    detail::load_scalars(tensor.dtype, tensor.bytes.data(), tensor.count(), out);
}

namespace detail {

inline constexpr std::uint64_t max_header_bytes = 100'000'000;

inline std::vector<std::byte> read_whole(std::string const& path) {
    std::error_code error;
    std::uintmax_t const size = std::filesystem::file_size(path, error);
    if (error) fail(Error{path, "", "a file to read", error.message()});
    errno = 0;
    std::unique_ptr<std::FILE, int (*)(std::FILE*)> const stream{std::fopen(path.c_str(), "rb"),
                                                                 &std::fclose};
    if (!stream) fail(Error{path, "", "a file to read", std::generic_category().message(errno)});
    std::vector<std::byte> bytes(static_cast<std::size_t>(size));
    std::size_t const got = bytes.empty() ? 0 : std::fread(bytes.data(), 1, bytes.size(), stream.get());
    if (got != bytes.size() || std::fgetc(stream.get()) != EOF)
        fail(Error{path, "", joined("to read ", size, " bytes"), "another size while reading"});
    return bytes;
}

} // namespace detail

/// A file in memory, or several of them. Its tensors point into it: it can be moved and not copied.
class Safetensors {
public:
    /// Reads and checks the whole file; an error names file, tensor and rule.
    static Safetensors read(std::string const& path) { return parse(detail::read_whole(path), path); }

    /// The same for bytes already in memory; `file` is only a name for errors.
    static Safetensors parse(std::vector<std::byte> bytes, std::string const& file) {
        Safetensors result;
        result.bytes_ = std::move(bytes);
        result.file_ = file;
        result.parse_header();
        return result;
    }

    /// The tensors of several files, whose names all differ, as if they stood in one.
    static Safetensors join(std::vector<Safetensors> parts, std::string const& file) {
        Safetensors result;
        result.file_ = file;
        for (Safetensors& part : parts) {
            std::ranges::move(part.tensors_, std::back_inserter(result.tensors_));
            result.metadata_.merge(part.metadata_);
            result.parts_.push_back(std::move(part.bytes_));
        }
        result.sort_names();
        return result;
    }

    Safetensors(Safetensors&&) = default;
    Safetensors& operator=(Safetensors&&) = default;
    Safetensors(Safetensors const&) = delete;
    Safetensors& operator=(Safetensors const&) = delete;

    /// All tensors in the order of their bytes.
    std::span<TensorInfo const> tensors() const noexcept { return tensors_; }

    /// The tensor of that name, or null.
    TensorInfo const* find(std::string_view name) const noexcept {
        auto const at =
            std::ranges::lower_bound(by_name_, name, {}, [&](std::size_t i) { return name_of(i); });
        return at != by_name_.end() && name_of(*at) == name ? &tensors_[*at] : nullptr;
    }

    std::map<std::string, std::string> const& metadata() const noexcept { return metadata_; }

    /// The path it was read from.
    std::string const& file() const noexcept { return file_; }

private:
    struct Entry {
        TensorInfo info;
        std::uint64_t begin, end;
    };

    Safetensors() = default;

    std::string_view name_of(std::size_t i) const noexcept { return tensors_[i].name; }

    [[noreturn]] void wrong(std::string place, std::string expected, std::string found) const {
        detail::fail(Error{file_, std::move(place), std::move(expected), std::move(found)});
    }

    void parse_header() {
        std::span<std::byte const> rest = bytes_;
        if (rest.size() < 8) wrong("", "the 8 bytes of a header size", detail::joined(rest.size(), " bytes"));
        auto const size = detail::load_little<std::uint64_t>(rest.data());
        rest = rest.subspan(8);
        if (size > detail::max_header_bytes)
            wrong("header size", detail::joined("at most ", detail::max_header_bytes), std::to_string(size));
        if (size > rest.size())
            wrong("header size", detail::joined("at most the ", rest.size(), " bytes after it"),
                  std::to_string(size));
        auto const length = static_cast<std::size_t>(size);
        std::string_view text{reinterpret_cast<char const*>(rest.data()), length};
        if (!text.starts_with('{')) wrong("header", "\"{\" as the first byte", detail::in_quotes(text, 20));
        text = text.substr(0, text.find_last_not_of(' ') + 1);
        if (!text.ends_with('}'))
            wrong("header", "only spaces after the closing brace",
                  detail::in_quotes(text.substr(text.size() - 1)));

        detail::Json const json = detail::parse_json(text, file_, "header", 3); // header, tensor, shape
        std::vector<Entry> entries;
        for (detail::JsonMember const& member : *json.get<detail::Json::Object>()) {
            if (member.name == "__metadata__") read_metadata(member.value);
            else entries.push_back(read_entry(member));
        }
        place_entries(std::move(entries), rest.subspan(length));
    }

    void read_metadata(detail::Json const& json) {
        auto const* object = json.get<detail::Json::Object>();
        if (object == nullptr) wrong("__metadata__", "an object", detail::in_quotes(to_json(json)));
        for (detail::JsonMember const& member : *object) {
            auto const* text = member.value.get<std::string>();
            if (text == nullptr)
                wrong(detail::joined("__metadata__, ", detail::in_quotes(member.name)), "a string",
                      detail::in_quotes(to_json(member.value)));
            metadata_.emplace(member.name, *text);
        }
    }

    std::vector<std::uint64_t> read_list(detail::Json const& json, std::string const& place) const {
        auto const* items = json.get<detail::Json::Array>();
        if (items == nullptr) wrong(place, "a list of numbers", detail::in_quotes(to_json(json)));
        std::vector<std::uint64_t> list;
        for (detail::Json const& item : *items) {
            auto const* number = item.get<std::uint64_t>();
            if (number == nullptr) wrong(place, "digits only, below 2^64", detail::in_quotes(to_json(item)));
            list.push_back(*number);
        }
        return list;
    }

    Entry read_entry(detail::JsonMember const& member) const {
        std::string const place = detail::joined("tensor ", detail::in_quotes(member.name));
        auto const* keys = member.value.get<detail::Json::Object>();
        if (keys == nullptr) wrong(place, "an object", detail::in_quotes(to_json(member.value)));
        for (detail::JsonMember const& key : *keys)
            if (key.name != "dtype" && key.name != "shape" && key.name != "data_offsets")
                wrong(place, "the keys dtype, shape and data_offsets", detail::in_quotes(key.name));
        for (char const* key : {"dtype", "shape", "data_offsets"})
            if (member.value.find(key) == nullptr) wrong(place, detail::joined("the key ", key), "none");

        detail::Json const& type = *member.value.find("dtype");
        auto const* type_name = type.get<std::string>();
        auto const dtype = type_name == nullptr ? std::nullopt : find_dtype(*type_name);
        if (!dtype) wrong(place + ", dtype", "a dtype of the format", detail::in_quotes(to_json(type)));
        std::vector<std::uint64_t> shape = read_list(*member.value.find("shape"), place + ", shape");
        std::vector<std::uint64_t> const offsets =
            read_list(*member.value.find("data_offsets"), place + ", data_offsets");
        if (offsets.size() != 2)
            wrong(place + ", data_offsets", "two numbers", std::to_string(offsets.size()));
        if (offsets[1] < offsets[0])
            wrong(place + ", data_offsets", "an end that is not before the begin",
                  detail::shape_text(offsets));
        std::uint64_t const bytes = detail::tensor_bytes(*dtype, shape, file_, place + ", shape");
        if (offsets[1] - offsets[0] != bytes)
            wrong(place + ", data_offsets",
                  detail::joined(bytes, " bytes for ", *type_name, " ", detail::shape_text(shape)),
                  std::to_string(offsets[1] - offsets[0]));
        return {{member.name, *dtype, std::move(shape), {}}, offsets[0], offsets[1]};
    }

    void place_entries(std::vector<Entry> entries, std::span<std::byte const> data) {
        std::ranges::sort(entries, {}, [](Entry const& e) { return std::tie(e.begin, e.end, e.info.name); });
        std::uint64_t end = 0;
        for (Entry& entry : entries) {
            std::string const place =
                detail::joined("tensor ", detail::in_quotes(entry.info.name), ", data_offsets");
            if (entry.end > data.size())
                wrong(place, detail::joined("an end within the ", data.size(), " bytes of data"),
                      std::to_string(entry.end));
            if (entry.begin != end)
                wrong(place, detail::joined("a begin at ", end, ", where the tensor before ends"),
                      detail::joined(entry.begin, entry.begin < end ? " (an overlap)" : " (a hole)"));
            end = entry.end;
            entry.info.bytes = data.subspan(static_cast<std::size_t>(entry.begin),
                                            static_cast<std::size_t>(entry.end - entry.begin));
            tensors_.push_back(std::move(entry.info));
        }
        if (end != data.size())
            wrong("", "the file to end with the last tensor",
                  detail::joined(data.size() - end, " bytes more"));
        sort_names();
    }

    void sort_names() {
        by_name_.resize(tensors_.size());
        std::iota(by_name_.begin(), by_name_.end(), std::size_t{0});
        std::ranges::sort(by_name_, {}, [&](std::size_t i) { return name_of(i); });
    }

    std::vector<std::byte> bytes_;
    std::vector<std::vector<std::byte>> parts_; // of a joined one
    std::string file_;
    std::vector<TensorInfo> tensors_;
    std::vector<std::size_t> by_name_;
    std::map<std::string, std::string> metadata_;
};

} // namespace inlay::inline INLAY_ISA
