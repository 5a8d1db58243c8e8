// SPDX-License-Identifier: BSD-3-Clause
// Parameters and their gradients as plain aligned arrays, and the reference by which others walk them.
#pragma once

#include <inlay/core/shape.hpp>

#include <cassert>
#include <cstdint>

namespace inlay::inline INLAY_ISA {

/// Matrices are decayed, vectors are not; tables are updated by row; buffers carry statistics, not weights.
enum class Kind : std::uint8_t { matrix, vector, table, buffer };

/// How a matrix lies in memory. Files never hold it: they go by name and logical shape.
enum class Layout : std::uint8_t {
    padded,     ///< row-major, rows padded to whole vectors; pads are zero and stay zero
    transposed, ///< as padded, with columns in the place of rows
    packed      ///< row-major without pads: tables, where a narrow row must stay narrow
};

/// A tensor seen without its type: what optimizers, files and tests walk.
template <class T> struct TensorRef {
    T* data = nullptr;
    int rows = 0, width = 0; ///< logical shape
    int stride = 0;          ///< elements between stored rows
    Layout layout = Layout::padded;
    std::int32_t* id = nullptr;       ///< for a table's slots: the row that each slot belongs to, -1 for none
    unsigned char* touched = nullptr; ///< for a table's dense gradient: which rows were added to

    T& operator()(int r, int c) const noexcept {
        return layout == Layout::transposed ? data[std::ptrdiff_t(c) * stride + r]
                                            : data[std::ptrdiff_t(r) * stride + c];
    }
    int stored_rows() const noexcept { return layout == Layout::transposed ? width : rows; }
    std::size_t size() const noexcept { return std::size_t(stored_rows()) * std::size_t(stride); }
};

/// Sets a gradient to nothing: zeros, empty slots, no marks.
template <class T> void clear(TensorRef<T> const& g) noexcept {
    if (g.id) {
        for (int s = 0; s < g.rows; ++s) g.id[s] = -1;
        return;
    }
    for (std::size_t i = 0, n = g.size(); i < n; ++i) g.data[i] = T(0);
    if (g.touched)
        for (int r = 0; r < g.rows; ++r) g.touched[r] = 0;
}

/// Rows x Width numbers of the scalar of R, starting on a 64-byte line.
template <class R, int Rows, int Width, Layout L = Layout::padded> struct alignas(64) Tensor {
    using T = typename R::type;
    static constexpr int rows = Rows, width = Width;
    static constexpr int stored_rows = L == Layout::transposed ? Width : Rows;
    static constexpr int stride = L == Layout::packed       ? Width
                                  : L == Layout::transposed ? detail::row_stride<R>(Rows)
                                                            : detail::row_stride<R>(Width);
    static constexpr Layout layout = L;
    static constexpr long long parameters = 1LL * Rows * Width;

    T data[std::size_t(stored_rows) * std::size_t(stride)];

    /// The r-th stored row.
    T* operator[](int r) noexcept { return data + std::ptrdiff_t(r) * stride; }
    T const* operator[](int r) const noexcept { return data + std::ptrdiff_t(r) * stride; }

    TensorRef<T> ref() noexcept { return {data, Rows, Width, stride, L}; }
    TensorRef<T const> ref() const noexcept { return {data, Rows, Width, stride, L}; }
};

/// The gradient of a table: one slot an occurrence, at a place that follows from the row of the batch, so
/// that shards write apart. Where the table has no more rows than there would be slots it is dense, with
/// marks.
template <class R, int Rows, int Width, int Slots, bool Dense = (Rows <= Slots)> struct TableGrads {
    using T = typename R::type;
    static constexpr int slots = Slots;
    std::int32_t id[std::size_t(Slots)];
    alignas(64) T value[std::size_t(Slots) * std::size_t(Width)];

    /// Slot s says that row `row` gets `scale` times `from`.
    void put(int s, std::int32_t row, T const* from, T scale) noexcept {
        id[s] = row;
        T* to = value + std::ptrdiff_t(s) * Width;
        for (int i = 0; i < Width; ++i) to[i] = scale * from[i];
    }
    TensorRef<T> ref() noexcept { return {value, Slots, Width, Width, Layout::packed, id}; }
};
template <class R, int Rows, int Width, int Slots> struct TableGrads<R, Rows, Width, Slots, true> {
    using T = typename R::type;
    static constexpr int slots = Slots;
    alignas(64) T value[std::size_t(Rows) * std::size_t(Width)];
    unsigned char touched[std::size_t(Rows)];

    void put(int, std::int32_t row, T const* from, T scale) noexcept {
        touched[row] = 1;
        T* to = value + std::ptrdiff_t(row) * Width;
        for (int i = 0; i < Width; ++i) to[i] += scale * from[i];
    }
    TensorRef<T> ref() noexcept { return {value, Rows, Width, Width, Layout::packed, nullptr, touched}; }
};

/// The gradient of a table whose readers do not know each other's slots: each takes the next free one, from 0
/// on in every pass.
template <class R, int Rows, int Width, int Slots>
struct SharedTableGrads : TableGrads<R, Rows, Width, Slots> {
    using typename TableGrads<R, Rows, Width, Slots>::T;
    int used;

    void begin() noexcept { used = 0; }
    void put(int, std::int32_t row, T const* from, T scale) noexcept {
        assert(used < Slots && "inlay: a reader of a shared table that its owner does not know");
        TableGrads<R, Rows, Width, Slots>::put(used++, row, from, scale);
    }
};

/// Where a tensor stands in a model, from the outside in; a list on the stack, so that walking allocates
/// nothing.
struct Path {
    Path const* outer = nullptr;
    char const* name = nullptr; ///< a word, or null when the place is a number
    int index = 0;
};

} // namespace inlay::inline INLAY_ISA
