// SPDX-License-Identifier: BSD-3-Clause
// A number as a field of a record: its scale, and the edges that make ids of it.
#pragma once

#include <inlay/core/meta.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace inlay::inline INLAY_ISA {

/// Edges that turn a number into ids where ids are wanted: id = 1 + (number of edges <= x); 0 = missing.
template <int... Edges> struct Buckets {
    static constexpr int ids = int(sizeof...(Edges)) + 2;
    static constexpr std::int32_t id(double x) noexcept { return 1 + ((x >= Edges ? 1 : 0) + ... + 0); }
    /// The least number with an id above 1.
    static constexpr double lower(std::int32_t id) noexcept {
        double const edges[] = {0, double(Edges)...};
        return edges[id - 1];
    }
};
/// Bucket of a count by powers of two: id = 1 + min(floor(log2(1 + x)), N - 1); 0 = missing. x below 0 counts
/// as 0.
template <int N> struct LogBuckets {
    static constexpr int ids = N + 1;
    static std::int32_t id(double x) noexcept {
        int const b = x > 0 ? int(std::floor(std::log2(1 + x))) : 0;
        return 1 + std::min(b, N - 1);
    }
    /// The least number with an id above 1.
    static double lower(std::int32_t id) noexcept { return std::exp2(id - 1) - 1; }
};
/// At most N buckets with about as many rows each, between quantiles that the Encoder learns: ids as of
/// Buckets, and bins for Embed's PiecewiseLinear.
template <int N> struct Quantiles {
    static_assert(N > 0, "inlay: Quantiles needs a bucket");
    static constexpr int ids = N + 1;
    static constexpr bool learned = true, by_target = false;
};
/// At most N buckets in which the label differs, of at least `Least` rows each: the leaves of a regression
/// tree over this number, which the Encoder grows. Ids as of Buckets, and bins for Embed's PiecewiseLinear.
template <int N, int Least = 16> struct TargetBins {
    static_assert(N > 0 && Least > 0, "inlay: TargetBins needs a bucket and a row in it");
    static constexpr int ids = N + 1;
    static constexpr bool learned = true, by_target = true;
};
/// The value is that of sign(x) log(1 + |x|): for counts and sums with long tails.
struct Log {};

namespace detail {
struct NoEdges {
    static constexpr int ids = 0;
};
template <class P>
concept Edges = requires { P::ids; };
template <class P>
concept LearnedEdges = requires { P::learned; };
template <class... P> struct EdgesAmong {
    using type = NoEdges;
};
template <class First, class... P>
struct EdgesAmong<First, P...> : std::conditional_t<Edges<First>, Tag<First>, EdgesAmong<P...>> {};

struct NumberValue {
    float value;
    std::int32_t id;
};
struct BinnedValue {
    float value;
    std::int32_t id;
    float part; ///< how far through the bucket, 0 to 1; below 0 and above 1 past the outermost edges
};
} // namespace detail

/// Words of a misfit.
struct edges_or_Log_or_both;

enum class FieldKind : std::uint8_t { numeric, categorical, multi_hot, history };

/// A number; `value` is standardised by the Encoder, after Log where that is named. With Buckets, LogBuckets,
/// Quantiles or TargetBins it has ids too, for crosses. Edges apply to the number as it is written.
template <Name N, class... Policies> struct Numeric {
    using Edges = typename detail::EdgesAmong<Policies...>::type;
    static constexpr auto name = N;
    static constexpr FieldKind kind = FieldKind::numeric;
    static constexpr int capacity = 1, ids = Edges::ids;
    static constexpr int kinds_of_edges = ((detail::Edges<Policies> ? 1 : 0) + ... + 0);
    static constexpr int logs = ((std::is_same_v<Policies, Log> ? 1 : 0) + ... + 0);
    static constexpr bool known = kinds_of_edges + logs == int(sizeof...(Policies)) && logs < 2;
    using Takes = edges_or_Log_or_both;
    static constexpr bool learned = detail::LearnedEdges<Edges>;
    using Value = std::conditional_t<learned, detail::BinnedValue, detail::NumberValue>;

    /// The id by edges that are known.
    static std::int32_t bucket([[maybe_unused]] double x) noexcept
        requires(!learned)
    {
        if constexpr (ids > 0) return Edges::id(x);
        else return 0;
    }
    /// What the scale is learned of.
    static double curve(double x) noexcept {
        if constexpr (logs > 0) return std::copysign(std::log1p(std::abs(x)), x);
        else return x;
    }
};

} // namespace inlay::inline INLAY_ISA
