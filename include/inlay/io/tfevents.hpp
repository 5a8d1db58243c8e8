// SPDX-License-Identifier: BSD-3-Clause
// Scalars as TensorBoard reads them: events in protocol buffers, framed as TensorFlow frames its records.
#pragma once

#include <inlay/core/error.hpp>
#include <inlay/io/scalars.hpp>

#include <array>
#include <bit>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace inlay::inline INLAY_ISA {
namespace detail {

/// CRC-32C (Castagnoli, RFC 3720): "123456789" gives 0xE3069283.
inline std::uint32_t crc32c(std::string_view bytes) noexcept {
    static constexpr auto table = [] {
        std::array<std::uint32_t, 256> t{};
        for (std::uint32_t i = 0; i < 256; ++i) {
            std::uint32_t c = i;
            for (int bit = 0; bit < 8; ++bit) c = c & 1U ? c >> 1U ^ 0x82F63B78U : c >> 1U;
            t[i] = c;
        }
        return t;
    }();
    std::uint32_t c = ~0U;
    for (char const byte : bytes) c = table[(c ^ static_cast<unsigned char>(byte)) & 0xFFU] ^ c >> 8U;
    return ~c;
}

template <std::unsigned_integral U> void append_little(std::string& out, U value) {
    std::byte bytes[sizeof(U)];
    store_little(value, bytes);
    for (std::byte const b : bytes) out += static_cast<char>(b);
}

/// Appends a record: its length, the length's checksum, the bytes and theirs. Checksums are turned and
/// shifted, since a record may itself hold checksums.
inline void append_record(std::string& out, std::string_view bytes) {
    auto const masked = [](std::string_view s) { return std::rotr(crc32c(s), 15) + 0xA282EAD8U; };
    std::string length;
    append_little(length, std::uint64_t(bytes.size()));
    out += length;
    append_little(out, masked(length));
    out += bytes;
    append_little(out, masked(bytes));
}

/// The few kinds of fields that an event has.
class ProtoMessage {
public:
    ProtoMessage& whole(unsigned field, std::uint64_t value) {
        key(field, 0);
        varint(value);
        return *this;
    }
    ProtoMessage& number(unsigned field, double value) {
        key(field, 1);
        append_little(bytes_, std::bit_cast<std::uint64_t>(value));
        return *this;
    }
    ProtoMessage& number(unsigned field, float value) {
        key(field, 5);
        append_little(bytes_, std::bit_cast<std::uint32_t>(value));
        return *this;
    }
    ProtoMessage& text(unsigned field, std::string_view value) {
        key(field, 2);
        varint(value.size());
        bytes_ += value;
        return *this;
    }
    std::string const& bytes() const noexcept { return bytes_; }

private:
    void key(unsigned field, unsigned wire) { varint(std::uint64_t(field) << 3U | wire); }
    void varint(std::uint64_t v) {
        for (; v >= 128; v >>= 7U) bytes_ += static_cast<char>(static_cast<unsigned char>(v | 128U));
        bytes_ += static_cast<char>(static_cast<unsigned char>(v));
    }
    std::string bytes_;
};

/// What stands first in a file of events. `seconds` count since 1970.
inline std::string first_event(double seconds) {
    return ProtoMessage{}.number(1, seconds).text(3, "brain.Event:2").bytes();
}
/// Says that a run goes on behind `step`: what stood behind it before is void.
inline std::string restart_event(double seconds, std::uint64_t step) {
    auto const started = ProtoMessage{}.whole(1, 1);
    return ProtoMessage{}.number(1, seconds).whole(2, step + 1).text(7, started.bytes()).bytes();
}
/// A scalar at a step.
struct Scalar {
    std::string_view tag;
    double value;
};
inline std::string scalars_event(double seconds, std::uint64_t step, std::span<Scalar const> scalars) {
    ProtoMessage summary;
    for (auto const& s : scalars)
        summary.text(1, ProtoMessage{}.text(1, s.tag).number(2, static_cast<float>(s.value)).bytes());
    return ProtoMessage{}.number(1, seconds).whole(2, step).text(5, summary.bytes()).bytes();
}

} // namespace detail
} // namespace inlay::inline INLAY_ISA
