// SPDX-License-Identifier: BSD-3-Clause
// Attention that asks by a stream of its own.
#include "../laws.hpp"

namespace r = reference;

using Asking = ScoredBy<RndEmbQK>;
inline constexpr std::int32_t text[] = {3, 0, 5, 5};

namespace {
r::Rows tanhs(r::Parameters const&, r::Rows const& h) {
    r::Rows x = h;
    for (r::Row& token : x)
        for (r::Rounded& v : token) v = tanh(v);
    return x;
}
} // namespace

TEST_CASE("laws: softmax_attn whose queries and keys are of a stream beside") {
    using Mixed = SoftmaxAttn<Heads<2>, KvHeads<1>, Asking, Rope<>, Forgetting>;
    using Two = Let<"x", Tanh, FixedStream<"x", Repeat<2, PreNorm<Mixed>, PreNorm<SwiGlu<5>>>>>;
    laws_in_double<Two, Sequence<6, 4>>([](r::Parameters const& p, r::Sequence const& h) {
        auto const layer = r::fixed_stack(
            {r::fixed_attention({.heads = 2, .kv_heads = 1, .rope = {.base = 10'000}, .forgetting = true}),
             r::fixed_swiglu()});
        return r::fixed_stream(tanhs, r::fixed_stack({layer, layer}))(p.child("0.0"), h);
    });
}
TEST_CASE("laws: softmax_attn whose queries and keys are of a text, beside others") {
    using Words = Let<"x", Stack<FixedText<text>, Embed<4>>, Embed<4>,
                      FixedStream<"x", PreNorm<SoftmaxAttn<ScoredBy<FixedSeqQK>>>, PreNorm<SoftmaxAttn<>>>>;
    laws_in_float<Words, Tokens<6, 7>>([](r::Parameters const& p, r::Sequence const& ids) {
        auto const beside = [&](r::Parameters const&, r::Rows const& h) {
            r::Rows x;
            for (std::size_t t = 0; t < h.size(); ++t)
                x.push_back(r::row_of(p, "x.1.weight", std::size_t(text[t % 4])));
            return x;
        };
        auto const body =
            r::fixed_stream(beside, r::fixed_stack({r::fixed_attention({}), r::own_attention({})}));
        return r::apply([&](r::Sequence const& h) { return body(p.child("1"), h); },
                        r::embed(p.child("0"), ids));
    });
}
