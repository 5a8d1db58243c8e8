// SPDX-License-Identifier: BSD-3-Clause
// What attention adds to a score by the time between two tokens.
#pragma once

#include <inlay/blocks/draw.hpp>
#include <inlay/core/context.hpp>
#include <inlay/core/policy.hpp>
#include <inlay/core/tensor.hpp>

#include <cmath>

namespace inlay::inline INLAY_ISA {

/// A learned number for each of Count + 1 lengths of time between a query and a key, whose times are the side
/// tensor Side, `[T, 1]`: bucket min(Count, floor(ln(max(1, |t_i - t_j| / Unit)) / 0.301)), so that each is
/// 35 % longer than the one before (HSTU, arXiv 2402.17152). Times go as floats: seconds since 1970 would
/// lose their last two digits, minutes or seconds since a user's first event do not. They get no gradient.
///
/// The authors' code takes the time of the next event as the query's; here it is its own, since a stream does
/// not know the next one.
template <Name Side, int Count, double Unit> struct BasicTimeBuckets {
    using Must = detail::Must<(Count > 0 && Unit > 0), a_positive_number>;
    using PolicyKind = struct HowTimeCounts;
};
/// Of one second, or whatever times are counted in, and more.
template <Name Side> using TimeBuckets = BasicTimeBuckets<Side, 128, 1.0>;

namespace detail {
template <class R, class Policy> struct TimeBias {
    using T = typename R::type;
    static constexpr int numbers = 0;
    static constexpr long long parameters = 0;
    struct Params {};
    template <class... A> static void visit(A&&...) {}
    template <class... A> static void initialize(A&&...) noexcept {}
    template <class C> static void tell(C const&, int, int, T*) noexcept {}
    template <class C> static void pull(C const&, int, int, T const*) noexcept {}
    template <class... A> static T of(A&&...) noexcept { return T(0); }
    template <class... A> static void put(A&&...) noexcept {}
};
template <class R, Name Side, int Count, double Unit>
struct TimeBias<R, BasicTimeBuckets<Side, Count, Unit>> {
    using T = typename R::type;
    static constexpr int numbers = 1;
    static constexpr long long parameters = Count + 1;
    struct Params {
        Tensor<R, 1, Count + 1> time;
    };
    template <class Spec, class P, class F> static void visit(Tag<Spec> spec, P& p, Path const& at, F&& f) {
        f(spec, Path{&at, "time"}, Kind::vector, p.time.ref());
    }
    static void initialize(Key key, Params& p) noexcept { draw_normal(key, 0.02, p.time.ref()); }

    /// Writes the time of token t of row b.
    template <class C> static void tell(C const& c, int b, int t, T* to) noexcept {
        static_assert(HasSide<Side, decltype(c.extras)>,
                      "inlay: TimeBuckets names a side tensor that no Let or Keep around it makes");
        *to = side<Side>(c.extras).value(b, t)[0];
    }
    /// What a stream's state says of the time that it keeps.
    template <class C> static void pull(C const& c, int b, int t, T const* slope) noexcept {
        auto const& times = side<Side>(c.extras);
        if constexpr (wants_grad<decltype(times.cotangent)>) times.cotangent(b, t)[0] += *slope;
    }
    static T of(Params const& p, T const* query, T const* key) noexcept {
        return p.time[0][bucket(*query, *key)];
    }
    template <class G> static void put(G& g, T const* query, T const* key, T slope) noexcept {
        g.time[0][bucket(*query, *key)] += slope;
    }

private:
    static int bucket(T query, T key) noexcept {
        double const apart = std::abs(double(query) - double(key)) / Unit;
        return int(std::min(double(Count), std::floor(std::log(std::max(1.0, apart)) / 0.301)));
    }
};
} // namespace detail

} // namespace inlay::inline INLAY_ISA
