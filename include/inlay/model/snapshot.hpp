// SPDX-License-Identifier: BSD-3-Clause
// Where a stream is, kept aside and brought back.
#pragma once

#include <inlay/model/model.hpp>

namespace inlay::inline INLAY_ISA {

/// What a stream of M carries: M::State without its room for temporaries. Plain data.
template <class M> struct Snapshot {
    std::int64_t position;
    INLAY_EMPTY typename M::Block::State carried;
};

/// A stream as it is.
template <class M> Snapshot<M> snapshot(typename M::State const& state) noexcept {
    Snapshot<M> s;
    std::memset(static_cast<void*>(&s), 0, sizeof s); // so that equal streams are equal bytes
    s.position = state.position;
    if constexpr (!std::is_empty_v<typename M::Block::State>)
        std::memcpy(static_cast<void*>(&s.carried), &state.carried, sizeof s.carried);
    return s;
}
/// Puts a stream where it was: what it answers from there on is the same, bit by bit.
template <class M> void restore(typename M::State& state, Snapshot<M> const& s) noexcept {
    state.position = s.position;
    if constexpr (!std::is_empty_v<typename M::Block::State>)
        std::memcpy(static_cast<void*>(&state.carried), &s.carried, sizeof s.carried);
}

} // namespace inlay::inline INLAY_ISA
