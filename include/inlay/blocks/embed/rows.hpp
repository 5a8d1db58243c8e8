// SPDX-License-Identifier: BSD-3-Clause
// The rows of a table of Embed, as floats or in fewer bits.
#pragma once

#include <inlay/blocks/stored.hpp>
#include <inlay/kernels/pool.hpp>

namespace inlay::inline INLAY_ISA {
namespace detail {

template <class R, int V, int D>
using TableOf = std::conditional_t<stores_less<R>, StoredTable<R, V, D>, Tensor<R, V, D, Layout::packed>>;

/// to = row id.
template <class R, int V, int D, Layout L, class T>
void read_row(Tensor<R, V, D, L> const& table, std::int32_t id, T* to) noexcept {
    std::copy_n(table[id], D, to);
}
template <class R, int V, int D>
void read_row(StoredTable<R, V, D> const& table, std::int32_t id, float* to) noexcept {
    table.each_of(id, [to](int i, float x) noexcept { to[i] = x; });
}
/// to *= row id.
template <class R, int V, int D, Layout L, class T>
void multiply_row(Tensor<R, V, D, L> const& table, std::int32_t id, T* to) noexcept {
    for (int i = 0; i < D; ++i) to[i] *= table[id][i];
}
template <class R, int V, int D>
void multiply_row(StoredTable<R, V, D> const& table, std::int32_t id, float* to) noexcept {
    table.each_of(id, [to](int i, float x) noexcept { to[i] *= x; });
}
/// to += share * row id.
template <int W, class R, int V, int D, Layout L, class T>
void add_row(Tensor<R, V, D, L> const& table, std::int32_t id, T share, T* to) noexcept {
    kernels::axpy<W>(D, share, table[id], to);
}
template <int W, class R, int V, int D>
void add_row(StoredTable<R, V, D> const& table, std::int32_t id, float share, float* to) noexcept {
    table.each_of(id, [=](int i, float x) noexcept { to[i] += share * x; });
}
/// to = the greater of both, number by number.
template <class R, int V, int D, Layout L, class T>
void raise_row(Tensor<R, V, D, L> const& table, std::int32_t id, T* to) noexcept {
    kernels::raise(D, table[id], to);
}
template <class R, int V, int D>
void raise_row(StoredTable<R, V, D> const& table, std::int32_t id, float* to) noexcept {
    table.each_of(id, [to](int i, float x) noexcept { to[i] = kernels::exceeds(x, to[i]) ? x : to[i]; });
}

} // namespace detail
} // namespace inlay::inline INLAY_ISA
