// SPDX-License-Identifier: BSD-3-Clause
// The sizes of a Memory, what a stream of it carries, and where a stream stands within a chunk.
#pragma once

#include <inlay/blocks/linear/work.hpp>
#include <inlay/blocks/memory/policies.hpp>
#include <inlay/kernels/memory/chunk_backward.hpp>

namespace inlay::inline INLAY_ISA {
namespace detail {

/// Queries that are not divided by anything.
struct PlainMap {};
template <class R, int H, int d> struct FeatureMap<R, H, d, PlainMap> : FeatureMap<R, H, d, IdentityMap> {
    static constexpr bool scaled = false;
};

/// Tokens of a chunk that are worked on together: the rest of a longer chunk meets the memory that they left.
inline constexpr int longest_stretch = 64;

/// What a Memory has in common with LinearAttn, said as LinearAttn's policies are.
template <class P> struct AroundMemory {
    static constexpr int heads = P::heads, chunk = std::min(P::chunk, longest_stretch);
    using Conv = typename P::Conv;
    using Map = PlainMap;
    using Decay = NoDecay;
    using Divisor = Unnormalised;
    using Length = typename P::Length;
    using Norm = typename P::Norm;
    using ReadGate = typename P::ReadGate;
    using Write = Adds;
    using Start = EmptyStart;
    template <int D> static constexpr int keys = P::template keys<D>;
    template <int D> static constexpr int values = P::template values<D>;
};

template <class I, class R, class P> struct MemoryShape : LinearShape<I, R, AroundMemory<P>> {
    using Base = LinearShape<I, R, AroundMemory<P>>;
    using T = typename R::type;
    using Base::d, Base::dv, Base::H, Base::rows, Base::W;
    static constexpr int chunk = P::chunk, stretch = std::min(chunk, longest_stretch), layers = P::depth;
    static constexpr bool momentum = P::Momentum::used, forgets = P::Forgetfulness::used,
                          keeps_first = chunk > 1, learned = P::First::learned;
    static constexpr kernels::MemoryForm form() {
        kernels::MemoryForm f;
        f.layers = layers;
        for (int l = 0; l <= layers; ++l) {
            auto const i = std::size_t(l);
            f.width[i] = l == 0 ? d : l == layers ? dv : P::expansion * d;
            f.row[i] = padded(f.width[i], W);
        }
        f.read = std::is_same_v<typename P::Reading, Pre>    ? kernels::MemoryRead::pre
                 : std::is_same_v<typename P::Reading, Post> ? kernels::MemoryRead::post
                                                             : kernels::MemoryRead::previous_chunk;
        f.residual = P::Wrapper::residual, f.norm = P::Wrapper::norm;
        f.first_order = P::Order::value;
        f.loss_scale = P::Loss::value;
        f.limit = P::Limit::value;
        return f;
    }
    static constexpr bool wraps = P::Wrapper::norm;
    static constexpr int numbers = form().numbers();               ///< of one head's memory
    static constexpr int met = (1 + momentum) * H * numbers;       ///< what tokens meet: M, S
    static constexpr int memory = met + keeps_first * H * numbers; ///< and the memory at the chunk's start
    /// Stretches that a sequence may be cut into, wherever in a chunk it begins.
    static constexpr int stretches =
        chunk == 1 ? rows : rows / stretch + (chunk % stretch != 0 ? rows / chunk + 1 : 0) + 2;
    static constexpr int gate_numbers = Out<Shape<1, H>, R>::stride;
};

/// What a stream carries: M, S and the memory at the chunk's start, head by head each; the last projections
/// where there is a convolution; and its place, 0 before the first token. Of gradients, the same.
template <class S> struct MemoryState : LinearState<S> {
    std::int32_t place; ///< 1 + tokens of the current chunk

    int in_chunk() const noexcept { return place > 0 ? place - 1 : 0; }
    auto* head(int h) noexcept { return this->memory + h * S::numbers; }
    auto* speed(int h) noexcept { return S::momentum ? this->memory + (S::H + h) * S::numbers : nullptr; }
    /// Only where keeps_first.
    auto* first() noexcept { return this->memory + S::met; }
    auto const* first() const noexcept { return this->memory + S::met; }
};

/// How a sequence of n tokens that begins at `place` of a chunk is cut into stretches: at the ends of chunks,
/// and at whole stretches within them.
template <class S> struct Stretches {
    int place, end; ///< counted from the start of the first chunk

    Stretches(int in_chunk, int n) noexcept : place(in_chunk), end(in_chunk + n) {}
    static int chunk_of(int at) noexcept { return at / S::chunk * S::chunk; }
    /// Where the stretch that holds token `at` begins, and ends.
    int first(int at) const noexcept {
        int const start = chunk_of(at);
        return std::max(place, start + (at - start) / S::stretch * S::stretch);
    }
    int last(int at) const noexcept {
        int const start = chunk_of(at);
        return std::min({end, start + S::chunk, start + ((at - start) / S::stretch + 1) * S::stretch});
    }
};

} // namespace detail
} // namespace inlay::inline INLAY_ISA
