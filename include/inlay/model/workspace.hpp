// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <inlay/model/model.hpp>

#include <memory>
#include <new>

namespace inlay::inline INLAY_ISA {

/// At most B rows at a time.
template <int B> struct Batch {
    static_assert(B > 0, "inlay: a Batch needs at least one row");
    static constexpr int rows = B;
};

namespace detail {
/// One allocation on a 64-byte line.
struct AlignedDelete {
    void operator()(std::byte* p) const noexcept { ::operator delete[](p, std::align_val_t(64)); }
};
using AlignedBytes = std::unique_ptr<std::byte[], AlignedDelete>;
inline AlignedBytes aligned_bytes(std::size_t n) {
    auto* p = static_cast<std::byte*>(::operator new[](n, std::align_val_t(64)));
    std::memset(p, 0, n);
    return AlignedBytes(p);
}
} // namespace detail

/// What an inference of at most B rows needs besides the parameters: one aligned block, made at construction.
/// One per thread; several may serve one network.
template <class M, class B> class Workspace {
public:
    using T = typename M::T;
    static constexpr int capacity = B::rows;
    static constexpr std::size_t output_bytes =
        detail::bytes<typename M::Output, typename M::Scalar>(capacity);
    static constexpr std::size_t bytes = output_bytes + M::Block::scratch(capacity) + 64;

    Workspace() : memory_(detail::aligned_bytes(bytes)) {}

    T* output() noexcept { return reinterpret_cast<T*>(memory_.get()); }
    Scratch scratch() noexcept { return {memory_.get() + output_bytes}; }

private:
    detail::AlignedBytes memory_;
};

} // namespace inlay::inline INLAY_ISA
