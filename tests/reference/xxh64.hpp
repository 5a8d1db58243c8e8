// SPDX-License-Identifier: BSD-3-Clause
// XXH64 as the tabular page writes it, byte by byte.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace reference {

inline std::uint64_t rotate_left(std::uint64_t x, int by) { return (x << by) | (x >> (64 - by)); }

inline std::uint64_t little_endian(std::string const& bytes, std::size_t at, std::size_t count) {
    std::uint64_t word = 0;
    for (std::size_t i = 0; i < count; ++i)
        word |= static_cast<std::uint64_t>(static_cast<unsigned char>(bytes[at + i])) << (8 * i);
    return word;
}

inline std::string le64(std::uint64_t word) {
    std::string bytes;
    for (int i = 0; i < 8; ++i)
        bytes.push_back(static_cast<char>(static_cast<unsigned char>((word >> (8 * i)) & 255U)));
    return bytes;
}

inline std::uint64_t xxh64(std::string const& bytes, std::uint64_t seed = 0) {
    std::uint64_t const p1 = 0x9E3779B185EBCA87U, p2 = 0xC2B2AE3D27D4EB4FU, p3 = 0x165667B19E3779F9U,
                        p4 = 0x85EBCA77C2B2AE63U, p5 = 0x27D4EB2F165667C5U;
    auto const round = [&](std::uint64_t a, std::uint64_t lane) {
        return rotate_left(a + lane * p2, 31) * p1;
    };
    std::size_t const n = bytes.size();
    std::size_t at = 0;
    std::uint64_t h = seed + p5;
    if (n >= 32) {
        std::uint64_t v[4] = {seed + p1 + p2, seed + p2, seed, seed - p1};
        for (; at + 32 <= n; at += 32)
            for (std::size_t i = 0; i < 4; ++i) v[i] = round(v[i], little_endian(bytes, at + 8 * i, 8));
        h = rotate_left(v[0], 1) + rotate_left(v[1], 7) + rotate_left(v[2], 12) + rotate_left(v[3], 18);
        for (std::uint64_t lane : v) h = (h ^ round(0, lane)) * p1 + p4;
    }
    h += n;
    for (; at + 8 <= n; at += 8) h = rotate_left(h ^ round(0, little_endian(bytes, at, 8)), 27) * p1 + p4;
    for (; at + 4 <= n; at += 4) h = rotate_left(h ^ (little_endian(bytes, at, 4) * p1), 23) * p2 + p3;
    for (; at < n; ++at) h = rotate_left(h ^ (little_endian(bytes, at, 1) * p5), 11) * p1;
    h ^= h >> 33;
    h *= p2;
    h ^= h >> 29;
    h *= p3;
    h ^= h >> 32;
    return h;
}

// The high 64 bits of the 128-bit product, by schoolbook halves.
inline std::uint64_t mulhi64(std::uint64_t a, std::uint64_t b) {
    std::uint64_t const low = 0xFFFFFFFFU;
    std::uint64_t const a0 = a & low, a1 = a >> 32, b0 = b & low, b1 = b >> 32;
    std::uint64_t const middle = a1 * b0 + ((a0 * b0) >> 32);
    std::uint64_t const other = a0 * b1 + (middle & low);
    return a1 * b1 + (middle >> 32) + (other >> 32);
}

} // namespace reference
