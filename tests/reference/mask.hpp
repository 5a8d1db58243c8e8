// SPDX-License-Identifier: BSD-3-Clause
// Which keys a query may see. Places are counted from 0.
#pragma once

#include <cstddef>
#include <stdexcept>
#include <vector>

namespace reference {

enum class Sees { past, all, prefix }; // prefix: the past, and everywhere the first `prefix` keys

struct Mask {
    Sees sees = Sees::past;
    int prefix = 0;
    int window = 0; // 0: none. The last `window` keys, the query's own included; where all is seen, those
                    // nearer than `window` on both sides
    int sinks = 0;  // the first keys, which neither a window nor blocks hide
    int block = 0;  // 0: none. Block-sliding: the keys of the query's block and of `segments` blocks before
    int segments = 0;
    std::vector<int> documents = {}; // an id for each token; empty: one document

    bool operator()(int i, int j) const {
        if (!documents.empty() &&
            documents.at(static_cast<std::size_t>(i)) != documents.at(static_cast<std::size_t>(j)))
            return false;
        bool const seen = sees == Sees::all || j <= i || (sees == Sees::prefix && j < prefix);
        if (!seen) return false;
        if (block > 0 && (j / block < i / block - segments)) return j < sinks;
        if (window > 0 && !(i - window < j && j < i + window)) return j < sinks;
        return true;
    }
};

} // namespace reference
