// SPDX-License-Identifier: BSD-3-Clause
// Multi-query associative recall (arXiv 2312.04927): pairs of a key and a value, then the keys again, and at
// each its value is to be predicted. Linear attention, whose memory has a fixed size, beside exact attention,
// and mixtures of both. In the second task some keys get a new value before they are asked for.
//
//     recall [--seeds N] [--steps N] [--only WORD]
//
// Results go to recall.csv, the curves of the first task to recall.svg. It takes about three minutes on one
// core for one seed. Compiled with RECALL_FULL, the target recall_full, it has the paper's vocabulary,
// lengths and amounts, which take days.
#include <inlay/data.hpp>
#include <inlay/inlay.hpp>
#include <inlay/train.hpp>

#include "../plot.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <numeric>

using namespace inlay;

#ifdef RECALL_FULL
constexpr int vocabulary = 8192, length = 512, batch = 128, steps_of_full = 100'000 / 128 * 64;
constexpr int lengths[] = {64, 128, 256, 512}, pairs[] = {4, 8, 16, 64};
#else
constexpr int vocabulary = 256, length = 128, batch = 16;
constexpr int lengths[] = {128, 128, 128}, pairs[] = {8, 16, 32};
#endif
constexpr int width = 64;

using Row = Record<History<"text", length, Ids<vocabulary>>>;
// A convolution brings each token its neighbours, so that one layer can do the task.
template <class... Layers>
using Net = Model<Row, Select<"text">, Tied<Embed<width>, Residual<CausalConv1d<3>>, Layers..., RmsNorm>>;
using Exact = PreNorm<SoftmaxAttn<Heads<2>, Rope<10'000>>>;
using Added = PreNorm<LinearAttn<Heads<2>, SquaredReluMap, Unnormalised, NormHeads, ShortConv<4>>>;
using Delta = PreNorm<LinearAttn<Heads<2>, GatedDelta>>;

/// A row of `pairs` keys and values, `updates` of them said again with a new value, and all keys once more at
/// gaps that are more often short (p ~ (g + 1)^-0.99). Keys and values are halves of the vocabulary.
template <class Row> void make(Row& row, float* target, int t, int count, int updates, Key key) {
    std::fill_n(target, length, std::numeric_limits<float>::quiet_NaN());
    auto& text = get<0>(row);
    text = {};
    text.count = t;
    std::uint64_t draw = 0;
    // k distinct ones of 0..n-1, those with a greater weight more often: the k greatest of log w + Gumbel
    // noise
    auto const distinct = [&](int k, int n, auto const& weight) {
        std::vector<std::pair<double, int>> all;
        for (int i = 0; i < n; ++i)
            all.emplace_back(std::log(weight(i)) - std::log(-std::log(key.uniform(draw++) + 1e-300)), i);
        std::partial_sort(all.begin(), all.begin() + k, all.end(), std::greater<>{});
        std::vector<int> chosen;
        for (int i = 0; i < k; ++i) chosen.push_back(all[std::size_t(i)].second);
        return chosen;
    };
    auto const evenly = [](int) { return 1.0; };
    auto const keys = distinct(count, vocabulary / 2 - 1, evenly);
    auto values = distinct(count, vocabulary / 2, evenly);
    int at = 0;
    auto const say = [&](int i) {
        text.id[at++] = 1 + keys[std::size_t(i)];
        text.id[at++] = vocabulary / 2 + values[std::size_t(i)];
    };
    for (int i = 0; i < count; ++i) say(i);
    for (int const i : distinct(updates, count, evenly)) {
        int& value = values[std::size_t(i)];
        value = (value + 1 + int(key.below(vocabulary / 2 - 1, draw++))) % (vocabulary / 2);
        say(i);
    }
    auto const gaps = distinct(count, (t - at) / 2, [](int g) { return std::pow(double(g + 1), -0.99); });
    for (int i = 0; i < count; ++i) {
        int const place = at + 2 * gaps[std::size_t(i)];
        text.id[place] = 1 + keys[std::size_t(i)];
        target[place] = float(vocabulary / 2 + values[std::size_t(i)]);
    }
}

struct Task {
    char const* name;
    bool updates;
    /// Number of pairs of one kind of rows; as many rows have to fit as their queries need.
    int pairs_of(std::size_t kind) const { return updates ? pairs[kind] * 2 / 3 : pairs[kind]; }
};

Rows<Row> make(Task const& task, std::size_t n, std::size_t first_kind, std::size_t kinds, Key key) {
    Rows<Row> rows;
    rows.row.resize(n), rows.target.resize(n * length);
    for (std::size_t i = 0; i < n; ++i) {
        std::size_t const kind = first_kind + i % kinds;
        int const count = task.pairs_of(kind);
        make(rows.row[i], rows.target.data() + i * length, lengths[kind], count,
             task.updates ? std::max(count / 2, 1) : 0, key.fold(i));
    }
    return rows;
}

struct Options {
    int seeds = 1;
    std::uint64_t steps = 0;
    std::string only;
    bool smoke = false;
};

/// Trains until it recalls 99 % of what is held out, at most for so many steps.
template <class M>
void run(char const* name, Task const& task, Options const& o, std::FILE* csv, std::vector<Curve>& curves) {
    if (std::string(name).find(o.only) == std::string::npos) return;
    std::printf("%-7s %-24s %7lld ", task.name, name, M::parameters);
    for (int seed = 1; seed <= o.seeds; ++seed) {
        std::size_t const test_rows = o.smoke ? 6 : 64;
        auto const train = make(task, o.smoke ? 128 : std::min<std::size_t>(batch * o.steps, 100'000), 0,
                                std::size(pairs), Key{std::uint64_t(seed)}.fold(1));
        auto const test = make(task, test_rows, 0, std::size(pairs), Key{std::uint64_t(seed)}.fold(2));
        auto net = Network<M>(Seed{std::uint64_t(seed)});
        Trainer<M, CrossEntropy, Batch<batch>, AdamW> trainer(
            net, {.learning_rate = 3e-3f, .schedule = Cosine{.warmup = 50}, .clip = {.norm = 1}});
        Curve curve{name, {}, {}};
        auto const report = trainer.fit(train, {.steps = o.steps,
                                                .validate = &test,
                                                .metrics = metrics<Accuracy>,
                                                .validate_every = std::max<std::uint64_t>(o.steps / 20, 1),
                                                .on_epoch = [&](EpochEvent& e) {
                                                    curve.x.push_back(double(e.step));
                                                    curve.y.push_back(e.metrics[0].value);
                                                    e.stop = e.metrics[0].value > 0.99;
                                                }});
        std::printf(" %5llu steps", static_cast<unsigned long long>(report.steps));
        for (std::size_t kind = 0; kind < std::size(pairs); ++kind) {
            auto const part = make(task, test_rows * 2, kind, 1, Key{std::uint64_t(seed)}.fold(3).fold(kind));
            double const right = get<Accuracy>(evaluate<Accuracy>(net, part));
            std::printf(" %.3f", right);
            std::fprintf(csv, "%s,%s,%d,%llu,%d,%.4f\n", task.name, name, seed,
                         static_cast<unsigned long long>(report.steps), task.pairs_of(kind), right);
        }
        std::fflush(stdout), std::fflush(csv);
        if (seed == 1 && !task.updates) curves.push_back(curve);
    }
    std::printf("\n");
}

int main(int argc, char** argv) try {
    Options o;
    o.smoke = std::getenv("INLAY_SMOKE") != nullptr;
#ifdef RECALL_FULL
    o.steps = steps_of_full, o.seeds = 3;
#else
    o.steps = 2000;
#endif
    for (int i = 1; i + 1 < argc; i += 2)
        if (!std::strcmp(argv[i], "--seeds")) o.seeds = std::atoi(argv[i + 1]);
        else if (!std::strcmp(argv[i], "--steps")) o.steps = std::strtoull(argv[i + 1], nullptr, 10);
        else if (!std::strcmp(argv[i], "--only")) o.only = argv[i + 1];
    if (o.smoke) o.steps = 2;
    if (argc % 2 == 0) {
        std::fprintf(stderr, "usage: recall [--seeds N] [--steps N] [--only WORD]\n");
        return 2;
    }
    std::FILE* const csv = std::fopen("recall.csv", "w");
    if (!csv) throw std::runtime_error("cannot write recall.csv");
    std::fprintf(csv, "task,model,seed,steps,pairs,accuracy\n");
    std::vector<Curve> curves;
    for (Task const& task : {Task{"recall", false}, Task{"update", true}}) {
        std::printf("accuracy for each seed, of rows with");
        for (std::size_t k = 0; k < std::size(pairs); ++k) std::printf(" %d", task.pairs_of(k));
        std::printf(" pairs\n");
        auto const all = [&]<class M>(Tag<M>, char const* name) { run<M>(name, task, o, csv, curves); };
        all(Tag<Net<Repeat<4, Exact>>>{}, "0:1 exact");
        all(Tag<Net<Repeat<4, Added>>>{}, "1:0 added");
        all(Tag<Net<Exact, Repeat<3, Added>>>{}, "3:1 added");
        all(Tag<Net<Repeat<4, Delta>>>{}, "1:0 delta");
        all(Tag<Net<Exact, Repeat<7, Delta>>>{}, "7:1 delta (8 layers)");
        all(Tag<Net<Exact, Repeat<3, Delta>>>{}, "3:1 delta");
        all(Tag<Net<Repeat<2, Exact, Delta>>>{}, "1:1 delta");
        all(Tag<Net<Repeat<3, Delta>, Exact>>{}, "3:1 delta (exact last)");
    }
    std::fclose(csv);
    plot("recall.svg", {"Share of values recalled", "steps", "accuracy"}, curves);
} catch (std::exception const& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 1;
}
