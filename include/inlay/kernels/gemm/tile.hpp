// SPDX-License-Identifier: BSD-3-Clause
// The register tile of a product of matrices, and which tile fits.
#pragma once

#include <inlay/kernels/map.hpp>
#include <inlay/simd/prefetch.hpp>
#include <inlay/simd/shuffle.hpp>

namespace inlay::inline INLAY_ISA {
namespace kernels {

/// Vector registers that the instruction set names.
#if defined(__AVX512F__) || defined(__aarch64__)
inline constexpr int registers = 32;
#else
inline constexpr int registers = 16;
#endif

/// What a product is added to: nothing, one row for all (a bias), or a matrix (C itself, a residual).
template <class T> struct Onto {
    T const* data = nullptr;
    std::ptrdiff_t row = 0; ///< elements from row to row; 0 repeats the first

    static Onto nothing() noexcept { return {}; }
    static Onto bias(T const* b) noexcept { return {b, 0}; }
    static Onto matrix(T const* m, std::ptrdiff_t stride) noexcept { return {m, stride}; }
};

/// What happens to a sum before it is stored: nothing. A function of a vector takes its place (an
/// activation), or a function of a vector, a row of C and the first of its columns.
struct AsItIs {
    template <class V> INLAY_INLINE V operator()(V x) const noexcept { return x; }
};

template <class Finish, class V>
INLAY_INLINE V finished(Finish const& finish, V x, std::ptrdiff_t row, std::ptrdiff_t column) noexcept {
    if constexpr (std::is_invocable_v<Finish const&, V>) return finish(x);
    else return finish(x, row, column);
}

/// What knows where a tile begins gives out a place that moves down with its rows: `finish.from(row,
/// column)`. If that gives nothing back it has stored the sum itself.
template <class Finish>
concept FinishesByRow = requires(Finish const& f) { f.from(std::ptrdiff_t(0), std::ptrdiff_t(0)); };

/// C = finish(onto + A B), its parts by address: A(i, p) = a[i * a_row + p * a_step].
template <class T> struct Product {
    int k;
    T const* a;
    std::ptrdiff_t a_row, a_step;
    T const* b;
    std::ptrdiff_t b_row;
    T* c;
    std::ptrdiff_t c_row;
    Onto<T> onto;
    std::ptrdiff_t b_first = 0; ///< the column of C that the first of B is for
};

/// A tile of MR rows and NV vectors, summed in Sets sets of registers over k, needs this many registers: the
/// sums, a row of B and the element of A. One row reads B straight from memory.
constexpr int tile_registers(int MR, int NV, int Sets) { return MR * NV * Sets + (MR > 1 ? NV : 0) + 1; }
/// The highest tile of NV vectors: 8 x 3 of 32 registers, 6 x 2 of 16.
constexpr int tile_rows(int NV) {
    int rows = registers == 32 ? 8 : 6;
    while (tile_registers(rows, NV, 1) >= registers) --rows;
    return rows;
}
/// Two FMA units of four cycles want eight sums under way; low tiles get there with several sets. One row
/// takes twice as many, since its first sums wait for the row before them. No set where another part of the
/// same batch could be higher: the rows of a batch are all summed in one order.
constexpr int tile_sets(int MR, int NV) {
    int sets = 1;
    while (2 * MR < tile_rows(1) && MR * NV * sets < (MR > 1 ? 8 : 16) &&
           tile_registers(MR, NV, 2 * sets) < registers)
        sets *= 2;
    return sets;
}

/// Rows of B that are asked for before they are needed: one row of A is a stream of B from a farther cache.
constexpr int b_rows_ahead(int NV) { return NV >= 16 ? 4 : 0; }
/// The tile of C whose first element is (row, column). From 8 x 2 up it was measured at 93 to 97 % of the FMA
/// peak (AVX-512, operands in the nearest cache).
template <int W, int MR, int NV, int Ahead = b_rows_ahead(NV), class T, class Finish>
INLAY_INLINE void gemm_tile_here(Product<T> const& p, std::ptrdiff_t row, std::ptrdiff_t column,
                                 Finish const& finish) noexcept {
    using V = simd::vec<T, W>;
    constexpr int Sets = tile_sets(MR, NV);
    static_assert(tile_registers(MR, NV, Sets) < registers, "inlay: a tile that would spill its sums");
    std::ptrdiff_t const a_step = p.a_step, b_row = p.b_row, c_row = p.c_row;
    std::ptrdiff_t a_row = p.a_row;
    T const *a = p.a + row * a_row, *b = p.b + (column - p.b_first);
    T* c = p.c + row * c_row + column;
    int left = p.k;

    V sum[std::size_t(Sets)][std::size_t(MR)][std::size_t(NV)];
    INLAY_UNROLL for (int s = 0; s < Sets; ++s) INLAY_UNROLL for (int r = 0; r < MR; ++r)
        INLAY_UNROLL for (int v = 0; v < NV; ++v) sum[s][r][v] = V(T(0));
    if (T const* onto = p.onto.data) {
        onto += row * p.onto.row + column;
        std::ptrdiff_t const onto_row = p.onto.row;
        INLAY_UNROLL for (int r = 0; r < MR; ++r) {
            INLAY_UNROLL for (int v = 0; v < NV; ++v) sum[0][r][v] = V::load(onto + v * W);
            onto += onto_row;
        }
    }
    // One more row of B, into a set of sums; x(r) is the element of A that goes with it.
    auto const step = [&](auto& into, auto const& x) INLAY_INLINE_LAMBDA {
        V bv[std::size_t(NV)];
        INLAY_UNROLL for (int v = 0; v < NV; ++v) {
            bv[v] = V::load(b + v * W);
            if constexpr (MR > 1) simd::hold(bv[v]);
        }
        if constexpr (Ahead > 0)
            INLAY_UNROLL for (int v = 0; v < NV; ++v) simd::prefetch(b + Ahead * b_row + v * W);
        INLAY_UNROLL for (int r = 0; r < MR; ++r) {
            V const xr = x(r);
            INLAY_UNROLL for (int v = 0; v < NV; ++v) into[r][v] = simd::fma(xr, bv[v], into[r][v]);
        }
        b += b_row;
    };
    auto const from_memory = [&](int r) INLAY_INLINE_LAMBDA {
        // Clang walks down the rows and back, one addition behind the other: longer than one vector's work.
        if constexpr (MR > 4 && NV == 1)
            if (r == 0) simd::pin_address(a_row);
        return V(a[r * a_row]);
    };
    if constexpr (MR == 1 && NV >= 4 && V::is_register) // the loads are the limit: W elements of A by one
        if (a_step == 1)
            for (; left >= W; left -= W, a += W)
                simd::each_lane(V::load(a), [&](auto i, V x) INLAY_INLINE_LAMBDA {
                    step(sum[i % Sets], [&](int) INLAY_INLINE_LAMBDA { return x; });
                });
    if constexpr (Sets > 1)
        for (; left >= Sets; left -= Sets)
            INLAY_UNROLL for (int s = 0; s < Sets; ++s, a += a_step) step(sum[s], from_memory);
    for (; left > 0; --left, a += a_step) step(sum[0], from_memory);
    INLAY_UNROLL for (int n = Sets / 2; n > 0; n /= 2) INLAY_UNROLL for (int s = 0; s < n; ++s)
        INLAY_UNROLL for (int r = 0; r < MR; ++r) INLAY_UNROLL for (int v = 0; v < NV; ++v) sum[s][r][v] +=
        sum[s + n][r][v];
    if constexpr (FinishesByRow<Finish>) {
        auto at = finish.from(row, column);
        INLAY_UNROLL for (int r = 0; r < MR; ++r, at.next(), c += c_row)
            INLAY_UNROLL for (int v = 0; v < NV; ++v) {
            if constexpr (std::is_void_v<decltype(at(sum[0][r][v], v * W))>) at(sum[0][r][v], v * W);
            else at(sum[0][r][v], v * W).store(c + v * W);
        }
    } else
        INLAY_UNROLL for (int r = 0; r < MR; ++r, c += c_row) INLAY_UNROLL for (int v = 0; v < NV; ++v)
            finished(finish, sum[0][r][v], row + r, column + v * W)
                .store(c + v * W);
}
/// The same as a function of its own, which is what a product of more than one or two tiles calls.
template <int W, int MR, int NV, class T, class Finish>
INLAY_NOINLINE inline void gemm_tile(Product<T> const& p, std::ptrdiff_t row, std::ptrdiff_t column,
                                     Finish const& finish) noexcept {
    gemm_tile_here<W, MR, NV>(p, row, column, finish);
}

} // namespace kernels
} // namespace inlay::inline INLAY_ISA
