// SPDX-License-Identifier: BSD-3-Clause
// What blocks read and write: pointers with the shape in their type and the true lengths beside them.
#pragma once

#include <inlay/core/record.hpp>
#include <inlay/core/tensor.hpp>

#include <algorithm>
#include <type_traits>

namespace inlay::inline INLAY_ISA {

/// The true length of each sequence in a batch; without a pointer, all are as long as their capacity.
struct Lengths {
    std::int32_t const* first = nullptr;
    std::ptrdiff_t stride = 0; ///< bytes

    int at(int b, int capacity) const noexcept {
        return first ? *reinterpret_cast<std::int32_t const*>(reinterpret_cast<std::byte const*>(first) +
                                                              b * stride)
                     : capacity;
    }
};

/// Stands for the cotangent of an input that wants none.
struct NoGrad {};
template <class X> inline constexpr bool wants_grad = !std::is_same_v<std::remove_cvref_t<X>, NoGrad>;

/// Numbers: row t of sequence b starts at (b, t).
template <class S, class T, int Stride> struct NumberView {
    static constexpr int rows = S::rows, width = S::width, stride = Stride;
    T* data = nullptr;
    Lengths lengths{};

    T* operator()(int b, int t = 0) const noexcept {
        return data + (std::ptrdiff_t(b) * rows + t) * std::ptrdiff_t(stride);
    }
    /// The true length of sequence b; a vector has length 1.
    int length(int b) const noexcept { return lengths.at(b, rows); }
    operator NumberView<S, T const, Stride>() const noexcept
        requires(!std::is_const_v<T>)
    {
        return {data, lengths};
    }
};

/// Ids of a sequence or a bag, and their weights if they have any.
template <class S, class Id> struct IdView {
    static constexpr int rows = S::rows;
    Id* data = nullptr;
    std::ptrdiff_t stride = 0; ///< bytes from one row of the batch to the next
    Lengths lengths{};

    Id* operator()(int b) const noexcept {
        using Byte = std::conditional_t<std::is_const_v<Id>, std::byte const, std::byte>;
        return reinterpret_cast<Id*>(reinterpret_cast<Byte*>(data) + b * stride);
    }
    int length(int b) const noexcept { return lengths.at(b, rows); }
    float const* weights(int b) const noexcept {
        if constexpr (id_words<S> > rows) return reinterpret_cast<float const*>((*this)(b) + rows);
        else return nullptr;
    }
    operator IdView<S, Id const>() const noexcept
        requires(!std::is_const_v<Id>)
    {
        return {data, stride, lengths};
    }
};

/// Rows of a record.
template <class Rec> struct RowView {
    typename Rec::Row const* row = nullptr;
    Lengths lengths{};
};

namespace detail {
template <class S, class R, bool Const> struct ViewOf;
template <int... N, class R, bool Const> struct ViewOf<Shape<N...>, R, Const> {
    using T = typename R::type;
    using type =
        NumberView<Shape<N...>, std::conditional_t<Const, T const, T>, row_stride<R>(Shape<N...>::width)>;
};
template <class S, class R, bool Const>
    requires is_ids<S>
struct ViewOf<S, R, Const> {
    using type = IdView<S, std::conditional_t<Const, std::int32_t const, std::int32_t>>;
};
template <class... F, class R, bool Const> struct ViewOf<Record<F...>, R, Const> {
    using type = RowView<Record<F...>>;
};
} // namespace detail

/// What a block reads, and what it writes.
template <class S, class R> using In = typename detail::ViewOf<S, R, true>::type;
template <class S, class R> using Out = typename detail::ViewOf<S, R, false>::type;

namespace detail {
/// Bytes for B values of a shape.
template <class S, class R> constexpr std::size_t bytes(int B) {
    if constexpr (is_numbers<S>)
        return lines(sizeof(typename R::type) * std::size_t(B) * std::size_t(S::rows) *
                     std::size_t(row_stride<R>(S::width)));
    else return lines(sizeof(std::int32_t) * std::size_t(B) * std::size_t(id_words<S>));
}
/// A view of memory laid out for B values.
template <class S, class R> Out<S, R> view_at(std::byte* at, Lengths lengths) noexcept {
    if constexpr (is_numbers<S>) return {reinterpret_cast<typename R::type*>(at), lengths};
    else {
        constexpr auto stride = std::ptrdiff_t(sizeof(std::int32_t)) * id_words<S>;
        return {reinterpret_cast<std::int32_t*>(at), stride, lengths};
    }
}
/// Room for B values of a shape between two blocks, on the tape.
template <class S, class R, int B> struct Buffer {
    alignas(64) std::byte data[bytes<S, R>(B)];
    Out<S, R> view(Lengths l) noexcept { return view_at<S, R>(data, l); }
    In<S, R> view(Lengths l) const noexcept { return view_at<S, R>(const_cast<std::byte*>(data), l); }
};
/// The lengths of what block B writes for x: those of x where it keeps x's positions, else all of the
/// capacity. A block whose sequence comes from elsewhere, such as a history from a record, says so with
/// `lengths(x)`: they must live as long as the model's input does, since buffers between blocks are used
/// again.
template <class B, class I, class R> Lengths lengths_of(In<I, R> x) noexcept {
    if constexpr (requires { B::lengths(x); }) return B::lengths(x);
    else if constexpr (keeps_rows<I, typename B::Output>) return x.lengths;
    else return {};
}
/// Zeros in the rows of a sequence from `first` on: no gradient, or finite values past the end.
template <class S, class T, int Stride>
void clear_rows_from(NumberView<S, T, Stride> x, int b, int first) noexcept {
    if (first < S::rows) std::fill_n(x(b, first), std::ptrdiff_t(S::rows - first) * Stride, T(0));
}
} // namespace detail

/// Temporaries: a cursor into one arena, passed by value, so that siblings share the room.
struct Scratch {
    std::byte* next = nullptr;
    template <class T> T* take(std::size_t n) noexcept {
        auto* p = next;
        next += detail::lines(n * sizeof(T));
        return reinterpret_cast<T*>(p);
    }
    /// Room for B values of a shape.
    template <class S, class R> Out<S, R> take(int B, Lengths lengths) noexcept {
        return detail::view_at<S, R>(take<std::byte>(detail::bytes<S, R>(B)), lengths);
    }
};

/// The tape of an inference: nothing is kept.
struct NoTape {};
template <class Tape> inline constexpr bool is_recording = !std::is_same_v<std::remove_cvref_t<Tape>, NoTape>;

} // namespace inlay::inline INLAY_ISA
