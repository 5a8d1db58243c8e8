// SPDX-License-Identifier: BSD-3-Clause
// Embed from fewer rows than there are ids.
#pragma once

#include <inlay/blocks/embed/ids.hpp>
#include <inlay/core/hash.hpp>
#include <inlay/core/policy.hpp>

namespace inlay::inline INLAY_ISA {

namespace detail {
template <class Spec, int N, int D, class I, class R> struct HashedBlock;
} // namespace detail

/// Policy of Embed over tokens: N rows for any number of ids, `weight [N, D]`. The row of id i is the high
/// word of XXH64(i) times N, so that each shares its row with V / N others on average; `QuotientRemainder`
/// keeps all apart.
template <int N> struct HashedRows {
    using Must = detail::Must<(N > 0), a_positive_number>;
    using PolicyKind = struct TableForm;
    template <class Spec, int D, class I, class R> using Block = detail::HashedBlock<Spec, N, D, I, R>;
};

namespace detail {
template <class Spec_, int N, int D, int L, int V, class R>
struct HashedBlock<Spec_, N, D, Tokens<L, V>, R> : OneTable<Spec_, N, D, L, R> {
    using Base = OneTable<Spec_, N, D, L, R>;
    using typename Base::Params, typename Base::State, typename Base::T;
    using I = Tokens<L, V>;
    using Output = Shape<L, D>;
    static constexpr bool streams = true;
    static constexpr double flops = 0;

    template <class C, class Tp>
    static void forward(C const& c, Params const& p, In<I, R> x, Out<Output, R> y, Tp&, Scratch) noexcept {
        inference_only<R, Tp>();
        for (int b = 0; b < c.rows; ++b)
            for (int t = 0; t < L; ++t)
                if (t < x.length(b)) put(p, x(b)[t], y(b, t));
                else kernels::clear(y(b, t), y.stride);
    }
    template <class C>
    static void step(C const&, Params const& p, State&, std::int32_t const* x, T* y, Scratch) noexcept {
        put(p, *x, y);
    }
    template <class C, class Tp, class G>
    static void backward(C const& c, Params const&, In<I, R> x, Tp const&, In<Output, R> dy, NoGrad, G& g,
                         Scratch) noexcept {
        for (int b = 0; b < c.rows; ++b)
            for (int t = 0, n = x.length(b); t < n; ++t)
                g.weight.put(b * L + t, row_of(x(b)[t]), dy(b, t), T(1));
    }

private:
    static std::int32_t row_of(std::int32_t id) noexcept {
        auto const word = std::uint64_t(id);
        return std::int32_t(mulhi64(xxh64_words(&word, 1), std::uint64_t(N)));
    }
    static void put(Params const& p, std::int32_t id, T* y) noexcept {
        read_row(p.weight, row_of(id), y);
        kernels::clear_pads(y, D, row_stride<R>(D));
    }
};
} // namespace detail

} // namespace inlay::inline INLAY_ISA
