// SPDX-License-Identifier: BSD-3-Clause
// Does a memory that goes on learning help with a book? Three models of bytes with as many parameters learn
// windows of 512 bytes: attention over the last 64 bytes, and the same beside a memory of one layer or of
// two. Then each reads the part of the book that was held out, from many places on and far beyond 512 bytes,
// with the state carried along, and again with a state that is made fresh every 512 bytes. What is reported
// is the loss by how many bytes of the stream came before; all readings are of the same bytes.
//
//     long_text TEXT [STEPS [STREAM [APART]]]
//
// With STREAM the models learn windows in order, and the state is carried from window to window over streams
// of so many (truncated backpropagation through time); with 0, or without, each window begins fresh. Readings
// begin at every APART-th byte, or every 16,384th.
// Results go to long_text.csv, curves to long_text.svg. Four megabytes of a book take about four minutes.
#include <inlay/data.hpp>
#include <inlay/inlay.hpp>
#include <inlay/train.hpp>

#include "../plot.hpp"

#include <array>
#include <bit>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <memory>

using namespace inlay;

constexpr int length = 512, bytes = 256, width = 64, batch = 8;

template <class Mixer, int Hidden>
using Language = Model<Tokens<length, bytes>,
                       Tied<Embed<width>, Repeat<2, PreNorm<Mixer>, PreNorm<SwiGlu<Hidden>>>, RmsNorm>>;
using Near = SoftmaxAttn<Heads<4>, Window<64>, Rope<10'000>>;
template <int Layers> using Beside = MemoryAsGate<Near, Memory<Heads<4>, Chunk<16>, Depth<Layers>>>;
using TwoLayers = Language<Beside<2>, 128>;
using OneLayer = Language<Beside<1>, 144>;
using WindowAlone = Language<Near, 243>;
static_assert(OneLayer::parameters == TwoLayers::parameters &&
              TwoLayers::parameters - WindowAlone::parameters == 152);

constexpr int buckets = 17; ///< of positions 0, 1, 2 to 3, 4 to 7, ..., 32,768 to 65,535
struct ByPosition {
    std::array<double, buckets> sum{}, count{};
    double mean(std::size_t i) const { return sum[i] / count[i]; }
};

/// Reads the text from every `apart`-th byte on, with a fresh state every `fresh` bytes, or carries it if 0.
template <class M>
ByPosition read(typename M::Params const& params, std::vector<std::int32_t> const& text, std::size_t apart,
                std::size_t fresh) {
    auto const state = std::make_unique<typename M::State>();
    ByPosition losses;
    float scores[bytes];
    for (std::size_t start = 0; start + 1 < text.size(); start += apart) {
        std::size_t const end = std::min(text.size() - 1 - start, std::size_t(1) << (buckets - 1));
        for (std::size_t t = 0; t < end; ++t) {
            if (fresh ? t % fresh == 0 : t == 0) reset<M>(*state);
            M::step(params, *state, text[start + t], scores);
            double const top = double(*std::max_element(scores, scores + bytes));
            double total = 0;
            for (float const s : scores) total += std::exp(double(s) - top);
            auto const bucket = std::size_t(std::bit_width(t));
            losses.sum[bucket] +=
                (std::log(total) + top - double(scores[text[start + t + 1]])) / std::log(2.0);
            losses.count[bucket] += 1;
        }
    }
    return losses;
}

struct Reading {
    std::string name;
    ByPosition losses;
};
template <class M>
void run(char const* name, Text<Tokens<length, bytes>> const& text, std::uint64_t steps, std::size_t stream,
         std::size_t apart, std::vector<Reading>& readings) {
    auto net = Network<M>(Seed{1});
    Trainer<M, CrossEntropy, Batch<batch>, AdamW> trainer(
        net, {.learning_rate = 3e-3f, .schedule = Cosine{.warmup = 50}, .clip = {.norm = 1}});
    std::vector<std::uint32_t> begins;
    for (std::size_t i = 0; stream && i < text.train.size(); i += stream) begins.push_back(std::uint32_t(i));
    Streams const streams(text.train, begins), held_out(text.validation);
    auto const report = stream ? trainer.fit(streams, {.steps = steps, .validate = &held_out})
                               : trainer.fit(text.train, {.steps = steps, .validate = &text.validation});
    std::printf("%-10s %lld parameters, %zu bytes of state, %.0f s of training, %.3f bits a byte of held-out "
                "windows\n",
                name, M::parameters, sizeof(typename M::Block::State), report.seconds,
                report.validation / std::log(2.0));
    std::fflush(stdout);
    readings.push_back({std::string(name) + " carried", read<M>(net.params(), text.validation.id, apart, 0)});
    readings.push_back({std::string(name) + " fresh",
                        read<M>(net.params(), text.validation.id, apart, std::size_t(length))});
}

int main(int argc, char** argv) try {
    if (argc < 2 || argc > 5) {
        std::fprintf(stderr, "usage: long_text TEXT [STEPS [STREAM [APART]]]\n");
        return 2;
    }
    bool const smoke = std::getenv("INLAY_SMOKE") != nullptr;
    auto const number = [&](int i, unsigned long long otherwise) {
        return argc > i ? std::strtoull(argv[i], nullptr, 10) : otherwise;
    };
    auto const steps = number(2, smoke ? 2 : 800);
    std::size_t const stream = number(3, 0), apart = std::max(number(4, 16'384), 1ull);
    auto const text = read_bytes<Tokens<length, bytes>>(argv[1], Split{.validation = 0.1});
    std::printf("compiled for %s, %llu steps of %d bytes\n", INLAY_ISA_NAME,
                static_cast<unsigned long long>(steps), batch * length);
    std::vector<Reading> readings;
    run<TwoLayers>("two layers", text, steps, stream, apart, readings);
    run<OneLayer>("one layer", text, steps, stream, apart, readings);
    run<WindowAlone>("window", text, steps, stream, apart, readings);

    std::FILE* const csv = std::fopen("long_text.csv", "w");
    if (!csv) throw std::runtime_error("cannot write long_text.csv");
    std::printf("bits a byte\n   bytes before   bytes read");
    std::fprintf(csv, "bytes_before,bytes_read");
    std::vector<Curve> curves;
    for (auto const& r : readings) {
        std::printf("  %s", r.name.c_str());
        std::fprintf(csv, ",%s", r.name.c_str());
        curves.push_back({r.name, {}, {}});
    }
    std::printf("\n"), std::fprintf(csv, "\n");
    for (std::size_t i = 0; i < buckets && readings[0].losses.count[i] > 0; ++i) {
        int const first = i ? 1 << (i - 1) : 0;
        std::printf("%8d and on %12.0f", first, readings[0].losses.count[i]);
        std::fprintf(csv, "%d,%.0f", first, readings[0].losses.count[i]);
        for (std::size_t k = 0; k < readings.size(); ++k) {
            double const loss = readings[k].losses.mean(i);
            std::printf("%*.3f", int(readings[k].name.size()) + 2, loss);
            std::fprintf(csv, ",%.4f", loss);
            if (i > 4) curves[k].x.push_back(double(i) - 0.5), curves[k].y.push_back(loss);
        }
        std::printf("\n"), std::fprintf(csv, "\n");
    }
    std::fclose(csv);
    plot("long_text.svg", {"Bits per byte of held-out text", "log2 of bytes before", "bits"}, curves);
} catch (std::exception const& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 1;
}
