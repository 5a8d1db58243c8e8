// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <inlay/model/model.hpp>

#include <memory>
#include <new>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace inlay::inline INLAY_ISA {

/// At most B rows at a time.
template <int B> struct Batch {
    static_assert(B > 0, "inlay: a Batch needs at least one row");
    static constexpr int rows = B;
};

namespace detail {
/// From here on a block lies in pages of 2 MB, where the system gives those for the asking.
inline constexpr std::size_t large_block = std::size_t(8) << 20;

/// Rows that are met at random miss the cache of pages, too, if they lie in many. Advice only: what a block
/// holds, and where, stays the same.
inline void ask_for_large_pages([[maybe_unused]] std::byte* p, [[maybe_unused]] std::size_t n) noexcept {
#if defined(__linux__) && defined(MADV_HUGEPAGE)
    constexpr std::size_t page = 64 * 1024; // a multiple of any machine's smallest
    std::size_t const before = (page - reinterpret_cast<std::uintptr_t>(p) % page) % page;
    if (n >= large_block) static_cast<void>(::madvise(p + before, (n - before) / page * page, MADV_HUGEPAGE));
#endif
}

/// One allocation on a 64-byte line.
struct AlignedDelete {
    void operator()(std::byte* p) const noexcept { ::operator delete[](p, std::align_val_t(64)); }
};
using AlignedBytes = std::unique_ptr<std::byte[], AlignedDelete>;
inline AlignedBytes aligned_bytes(std::size_t n) {
    auto* p = static_cast<std::byte*>(::operator new[](n, std::align_val_t(64)));
    ask_for_large_pages(p, n);
    std::memset(p, 0, n);
    return AlignedBytes(p);
}

/// An input as it lies in a user's arrays: `each` elements of a type make a row.
template <class Input, class T> struct Packed;
template <int... N, class T> struct Packed<Shape<N...>, T> {
    using type = T;
    static constexpr std::size_t each = std::size_t(Shape<N...>::rows) * std::size_t(Shape<N...>::width);
};
template <class Input, class T>
    requires is_ids<Input>
struct Packed<Input, T> {
    using type = std::int32_t;
    static constexpr std::size_t each = std::size_t(Input::rows);
};
template <class... F, class T> struct Packed<Record<F...>, T> {
    using type = typename Record<F...>::Row;
    static constexpr std::size_t each = 1;
};
template <class Input, class T> using PackedType = typename Packed<Input, T>::type;

/// Whether numbers are copied before a block reads them: to get their pads, or zeros past a sequence's end.
template <class Input, class R> inline constexpr bool copies_input = false;
template <int... N, class R>
inline constexpr bool copies_input<Shape<N...>, R> =
    sizeof...(N) == 2 || Shape<N...>::width != row_stride<R>(Shape<N...>::width);
template <class Input, class R> constexpr std::size_t copied_bytes(int B) {
    if constexpr (copies_input<Input, R>) return bytes<Input, R>(B);
    else return 0;
}
} // namespace detail

/// What an inference of at most B rows, one if not said, needs besides the parameters: one aligned block,
/// made at construction. One per thread; several may serve one network.
template <class M, class B = Batch<1>> class Workspace {
public:
    using T = typename M::T;
    static constexpr int capacity = B::rows;
    static constexpr std::size_t output_bytes =
        detail::bytes<typename M::Output, typename M::Scalar>(capacity);
    static constexpr std::size_t input_bytes =
        detail::copied_bytes<typename M::Input, typename M::Scalar>(capacity);
    static constexpr std::size_t bytes = output_bytes + input_bytes + M::Block::scratch(capacity) + 64;

    Workspace() : memory_(detail::aligned_bytes(bytes)) {}

    T* output() noexcept { return reinterpret_cast<T*>(memory_.get()); }
    std::byte* input() noexcept { return memory_.get() + output_bytes; } ///< pads stay zero
    Scratch scratch() noexcept { return {memory_.get() + output_bytes + input_bytes}; }

private:
    detail::AlignedBytes memory_;
};

} // namespace inlay::inline INLAY_ISA
