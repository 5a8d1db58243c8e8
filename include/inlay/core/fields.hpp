// SPDX-License-Identifier: BSD-3-Clause
// The fields of a record in messages.
#pragma once

#include <inlay/core/fit.hpp>

namespace inlay::inline INLAY_ISA {

/// Words of a misfit.
template <Name Field> struct unknown_field;
struct an_unknown_field; // where the block's own name has it
template <Name Fields> struct one_of;

namespace detail {
/// All field names of a record as one string, for messages.
template <class> struct FieldList;
template <class... F> struct FieldList<Record<F...>> {
    static constexpr std::size_t length = (sizeof(F::name.text) + ...);
    static consteval auto join() {
        char all[length]{};
        std::size_t at = 0;
        [[maybe_unused]] auto put = [&](auto const& name) {
            for (std::size_t i = 0; i + 1 < sizeof(name.text); ++i) all[at++] = name.text[i];
            all[at++] = ' ';
        };
        (put(F::name), ...);
        all[length - 1] = 0;
        return Name<length>(all);
    }
    using type = one_of<join()>;
};
} // namespace detail

} // namespace inlay::inline INLAY_ISA
