// SPDX-License-Identifier: BSD-3-Clause
// The last rows of a stream, for blocks that look a fixed way back.
#pragma once

#include <inlay/core/tensor.hpp>
#include <inlay/kernels/map.hpp>

#include <algorithm>
#include <cstring>

namespace inlay::inline INLAY_ISA {
namespace detail {

/// The last N rows of D numbers, each at its place in the stream modulo N; what was before the first is zero.
template <class R, int N, int D> struct RecentRows {
    using T = typename R::type;
    static constexpr int rows = N, stride = row_stride<R>(D);
    alignas(64) T row[std::size_t(N)][std::size_t(stride)];
    std::int64_t count; ///< of rows that the stream has had

    T* at(std::int64_t place) noexcept { return row[slot(place)]; }
    T const* at(std::int64_t place) const noexcept { return row[slot(place)]; }
    void push(T const* x) noexcept { std::copy_n(x, stride, at(count++)); }

    /// The state after n more rows x.
    static void advance(RecentRows const* in, int n, T const* x, RecentRows& out) noexcept {
        if (!in) std::memset(static_cast<void*>(&out), 0, sizeof out);
        else if (in != &out) out = *in;
        for (int t = 0; t < n; ++t) out.push(x + std::ptrdiff_t(t) * stride);
    }

private:
    static std::size_t slot(std::int64_t place) noexcept { return std::size_t((place % N + N) % N); }
};

/// Rows of one sequence, and those that its stream had before: row t, from -N on, or null where there is
/// none.
template <class Recent> struct RowsBack {
    using T = typename Recent::T;
    T const* x;
    Recent const* recent;
    T const* operator()(int t) const noexcept {
        if (t >= 0) return x + std::ptrdiff_t(t) * Recent::stride;
        return recent ? recent->at(recent->count + t) : nullptr;
    }
};

/// Their gradients.
template <class Recent> struct SlopesBack {
    using T = typename Recent::T;
    T* dx; ///< may be null
    Recent const* recent;
    Recent* d_in; ///< may be null
    T* operator()(int t) const noexcept {
        if (t >= 0) return dx ? dx + std::ptrdiff_t(t) * Recent::stride : nullptr;
        return d_in ? d_in->at(before() + t) : nullptr;
    }
    /// Zeros, but for what flows back from the last N rows after n of the sequence.
    void begin(int n, Recent const* d_out) const noexcept {
        if (d_in) std::memset(static_cast<void*>(d_in), 0, sizeof *d_in);
        if (dx) kernels::clear(dx, std::ptrdiff_t(n) * Recent::stride);
        for (int back = 1; d_out && back <= Recent::rows; ++back)
            if (T* const to = (*this)(n - back))
                std::copy_n(d_out->at(before() + n - back), Recent::stride, to);
    }

private:
    std::int64_t before() const noexcept { return recent ? recent->count : 0; }
};

} // namespace detail
} // namespace inlay::inline INLAY_ISA
