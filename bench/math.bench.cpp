// SPDX-License-Identifier: BSD-3-Clause
// exp against xsimd's, and the pooled gather against a loop that only reads the same rows.
#include <inlay/kernels/gather.hpp>

#include <benchmark/benchmark.h>

#include <memory>
#include <random>
#include <vector>

using namespace inlay;

namespace {

constexpr int W = INLAY_VECTOR_BYTES / 4;
using V = simd::vec<float, W>;

template <class F> void exponential(benchmark::State& state, F f) {
    std::vector<float> x(4096), y(4096);
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = -0.1f * float(i % 200);
    for (auto _ : state) {
        for (std::size_t i = 0; i < x.size(); i += std::size_t(W)) f(V::load(&x[i])).store(&y[i]);
        benchmark::DoNotOptimize(y.data());
        benchmark::ClobberMemory();
    }
    state.counters["ns_per_16"] =
        benchmark::Counter(double(state.iterations()) * double(x.size()) / 16 * 1e-9,
                           benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}
BENCHMARK_CAPTURE(exponential, inlay, [](V x) { return simd::exp(x); });
BENCHMARK_CAPTURE(exponential, inlay_exp2, [](V x) { return simd::exp2(x); });
BENCHMARK_CAPTURE(exponential, xsimd, [](V x) { return V(xsimd::exp(x.v)); });

constexpr int width = 16, rows = 1 << 20, bag = 32;

/// 64 MB of rows of 64 bytes, and ids for two million of them: one sweep repeats almost none that a cache
/// could still hold.
struct Table {
    std::unique_ptr<float[]> room{new float[std::size_t(rows) * width + 16]};
    float* data = room.get() + (64 - reinterpret_cast<std::uintptr_t>(room.get()) % 64) % 64 / 4;
    std::vector<std::int32_t> ids;
    Table() : ids(1 << 21) {
        for (int i = 0; i < rows * width; ++i) data[i] = float(i % 7);
        std::mt19937 random(1);
        for (auto& id : ids) id = std::int32_t(random() % rows);
    }
    static Table& get() {
        static Table table;
        return table;
    }
};
struct Bags {
    std::int32_t const* ids;
    std::int32_t const* operator()(int b) const noexcept { return ids + b * bag; }
    int length(int) const noexcept { return bag; }
};
void per_row(benchmark::State& state, std::size_t count) {
    state.counters["ns_per_row"] =
        benchmark::Counter(double(state.iterations()) * double(count) * 1e-9,
                           benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

void pooled_gather(benchmark::State& state) {
    Table& t = Table::get();
    int const bags = int(t.ids.size()) / bag;
    std::vector<float> y(std::size_t(bags) * width);
    for (auto _ : state) {
        kernels::pool_rows<W, true>(bags, Bags{t.ids.data()}, t.data, width, width, y.data(), width);
        benchmark::DoNotOptimize(y.data());
        benchmark::ClobberMemory();
    }
    per_row(state, t.ids.size());
}
BENCHMARK(pooled_gather)->Unit(benchmark::kMillisecond);

void bare_prefetching_read(benchmark::State& state) {
    Table& t = Table::get();
    std::size_t const n = t.ids.size();
    for (auto _ : state) {
        V total(0.0f);
        for (std::size_t i = 0; i < n; ++i) {
            __builtin_prefetch(t.data + t.ids[std::min(i + 64, n - 1)] * width);
            for (int c = 0; c < width; c += W) total += V::load(t.data + t.ids[i] * width + c);
        }
        float s = simd::sum(total);
        benchmark::DoNotOptimize(s);
    }
    per_row(state, n);
}
BENCHMARK(bare_prefetching_read)->Unit(benchmark::kMillisecond);

} // namespace

BENCHMARK_MAIN();
