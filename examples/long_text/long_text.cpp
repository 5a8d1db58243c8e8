// SPDX-License-Identifier: BSD-3-Clause
// Does a memory that goes on learning help with a book? Three models of bytes with as many parameters learn
// windows of 512 bytes: attention over the last 64 bytes, and the same beside a memory of one layer or of
// two. Each is trained in four ways on as many windows, where two things differ: whether windows are drawn
// from all over the book or follow each other in eight places, and over how many of them the state is carried
// (truncated backpropagation through time) before it begins fresh. Then each reads the part of the book that
// was held out, from many places on and far beyond 512 bytes, with the state carried along, and again with a
// state that is made fresh every 512 bytes. What is reported is the loss by how many bytes of the stream came
// before; all readings are of the same bytes.
//
//     long_text TEXT [STEPS [APART [ARM [SEED]]]]
//
// Readings begin at every APART-th byte, or every 32,768th. ARM, 0 to 11, is one model trained in one way,
// and adds its rows to long_text.csv; the table and long_text.svg are of all that are there. Without it all
// twelve run afresh, which takes about a quarter of an hour for four megabytes of a book. SEED, 1 unless
// said, draws parameters and the order of windows.
#include <inlay/data/tokens.hpp>
#include <inlay/inlay.hpp>
#include <inlay/train.hpp>

#include "../plot.hpp"

#include <algorithm>
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
    double mean(std::size_t i) const { return mean(i, i + 1); }
    double mean(std::size_t from, std::size_t to) const {
        double s = 0, n = 0;
        for (std::size_t i = from; i < to; ++i) s += sum[i], n += count[i];
        return s / n;
    }
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

/// Windows are read `in_order` of so many, and the state is carried over `carried` of them.
struct Training {
    char const* name;
    std::size_t in_order, carried;
};
constexpr std::size_t whole = 100'000; ///< more windows than a part of any book here
constexpr Training trainings[] = {
    {"shuffled", 1, 1}, {"in order", whole, 1}, {"streams of 16", 16, 16}, {"one stream", whole, whole}};

/// The windows of a text as a batch's rows read them: runs of windows in order, which are shuffled, are dealt
/// to the rows.
std::vector<std::uint32_t> order_of(std::size_t windows, std::size_t in_order, std::uint64_t seed) {
    std::size_t const each = windows / batch, run = std::min(in_order, each);
    std::vector<std::uint32_t> first, order;
    for (std::size_t i = 0; i + run <= windows; i += run) first.push_back(std::uint32_t(i));
    first.resize(first.size() / batch * batch);
    Key const key{seed};
    for (std::size_t i = first.size(); i > 1; --i)
        std::swap(first[i - 1], first[std::size_t(key.below(i, i))]);
    for (std::size_t i = 0; i < first.size(); i += batch)
        for (std::uint32_t t = 0; t < run; ++t)
            for (std::size_t row = 0; row < batch; ++row) order.push_back(first[i + row] + t);
    return order;
}

/// How one model that was trained in one way reads: carried, and fresh.
struct Reading {
    std::string model, training;
    ByPosition carried, fresh;
};
using Clock = std::chrono::steady_clock;
double since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

template <class M>
Reading run(char const* name, Training const& how, Text<Tokens<length, bytes>> const& text,
            std::uint64_t steps, std::size_t apart, std::uint64_t seed) {
    auto net = Network<M>(Seed{seed});
    Trainer<M, CrossEntropy, Batch<batch>, AdamW> trainer(
        net, {.learning_rate = 3e-3f, .schedule = Cosine{.warmup = 50}, .clip = {.norm = 1}});
    std::vector<std::uint32_t> begins;
    for (std::size_t i = 0; i < text.train.size(); i += how.carried) begins.push_back(std::uint32_t(i));
    Streams const streams(text.train, begins);
    auto const order = order_of(text.train.size(), how.in_order, seed);
    auto const begin = Clock::now();
    for (std::uint64_t i = 0; i < steps; ++i)
        trainer.step(streams, std::span(order).subspan(i * batch % order.size(), batch), steps);
    double const trained = since(begin);
    Reading reading{name, how.name, read<M>(net.params(), text.validation.id, apart, 0),
                    read<M>(net.params(), text.validation.id, apart, std::size_t(length))};
    std::printf("%-10s %-13s %lld parameters, %zu bytes of state, %.0f s of training, %.0f s with reading\n",
                name, how.name, M::parameters, sizeof(typename M::Block::State), trained, since(begin));
    std::fflush(stdout);
    return reading;
}

std::FILE* open(char const* path, char const* how) {
    std::FILE* const file = std::fopen(path, how);
    if (!file) throw std::runtime_error(std::string("cannot open ") + path);
    return file;
}
void append(char const* path, Reading const& r) {
    std::FILE* const csv = open(path, "a");
    for (std::size_t i = 0; i < buckets && r.carried.count[i] > 0; ++i)
        std::fprintf(csv, "%s,%s,%d,%.0f,%.4f,%.4f\n", r.model.c_str(), r.training.c_str(),
                     i ? 1 << (i - 1) : 0, r.carried.count[i], r.carried.mean(i), r.fresh.mean(i));
    std::fclose(csv);
}
/// What append wrote, in this run and in others.
std::vector<Reading> all_of(char const* path) {
    std::FILE* const csv = open(path, "r");
    std::vector<Reading> all;
    char model[32], training[32];
    int before;
    double count, carried, fresh;
    while (std::fscanf(csv, " %31[^,],%31[^,],%d,%lf,%lf,%lf", model, training, &before, &count, &carried,
                       &fresh) == 6) {
        auto const same = [&](Reading const& r) { return r.model == model && r.training == training; };
        auto at = std::find_if(all.begin(), all.end(), same);
        if (at == all.end()) at = all.insert(at, {model, training, {}, {}});
        auto const i = std::size_t(std::bit_width(unsigned(before)));
        at->carried.count[i] = at->fresh.count[i] = count;
        at->carried.sum[i] = carried * count, at->fresh.sum[i] = fresh * count;
    }
    std::fclose(csv);
    return all;
}

void show(std::vector<Reading> const& readings) {
    constexpr std::array<std::size_t, 5> parts{0, 10, 13, 16, buckets}; // from 0, 512, 4,096 and 32,768 on
    std::printf("bits a byte, by bytes before; carried / fresh\n%-11s %-14s %13s %15s %15s %15s\n", "model",
                "training", "below 512", "below 4,096", "below 32,768", "below 65,536");
    for (auto const& r : readings) {
        std::printf("%-11s %-14s", r.model.c_str(), r.training.c_str());
        for (std::size_t k = 0; k + 1 < parts.size(); ++k)
            if (r.carried.count[parts[k]] > 0)
                std::printf("   %.3f / %.3f", r.carried.mean(parts[k], parts[k + 1]),
                            r.fresh.mean(parts[k], parts[k + 1]));
        std::printf("\n");
    }
    std::vector<Panel> panels;
    for (auto const& how : trainings) {
        Panel panel{{std::string("Bits per byte of held-out text, trained on: ") + how.name,
                     "log2 of bytes before", "bits"},
                    {}};
        for (auto const& r : readings) {
            if (r.training != how.name) continue;
            Curve carried{r.model + ", carried", {}, {}}, fresh{r.model + ", fresh", {}, {}};
            for (std::size_t i = 7; i < buckets && r.carried.count[i] > 0; ++i) { // from 64 bytes on
                carried.x.push_back(double(i) - 0.5), carried.y.push_back(r.carried.mean(i));
                fresh.x.push_back(double(i) - 0.5), fresh.y.push_back(r.fresh.mean(i));
            }
            panel.curves.push_back(carried), panel.curves.push_back(fresh);
        }
        panels.push_back(std::move(panel));
    }
    plot("long_text.svg", panels);
}

int main(int argc, char** argv) try {
    if (argc < 2 || argc > 6) {
        std::fprintf(stderr, "usage: long_text TEXT [STEPS [APART [ARM [SEED]]]]\n");
        return 2;
    }
    bool const smoke = std::getenv("INLAY_SMOKE") != nullptr;
    auto const number = [&](int i, unsigned long long otherwise) {
        return argc > i ? std::strtoull(argv[i], nullptr, 10) : otherwise;
    };
    auto const steps = number(2, smoke ? 2 : 800);
    std::size_t const apart = std::max(number(3, 32'768), 1ull);
    constexpr char const* path = "long_text.csv";
    if (argc < 5) std::remove(path);
    auto const seed = number(5, 1);
    auto const text = read_bytes<Tokens<length, bytes>>(argv[1], Split{.validation = 0.1});
    if (text.train.size() < batch)
        throw std::runtime_error("the text has fewer windows than a batch has rows");
    std::printf("compiled for %s, %llu steps of %d bytes\n", INLAY_ISA_NAME,
                static_cast<unsigned long long>(steps), batch * length);
    for (unsigned arm = 0; arm < 12; ++arm) {
        if (argc >= 5 && arm != number(4, 0)) continue;
        auto const& how = trainings[arm / 3];
        append(path, arm % 3 == 0   ? run<TwoLayers>("two layers", how, text, steps, apart, seed)
                     : arm % 3 == 1 ? run<OneLayer>("one layer", how, text, steps, apart, seed)
                                    : run<WindowAlone>("window", how, text, steps, apart, seed));
    }
    show(all_of(path));
} catch (std::exception const& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 1;
}
