// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <inlay/core/rows.hpp>

#include <algorithm>

namespace inlay::inline INLAY_ISA {

/// A text of ids below V as a data set: row i is the window of T ids from i T on, and the target of each
/// position is the id after it. The last window may be shorter and says so by its length, so every id but the
/// first is a target exactly once.
template <int T, int V> class Rows<Tokens<T, V>> {
public:
    using Input = Tokens<T, V>;
    std::vector<std::int32_t> id{};

    /// Windows; a text of fewer than two ids has none.
    std::size_t size() const noexcept { return id.size() < 2 ? 0 : (id.size() - 2) / std::size_t(T) + 1; }
    int length_of(std::size_t i) const noexcept {
        return int(std::min(std::size_t(T), id.size() - 1 - i * std::size_t(T)));
    }
    /// The ids of window i, without the target of the last.
    std::span<std::int32_t const> operator[](std::size_t i) const noexcept {
        return {id.data() + i * std::size_t(T), std::size_t(length_of(i))};
    }
    /// Targets of each row.
    static constexpr int targets() noexcept { return T; }

    /// Throws Error where an id is not below V.
    void check() const {
        for (std::size_t i = 0; i < id.size(); ++i)
            if (id[i] < 0 || id[i] >= V)
                detail::fail(Error("", detail::joined("Rows::id, position ", i),
                                   detail::joined("0 to ", V - 1), std::to_string(id[i])));
    }

    /// Two texts: the first ids, and the last `share` of them. A text has no rows that could be drawn.
    std::pair<Rows, Rows> split(double share) const {
        auto const held = std::size_t(std::clamp(share, 0.0, 1.0) * double(id.size()));
        auto const middle = id.end() - std::ptrdiff_t(held);
        return {Rows{{id.begin(), middle}}, Rows{{middle, id.end()}}};
    }

    /// n windows of ids drawn evenly.
    static Rows random(std::size_t n, Seed seed) {
        Rows r;
        Key const key{seed.value};
        for (std::size_t i = 0; i < n * std::size_t(T) + 1; ++i)
            r.id.push_back(std::int32_t(key.below(std::uint64_t(V), i)));
        return r;
    }
};

} // namespace inlay::inline INLAY_ISA
