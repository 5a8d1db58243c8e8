// SPDX-License-Identifier: BSD-3-Clause
// Counter-based random numbers: the draw at (key, counter) is a pure function, whoever asks and in whatever
// order.
#pragma once

#include <inlay/core/hash.hpp>

#include <array>
#include <cmath>

namespace inlay::inline INLAY_ISA {

/// Where all randomness of a network, a fit or a generator starts.
struct Seed {
    std::uint64_t value = 0;
};

/// Philox4x32-10 (Salmon et al., SC 2011): four 32-bit draws for a 128-bit counter under a 64-bit key.
constexpr std::array<std::uint32_t, 4> philox(std::array<std::uint32_t, 4> counter,
                                              std::array<std::uint32_t, 2> key) noexcept {
    for (int round = 0; round < 10; ++round) {
        std::uint64_t const p0 = std::uint64_t(0xD2511F53) * counter[0];
        std::uint64_t const p1 = std::uint64_t(0xCD9E8D57) * counter[2];
        counter = {std::uint32_t(p1 >> 32) ^ counter[1] ^ key[0], std::uint32_t(p1),
                   std::uint32_t(p0 >> 32) ^ counter[3] ^ key[1], std::uint32_t(p0)};
        key = {key[0] + 0x9E3779B9, key[1] + 0xBB67AE85};
    }
    return counter;
}

/// A key, and keys below it: every block of a model has its own.
struct Key {
    std::uint64_t value = 0;
    constexpr Key fold(std::uint64_t index) const noexcept {
        std::uint64_t const words[] = {value, index};
        return {xxh64_words(words, 2)};
    }
    /// Four draws of 32 bits at counter (a, b).
    constexpr std::array<std::uint32_t, 4> draw(std::uint64_t a, std::uint64_t b = 0) const noexcept {
        return philox({std::uint32_t(a), std::uint32_t(a >> 32), std::uint32_t(b), std::uint32_t(b >> 32)},
                      {std::uint32_t(value), std::uint32_t(value >> 32)});
    }
    /// A number in [0, 1) at counter (a, b), with 53 bits.
    constexpr double uniform(std::uint64_t a, std::uint64_t b = 0) const noexcept {
        auto const r = draw(a, b);
        return double((std::uint64_t(r[0]) << 21) ^ (r[1] >> 11)) * 0x1p-53;
    }
    /// A standard normal number at counter (a, b) (Box and Muller).
    double normal(std::uint64_t a, std::uint64_t b = 0) const noexcept {
        auto const r = draw(a, b);
        double const u = (double(r[0]) + 0.5) * 0x1p-32, v = double(r[1]) * 0x1p-32;
        return std::sqrt(-2 * std::log(u)) * std::cos(6.283185307179586 * v);
    }
    /// An integer in [0, n) at counter (a, b).
    constexpr std::uint64_t below(std::uint64_t n, std::uint64_t a, std::uint64_t b = 0) const noexcept {
        auto const r = draw(a, b);
        return mulhi64((std::uint64_t(r[0]) << 32) | r[1], n);
    }
};

} // namespace inlay::inline INLAY_ISA
