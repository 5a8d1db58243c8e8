// SPDX-License-Identifier: BSD-3-Clause
// Heads side by side: what the projections of attention write, and what the last one reads.
#pragma once

#include <inlay/blocks/attention_rows.hpp>

namespace inlay::inline INLAY_ISA {
namespace detail {

template <class S> struct AttentionSides {
    using T = typename S::T;
    using R = typename S::Real;
    using Query = Shape<S::rows, S::H * S::d>;
    using Key = Shape<S::rows, S::K * S::d>;
    static constexpr int query_row = Out<Query, R>::stride, key_row = Out<Key, R>::stride;
    template <int B> struct Tape {
        Buffer<Query, R, B> q, mixed;
        Buffer<Key, R, B> k, v;
    };
    T *q, *k, *v, *mixed;

    static constexpr std::size_t scratch(int B) {
        return 2 * apart(detail::bytes<Query, R>(B)) + 2 * apart(detail::bytes<Key, R>(B));
    }
    static AttentionSides take(Scratch& s, int B) noexcept {
        auto const some = [&](std::size_t n) {
            return reinterpret_cast<T*>(s.template take<std::byte>(apart(n)));
        };
        std::size_t const of_q = detail::bytes<Query, R>(B), of_k = detail::bytes<Key, R>(B);
        AttentionSides r;
        r.q = some(of_q), r.k = some(of_k), r.v = some(of_k), r.mixed = some(of_q);
        return r;
    }
    /// Row b of a tape; one that is read is not written through this.
    template <class Tp> static AttentionSides on(Tp& tape, int b) noexcept {
        auto const at = [](auto& buffer) {
            return reinterpret_cast<T*>(const_cast<std::byte*>(buffer.data));
        };
        return AttentionSides{at(tape.q), at(tape.k), at(tape.v), at(tape.mixed)}.row(b);
    }
    AttentionSides row(int b) const noexcept {
        std::ptrdiff_t const r = std::ptrdiff_t(b) * S::rows;
        return {q + r * query_row, k + r * key_row, v + r * key_row, mixed + r * query_row};
    }

    /// Heads apart, keys and values behind what the stream had stored; not told their places yet.
    void split(int n, AttentionRows<S>& to) const noexcept {
        split_heads<S::W>(n, S::H, S::d, q, query_row, to.q);
        split_heads<S::W>(n, S::K, S::d, k, key_row, to.fresh(to.k));
        split_heads<S::W>(n, S::K, S::d, v, key_row, to.fresh(to.v));
    }
    /// Gradients of n rows, zeros behind them.
    void merge(int n, AttentionRows<S> const& from) const noexcept {
        merge_heads<S::W>(n, S::H, S::d, from.q, q, query_row);
        merge_heads<S::W>(n, S::K, S::d, from.fresh(from.k), k, key_row);
        merge_heads<S::W>(n, S::K, S::d, from.fresh(from.v), v, key_row);
        clear_from(n, q, query_row), clear_from(n, k, key_row), clear_from(n, v, key_row);
    }
    static void clear_from(int n, T* at, int stride) noexcept {
        kernels::clear(at + std::ptrdiff_t(n) * stride, std::ptrdiff_t(S::rows - n) * stride);
    }
};

} // namespace detail
} // namespace inlay::inline INLAY_ISA
