// SPDX-License-Identifier: BSD-3-Clause
// One event of a stream that a model learns from as it arrives.
#pragma once

#include <inlay/core/record.hpp>

#include <cstddef>
#include <span>

namespace inlay::inline INLAY_ISA {

namespace detail {
/// What is known of one event: a record's row, or the numbers of a vector or of a whole sequence.
template <class Input> struct EventOf {
    using type = struct no_event_by_itself;
};
template <class... F> struct EventOf<Record<F...>> {
    using type = typename Record<F...>::Row;
};
template <int... N> struct EventOf<Shape<N...>> {
    using type = std::span<float const, std::size_t(Shape<N...>::rows* Shape<N...>::width)>;
};

/// The targets of an event: N numbers, or just one.
template <int N> class EventTargets {
public:
    EventTargets(std::span<float const, std::size_t(N)> all) : all_(all.data()) {}
    EventTargets(float one)
        requires(N == 1)
        : one_(one) {}
    float const* data() const noexcept { return all_ ? all_ : &one_; }

private:
    float one_ = 0;
    float const* all_ = nullptr;
};
} // namespace detail

} // namespace inlay::inline INLAY_ISA
