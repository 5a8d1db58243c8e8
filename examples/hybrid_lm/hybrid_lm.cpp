// SPDX-License-Identifier: BSD-3-Clause
// Three models of bytes with as many parameters each: exact attention in every layer, linear attention in
// every layer, and three linear layers for each exact one. How well they predict a text, how fast they learn
// and write, and how much a stream remembers.
//
//     hybrid_lm TEXT [STEPS]
//
// The last tenth of the text is held out; each window of 256 bytes is predicted from its own beginning on.
// Results go to hybrid_lm.csv, curves to hybrid_lm.svg. A tiny Shakespeare takes about three minutes on one
// core.
#include <inlay/data.hpp>
#include <inlay/inlay.hpp>
#include <inlay/train.hpp>

#include "../plot.hpp"

#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <memory>

using namespace inlay;

constexpr int length = 256, long_length = 8192, bytes = 256, width = 64, batch = 16;

template <class Mixer, int Hidden> using Layer = Stack<PreNorm<Mixer>, PreNorm<SwiGlu<Hidden>>>;
// The linear layer has a gate and short convolutions, which the exact one makes up for in its wider SwiGlu.
using Linear = Layer<LinearAttn<Heads<4>, GatedDelta>, 192>;
using Exact = Layer<SoftmaxAttn<Heads<4>, Rope<10'000>>, 220>;
template <int T, class... Layers>
using Language = Model<Tokens<T, bytes>, Tied<Embed<width>, Layers..., RmsNorm>>;
template <int T> using Softmax = Language<T, Repeat<4, Exact>>;
template <int T> using Delta = Language<T, Repeat<4, Linear>>;
template <int T> using Hybrid = Language<T, Interleave<Times<3, Linear>, Exact>>;
static_assert(Delta<length>::parameters - Softmax<length>::parameters == 96);

using Clock = std::chrono::steady_clock;
double since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

/// Tokens a second at the beginning of a stream and at its end, over `count` tokens each.
template <class M> std::pair<double, double> decode(int count, int end) {
    auto const net = Network<M>(Seed{1});
    auto const state = std::make_unique<typename M::State>();
    float scores[bytes];
    double first = 0, last = 0;
    auto begin = Clock::now();
    for (int t = 0; t < end; ++t) {
        if (t == end - count) begin = Clock::now();
        M::step(net.params(), *state, t % bytes, scores);
        if (t == count - 1) first = count / since(begin);
        if (t == end - 1) last = count / since(begin);
    }
    return {first, last};
}

struct Report {
    char const* name;
    long long parameters;
    double bits, train, first, last;
    std::size_t state, long_state;
    Curve curve;
};

template <class M, class Long>
Report run(char const* name, Text<typename M::Input> const& text, std::uint64_t steps, bool smoke) {
    constexpr double nats = 0.6931471805599453; // in a bit
    Report r{name,
             M::parameters,
             0,
             0,
             0,
             0,
             sizeof(typename M::Block::State),
             sizeof(typename Long::Block::State),
             {name, {}, {}}};
    auto net = Network<M>(Seed{1});
    Trainer<M, CrossEntropy, Batch<batch>, AdamW> trainer(
        net, {.learning_rate = 3e-3f, .schedule = Cosine{.warmup = 50}, .clip = {.norm = 1}});
    double seconds = 0;
    auto begin = Clock::now();
    auto const report = trainer.fit(text.train, {.steps = steps,
                                                 .validate = &text.validation,
                                                 .validate_every = std::max<std::uint64_t>(steps / 8, 1),
                                                 .progress = true,
                                                 .on_step =
                                                     [&](StepEvent&) { // validations stay outside
                                                         seconds += since(begin), begin = Clock::now();
                                                     },
                                                 .on_epoch =
                                                     [&](EpochEvent& e) {
                                                         r.curve.x.push_back(double(e.step));
                                                         r.curve.y.push_back(e.validation / nats);
                                                         begin = Clock::now();
                                                     }});
    r.bits = report.validation / nats;
    r.train = double(report.steps) * batch * length / seconds;
    auto const [first, last] = decode<Long>(smoke ? 16 : 256, smoke ? 64 : long_length);
    r.first = first, r.last = last;
    std::printf("%-24s %8lld %9.3f %10.0f %10.0f %10.0f %9zu %9zu\n", name, r.parameters, r.bits, r.train,
                r.first, r.last, r.state, r.long_state);
    std::fflush(stdout);
    return r;
}

int main(int argc, char** argv) try {
    if (argc < 2 || argc > 3) {
        std::fprintf(stderr, "usage: hybrid_lm TEXT [STEPS]\n");
        return 2;
    }
    bool const smoke = std::getenv("INLAY_SMOKE") != nullptr;
    auto const steps = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : smoke ? 4 : 800;
    auto const text = read_bytes<Tokens<length, bytes>>(argv[1], Split{.validation = 0.1});
    std::printf("compiled for %s, %llu steps of %d bytes\n", INLAY_ISA_NAME,
                static_cast<unsigned long long>(steps), batch * length);
    std::printf("%24s parameter  bits per   training     decoding, bytes/s   bytes of state at\n", "");
    std::printf("%24s        s      byte    bytes/s   at 1 of 8,192       end       256     8,192\n", "");
    Report const all[] = {
        run<Softmax<length>, Softmax<long_length>>("softmax", text, steps, smoke),
        run<Delta<length>, Delta<long_length>>("gated delta", text, steps, smoke),
        run<Hybrid<length>, Hybrid<long_length>>("3 gated delta : 1 softmax", text, steps, smoke)};

    std::vector<Curve> curves;
    std::FILE* const file = std::fopen("hybrid_lm.csv", "w");
    if (!file) throw std::runtime_error("cannot write hybrid_lm.csv");
    std::fprintf(file, "model,step,held_out_bits_per_byte\n");
    for (auto const& r : all) {
        for (std::size_t i = 0; i < r.curve.x.size(); ++i)
            std::fprintf(file, "%s,%.0f,%.4f\n", r.name, r.curve.x[i], r.curve.y[i]);
        curves.push_back(r.curve);
    }
    std::fclose(file);
    plot("hybrid_lm.svg", {"Bits per byte of held-out text", "steps", "bits"}, curves);
} catch (std::exception const& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 1;
}
