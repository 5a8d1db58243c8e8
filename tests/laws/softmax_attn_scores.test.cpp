// SPDX-License-Identifier: BSD-3-Clause
// What attention may leave out.
#include "../laws.hpp"

namespace r = reference;

TEST_CASE("laws: softmax_attn by a series") {
    laws_in_float<SoftmaxAttn<Heads<2>, KvHeads<1>, ScoredBy<Approximate>, Rope<>>, Sequence<7, 8>>(
        r::attention({.heads = 2, .kv_heads = 1, .rope = {.base = 10'000}, .weights = r::RowMap::taylor}));
    laws_in_float<SoftmaxAttn<ScoredBy<Approximate>, Window<3>, Sinks<1>>, Sequence<7, 6>>(
        r::attention({.mask = {.window = 3, .sinks = 1}, .weights = r::RowMap::taylor}));
}
TEST_CASE("laws: softmax_attn whose queries and keys are embeddings") {
    using Two = Keep<"e", Dense<6>, Tanh, SoftmaxAttn<Heads<2>, ScoredBy<StaticEmbQK<"e">>>>;
    laws<Two, Sequence<6, 4>>([](r::Parameters const& p, r::Sequence const& x) {
        auto const embedded = r::dense(p.child("e"), x);
        // Queries and keys are of e, values of tanh e.
        auto const both = [&](r::Sequence const& e) {
            auto const attend = r::attention_of({.heads = 2}, e);
            return r::apply([&](r::Sequence const& z) { return attend(p.child("1"), z); }, r::tanh(p, e));
        };
        return r::apply(both, embedded);
    });
}
TEST_CASE("laws: softmax_attn whose scores are of keys alone") {
    laws<SoftmaxAttn<Heads<4>, KvHeads<2>, ScoredBy<NonApproximate>, Bias>, Sequence<7, 12>>(
        r::attention({.heads = 4, .kv_heads = 2, .scores = r::Scores::keys}));
}
