// SPDX-License-Identifier: BSD-3-Clause
// The states that a model carries from one window of a stream to the next.
#pragma once

#include <inlay/model/workspace.hpp>
#include <inlay/train/streams.hpp>

#include <algorithm>
#include <cstring>
#include <limits>
#include <span>
#include <vector>

namespace inlay::inline INLAY_ISA {

namespace detail {
template <class M> inline constexpr bool has_a_state = !std::is_empty_v<typename M::Block::State>;
/// States and positions of a batch's rows, or none.
struct CarriedRows {
    Carry carry{};
    std::int64_t const* position = nullptr;

    CarriedRows from(std::size_t row) const noexcept {
        CarriedRows r = *this;
        if (!position) return r;
        r.carry.in += row * carry.stride;
        r.carry.out += row * carry.stride;
        r.position += row;
        return r;
    }
};

/// A state for each of the streams that are read side by side. A stream's next window is the row behind its
/// last one; any other row finds it fresh.
template <class M> class CarriedStates {
    using State = typename M::Block::State;

public:
    /// Fresh streams, unless there are as many already.
    void make_room(std::size_t lanes) {
        if (next_.size() == lanes) return;
        in_ = aligned_bytes(lanes * sizeof(State));
        out_ = aligned_bytes(lanes * sizeof(State));
        position_.assign(lanes, 0);
        next_.assign(lanes, nowhere);
    }
    void forget() noexcept { std::ranges::fill(next_, nowhere); }
    /// Whether any stream has been read.
    bool begun() const noexcept {
        return std::ranges::any_of(next_, [](std::int64_t n) { return n != nowhere; });
    }

    /// Makes stream i ready for the row index[i].
    template <class Data> void begin(Data const& data, std::span<std::uint32_t const> index) noexcept {
        for (std::size_t i = 0; i < index.size(); ++i) {
            if (next_[i] == std::int64_t(index[i]) && !data.begins_at(index[i])) continue;
            std::memset(in_.get() + i * sizeof(State), 0, sizeof(State));
            position_[i] = 0;
        }
    }
    /// What a run gives to the streams from `first` on, and where it leaves what comes of them.
    CarriedRows rows(std::size_t first) const noexcept {
        return CarriedRows{{.in = in_.get(), .out = out_.get(), .stride = sizeof(State)}, position_.data()}
            .from(first);
    }
    /// Goes on behind those rows.
    template <class Data> void end(Data const& data, std::span<std::uint32_t const> index) noexcept {
        std::memcpy(in_.get(), out_.get(), index.size() * sizeof(State));
        for (std::size_t i = 0; i < index.size(); ++i) {
            position_[i] += data.length_of(index[i]);
            next_[i] = std::int64_t(index[i]) + 1;
        }
    }

    static constexpr std::size_t state_bytes = sizeof(State);
    std::span<std::byte> bytes() noexcept { return {in_.get(), next_.size() * sizeof(State)}; }
    std::vector<std::int64_t>& positions() noexcept { return position_; }
    std::vector<std::int64_t>& next_rows() noexcept { return next_; }

private:
    static constexpr std::int64_t nowhere = -1;
    AlignedBytes in_, out_; // a block reads its state in backward, too: what comes out lies elsewhere
    std::vector<std::int64_t> position_, next_;
};
} // namespace detail

} // namespace inlay::inline INLAY_ISA
