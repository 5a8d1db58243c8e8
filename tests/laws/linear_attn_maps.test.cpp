// SPDX-License-Identifier: BSD-3-Clause
// Linear attention with each of its features.
#include "../laws.hpp"

using reference::FeatureMap;
using reference::HeadNorm;
using reference::linear_attention;

TEST_CASE("laws: linear_attn over squared positive parts, their sum normed") {
    laws_in_float<LinearAttn<Heads<2>, SquaredReluMap, Unnormalised, NormHeads>, Sequence<5, 6>>(
        linear_attention({.heads = 2, .map = FeatureMap::relu2, .norm = HeadNorm::rms}));
}
TEST_CASE("laws: linear_attn over positive parts, from a gate of each head") {
    laws_in_float<LinearAttn<Heads<2>, SimpleGla, ReluMap, KeyDim<5>>, Sequence<5, 6>>(linear_attention(
        {.heads = 2, .map = FeatureMap::relu, .decay = reference::Decay::softplus, .norm = HeadNorm::rms}));
}
TEST_CASE("laws: linear_attn over Hedgehog's features") {
    laws_in_float<LinearAttn<Heads<2>, HedgehogMap, Chunk<3>>, Sequence<5, 6>>(
        linear_attention({.heads = 2, .map = FeatureMap::hedgehog, .normalise = true}));
}
TEST_CASE("laws: linear_attn over Taylor's features") {
    laws_in_float<LinearAttn<Heads<2>, TaylorMap, ValueDim<16>>, Sequence<5, 10>>(
        linear_attention({.heads = 2, .map = FeatureMap::taylor, .normalise = true, .scale = 1}));
}
TEST_CASE("laws: linear_attn over cosines") {
    laws_in_float<LinearAttn<CosineMap<9>, Unnormalised, Chunk<3>>, Sequence<5, 6>>(
        [](reference::Parameters const& p, reference::Sequence const& x) {
            return linear_attention({.map = FeatureMap::cosformer, .cosine_end = 9})(p, x);
        });
}

namespace {
// One head that only adds reads q S_0 / sqrt(d) beside what it would read from an empty memory.
reference::Result from_a_start(reference::Parameters const& p, reference::Sequence const& x) {
    auto const plain = linear_attention()(p, x);
    reference::Tape::Scope const scope;
    reference::State start;
    for (auto const& row : reference::rows_of(p["start"]))
        start.push_back(reference::Row(row.begin(), row.end()));
    reference::Rows y;
    for (std::size_t t = 0; t < x.size(); ++t) {
        auto q = reference::linear(p.child("q"), reference::Row(x[t].begin(), x[t].end()));
        for (auto& v : q) v = v * reference::constant(1 / std::sqrt(double(q.size())));
        auto row = reference::linear(p.child("o"), reference::read(q, start));
        for (std::size_t i = 0; i < row.size(); ++i)
            row[i] = row[i] + reference::Rounded(plain.value[t][i], plain.magnitude[t][i], {});
        y.push_back(row);
    }
    return reference::result_of(y);
}
} // namespace
TEST_CASE("laws: linear_attn from a start that is learned") {
    laws_in_float<LinearAttn<IdentityMap, Unnormalised, LearnedStart, Chunk<3>>, Sequence<5, 6>>(
        from_a_start);
}
