// SPDX-License-Identifier: BSD-3-Clause
// Queries, keys and values of a block of attention, as its kernels read them.
#pragma once

#include <inlay/core/block.hpp>

namespace inlay::inline INLAY_ISA {
namespace detail {

/// Projects the first sequence of x, which starts a stream, and lays its heads out.
template <class A, class C, class X>
void lay_heads(C const& c, typename A::Params const& p, X x, typename A::Sides& side, typename A::Rows& rows,
               Scratch s) noexcept {
    using T = typename A::T;
    using S = typename A::S;
    int const n = x.length(0);
    auto const* const asked = A::asked_rows(c, x)(0);
    A::Q::apply(n, p.q, asked, side.q);
    A::Key::apply(n, p.k, asked, side.k);
    A::Value::apply(n, p.v, x(0), side.v);
    rows.begin(nullptr, n);
    A::Docs::limit(c, 0, rows.order, n, nullptr, rows.spans);
    side.split(n, rows);
    A::Norm::forward(p.norm, n, rows.q, rows.k, s);
    A::Turn::turn(c.position_of(0), n, S::asks, rows.q, S::answers, rows.k, T(1), s);
}

} // namespace detail
} // namespace inlay::inline INLAY_ISA
