// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <inlay/blocks/cross/bilinear.hpp>
#include <inlay/blocks/cross/cin.hpp>
#include <inlay/blocks/cross/dcn.hpp>
#include <inlay/blocks/cross/exact.hpp>
#include <inlay/blocks/cross/fusion.hpp>
#include <inlay/blocks/cross/pairs.hpp>
#include <inlay/blocks/cross/sums.hpp>

namespace inlay::inline INLAY_ISA {

namespace detail {
struct Exact {
    template <class Spec, class... P> using Form = ExactForm<Spec, P...>;
};
template <class Spec, class... P>
using FormOf = typename PolicyOr<CrossForm, Exact, P...>::type::template Form<Spec, P...>;
} // namespace detail

/// Products of features. The first policy says in which form: `Dcn<L>`, `Fm` and so on, each described where
/// it stands; without one the crosses are exact, with one weight each: the wide part of Wide & Deep (arXiv
/// 1606.07792).
///
/// y = w_0 + sum of w_q over all crosses q that fire; a cross fires when every part has an id other than 0 (0
/// is unseen or missing). `Each` stands for every field that has ids by itself, `Of<"a", "b">` for a product
/// of fields. A cross is the product of its parts, 1 each but the ids of a field that is `Weighted`: under
/// Each such an id counts its weight times, and an Of takes none of them. Indexing: `Hashed<N>` puts crosses
/// into N slots by XXH64 of field indices and ids; `Indexed` gives each its own weight, where the product of
/// the vocabularies fits. Input: a `Record`; output `Shape<1>`. Parameters: one table `weight [1 + slots,
/// 1]`, row 0 is the bias, all zero at first. Gradients reach only what fired. Cost: one hash and one load a
/// cross. No streaming form beyond one row. PyTorch: `nn.EmbeddingBag(slots + 1, 1, mode="sum")` over the
/// same ids, with `per_sample_weights`. Errors: no indexing or two, a field that the record lacks, a part
/// that has no single id.
template <class... Policies> struct Cross : detail::FormOf<Cross<Policies...>, Policies...> {};

} // namespace inlay::inline INLAY_ISA
