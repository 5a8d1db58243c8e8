// SPDX-License-Identifier: BSD-3-Clause
// What a Memory answers without learning: queries of tokens to a memory that rests.
#pragma once

#include <inlay/blocks/memory.hpp>
#include <inlay/kernels/memory/read.hpp>

namespace inlay::inline INLAY_ISA {
namespace detail {

/// The last projections of tokens that asked, where there is a convolution.
template <class S, bool Used = (S::past > 0)> struct AskedBefore {
    template <class Work> void put_past(Work const&, int) const noexcept {}
    template <class Work> void take_past(Work const&, int) noexcept {}
};
template <class S> struct AskedBefore<S, true> {
    typename S::T q[std::size_t(S::past * S::keys_row)];
    template <class Work> void put_past(Work const& w, int from) const noexcept {
        std::copy_n(q, S::past * S::keys_row, w.q + from * S::keys_row);
    }
    template <class Work> void take_past(Work const& w, int from) noexcept {
        std::copy_n(w.q + from * S::keys_row, S::past * S::keys_row, q);
    }
};

/// For `Mem`, a Memory's Block: y = Wo concat_h(M(q)), through the query's part of what Memory does to a
/// token.
template <class Mem> struct MemoryAsk {
    using S = typename Mem::S;
    using T = typename S::T;
    using Work = typename Mem::Work;
    using Params = typename Mem::Params;
    using Wrap = typename Mem::Wrap;
    using Past = AskedBefore<S>;
    static constexpr int W = S::W, H = S::H, numbers = H * S::numbers;

    static constexpr std::size_t scratch(int n) {
        return 2 * Work::bytes(n) + Mem::Keys::scratch() + Wrap::scratch +
               lines(sizeof(T) * kernels::memory_read_room(n, Mem::form));
    }
    /// n tokens to memories of all heads; `past` moves on.
    static void forward(int n, Params const& p, T const* memory, Past& past, T const* x, T* y,
                        Scratch s) noexcept {
        Work const w = Work::take(s, n);
        past.put_past(w, 0);
        answer(n, p, memory, x, w, s);
        past.take_past(w, n);
        Mem::O::apply(n, p.o, w.mixed, y);
    }
    /// From `past` as it was; dpast is the gradient of how it was left, and becomes that of how it was met.
    /// Adds to dx, where it is not null, and to dmemory.
    template <class G>
    static void backward(int n, Params const& p, G& g, T const* memory, Past const& past, T const* x,
                         T const* dy, T* dx, T* dmemory, Past& dpast, Scratch s) noexcept {
        Work const w = Work::take(s, n), d = Work::take(s, n);
        past.put_past(w, 0);
        answer(n, p, memory, x, w, s);
        Mem::O::pull(n, p.o, w.mixed, dy, d.mixed, false, g.o);
        Mem::Read::backward(n, p.read, g.read, w, d);
        Scratch own = s;
        auto chunks = heads(n, p, w, own);
        std::array<kernels::MemorySlopes<T>, std::size_t(H)> slopes{};
        Wrap::lay_out(p.wrap, own, slopes.data());
        T* const room = own.template take<T>(0);
        for (int h = 0; h < H; ++h) {
            auto const& to = slopes[std::size_t(h)];
            kernels::memory_read_backward<W, typename Mem::Spec::Function>(
                chunks[std::size_t(h)], memory + h * S::numbers, d.values(d.read)(h), d.features(d.fq)(h),
                dmemory + h * S::numbers, to.weight, to.bias, room);
        }
        Wrap::pull(g.wrap, slopes.data());
        Mem::Keys::template backward<false>(n, 0, p.keys, g.keys, w, d, dpast, s);
        Mem::Q::pull(n, p.q, x, d.fresh_q(), dx, true, g.q);
        if constexpr (S::gates) Mem::V::pull(n, p.gate, x, d.gate, dx, true, g.gate);
    }

private:
    using Chunks = std::array<kernels::MemoryChunk<T>, std::size_t(H)>;
    static Chunks heads(int n, Params const& p, Work const& w, Scratch& s) noexcept {
        Chunks all;
        for (int h = 0; h < H; ++h)
            all[std::size_t(h)] = {.form = Mem::form, .tokens = n, .q = w.features(w.fq)(h)};
        Wrap::lay_out(p.wrap, s, all.data());
        return all;
    }
    static void answer(int n, Params const& p, T const* memory, T const* x, Work const& w,
                       Scratch s) noexcept {
        Mem::Q::apply(n, p.q, x, w.fresh_q());
        if constexpr (S::gates) Mem::V::apply(n, p.gate, x, w.gate);
        Mem::Keys::template forward<false>(n, 0, p.keys, w, s);
        auto const chunks = heads(n, p, w, s);
        T* const room = s.template take<T>(0);
        for (int h = 0; h < H; ++h)
            kernels::memory_read<W, typename Mem::Spec::Function>(
                chunks[std::size_t(h)], memory + h * S::numbers, w.values(w.read)(h), room);
        Mem::Read::forward(n, p.read, w);
    }
};

} // namespace detail
} // namespace inlay::inline INLAY_ISA
