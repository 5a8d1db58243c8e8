// What of hybrid_lm.cpp exists so far, in the same words.
#include <inlay/data.hpp>
#include <inlay/inlay.hpp>
#include <inlay/train.hpp>

#include <cstdio>
#include <iostream>
#include <memory>

using namespace inlay;

constexpr int T = 64, V = 256, D = 32;

template <class Mixer> using Layer = Stack<PreNorm<Mixer>, PreNorm<SwiGlu<4 * D>>>;
using Local = Layer<LinearAttn<Heads<4>, GatedDelta, Chunk<32>>>;
using Global = Layer<SoftmaxAttn<Heads<4>, KvHeads<2>, Causal, Rope<10'000>>>;
using Hybrid = Model<Tokens<T, V>, Tied<Embed<D>, Repeat<2, Repeat<3, Local>, Global>, RmsNorm>>;

static_assert(Hybrid::parameters < 600'000);
static_assert(sizeof(Hybrid::State) < 256 * 1024);

int main(int argc, char** argv) {
    if (argc != 2) return 2;
    summary<Hybrid>(std::cout);

    auto text = read_bytes<Tokens<T, V>>(argv[1], Split{.validation = 0.1});
    auto net = Network<Hybrid>(Seed{1});
    auto trainer = Trainer<Hybrid, CrossEntropy, Batch<16>, AdamW>(
        net, {.learning_rate = 3e-3f, .schedule = Cosine{.warmup = 10}});
    auto const report =
        trainer.fit(text.train, {.steps = 60, .validate = &text.validation, .progress = true});
    std::printf("loss %.3f, validation %.3f\n", report.loss, report.validation);

    auto state = std::make_unique<Hybrid::State>();
    std::cout << generate(net, *state, "ROMEO:", {.tokens = 200, .temperature = 0.8f, .seed = 3}) << '\n';
    return report.loss < 5 ? 0 : 1; // log 256 = 5.5 knows nothing
}
