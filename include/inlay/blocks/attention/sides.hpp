// SPDX-License-Identifier: BSD-3-Clause
// Heads side by side: what the projections of attention write, and what the last one reads.
#pragma once

#include <inlay/blocks/attention/rows.hpp>

namespace inlay::inline INLAY_ISA {
namespace detail {

template <class S> struct AttentionSides {
    using T = typename S::T;
    using R = typename S::Real;
    using Query = Shape<S::rows, S::asks * S::d>;
    using Key = Shape<S::rows, S::answers * S::d>;
    using Value = Shape<S::rows, S::K * S::vd>;
    using Mixed = Shape<S::rows, S::asks * S::vd>;
    static constexpr int query_row = Out<Query, R>::stride, key_row = Out<Key, R>::stride,
                         value_row = Out<Value, R>::stride, mixed_row = Out<Mixed, R>::stride;
    template <int B> struct Tape {
        Buffer<Query, R, B> q;
        Buffer<Key, R, B> k;
        Buffer<Value, R, B> v;
        Buffer<Mixed, R, B> mixed;
    };
    T *q, *k, *v, *mixed;

    static constexpr std::size_t scratch(int B) {
        return apart(detail::bytes<Query, R>(B)) + apart(detail::bytes<Key, R>(B)) +
               apart(detail::bytes<Value, R>(B)) + apart(detail::bytes<Mixed, R>(B));
    }
    static AttentionSides take(Scratch& s, int B) noexcept {
        auto const some = [&](std::size_t n) {
            return reinterpret_cast<T*>(s.template take<std::byte>(apart(n)));
        };
        AttentionSides r;
        r.q = some(detail::bytes<Query, R>(B)), r.k = some(detail::bytes<Key, R>(B));
        r.v = some(detail::bytes<Value, R>(B)), r.mixed = some(detail::bytes<Mixed, R>(B));
        return r;
    }
    /// Row b of a tape; one that is read is not written through this.
    template <class Tp> static AttentionSides on(Tp& tape, int b) noexcept {
        auto const at = [](auto& buffer) {
            return reinterpret_cast<T*>(const_cast<std::byte*>(buffer.data));
        };
        return AttentionSides{at(tape.q), at(tape.k), at(tape.v), at(tape.mixed)}.row(b);
    }
    AttentionSides row(int b) const noexcept { return token(b * S::rows); }
    AttentionSides token(int t) const noexcept {
        std::ptrdiff_t const r = t;
        return {q + r * query_row, k + r * key_row, v + r * value_row, mixed + r * mixed_row};
    }

    /// Whether kernels may read heads where they lie: side by side they cost a copy less, but their rows
    /// share a few places of the nearest cache where there are many.
    static constexpr bool may_stay =
        S::front == 0 && S::d % S::W == 0 && S::vd % S::W == 0 &&
        S::rows * std::max({query_row, key_row, value_row}) * sizeof(T) <= 8 * 1024;
    void stay(AttentionRows<S>& to) const noexcept {
        to.q = {q, S::d, query_row}, to.k = {k, S::d, key_row}, to.v = {v, S::vd, value_row};
    }
    /// Heads apart, keys and values behind what the stream had stored; not told their places yet.
    void split(int n, AttentionRows<S>& to) const noexcept {
        split_heads<S::W>(n, S::asks, S::d, q, query_row, to.q);
        split_heads<S::W>(n, S::answers, S::d, k, key_row, to.fresh(to.k));
        split_heads<S::W>(n, S::K, S::vd, v, value_row, to.fresh(to.v));
    }
    /// Gradients of n rows, zeros behind them.
    void merge(int n, AttentionRows<S> const& from) const noexcept {
        merge_heads<S::W>(n, S::asks, S::d, from.q, q, query_row);
        merge_heads<S::W>(n, S::answers, S::d, from.fresh(from.k), k, key_row);
        merge_heads<S::W>(n, S::K, S::vd, from.fresh(from.v), v, value_row);
        clear_from(n, q, query_row), clear_from(n, k, key_row), clear_from(n, v, value_row);
    }
    static void clear_from(int n, T* at, int stride) noexcept {
        kernels::clear(at + std::ptrdiff_t(n) * stride, std::ptrdiff_t(S::rows - n) * stride);
    }
};

} // namespace detail
} // namespace inlay::inline INLAY_ISA
