// SPDX-License-Identifier: BSD-3-Clause
// Streams of attention longer than what they keep. All else is in the laws.
#include "../reference/attention.hpp"
#include "harness.hpp"

using namespace inlay;

namespace {

/// N tokens through a block whose sequences are shorter, step by step and in parts with carried state,
/// against the reference over all N.
template <class Spec, int T, int D> void long_stream(reference::Attention const& truth) {
    constexpr int N = 29;
    using H = test::Harness<Spec, Sequence<T, D>, double>;
    using Block = typename H::Block;
    auto h = std::make_unique<H>();
    reference::Sequence x(N, std::vector<double>(D));
    for (auto& row : x)
        for (double& v : row) v = h->normal();
    auto const want = reference::attention(truth)(h->parameters(), x);
    auto const check = [&](double const* y, int t) {
        for (std::size_t i = 0; i < D; ++i) {
            CAPTURE(t);
            auto const at = std::size_t(t);
            CHECK(std::abs(y[i] - want.value[at][i]) <= 1e-12 * want.magnitude[at][i]);
        }
    };
    auto state = std::make_unique<typename Block::State>();
    std::memset(static_cast<void*>(state.get()), 0, sizeof *state);
    std::vector<std::byte> scratch(Block::step_scratch() + 64);
    for (std::int64_t t = 0; t < N; ++t) {
        double in[64]{}, out[64];
        std::copy_n(x[std::size_t(t)].data(), D, in);
        Context<> const c{.rows = 1, .capacity = 1, .position = &t};
        Block::step(c, h->params, *state, in, out, Scratch{scratch.data()});
        check(out, int(t));
    }
    // Parts of every length, nothing among them; the state goes in and out of one place.
    std::memset(static_cast<void*>(h->in), 0, sizeof h->in);
    int done = 0;
    for (int part = T; done < N; part = part == 0 ? T : part - 1) {
        int const n = std::min(part, N - done);
        std::int64_t const position[3] = {done, done, done};
        for (int b = 0; b < H::B; ++b) {
            h->length[b] = n;
            for (int t = 0; t < n; ++t) std::copy_n(x[std::size_t(done + t)].data(), D, h->x()(b, t));
        }
        h->carry();
        h->c.position = position;
        h->c.carry.out = reinterpret_cast<std::byte*>(h->in);
        h->forward();
        for (int t = 0; t < n; ++t) check(h->y()(1, t), done + t);
        done += n;
    }
}

} // namespace

TEST_CASE("a stream of attention forgets the oldest") {
    long_stream<SoftmaxAttn<Heads<2>, KvHeads<1>, Rope<>>, 5, 12>(
        {.heads = 2, .kv_heads = 1, .mask = {.window = 5}, .rope = {.base = 10'000}});
    long_stream<SoftmaxAttn<Heads<2>, Window<7>>, 4, 6>({.heads = 2, .mask = {.window = 7}});
    long_stream<SoftmaxAttn<Window<1>>, 4, 6>({.mask = {.window = 1}});
}
TEST_CASE("a stream of attention keeps its sinks") {
    long_stream<SoftmaxAttn<Heads<2>, Window<3>, Sinks<2>, Rope<>>, 4, 8>(
        {.heads = 2, .mask = {.window = 3, .sinks = 2}, .rope = {.base = 10'000}});
    long_stream<SoftmaxAttn<Sinks<3>>, 4, 5>({.mask = {.window = 4, .sinks = 3}});
}
TEST_CASE("a stream of attention knows distances across what it forgot") {
    long_stream<SoftmaxAttn<Heads<3>, Window<3>, Sinks<2>, Alibi>, 4, 6>(
        {.heads = 3, .mask = {.window = 3, .sinks = 2}, .alibi = reference::Alibi::fixed});
    long_stream<SoftmaxAttn<Heads<2>, BlockWindow<3, 1>, Sinks<1>, Forgetting>, 5, 6>(
        {.heads = 2, .mask = {.sinks = 1, .block = 3, .segments = 1}, .forgetting = true});
}
TEST_CASE("a stream of attention moves from block to block") {
    long_stream<SoftmaxAttn<BlockWindow<3, 2>, Sinks<1>>, 4, 5>(
        {.mask = {.sinks = 1, .block = 3, .segments = 2}});
    long_stream<SoftmaxAttn<BlockWindow<4, 0>>, 6, 5>({.mask = {.block = 4, .segments = 0}});
}
