// SPDX-License-Identifier: BSD-3-Clause
// What compare.py measures of inlay: a line of JSON for each.
//
//     memory_peers train    forward and backward of a deep memory, 4 sequences of 512 tokens of 64 numbers
//     memory_peers stream   the same memory, a token at a time
#include <inlay/inlay.hpp>

#include "../harness.hpp"

#include <cstring>

using namespace inlay;

constexpr int T = 512, D = 64, B = 4;
using Spec = Memory<Heads<4>, Chunk<64>, Depth<2>, Expansion<4>, Inner<Gelu>, InnerNorm, PreviousChunk,
                    StepSize<1>, LossScale<2. / 16>, ShortConv<0>>;
using Input = Sequence<T, D>;
using Block = Spec::Block<Input, Native>;

template <class X> X* room() {
    auto* const at = static_cast<X*>(::operator new(sizeof(X), std::align_val_t(64)));
    std::memset(static_cast<void*>(at), 0, sizeof(X));
    return at;
}
struct Sequences {
    detail::Buffer<Input, Native, B> rows;
};

int main(int argc, char** argv) {
    auto* const params = room<Block::Params>();
    Block::initialize(Context<>{.depth = 1, .key = Key{1}}, *params);
    auto *const x = room<Sequences>(), *const y = room<Sequences>(), *const dy = room<Sequences>(),
                *const dx = room<Sequences>();
    for (auto* s : {x, dy})
        for (int r = 0; r < B * T; ++r)
            for (int i = 0; i < D; ++i) s->rows.view({})(0, r)[i] = bench::draw();
    bench::Floats const scratch(Block::scratch(B) / 4 + 16);
    Scratch const s{reinterpret_cast<std::byte*>(static_cast<float*>(scratch))};
    double best = 1e9;
    if (argc > 1 && std::strcmp(argv[1], "train") == 0) {
        auto* const tape = room<Block::Tape<B>>();
        auto* const grads = room<Block::Grads<B>>();
        Context<> const c{.rows = B, .capacity = B, .depth = 1, .training = true};
        using View = In<Input, Native>;
        for (int round = 0; round < 15; ++round) {
            double const begin = bench::now();
            View const in = std::as_const(x->rows).view({}), slope = std::as_const(dy->rows).view({});
            Block::forward(c, *params, in, y->rows.view({}), *tape, s);
            Block::backward(c, *params, in, *tape, slope, dx->rows.view({}), *grads, s);
            bench::clobber();
            best = std::min(best, (bench::now() - begin) / (B * T));
        }
    } else {
        auto* const state = room<Block::State>();
        Context<> const c{.rows = 1, .capacity = 1, .depth = 1};
        for (int round = 0; round < 15; ++round) {
            double const begin = bench::now();
            for (int t = 0; t < T; ++t)
                Block::step(c, *params, *state, x->rows.view({})(0, t), y->rows.view({})(0, t), s);
            bench::clobber();
            best = std::min(best, (bench::now() - begin) / T);
        }
    }
    std::printf("{\"ns_a_token\": %.6g, \"parameters\": %lld, \"state_bytes\": %zu}\n", best * 1e9,
                Block::parameters, sizeof(Block::State));
}
