// SPDX-License-Identifier: BSD-3-Clause
// Streams of attention longer than what they keep, against a reference that sees all of them.
#pragma once

#include "../reference/attention.hpp"
#include "harness.hpp"

namespace test {

/// N tokens through a block whose sequences are shorter, step by step and in parts with carried state,
/// against the reference over all N.
template <class Spec, int T, int D> void long_stream(reference::Block const& truth) {
    constexpr int N = 29;
    using H = Harness<Spec, Sequence<T, D>, double>;
    using Block = typename H::Block;
    auto h = std::make_unique<H>();
    reference::Sequence x(N, std::vector<double>(D));
    for (auto& row : x)
        for (double& v : row) v = h->normal();
    auto const want = truth(h->parameters(), x);
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

template <class Spec, int T, int D> void long_stream(reference::Attention const& truth) {
    long_stream<Spec, T, D>(reference::attention(truth));
}

} // namespace test
