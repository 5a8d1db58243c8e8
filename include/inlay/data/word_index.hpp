// SPDX-License-Identifier: BSD-3-Clause
// Where a word stands in a list of words.
#pragma once

#include <inlay/core/hash.hpp>
#include <inlay/simd/prefetch.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string_view>
#include <utility>
#include <vector>

namespace inlay::inline INLAY_ISA {
namespace detail {

/// What a word is looked up by: up to eight bytes themselves, a hash of a longer one.
struct WordKey {
    std::uint64_t bits = 0;
    std::uint32_t size = 0; ///< 9 for every longer one

    WordKey() = default;
    explicit WordKey(std::string_view word) noexcept
        : size(std::uint32_t(std::min<std::size_t>(word.size(), 9))) {
        if (is_word()) std::memcpy(&bits, word.data(), word.size());
        else bits = std::hash<std::string_view>{}(word);
    }
    bool is_word() const noexcept { return size <= 8; }
    std::uint64_t hash() const noexcept { return xxh_avalanche(bits + size * xxh_prime[0]); }
};

/// A hash table with open addresses: a look at one cache line, and another for words beyond eight bytes. The
/// words themselves are elsewhere: `text(place)` gives the one at a place.
class WordIndex {
public:
    std::size_t size() const noexcept { return size_; }
    /// The place of a word, from 0 in the order of adding; -1 where it was never added.
    template <class Text> std::int32_t find(WordKey key, std::string_view word, Text text) const {
        for (std::size_t at = key.hash();; ++at) {
            Slot const& slot = slots_[at & (slots_.size() - 1)];
            if (slot.place < 0) return -1;
            if (slot.bits == key.bits && slot.size == key.size && (key.is_word() || text(slot.place) == word))
                return slot.place;
        }
    }
    /// Gives the next place to a word that has none.
    void add(WordKey key) {
        if (2 * (size_ + 1) > slots_.size()) {
            std::vector<Slot> const old = std::exchange(slots_, std::vector<Slot>(2 * slots_.size()));
            for (Slot const& slot : old)
                if (slot.place >= 0) put(slot);
        }
        Slot slot;
        slot.bits = key.bits, slot.size = key.size, slot.place = std::int32_t(size_++);
        put(slot);
    }
    void prefetch(WordKey key) const noexcept { simd::prefetch(&slots_[key.hash() & (slots_.size() - 1)]); }

private:
    struct Slot : WordKey {
        std::int32_t place = -1;
    };
    void put(Slot slot) noexcept {
        std::size_t at = slot.hash();
        while (slots_[at & (slots_.size() - 1)].place >= 0) ++at;
        slots_[at & (slots_.size() - 1)] = slot;
    }
    std::vector<Slot> slots_ = std::vector<Slot>(8); // a power of two, at most half full
    std::size_t size_ = 0;
};

} // namespace detail
} // namespace inlay::inline INLAY_ISA
