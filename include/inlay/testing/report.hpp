// SPDX-License-Identifier: BSD-3-Clause
// What a check of the laws finds, in words.
#pragma once

#include <inlay/config.hpp>

#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

namespace inlay::inline INLAY_ISA {

/// One breach: which law, of which block, where, what came out and what was wanted.
struct LawFailure {
    std::string law, block, where, got, wanted;
    std::string text() const {
        return "law of " + law + ": " + block + ": " + where + ": got " + got + ", wanted " + wanted;
    }
};

/// All breaches that were found; at most three of each law and block are kept.
struct LawReport {
    std::vector<LawFailure> failures;
    int checks = 0; ///< comparisons made

    bool ok() const noexcept { return failures.empty() && checks > 0; }
    /// Whether a law is among the failures.
    bool breaks(std::string const& law) const {
        for (auto const& f : failures)
            if (f.law == law) return true;
        return false;
    }
    std::string text() const {
        std::string s;
        for (auto const& f : failures) s += f.text() + "\n";
        return failures.empty() ? "all laws hold" : s;
    }
    void add(LawFailure f) {
        int same = 0;
        for (auto const& g : failures) same += g.law == f.law && g.block == f.block ? 1 : 0;
        if (same < 3) failures.push_back(std::move(f));
    }
    void add(LawReport const& other) {
        checks += other.checks;
        for (auto const& f : other.failures) add(f);
    }
};

/// How blocks are checked.
struct LawOptions {
    bool training = false; ///< run as in training
    /// A row depends on the others and on all tokens, as where statistics are those of the batch: the laws of
    /// rows, splits and causality are left out.
    bool rows_meet = false;
    /// Inputs of 1e4, zeros and denormals must give finite numbers. Switch off with a reason in a comment.
    bool extremes = true;
    std::uint64_t seed = 1;
};

namespace detail::laws {
inline std::string number(double x) {
    char room[40];
    std::snprintf(room, sizeof room, "%.9g", x);
    return room;
}
/// Allocations so far; null when nobody counts them.
inline std::size_t (*allocations)() noexcept = nullptr;
} // namespace detail::laws

} // namespace inlay::inline INLAY_ISA
