// SPDX-License-Identifier: BSD-3-Clause
// How a forward pass is watched: an observer among the extras of its context. Without one there is no code.
#pragma once

#include <inlay/core/context.hpp>

namespace inlay::inline INLAY_ISA {

namespace detail {
struct Unobserved {};
template <class Child, class Observer, class C, class P, class X, class Y> class Observed {
public:
    Observed(Observer& o, Path const& place, C const& c, P const& p, X x, Y y)
        : observer_(o), c_(c), p_(p), x_(x), y_(y) {
        observer_.enter(place);
    }
    Observed(Observed const&) = delete;
    Observed& operator=(Observed const&) = delete;
    ~Observed() { observer_.template leave<Child>(c_, p_, x_, y_); }

private:
    Observer& observer_;
    C const& c_;
    P const& p_;
    X x_;
    Y y_;
};

template <class C> inline constexpr bool is_observed = HasSide<"observer", decltype(C::extras)>;

/// Stands before the forward of a child at `place`, which is its name or number, that reads x and writes y:
/// while what it returns lives, the child runs. An observer has `enter(Path const&)` and
/// `leave<Child>(c, params, x, y)`.
template <class Child, class C, class P, class X, class Y>
[[nodiscard]] auto observe([[maybe_unused]] C const& c, [[maybe_unused]] Path const& place,
                           [[maybe_unused]] P const& p, [[maybe_unused]] X x, [[maybe_unused]] Y y) noexcept {
    if constexpr (HasSide<"observer", decltype(c.extras)>) {
        auto& observer = *side<"observer">(c.extras).value;
        return Observed<Child, std::remove_reference_t<decltype(observer)>, C, P, X, Y>(observer, place, c, p,
                                                                                        x, y);
    } else return Unobserved{};
}
/// The context with an observer.
template <class C, class Observer> auto with_observer(C const& c, Observer& observer) noexcept {
    return c.with(With<"observer", Observer*, NoGrad, decltype(c.extras)>{c.extras, &observer, {}});
}
} // namespace detail

} // namespace inlay::inline INLAY_ISA
