// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <inlay/core/tensor.hpp>

#include <string>

namespace inlay::inline INLAY_ISA {

/// A tensor's name in files and rules: `1.0.weight`. The root has none.
inline std::string to_string(Path const& path) {
    std::string const outer = path.outer ? to_string(*path.outer) : std::string();
    if (!path.outer && !path.name) return {};
    std::string const own = path.name ? std::string(path.name) : std::to_string(path.index);
    return outer.empty() ? own : outer + "." + own;
}

} // namespace inlay::inline INLAY_ISA
