// SPDX-License-Identifier: BSD-3-Clause
// Embeddings of a width for each field.
#pragma once

#include <inlay/blocks/embed.hpp>
#include <inlay/blocks/pool.hpp>
#include <inlay/combine/parallel.hpp>
#include <inlay/combine/select.hpp>

namespace inlay::inline INLAY_ISA {

/// A field of EmbedEach: D numbers, embedded as `Embed<D, Policies...>` does.
template <Name N, int D, class... Policies> struct Width {
    using Branch = Stack<Select<N>, Embed<D, Policies...>, MeanPool>;
};
/// The embeddings of the fields named, each of its own width, side by side: over a record `Shape<D + ...>`, a
/// history pooled by its mean. `EmbedEach<Width<"user", 16>, Width<"hour", 4>, Width<"age", 2, Periodic<4>>>`
/// is a Concat of `Stack<Select<"user">, Embed<16>, MeanPool>` and so on, which says the rest. A common rule
/// is 1.6 V^0.56 numbers for V ids, at most 50.
template <class... Widths> using EmbedEach = Concat<typename Widths::Branch...>;

} // namespace inlay::inline INLAY_ISA
