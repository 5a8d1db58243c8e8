// SPDX-License-Identifier: BSD-3-Clause
// Rows of a table by their numbers. Past the caches a row costs its latency, so it is asked for long before.
#pragma once

#include <inlay/kernels/map.hpp>

#include <algorithm>
#include <cstdint>

namespace inlay::inline INLAY_ISA {
namespace kernels {

/// How many rows ahead to ask for one: enough to keep every line fill buffer busy.
inline constexpr int rows_ahead = 64;

/// Asks for n numbers from x on.
template <class T> INLAY_INLINE void prefetch([[maybe_unused]] T const* x, [[maybe_unused]] int n) noexcept {
#if defined(__GNUC__)
    auto const* line =
        reinterpret_cast<char const*>(reinterpret_cast<std::uintptr_t>(x) & ~std::uintptr_t(63));
    for (; line < reinterpret_cast<char const*>(x + n); line += 64) __builtin_prefetch(line);
#endif
}

/// Rows that will be wanted soon, of up to twelve tables: who has sums to make asks for a few of them now and
/// then, so that misses pass meanwhile. All at once they would fill the buffers of misses, and sums would
/// wait.
template <class T> class RowsAhead {
public:
    /// Rows of `width` numbers of a table by their numbers; without numbers, the first n.
    void add(int n, std::int32_t const* ids, T const* table, std::ptrdiff_t stride, int width) noexcept {
        if (n > 0) some_[count_++] = {table, ids, stride, n, width};
    }
    void add(int n, T const* table, std::ptrdiff_t stride, int width) noexcept {
        add(n, nullptr, table, stride, width);
    }
    /// Asks for the next rows, so many lines of a cache at least.
    INLAY_NOINLINE void ask(int lines) noexcept {
        for (; lines > 0 && at_ < count_; row_ = 0, ++at_) {
            Some const& s = some_[at_];
            for (int const each = (s.width * int(sizeof(T)) + 63) / 64; row_ < s.n && lines > 0;
                 lines -= each)
                prefetch(s.table + (s.ids ? s.ids[row_] : row_) * s.stride, s.width), ++row_;
            if (row_ < s.n) return;
        }
    }

private:
    struct Some {
        T const* table;
        std::int32_t const* ids;
        std::ptrdiff_t stride;
        int n, width;
    } some_[12];
    int count_ = 0, at_ = 0, row_ = 0;
};

/// y[i] = table[ids[i]] for n rows of d numbers; pads of y are cleared.
template <class T>
INLAY_NOINLINE inline void gather(int n, std::int32_t const* ids, T const* table, std::ptrdiff_t stride,
                                  int d, T* y, int y_stride) noexcept {
    for (int i = 0; i < n; ++i, y += y_stride) {
        if (i + rows_ahead < n) prefetch(table + ids[i + rows_ahead] * stride, d);
        std::copy_n(table + ids[i] * stride, d, y);
        clear_pads(y, d, y_stride);
    }
}

/// table[ids[i]] += a x[i] for n rows of d numbers, one after the other: an id may occur again.
template <int W, class T>
INLAY_NOINLINE inline void scatter_add(int n, std::int32_t const* ids, T a, T const* x,
                                       std::ptrdiff_t x_stride, int d, T* table,
                                       std::ptrdiff_t stride) noexcept {
    for (int i = 0; i < n; ++i, x += x_stride) {
        if (i + rows_ahead < n) prefetch(table + ids[i + rows_ahead] * stride, d);
        axpy<W>(d, a, x, table + ids[i] * stride);
    }
}

/// Walks over the ids of all bags, ahead of who pools them. `bags(b)` are the ids of bag b and
/// `bags.length(b)` says how many they are.
template <class Bags> struct Ahead {
    Bags const& bags;
    int count, bag = 0, k = 0, length = 0;
    std::int32_t const* ids = nullptr;

    Ahead(Bags const& all, int n) noexcept : bags(all), count(n) { enter(); }
    /// Asks for the row of the next id.
    template <class T> INLAY_INLINE void ask(T const* table, std::ptrdiff_t stride, int d) noexcept {
        if (bag == count) return;
        prefetch(table + ids[k] * stride, d);
        if (++k == length) ++bag, enter();
    }

private:
    void enter() noexcept {
        for (k = 0; bag < count; ++bag) {
            ids = bags(bag);
            length = bags.length(bag);
            if (length > 0) return;
        }
    }
};

/// y[b] = the mean (or the sum) of the rows of bag b, for `count` bags and rows of d numbers; zeros for an
/// empty bag. Pads of y are cleared.
template <int W, bool Mean, class Bags, class T>
INLAY_NOINLINE inline void pool_rows(int count, Bags const& bags, T const* table, std::ptrdiff_t stride,
                                     int d, T* y, int y_stride) noexcept {
    using V = simd::vec<T, W>;
    Ahead<Bags> ahead(bags, count);
    for (int i = 0; i < rows_ahead; ++i) ahead.ask(table, stride, d);
    for (int b = 0; b < count; ++b, y += y_stride) {
        std::int32_t const* const ids = bags(b);
        int const n = bags.length(b);
        T const share = Mean && n > 0 ? T(1) / T(n) : T(1);
        auto const columns = [&]<int NV>(std::integral_constant<int, NV>, int at, bool first) noexcept {
            V total[std::size_t(NV)];
            for (auto& t : total) t = V(T(0));
            for (int k = 0; k < n; ++k) {
                if (first) ahead.ask(table, stride, d);
                T const* const row = table + ids[k] * stride + at;
                for (int v = 0; v < NV; ++v) total[v] += V::load(row + v * W);
            }
            for (int v = 0; v < NV; ++v) (total[v] * V(share)).store(y + at + v * W);
        };
        int at = 0;
        for (; at + 4 * W <= d; at += 4 * W) columns(std::integral_constant<int, 4>{}, at, at == 0);
        for (; at + W <= d; at += W) columns(std::integral_constant<int, 1>{}, at, at == 0);
        if (at < d) {
            V total(T(0));
            for (int k = 0; k < n; ++k) {
                if (at == 0) ahead.ask(table, stride, d);
                total += V::load_first(table + ids[k] * stride + at, d - at);
            }
            (total * V(share)).store_first(y + at, d - at);
        }
        clear_pads(y, d, y_stride);
    }
}

} // namespace kernels
} // namespace inlay::inline INLAY_ISA
