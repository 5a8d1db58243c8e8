// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <inlay/config.hpp>

#include <concepts>
#include <string>
#include <string_view>
#include <type_traits>

namespace inlay::inline INLAY_ISA {
namespace detail {

/// Texts and integers one after the other. GCC 12 warns wrongly (-Wrestrict) at "literal" + std::string().
template <class... Parts> std::string joined(Parts const&... parts) {
    std::string out;
    auto const append = [&](auto const& part) {
        if constexpr (std::integral<std::remove_cvref_t<decltype(part)>>) out += std::to_string(part);
        else out += std::string_view{part};
    };
    (append(parts), ...);
    return out;
}

} // namespace detail
} // namespace inlay::inline INLAY_ISA
