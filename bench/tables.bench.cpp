// SPDX-License-Identifier: BSD-3-Clause
// An update of a ranker with tables of ten thousand rows, and of ten million: two of 8 numbers a row and one
// of hashed crosses. Events are drawn evenly, so nearly every row of a large table comes from memory.
#include <inlay/train.hpp>

#include <benchmark/benchmark.h>

using namespace inlay;

namespace {

template <int V>
using Event = Record<Categorical<"user", V>, Categorical<"item", V>, Categorical<"hour", 24>>;
template <int V>
using Ranker = Model<Event<V>, Sum<Cross<Hashed<V>, Each, Of<"user", "item">>,
                                   Stack<Embed<8>, Flatten, Dense<32>, Relu, Dense<1>>>>;

template <int V, class Optimizer> void update(benchmark::State& state, TrainOptions<Optimizer> options) {
    static auto const rows = Rows<Event<V>>::random(1 << 16, Seed{1});
    auto net = Network<Ranker<V>>(Seed{1});
    Trainer<Ranker<V>, BinaryCrossEntropy, Batch<1>, Optimizer> trainer(net, options);
    std::size_t i = 0;
    for (; i < 1000; ++i) trainer.update(rows[i], float(i % 2));
    for (auto _ : state) {
        auto const at = i++ % rows.size();
        benchmark::DoNotOptimize(trainer.update(rows[at], float(at % 2)));
    }
}
template <int V> void adagrad(benchmark::State& state) { update<V>(state, TrainOptions<AdaGrad>{}); }
template <int V> void adam(benchmark::State& state) { update<V>(state, TrainOptions<Adam>{}); }
template <int V> void adam_clipped_averaged(benchmark::State& state) {
    update<V>(state, TrainOptions<Adam>{.clip = {.norm = 1}, .average = 0.999});
}
BENCHMARK(adagrad<10'000>);
BENCHMARK(adagrad<10'000'000>);
BENCHMARK(adam<10'000>);
BENCHMARK(adam<10'000'000>);
BENCHMARK(adam_clipped_averaged<10'000>);
BENCHMARK(adam_clipped_averaged<10'000'000>);

} // namespace

BENCHMARK_MAIN();
