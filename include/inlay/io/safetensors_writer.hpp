// SPDX-License-Identifier: BSD-3-Clause
// Writes a safetensors file that other readers map: whole or not at all, its data on a 64-byte line.
#pragma once

#include <inlay/io/atomic_file.hpp>
#include <inlay/io/json_value.hpp>
#include <inlay/io/safetensors_reader.hpp>
#include <inlay/io/scalars.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace inlay::inline INLAY_ISA {

/// A tensor to be written. `fill` is given room for exactly its bytes, once, and writes the elements
/// row-major, packed and little-endian (write_scalars does); parameters with padded rows are packed there.
struct TensorSource {
    std::string name;
    DType dtype;
    std::vector<std::uint64_t> shape;
    std::function<void(std::byte*)> fill;
};

namespace detail {

struct SafetensorsPlan {
    std::vector<TensorSource const*> order;
    std::vector<std::uint64_t> sizes; // of the tensors, in that order
    std::string header;
};

inline SafetensorsPlan plan_safetensors(std::string const& file, std::span<TensorSource const> tensors,
                                        std::map<std::string, std::string> metadata) {
    auto const text = [&](std::string& out, std::string const& s, char const* what) {
        if (!is_utf8(s)) fail(Error{file, what, "UTF-8", in_quotes(s)});
        append_json(out, std::string_view{s});
    };
    SafetensorsPlan plan;
    for (TensorSource const& tensor : tensors) plan.order.push_back(&tensor);
    std::ranges::sort(plan.order, [](TensorSource const* a, TensorSource const* b) {
        return std::pair{dtype_bits(b->dtype), std::string_view{a->name}} <
               std::pair{dtype_bits(a->dtype), std::string_view{b->name}};
    });
    metadata.emplace("format", "pt"); // readers of PyTorch checkpoints ask for it
    std::string& out = plan.header;
    out = "{\"__metadata__\":{";
    char const* comma = "";
    for (auto const& [key, value] : metadata) {
        out += std::exchange(comma, ",");
        text(out, key, "metadata");
        out += ':';
        text(out, value, "metadata");
    }
    out += '}';
    std::set<std::string_view> names;
    std::uint64_t begin = 0;
    for (TensorSource const* tensor : plan.order) {
        std::string const place = joined("tensor ", in_quotes(tensor->name));
        if (tensor->name == "__metadata__")
            fail(Error{file, place, "a name that the format leaves free", ""});
        if (!names.insert(tensor->name).second) fail(Error{file, place, "each name once", "it again"});
        plan.sizes.push_back(tensor_bytes(tensor->dtype, tensor->shape, file, place + ", shape"));
        std::uint64_t const end = begin + plan.sizes.back();
        if (end < begin) fail(Error{file, place, "less than 2^64 bytes in all", ""});
        out += ',';
        text(out, tensor->name, "tensor");
        out += joined(":{\"dtype\":\"", dtype_name(tensor->dtype), "\",\"shape\":[");
        for (std::size_t i = 0; i < tensor->shape.size(); ++i)
            out += joined(i == 0 ? "" : ",", tensor->shape[i]);
        out += joined("],\"data_offsets\":[", begin, ",", end, "]}");
        begin = end;
    }
    out += '}';
    out.append((64 - (8 + out.size()) % 64) % 64, ' ');
    if (out.size() > max_header_bytes)
        fail(Error{file, "header size", joined("at most ", max_header_bytes), std::to_string(out.size())});
    return plan;
}

} // namespace detail

/// Writes the tensors, larger elements first and then by name, whatever their order here. The file is written
/// beside `path`, flushed and renamed: on any error, also one thrown by a fill function, the file at `path`
/// stays what it was. An error names file, tensor and reason: a name twice, `__metadata__` as a name, text
/// that is not UTF-8, a size past 64 bits, or what the disk says. The metadata gets "format": "pt" unless it
/// has one.
inline void write_safetensors(std::string const& path, std::span<TensorSource const> tensors,
                              std::map<std::string, std::string> const& metadata = {}) {
    detail::SafetensorsPlan const plan = detail::plan_safetensors(path, tensors, metadata);
    detail::AtomicFile file{path};
    std::byte size[8];
    detail::store_little(static_cast<std::uint64_t>(plan.header.size()), size);
    file.write(size);
    file.write(std::as_bytes(std::span{plan.header}));
    std::vector<std::byte> bytes;
    for (std::size_t i = 0; i < plan.order.size(); ++i) {
        bytes.assign(static_cast<std::size_t>(plan.sizes[i]), std::byte{0});
        plan.order[i]->fill(bytes.data());
        file.write(bytes);
    }
    file.commit();
}

} // namespace inlay::inline INLAY_ISA
