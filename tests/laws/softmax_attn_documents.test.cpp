// SPDX-License-Identifier: BSD-3-Clause
#include "../laws.hpp"

namespace {
/// Embedded ids, attended to within documents that end with id 0.
reference::Block documents(reference::Attention attention) {
    return [attention](reference::Parameters const& p, reference::Sequence const& x) {
        auto own = attention;
        int number = 0;
        for (auto const& token : x) {
            own.mask.documents.push_back(number);
            if (token.at(0) == 0) ++number;
        }
        return reference::apply(
            [&](reference::Sequence const& z) { return reference::attention(own)(p.child("1"), z); },
            reference::embed(p.child("0"), x));
    };
}
template <class... P>
using Text = Let<"document", DocumentIndex<0>, Embed<6>, SoftmaxAttn<Heads<2>, Documents<"document">, P...>>;
} // namespace

TEST_CASE("laws: softmax_attn over documents") {
    laws_in_float<Text<>, Tokens<9, 3>>(documents({.heads = 2}));
    laws_in_float<Text<BlockWindow<2, 1>>, Tokens<9, 5>>(
        documents({.heads = 2, .mask = {.block = 2, .segments = 1}}));
    laws_in_float<Text<Bidirectional>, Tokens<9, 3>>(
        documents({.heads = 2, .mask = {.sees = reference::Sees::all}}));
}
