// SPDX-License-Identifier: BSD-3-Clause
// Rows of the shape of Criteo's click log: a label, 13 counts, 26 hexadecimal categories, between tabs, many
// missing.
//
//     criteo make FILE ROWS [SEED]      writes such a file, without Criteo's data
//     criteo run TRAIN TEST [THREADS]   rows a second: learned, parsed, parsed and trained from beginning to
//     end
//
// compare.py runs it beside PyTorch and Vowpal Wabbit.
#include <inlay/data.hpp>
#include <inlay/inlay.hpp>
#include <inlay/parallel.hpp>
#include <inlay/train.hpp>

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <future>
#include <string>
#include <vector>

using namespace inlay;

namespace {

constexpr int counts = 13, categories = 26;
/// Values of each category, as many as the public sample of the log has, at most 200,000.
constexpr std::array<int, categories> values{1460,  583,  200000, 200000, 305, 24,     12517,  633,   3,
                                             93145, 5683, 200000, 3194,   27,  14992,  200000, 10,    5652,
                                             2173,  4,    200000, 18,     15,  142572, 105,    142572};
/// How many in a hundred are missing.
constexpr std::array<int, counts> count_missing{45, 0, 21, 22, 3, 22, 4, 0, 4, 45, 4, 76, 22};
constexpr std::array<int, categories> category_missing{0, 0, 3, 3, 0, 12, 0,  0, 0,  0, 0, 3,  0,
                                                       0, 0, 3, 0, 0, 44, 44, 3, 76, 0, 3, 44, 44};

struct Row {
    bool clicked;
    std::array<int, counts> count;        // -100: missing
    std::array<int, categories> category; // -1: missing
};

/// Counts with long tails, categories of which few are frequent, and clicks that follow from both and from
/// pairs.
Row draw(Key key, std::uint64_t i) {
    Row row{};
    double z = -1.6;
    auto const effect = [](std::uint64_t what, std::uint64_t value) { return Key{what}.normal(value); };
    for (std::size_t f = 0; f < counts; ++f) {
        double const x = key.normal(i, f);
        row.count[f] =
            std::max(f == 1 ? -2 : 0, int(std::exp(1.2 * x + 0.35 * double(f % 5))) - (f == 1 ? 3 : 1));
        if (key.below(100, i, 50 + f) < std::uint64_t(count_missing[f]))
            row.count[f] = -100, z += 0.2 * effect(200 + f, 0);
        else z += 0.15 * effect(100 + f, 0) * x;
    }
    for (std::size_t f = 0; f < categories; ++f) {
        double const u = key.uniform(i, 100 + f);
        row.category[f] = int(double(values[f]) * u * u * u * u);
        if (key.below(100, i, 200 + f) < std::uint64_t(category_missing[f])) row.category[f] = -1;
        z += 0.25 * effect(300 + f, std::uint64_t(row.category[f] + 1));
    }
    for (std::size_t f = 0; f + 9 < categories; f += 3)
        z += 0.3 * effect(400 + f,
                          std::uint64_t(row.category[f] % 64) * 64 + std::uint64_t(row.category[f + 9] % 64));
    row.clicked = key.uniform(i, 999) < sigmoid(z);
    return row;
}

int make(char const* path, std::uint64_t rows, std::uint64_t seed) {
    std::FILE* const file = std::fopen(path, "wb");
    if (!file) return std::perror(path), 1;
    for (std::uint64_t i = 0; i < rows; ++i) {
        Row const row = draw(Key{seed}, i);
        std::fputc(row.clicked ? '1' : '0', file);
        for (int const x : row.count) {
            std::fputc('\t', file);
            if (x > -10) std::fprintf(file, "%d", x);
        }
        for (std::size_t f = 0; f < categories; ++f) {
            std::uint64_t const words[] = {f, std::uint64_t(row.category[f])};
            std::fputc('\t', file);
            if (row.category[f] >= 0) std::fprintf(file, "%08x", unsigned(xxh64_words(words, 2) >> 32));
        }
        std::fputc('\n', file);
    }
    return std::fclose(file) == 0 ? 0 : 1;
}

template <int I> consteval auto title(char letter) {
    if constexpr (I < 10) return Name<3>{{letter, char('0' + I), 0}};
    else return Name<4>{{letter, char('0' + I / 10), char('0' + I % 10), 0}};
}
template <class, class> struct ClickOf;
template <std::size_t... I, std::size_t... C>
struct ClickOf<std::index_sequence<I...>, std::index_sequence<C...>> {
    using type = Record<Numeric<title<int(I) + 1>('i'), LogBuckets<20>>...,
                        Categorical<title<int(C) + 1>('c'), values[C] + 2>...>;
};
using Click = ClickOf<std::make_index_sequence<counts>, std::make_index_sequence<categories>>::type;
using Wide = Cross<Hashed<1 << 18>, Each>;
using Deep = Stack<Embed<8>, Flatten, Dense<128>, Relu, Dense<64>, Relu, Dense<1>>;
using WideModel = Model<Click, Wide>;
using WideDeep = Model<Click, Sum<Wide, Deep>>;

double now() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// Seconds of processor, of all threads: what others do on the machine counts less.
double used() { return double(std::clock()) / CLOCKS_PER_SEC; }

Csv tsv(char const* path) {
    CsvOptions options;
    options.columns = {"clicked"};
    for (int i = 1; i <= counts; ++i) options.columns.push_back(detail::joined("i", i));
    for (int i = 1; i <= categories; ++i) options.columns.push_back(detail::joined("c", i));
    return Tsv{path, options};
}
Label const clicked{"clicked", "1"};
constexpr std::size_t chunk_rows = 1 << 15;
constexpr int batch = 256;

/// One pass over the file, a chunk at a time: parsed and trained from beginning to end. With a second thread
/// the next chunk is parsed while one is trained.
template <class M, class Opt>
void train(char const* name, Encoder<Click> const& encoder, char const* path, char const* test, int threads,
           TrainOptions<Opt> options) {
    Network<M> net(Seed{1});
    Trainer<M, BinaryCrossEntropy, Batch<batch>, Opt> trainer(net, options);
    std::vector<std::uint32_t> index(batch);
    Rows<Click> chunk, next;
    double const begin = now(), unused = used();
    double waiting = 0, loss = 0;
    std::size_t rows = 0;
    auto stream = encoder.stream(tsv(path), clicked, chunk_rows);
    auto const ahead = threads > 1 ? std::launch::async : std::launch::deferred;
    for (;;) {
        auto more = std::async(ahead, [&] { return stream.next(next); });
        for (std::size_t at = 0; at < chunk.size(); at += batch) {
            index.resize(std::min<std::size_t>(batch, chunk.size() - at));
            std::iota(index.begin(), index.end(), std::uint32_t(at));
            loss += double(index.size()) * trainer.step(chunk, index);
        }
        double const start = now();
        bool const last = !more.get();
        waiting += now() - start;
        if (last) break;
        std::swap(chunk, next);
        rows += chunk.size();
    }
    double const seconds = now() - begin, processor = used() - unused;
    auto const scores = evaluate<Auc, LogLoss>(net, encoder.transform(tsv(test), clicked));
    std::printf(
        "{\"what\": \"%s\", \"threads\": %d, \"rows_per_s\": %.0f, \"rows_per_cpu_s\": %.0f, "
        "\"train_rows_per_s\": %.0f, \"progressive_loss\": %.4f, \"test_loss\": %.4f, \"test_auc\": %.4f}\n",
        name, threads, double(rows) / seconds, double(rows) / processor, double(rows) / (seconds - waiting),
        loss / double(rows), get<LogLoss>(scores), get<Auc>(scores));
    std::fflush(stdout);
}

int run(char const* path, char const* test, int threads) {
    Encoder<Click> encoder{{.overflow = Overflow::unseen}};
    double const begin = now();
    Threads const pool(threads);
    encoder.fit(tsv(path), clicked, pool);
    double const learned = now(), unused = used();
    std::size_t rows = 0;
    Rows<Click> chunk;
    auto stream = encoder.stream(tsv(path), clicked, chunk_rows);
    while (stream.next(chunk, pool)) rows += chunk.size();
    double const parsed = now(), processor = used() - unused;
    double const bytes = double(std::filesystem::file_size(path));
    std::printf("{\"what\": \"parse\", \"threads\": %d, \"rows\": %zu, \"fit_rows_per_s\": %.0f, "
                "\"rows_per_s\": %.0f, "
                "\"rows_per_cpu_s\": %.0f, \"MB_per_s\": %.0f}\n",
                threads, rows, double(rows) / (learned - begin), double(rows) / (parsed - learned),
                double(rows) / processor, bytes / 1e6 / (parsed - learned));
    std::fflush(stdout);
    train<WideModel, Ftrl>("wide", encoder, path, test, threads, {.optimizer = Ftrl{.alpha = 0.1f}});
    train<WideDeep, Optimize<On<Cross, Ftrl>, Otherwise<AdaGrad>>>(
        "wide and deep", encoder, path, test, threads,
        {.optimizer = {Ftrl{.alpha = 0.1f}, AdaGrad{.learning_rate = 0.02f}}});
    return 0;
}

} // namespace

int main(int count, char** arguments) {
    std::string const verb = count > 1 ? arguments[1] : "";
    if (verb == "make" && count >= 4)
        return make(arguments[2], std::strtoull(arguments[3], nullptr, 10),
                    count > 4 ? std::strtoull(arguments[4], nullptr, 10) : 1);
    if (verb == "run" && count >= 4)
        return run(arguments[2], arguments[3], count > 4 ? std::atoi(arguments[4]) : 1);
    std::fputs("usage: criteo make FILE ROWS [SEED] | criteo run TRAIN TEST [THREADS]\n", stderr);
    return 2;
}
