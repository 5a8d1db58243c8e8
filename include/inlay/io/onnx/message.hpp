// SPDX-License-Identifier: BSD-3-Clause
// The messages of onnx.proto that inference needs, as bytes.
#pragma once

#include <inlay/io/scalars.hpp>

#include <bit>
#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace inlay::inline INLAY_ISA {
namespace detail {

/// One protobuf message: fields in the order in which they are put.
class OnnxMessage {
public:
    OnnxMessage& put(int field, std::int64_t value) {
        varint(std::uint64_t(field) << 3U);
        varint(std::uint64_t(value));
        return *this;
    }
    OnnxMessage& put(int field, std::string_view bytes) {
        varint(std::uint64_t(field) << 3U | 2U);
        varint(bytes.size());
        bytes_ += bytes;
        return *this;
    }
    OnnxMessage& put(int field, OnnxMessage const& message) {
        return put(field, std::string_view(message.bytes_));
    }
    OnnxMessage& put_float(int field, float value) {
        varint(std::uint64_t(field) << 3U | 5U);
        bytes_ += little(value);
        return *this;
    }
    std::string const& bytes() const noexcept { return bytes_; }

    template <class T> static std::string little(T value) {
        using Bits = std::conditional_t<sizeof(T) == 8, std::uint64_t, std::uint32_t>;
        std::byte out[sizeof(T)];
        store_little(std::bit_cast<Bits>(value), out);
        return {reinterpret_cast<char const*>(out), sizeof(T)};
    }

private:
    void varint(std::uint64_t value) {
        for (; value > 127; value >>= 7U) bytes_ += char(static_cast<unsigned char>(value | 128U));
        bytes_ += char(value);
    }
    std::string bytes_;
};

/// An attribute of a node.
struct OnnxAttribute {
    std::string name;
    OnnxMessage message;
    template <std::integral V> OnnxAttribute(char const* n, V value) : name(n) {
        message.put(1, std::string_view(name)).put(20, 2).put(3, value);
    }
    template <std::floating_point V> OnnxAttribute(char const* n, V value) : name(n) {
        message.put(1, std::string_view(name)).put(20, 1).put_float(2, float(value));
    }
    OnnxAttribute(char const* n, std::vector<std::int64_t> const& values) : name(n) {
        message.put(1, std::string_view(name)).put(20, 7);
        for (auto const v : values) message.put(8, v);
    }
    OnnxAttribute(char const* n, OnnxMessage const& graph) : name(n) {
        message.put(1, std::string_view(name)).put(20, 5).put(6, graph);
    }
};

} // namespace detail
} // namespace inlay::inline INLAY_ISA
