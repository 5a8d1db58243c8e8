// SPDX-License-Identifier: BSD-3-Clause
// Parameters into a network that keeps them in fewer bits.
#pragma once

#include <inlay/model/network.hpp>

#include <vector>

namespace inlay::inline INLAY_ISA {

namespace detail {
template <class T> void copy_tensor(TensorRef<T const> const& from, TensorRef<T> const& to) noexcept {
    for (int r = 0; r < from.rows; ++r)
        for (int c = 0; c < from.width; ++c) to(r, c) = from(r, c);
}
template <class T, class S>
void copy_tensor(TensorRef<T const> const& from, StoredRef<S> const& to) noexcept {
    std::vector<float> row(std::size_t(from.width));
    for (int r = 0; r < from.rows; ++r) {
        for (int c = 0; c < from.width; ++c) row[std::size_t(c)] = from(r, c);
        to.put_row(r, row.data());
    }
}
template <class T, class S>
void copy_tensor(TensorRef<T const> const& from, StoredColumnRef<S> const& to) noexcept {
    int const group = to.groups.width;
    std::vector<float> row(std::size_t(group), 0.0F);
    for (int g = 0; g < to.groups.rows; ++g) {
        for (int i = 0, at = g * group; i < group; ++i, ++at)
            row[std::size_t(i)] = at < from.rows ? float(from(at, 0)) : 0.0F;
        to.groups.put_row(g, row.data());
    }
}
} // namespace detail

/// Fills `to`, of `M::with<Weights<Bf16>>` or another, with the rounded parameters of `from`. Matrices of
/// Dense, and of blocks that are made of such, with at least as many outputs as a vector has lanes, and the
/// tables of Embed, Tied and exact crosses become smaller; everything else stays in float.
template <class M, class Small> void store(Network<M> const& from, Network<Small>& to) {
    static_assert(std::is_same_v<typename Small::Trained, typename M::Trained> &&
                      std::is_same_v<typename M::Params, typename M::Trained::Params>,
                  "inlay: store takes a network and the same model with Weights");
    std::vector<TensorRef<typename M::T const>> all;
    M::Block::visit(from.params(), Path{}, [&](auto, Path const&, Kind, auto ref) { all.push_back(ref); });
    std::size_t next = 0;
    Small::Block::visit(to.params(), Path{},
                        [&](auto, Path const&, Kind, auto ref) { detail::copy_tensor(all[next++], ref); });
}

} // namespace inlay::inline INLAY_ISA
