// SPDX-License-Identifier: BSD-3-Clause
// Which optimizer moves which parameters.
#pragma once

#include <inlay/train/optimizer.hpp>

#include <string_view>
#include <tuple>

namespace inlay::inline INLAY_ISA {

/// In the place of an optimizer: these parameters stay as they are, have no optimizer state, and no part in
/// the norm of the gradient: `Optimize<OnBlock<Embed<8>, Frozen>, Otherwise<Adam>>`. Their gradients are
/// computed nevertheless. PyTorch: `p.requires_grad_(False)`.
struct Frozen {
    static constexpr int slots = 0;
    void check() const noexcept {}
    template <class T> void update(StepInfo const&, T*, T const*, T*, T*, std::ptrdiff_t) const noexcept {}
};

namespace detail {
template <class O> inline constexpr bool tables_only = false;
template <class O>
    requires requires { O::tables_only; }
inline constexpr bool tables_only<O> = O::tables_only;

template <class Spec, template <class...> class Pack> inline constexpr bool made_from = false;
template <template <class...> class Pack, class... P>
inline constexpr bool made_from<Pack<P...>, Pack> = true;

/// `*` stands for any characters.
constexpr bool matches_pattern(std::string_view pattern, std::string_view name) {
    std::size_t p = 0, n = 0, star = std::string_view::npos, from = 0;
    while (n < name.size()) {
        if (p < pattern.size() && pattern[p] == '*') star = p++, from = n;
        else if (p < pattern.size() && pattern[p] == name[n]) ++p, ++n;
        else if (star != std::string_view::npos) p = star + 1, n = ++from;
        else return false;
    }
    while (p < pattern.size() && pattern[p] == '*') ++p;
    return p == pattern.size();
}
} // namespace detail

/// O for the parameters of every block made from a template whose arguments are all types: `On<Cross, Ftrl>`.
/// An optimizer for tables only, such as Ftrl, takes the block's tables.
template <template <class...> class B, class O> struct On {
    using Optimizer = O;
    template <class Spec> static bool matches(Kind kind, std::string_view) {
        return detail::made_from<Spec, B> && (!detail::tables_only<O> || kind == Kind::table);
    }
};
/// O for the parameters of every block with exactly this spec: `OnBlock<Embed<8>, AdaGrad>`.
template <class S, class O> struct OnBlock {
    using Optimizer = O;
    template <class Spec> static bool matches(Kind kind, std::string_view) {
        return std::is_same_v<Spec, S> && (!detail::tables_only<O> || kind == Kind::table);
    }
};
/// O for the parameters whose name matches a pattern, `*` standing for anything: `OnName<"*.bias", Sgd>`.
template <Name Pattern, class O> struct OnName {
    using Optimizer = O;
    template <class Spec> static bool matches(Kind, std::string_view name) {
        return detail::matches_pattern(Pattern.text, name);
    }
};
/// O for whatever no rule before takes.
template <class O> struct Otherwise {
    using Optimizer = O;
    template <class Spec> static bool matches(Kind, std::string_view) { return true; }
};

/// Rules in order: the first that matches a parameter moves it.
template <class... Rules> struct Optimize {
    using Options = std::tuple<typename Rules::Optimizer...>;
};

namespace detail {
template <class O> struct RulesOf {
    using type = Optimize<Otherwise<O>>;
};
template <class... Rules> struct RulesOf<Optimize<Rules...>> {
    using type = Optimize<Rules...>;
};
} // namespace detail

} // namespace inlay::inline INLAY_ISA
