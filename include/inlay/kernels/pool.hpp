// SPDX-License-Identifier: BSD-3-Clause
// A running maximum of rows.
#pragma once

#include <inlay/kernels/map.hpp>

#include <cstdint>

namespace inlay::inline INLAY_ISA {
namespace kernels {

/// Whether x takes the place of max: it is greater, or the first NaN.
template <class T> inline bool exceeds(T x, T max) noexcept { return !(x <= max) && !std::isnan(max); }

/// max = the greater of x and max, element by element.
template <class T> inline void raise(int n, T const* x, T* max) noexcept {
    for (int i = 0; i < n; ++i) max[i] = exceeds(x[i], max[i]) ? x[i] : max[i];
}
/// The same, noting in `winner` where x, the t-th row, is greater.
template <class T>
inline void raise(int n, T const* x, T* max, std::int32_t t, std::int32_t* winner) noexcept {
    for (int i = 0; i < n; ++i) {
        bool const wins = exceeds(x[i], max[i]);
        max[i] = wins ? x[i] : max[i];
        winner[i] = wins ? t : winner[i];
    }
}

} // namespace kernels
} // namespace inlay::inline INLAY_ISA
