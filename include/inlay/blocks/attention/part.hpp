// SPDX-License-Identifier: BSD-3-Clause
// What an option of attention adds to the block: parameters of its own, room on the tape, work at its place.
#pragma once

#include <inlay/blocks/dense.hpp>
#include <inlay/blocks/draw.hpp>

namespace inlay::inline INLAY_ISA {
namespace detail {

/// Rows that an option computes for each token, in scratch or on the tape.
template <class Shape, class R> struct PartRows {
    using T = typename R::type;
    static constexpr int row = Out<Shape, R>::stride;
    template <int B> using Tape = Buffer<Shape, R, B>;
    T* data = nullptr;

    static constexpr std::size_t scratch(int B) { return bytes<Shape, R>(B); }
    static PartRows take(Scratch& s, int B) noexcept {
        return {reinterpret_cast<T*>(s.template take<std::byte>(scratch(B)))};
    }
    /// Sequence b of a tape; one that is read is not written through this.
    template <class Tp> static PartRows on(Tp& tape, int b) noexcept {
        return PartRows{reinterpret_cast<T*>(const_cast<std::byte*>(tape.data))}.of(b);
    }
    PartRows of(int b) const noexcept { return {data + std::ptrdiff_t(b) * Shape::rows * row}; }
    /// Zeros behind the first n rows.
    void clear_from(int n) const noexcept {
        kernels::clear(data + std::ptrdiff_t(n) * row, std::ptrdiff_t(Shape::rows - n) * row);
    }
};
/// Of an option that computes none.
template <class Which> struct NoRows {
    template <int> struct Tape {};
    static constexpr std::size_t scratch(int) { return 0; }
    static NoRows take(Scratch&, int) noexcept { return {}; }
    template <class Tp> static NoRows on(Tp&, int) noexcept { return {}; }
    NoRows of(int) const noexcept { return {}; }
    void clear_from(int) const noexcept {}
};

/// An option that is not chosen; `Which` keeps empty ones apart, so that none takes room.
template <class Which> struct NoPart {
    static constexpr bool used = false;
    static constexpr long long parameters = 0;
    static constexpr double flops = 0;
    static constexpr std::size_t scratch = 0;
    struct Params {};
    struct Memory {}; ///< what a stream keeps besides keys
    using Rows = NoRows<Which>;
    template <class... A> static void visit(A&&...) {}
    template <class... A> static void initialize(A&&...) noexcept {}
};

} // namespace detail
} // namespace inlay::inline INLAY_ISA
