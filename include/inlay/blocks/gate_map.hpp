// SPDX-License-Identifier: BSD-3-Clause
// A linear map that may have a low rank.
#pragma once

#include <inlay/blocks/dense.hpp>

namespace inlay::inline INLAY_ISA {
namespace detail {

/// One linear map from a token to N numbers, or two through Rank numbers.
template <class I, class R, int N, int Rank, class... Bias> struct GateMap {
    using T = typename R::type;
    using First = typename Dense<Rank, NoBias>::template Block<I, R>;
    using Middle = Shape<I::rows, Rank>;
    using Second = typename Dense<N, Bias...>::template Block<Middle, R>;
    static constexpr long long parameters = First::parameters + Second::parameters;
    static constexpr double flops = First::flops + Second::flops;
    struct Params {
        typename First::Params first;
        typename Second::Params second;
    };
    static constexpr std::size_t scratch(int n) { return 2 * lines(sizeof(T) * std::size_t(n) * row); }
    template <class P, class F> static void visit(P& p, Path const& at, F&& f) {
        First::visit(p.first, Path{&at, nullptr, 0}, f);
        Second::visit(p.second, Path{&at, nullptr, 1}, f);
    }
    template <class C> static void initialize(C c, Params& p) noexcept {
        First::initialize(c, p.first);
        c.key = c.key.fold(1);
        Second::initialize(c, p.second);
    }
    static void apply(int n, Params const& p, T const* x, T* y, Scratch s) noexcept {
        T* const middle = s.template take<T>(std::size_t(n) * row);
        First::apply(n, p.first, x, middle);
        Second::apply(n, p.second, middle, y);
    }
    template <class G>
    static void pull(int n, Params const& p, T const* x, T const* dy, T* dx, G& g, Scratch s) noexcept {
        T* const middle = s.template take<T>(std::size_t(n) * row);
        T* const dmiddle = s.template take<T>(std::size_t(n) * row);
        First::apply(n, p.first, x, middle);
        Second::pull(n, p.second, middle, dy, dmiddle, false, g.second);
        First::pull(n, p.first, x, dmiddle, dx, true, g.first);
    }

private:
    static constexpr std::size_t row = std::size_t(Out<Middle, R>::stride);
};
template <class I, class R, int N, class... Bias> struct GateMap<I, R, N, 0, Bias...> {
    using T = typename R::type;
    using Map = typename Dense<N, Bias...>::template Block<I, R>;
    using Params = typename Map::Params;
    static constexpr long long parameters = Map::parameters;
    static constexpr double flops = Map::flops;
    static constexpr std::size_t scratch(int) { return 0; }
    template <class P, class F> static void visit(P& p, Path const& at, F&& f) { Map::visit(p, at, f); }
    template <class C> static void initialize(C const& c, Params& p) noexcept { Map::initialize(c, p); }
    static void apply(int n, Params const& p, T const* x, T* y, Scratch) noexcept { Map::apply(n, p, x, y); }
    template <class G>
    static void pull(int n, Params const& p, T const* x, T const* dy, T* dx, G& g, Scratch) noexcept {
        Map::pull(n, p, x, dy, dx, true, g);
    }
};

} // namespace detail
} // namespace inlay::inline INLAY_ISA
