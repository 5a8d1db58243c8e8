// SPDX-License-Identifier: BSD-3-Clause
// What a block may know besides its input, and the side tensors that travel with it.
#pragma once

#include <inlay/core/random.hpp>
#include <inlay/core/view.hpp>

namespace inlay::inline INLAY_ISA {

/// A block's State in row 0 of the batch, on its way in and out with its cotangents; null means fresh, or
/// unwanted.
struct Carry {
    std::byte const* in = nullptr;
    std::byte* out = nullptr;
    std::byte const* d_out = nullptr;
    std::byte* d_in = nullptr;
    std::size_t stride = 0; ///< bytes from one row of the batch to the next
};

/// No side tensors, no observer.
struct Nothing {};

/// Adds the side tensor N with its cotangent to the extras of a context.
template <Name N, class Value, class Cotangent, class Outer> struct With : Outer {
    Value value;
    Cotangent cotangent; ///< NoGrad on the way forward; readers add to it on the way back
};
/// The side tensor named N: `side<"e">(ctx.extras).value`.
template <Name N, class V, class C, class O> auto const& side(With<N, V, C, O> const& w) noexcept {
    return w;
}
template <Name N, class Extras>
concept HasSide = requires(Extras const& e) { side<N>(e); };

/// What a block may know besides its input.
template <class Extras = Nothing> struct Context {
    int rows = 0;               ///< the true count of the batch
    int capacity = 0;           ///< the count that buffers are laid out for
    std::int64_t first_row = 0; ///< data-set index of row 0: noise is drawn by row, never by place
    std::int64_t const* position = nullptr; ///< of each row's first token; null: all zero
    int layer = 0, depth = 0;               ///< sequence mixers before this block, and in the model
    bool training = false;
    Key key{};
    std::uint64_t step = 0;
    Carry carry{};
    INLAY_EMPTY Extras extras{};

    std::int64_t position_of(int b) const noexcept { return position ? position[b] : 0; }
    template <class S> S const* state_in(int b) const noexcept {
        return carry.in ? reinterpret_cast<S const*>(carry.in + std::size_t(b) * carry.stride) : nullptr;
    }
    template <class S> S* state_out(int b) const noexcept {
        return carry.out ? reinterpret_cast<S*>(carry.out + std::size_t(b) * carry.stride) : nullptr;
    }
    template <class S> S const* d_state_out(int b) const noexcept {
        return carry.d_out ? reinterpret_cast<S const*>(carry.d_out + std::size_t(b) * carry.stride)
                           : nullptr;
    }
    template <class S> S* d_state_in(int b) const noexcept {
        return carry.d_in ? reinterpret_cast<S*>(carry.d_in + std::size_t(b) * carry.stride) : nullptr;
    }

    /// The same with other extras.
    template <class E> Context<E> with(E e) const noexcept {
        return {rows, capacity, first_row, position, layer, depth, training, key, step, carry, e};
    }
    /// The same for the I-th child of a block whose State is All.
    template <std::size_t I, class All> Context child(int layers_before) const noexcept {
        Context c = *this;
        c.layer += layers_before;
        c.key = key.fold(I);
        c.carry.in = down<I, All const>(carry.in);
        c.carry.out = down<I, All>(carry.out);
        c.carry.d_out = down<I, All const>(carry.d_out);
        c.carry.d_in = down<I, All>(carry.d_in);
        return c;
    }
    /// The same for the n-th of equal children that follow each other.
    Context repeated(int n, std::size_t state_bytes, int layers_each) const noexcept {
        Context c = *this;
        std::size_t const offset = std::size_t(n) * state_bytes;
        c.layer += n * layers_each;
        c.key = key.fold(std::uint64_t(n));
        if (c.carry.in) c.carry.in += offset;
        if (c.carry.out) c.carry.out += offset;
        if (c.carry.d_out) c.carry.d_out += offset;
        if (c.carry.d_in) c.carry.d_in += offset;
        return c;
    }

private:
    template <std::size_t I, class All, class Byte> static Byte* down(Byte* p) noexcept {
        return p ? reinterpret_cast<Byte*>(&get<I>(*reinterpret_cast<All*>(p))) : nullptr;
    }
};

} // namespace inlay::inline INLAY_ISA
