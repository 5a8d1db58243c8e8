// SPDX-License-Identifier: BSD-3-Clause
// XXH64: where an exact cross finds its weight in a hashed table.
#pragma once

#include <inlay/config.hpp>

#include <cstddef>
#include <cstdint>

namespace inlay::inline INLAY_ISA {

namespace detail {
inline constexpr std::uint64_t xxh_prime[] = {0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9,
                                              0x85EBCA77C2B2AE63, 0x27D4EB2F165667C5};
constexpr std::uint64_t rotate(std::uint64_t x, int r) { return (x << r) | (x >> (64 - r)); }
constexpr std::uint64_t xxh_round(std::uint64_t a, std::uint64_t lane) {
    return rotate(a + lane * xxh_prime[1], 31) * xxh_prime[0];
}
constexpr std::uint64_t xxh_avalanche(std::uint64_t h) {
    h = (h ^ (h >> 33)) * xxh_prime[1];
    h = (h ^ (h >> 29)) * xxh_prime[2];
    return h ^ (h >> 32);
}
} // namespace detail

/// XXH64 of `n` words, each as eight little-endian bytes.
constexpr std::uint64_t xxh64_words(std::uint64_t const* word, int n, std::uint64_t seed = 0) noexcept {
    using detail::rotate, detail::xxh_prime, detail::xxh_round;
    std::uint64_t h = 0;
    int at = 0;
    if (n >= 4) {
        std::uint64_t v[4] = {seed + xxh_prime[0] + xxh_prime[1], seed + xxh_prime[1], seed,
                              seed - xxh_prime[0]};
        for (; at + 4 <= n; at += 4)
            for (int i = 0; i < 4; ++i) v[i] = xxh_round(v[i], word[at + i]);
        h = rotate(v[0], 1) + rotate(v[1], 7) + rotate(v[2], 12) + rotate(v[3], 18);
        for (std::uint64_t lane : v) h = (h ^ xxh_round(0, lane)) * xxh_prime[0] + xxh_prime[3];
    } else h = seed + xxh_prime[4];
    h += std::uint64_t(n) * 8;
    for (; at < n; ++at) h = rotate(h ^ xxh_round(0, word[at]), 27) * xxh_prime[0] + xxh_prime[3];
    return detail::xxh_avalanche(h);
}

/// The high 64 bits of a 128-bit product: maps a hash evenly onto [0, m).
constexpr std::uint64_t mulhi64(std::uint64_t a, std::uint64_t b) noexcept {
    std::uint64_t const a0 = a & 0xFFFFFFFF, a1 = a >> 32, b0 = b & 0xFFFFFFFF, b1 = b >> 32;
    std::uint64_t const mid = a1 * b0 + (a0 * b0 >> 32);
    std::uint64_t const low = (mid & 0xFFFFFFFF) + a0 * b1;
    return a1 * b1 + (mid >> 32) + (low >> 32);
}

} // namespace inlay::inline INLAY_ISA
