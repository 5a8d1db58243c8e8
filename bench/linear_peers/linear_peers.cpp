// SPDX-License-Identifier: BSD-3-Clause
// What compare.py measures of inlay: a line of JSON for each.
//
//     linear_peers forward T HEADS WIDTH CHUNK   the gated delta rule by chunks, all heads of one sequence
//     linear_peers train WIDTH STEPS       training steps of a hybrid language model, three gated delta
//     layers and
//                                          one of exact attention, 16 sequences of 256 bytes each
#include <inlay/inlay.hpp>
#include <inlay/train.hpp>

#include "../harness.hpp"

#include <cstring>

using namespace inlay;

static void report(char const* what, int width, long long count, std::vector<double> times) {
    std::printf("{\"what\": \"%s\", \"width\": %d, \"%s\": %lld, \"best_s\": %.6g, \"median_s\": %.6g}\n",
                what, width, std::strcmp(what, "forward") == 0 ? "tokens" : "parameters", count,
                *std::min_element(times.begin(), times.end()), bench::median(times));
}

static void forward(int length, int heads, int width, int chunk) {
    using bench::Floats;
    int const row = bench::padded(width), all = length * row;
    auto const floats = [](int n) { return Floats(std::size_t(n)); };
    auto const q = floats(heads * all), k = floats(heads * all), v = floats(heads * all),
               o = floats(heads * all), decay = floats(heads * length), beta = floats(heads * length),
               state = floats(width * row),
               room = Floats(kernels::gated_chunk_room<bench::W>(chunk, row, row, false));
    for (auto const* x : {&q, &k, &v})
        for (int t = 0; t < heads * length; ++t)
            for (int i = 0; i < width; ++i) (*x)[t * row + i] = 0.2f * bench::draw();
    for (int t = 0; t < heads * length; ++t) decay[t] = -0.05f + 0.05f * bench::draw(), beta[t] = 0.5f;
    std::vector<double> times;
    for (int round = 0; round < 21; ++round) {
        double const begin = bench::now();
        for (int h = 0; h < heads; ++h) {
            kernels::clear(static_cast<float*>(state), width * row);
            for (int t = 0; t < length; t += chunk) {
                int const at = h * all + t * row, one = h * length + t;
                kernels::GatedChunk<float> c{
                    std::min(chunk, length - t), width, row, row, q + at, k + at, v + at};
                c.log_decay = decay + one, c.decays = 1, c.beta = beta + one, c.delta = true;
                kernels::gated_chunk<bench::W>(c, static_cast<float*>(state), o + at,
                                               static_cast<float*>(room));
            }
        }
        bench::clobber();
        times.push_back(bench::now() - begin);
    }
    report("forward", width, length, times);
}

template <int D> void train(int steps) {
    constexpr int T = 256, V = 256, batch = 16;
    using Local = Stack<PreNorm<LinearAttn<Heads<4>, GatedDelta>>, PreNorm<SwiGlu<3 * D>>>;
    using Global = Stack<PreNorm<SoftmaxAttn<Heads<4>, Rope<10'000>>>, PreNorm<SwiGlu<3 * D>>>;
    using M = Model<Tokens<T, V>, Tied<Embed<D>, Repeat<3, Local>, Global, RmsNorm>>;
    auto const text = Rows<Tokens<T, V>>::random(batch, Seed{1});
    auto net = Network<M>(Seed{1});
    Trainer<M, CrossEntropy, Batch<batch>, AdamW> trainer(net, {.learning_rate = 3e-3f});
    std::vector<std::uint32_t> rows(batch);
    std::iota(rows.begin(), rows.end(), 0u);
    std::vector<double> times;
    for (int step = 0; step <= steps; ++step) {
        double const begin = bench::now();
        trainer.step(text, rows);
        if (step > 0) times.push_back(bench::now() - begin);
    }
    report("training step", D, M::parameters, times);
}

int main(int count, char** arguments) {
    auto const number = [&](int i) { return std::atoi(arguments[i]); };
    std::string const work = count > 1 ? arguments[1] : "";
    if (work == "forward" && count == 6) return forward(number(2), number(3), number(4), number(5)), 0;
    if (work == "train" && count == 4) {
        if (number(2) == 64) return train<64>(number(3)), 0;
        if (number(2) == 128) return train<128>(number(3)), 0;
        if (number(2) == 256) return train<256>(number(3)), 0;
    }
    std::fprintf(stderr, "usage: linear_peers forward T HEADS WIDTH CHUNK | train 64|128|256 STEPS\n");
    return 2;
}
