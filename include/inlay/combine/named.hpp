// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <inlay/combine/stack.hpp>

namespace inlay::inline INLAY_ISA {

/// The same block under a name of its own: its parameters are `retrieval.weight` where they would be
/// `2.weight`, and so stay where they are when blocks are added before it.
template <Name N, class Spec> struct Named {
    static_assert(sizeof(N.text) > 1, "inlay: Named needs a name");
    static constexpr auto given_name = N;
    static constexpr int layers = detail::layers_of<Spec>;
    template <class I> using Problem = detail::Problem<Spec, I>;
    template <class I> static Tag<typename detail::OutputOf<Spec, I>::type> out(Tag<I>);

    template <class I, class R> using Block = typename Spec::template Block<I, R>;
};

} // namespace inlay::inline INLAY_ISA
