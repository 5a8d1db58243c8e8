// SPDX-License-Identifier: BSD-3-Clause
// What is still known of something said once, thousands of tokens ago. Small models that differ in nothing
// but what mixes tokens learn two kinds of texts of 512 tokens (texts.hpp), and then read streams that are
// much longer, token by token with a state of constant size: needles in noise, at five depths of the text,
// asked for at its end, and a passkey at the beginning, asked for again and again while the stream goes on.
//
//     long_recall [--only MODEL] [--rate R] [--easy FIFTHS] [--steps N] [--full]
//
// The rate, and whether training begins with easy texts, are each model's own.
// Results go to long_recall.csv, the share of first needles found to long_recall.svg. With --only, what the
// CSV file has of other models stays, so that models may be run one by one: each takes about a minute.
// Streams have up to 262,144 tokens, with --full 2,097,152. The target long_recall_2048 learns texts of 2,048
// tokens.
#include <inlay/inlay.hpp>
#include <inlay/train.hpp>

#include "../plot.hpp"
#include "texts.hpp"

#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>

using namespace inlay;

#ifndef LONG_RECALL_TRAINED
#define LONG_RECALL_TRAINED 512
#endif
constexpr int length = LONG_RECALL_TRAINED, width = 32, batch = 4, depths = 5;

// A convolution brings each token its neighbours, so that every mixer can tell what follows what.
template <class... Layers>
using Net = Model<Tokens<length, vocabulary>,
                  Tied<Embed<width>, Residual<CausalConv1d<3>>, Repeat<2, Layers...>, RmsNorm>>;
template <class Mixer> using Layered = Net<PreNorm<Mixer>, PreNorm<SwiGlu<2 * width>>>;

// Attention sees 16 tokens, in windows, segments or blocks, so that most answers lie further back.
using Near = SoftmaxAttn<Heads<2>, Window<16>, Rope<10'000>>;
using Learning = Memory<Heads<2>, Chunk<8>, Depth<1>, StepSize<1>>;
using SlidingWindow = Layered<Near>;
using Linear = Layered<LinearAttn<Heads<2>, GatedDelta>>;
using Keeping = Layered<Memory<Heads<2>, Chunk<8>, Depth<1>, StepSize<1>, NeverForgets>>;
using MemoryAlone = Layered<Learning>;
using Mac = Layered<MemoryAsContext<16, 4, SoftmaxAttn<Heads<2>, Rope<10'000>>, Learning>>;
using Mag =
    Layered<Persistent<4, MemoryAsGate<SoftmaxAttn<Heads<2>, Window<16>, Sinks<4>, Rope<10'000>>, Learning>>>;
using Mal = Layered<MemoryAsLayer<Near, Residual<Learning>>>;
using Fam = Net<FeedbackMemory<BlockWindow<16, 1>, FeedbackRows<8>, Heads<2>, Rope<10'000>>>;

/// The loss looks at values and digits only: nothing else can be known.
template <int... Id>
auto look_at_values(std::integer_sequence<int, Id...>) -> BasicCrossEntropy<IgnoreLabels<Id...>>;
using Loss = decltype(look_at_values(std::make_integer_sequence<int, first_value>{}));

using Clock = std::chrono::steady_clock;
double since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

/// What is chosen for each model: the learning rate, fifths of the training with easy texts, and steps.
struct Recipe {
    double rate = 0;
    int easy = -1;
    std::uint64_t steps = 3000;
};
/// How many streams are read to which lengths.
struct Plan {
    Recipe recipe{.steps = 0}; ///< for all models, where given
    std::vector<int> lengths{512, 4096, 16'384, 65'536, 262'144};
    int most = 16;
    int streams(int tokens) const { return std::clamp((1 << 20) / tokens, 2, most); }
};

template <class M> class Reader {
public:
    explicit Reader(typename M::Params const& params) : params_(params), state_(new typename M::State) {
        reset<M>(*state_);
    }
    void read(int id) { M::step(params_, *state_, id, scores_); }
    /// The most likely of the values, after what was read.
    int guess() const { return int(std::max_element(scores_ + first_value, scores_ + vocabulary) - scores_); }
    /// Does something, and then is where it was.
    template <class F> auto aside(F f) {
        auto const here = std::make_unique<Snapshot<M>>(snapshot<M>(*state_));
        auto const answer = f();
        restore<M>(*state_, *here);
        return answer;
    }

private:
    typename M::Params const& params_;
    std::unique_ptr<typename M::State> state_;
    float scores_[vocabulary];
};

/// Of a stream of noise with a needle at each depth, which are recalled at its end.
template <class M> std::array<bool, depths> needles(typename M::Params const& params, int tokens, Key key) {
    Draw draw(key);
    Filler filler(true);
    Reader<M> reader(params);
    int value[depths], which[keys];
    for (int i = 0; i < keys; ++i) which[i] = i;
    for (int i = 0; i < depths; ++i) {
        std::swap(which[i], which[i + draw(keys - i)]);
        value[i] = first_value + draw(values);
    }
    int const room = tokens - 3 * depths - 2; // for noise
    for (int i = 0, read = 0; i < depths; ++i) {
        // The last depth is a few tokens before the end, so that no answer is the token just read.
        for (int const until = int(std::int64_t(room - 8) * i / (depths - 1)); read < until; ++read)
            reader.read(filler(draw));
        for (int const id : {needle, first_key + which[i], value[i]}) reader.read(id);
    }
    for (int i = 0; i < 8; ++i) reader.read(filler(draw));
    std::array<bool, depths> right{};
    for (int i = 0; i < depths; ++i)
        right[std::size_t(i)] = reader.aside([&] {
            reader.read(ask), reader.read(first_key + which[i]);
            return reader.guess() == value[i];
        });
    return right;
}

/// Of a passkey at the beginning of a stream, whether all digits are recalled when each length is reached.
/// Adds to the seconds that reading took, and to the tokens read.
template <class M>
std::vector<bool> passkey(typename M::Params const& params, std::vector<int> const& lengths, Key key,
                          double& seconds, double& tokens) {
    Draw draw(key);
    Filler filler(false);
    Reader<M> reader(params);
    auto const code = draw_passkey(draw);
    reader.read(pass);
    for (int const digit : code) reader.read(digit);
    int read = 1 + digits;
    std::vector<bool> right;
    for (int const end : lengths) {
        auto const begin = Clock::now();
        tokens += std::max(end - 1 - digits - read, 0);
        for (; read < end - 1 - digits; ++read) reader.read(filler(draw));
        seconds += since(begin);
        right.push_back(reader.aside([&] {
            bool all = true;
            reader.read(tell);
            for (int const digit : code) {
                all = all && reader.guess() == digit;
                reader.read(reader.guess());
            }
            return all;
        }));
    }
    return right;
}

/// A line of the CSV file.
struct Line {
    std::string model, task;
    int trained, tokens;
    double depth, accuracy;
};
constexpr char const csv_path[] = "long_recall.csv";

std::vector<Line> read_csv() {
    std::vector<Line> lines;
    std::FILE* const file = std::fopen(csv_path, "r");
    if (!file) return lines;
    char model[32], task[32], words[160];
    Line l{};
    while (std::fgets(words, sizeof words, file))
        if (std::sscanf(words, "%31[^,],%31[^,],%d,%d,%lf,%lf", model, task, &l.trained, &l.tokens, &l.depth,
                        &l.accuracy) == 6)
            l.model = model, l.task = task, lines.push_back(l);
    std::fclose(file);
    return lines;
}
void write(std::vector<Line> const& lines) {
    std::FILE* const file = std::fopen(csv_path, "w");
    if (!file) throw std::runtime_error("cannot write long_recall.csv");
    std::fprintf(file, "model,task,trained,tokens,depth,accuracy\n");
    std::vector<Curve> curves;
    for (Line const& l : lines) {
        std::fprintf(file, "%s,%s,%d,%d,%.2f,%.4f\n", l.model.c_str(), l.task.c_str(), l.trained, l.tokens,
                     l.depth, l.accuracy);
        if (l.task != "needle" || l.depth > 0) continue;
        if (curves.empty() || curves.back().name != l.model) curves.push_back({l.model, {}, {}});
        curves.back().x.push_back(std::log2(l.tokens)), curves.back().y.push_back(l.accuracy);
    }
    std::fclose(file);
    plot("long_recall.svg", {"Needles at the beginning that are found", "log2 of tokens", "accuracy"},
         curves);
}

/// Texts in which something is said or asked about every 2, 8 or 32 tokens, with length 2048 every 128, too.
/// Of those of the first `easy` fifths every 2: there is most to learn from.
Rows<Tokens<length, vocabulary>> lessons(int n, int easy, std::uint64_t key) {
    constexpr int kinds = length < 1024 ? 3 : 4;
    Rows<Tokens<length, vocabulary>> rows;
    Draw draw(Key{1}.fold(key));
    for (int i = 0; i < n; ++i)
        append_lesson(rows.id, length, i % 2 == 0, i < n * easy / 5 ? 2 : 2 << 2 * (i / 2 % kinds), draw);
    rows.id.push_back(0);
    return rows;
}

template <class M> void run(char const* name, Recipe recipe, Plan const& plan, std::vector<Line>& lines) {
    std::printf("%-7s %10lld %8zu ", name, M::parameters, sizeof(typename M::Block::State));
    std::fflush(stdout);
    if (plan.recipe.rate > 0) recipe.rate = plan.recipe.rate;
    if (plan.recipe.easy >= 0) recipe.easy = plan.recipe.easy;
    if (plan.recipe.steps > 0) recipe.steps = plan.recipe.steps;
    auto const texts = lessons(int(std::min<std::uint64_t>(recipe.steps * batch, 24'000)), recipe.easy, 1),
               held = lessons(96, 2, 2);
    auto net = Network<M>(Seed{1});
    Trainer<M, Loss, Batch<batch>, AdamW> trainer(
        net, {.learning_rate = recipe.rate, .schedule = Cosine{.warmup = 50}, .clip = {.norm = 1}});
    auto const begin = Clock::now();
    double const loss =
        trainer.fit(texts, {.steps = recipe.steps, .validate = &held, .shuffle = false}).validation;
    double const training = since(begin);

    double seconds = 0, tokens = 0;
    std::vector<std::array<double, depths>> found(plan.lengths.size());
    std::vector<double> recalled(plan.lengths.size());
    for (std::size_t l = 0; l < plan.lengths.size(); ++l) {
        int const end = plan.lengths[l], streams = plan.streams(end);
        for (int i = 0; i < streams; ++i) {
            auto const right =
                needles<M>(net.params(), end, Key{2}.fold(std::uint64_t(end)).fold(std::uint64_t(i)));
            for (std::size_t d = 0; d < depths; ++d) found[l][d] += right[d] / double(streams);
        }
    }
    for (int i = 0; i < plan.most; ++i) {
        std::vector<int> lengths; // that this stream is read to
        for (int const end : plan.lengths)
            if (i < plan.streams(end)) lengths.push_back(end);
        auto const right = passkey<M>(net.params(), lengths, Key{3}.fold(std::uint64_t(i)), seconds, tokens);
        for (std::size_t l = 0; l < right.size(); ++l)
            recalled[l] += right[l] / double(plan.streams(lengths[l]));
    }
    std::printf("%6.3f %4d %5llu %6.3f %9.0f %13.1f\n", recipe.rate, recipe.easy,
                static_cast<unsigned long long>(recipe.steps), loss, training, seconds / tokens * 1e6);
    for (std::size_t l = 0; l < plan.lengths.size(); ++l) {
        std::printf("%17d tokens:", plan.lengths[l]);
        auto const add = [&](char const* task, double depth, double share) {
            lines.push_back({name, task, length, plan.lengths[l], depth, share});
            std::printf("  %.2f", share);
        };
        for (std::size_t d = 0; d < depths; ++d) add("needle", double(d) / (depths - 1), found[l][d]);
        std::printf("  |");
        add("passkey", 0, recalled[l]);
        std::printf("\n");
    }
    std::fflush(stdout);
    write(lines);
}

int main(int argc, char** argv) try {
    Plan plan;
    std::string only;
    for (int i = 1; i < argc; ++i)
        if (!std::strcmp(argv[i], "--full")) plan.lengths.push_back(2'097'152);
        else if (!std::strcmp(argv[i], "--only") && i + 1 < argc) only = argv[++i];
        else if (!std::strcmp(argv[i], "--rate") && i + 1 < argc) plan.recipe.rate = std::atof(argv[++i]);
        else if (!std::strcmp(argv[i], "--easy") && i + 1 < argc) plan.recipe.easy = std::atoi(argv[++i]);
        else if (!std::strcmp(argv[i], "--steps") && i + 1 < argc)
            plan.recipe.steps = std::strtoull(argv[++i], nullptr, 10);
        else {
            std::fprintf(
                stderr,
                "usage: long_recall [--only MODEL] [--rate R] [--easy FIFTHS] [--steps N] [--full]\n");
            return 2;
        }
    if (std::getenv("INLAY_SMOKE")) plan = {.recipe = {.steps = 2}, .lengths = {512, 2048}, .most = 2};
    std::vector<Line> lines;
    if (!only.empty()) {
        lines = read_csv();
        std::erase_if(lines, [&](Line const& l) { return l.model == only; });
    }
    std::printf("compiled for %s, steps of %d texts of %d tokens; up to %d streams of each length, %d of the "
                "longest\n"
                "model   parameters    state   rate easy steps   loss  training  \u00b5s of a token\n"
                "%25s needles by depth 0 .25 .5 .75 1 | passkey\n",
                INLAY_ISA_NAME, batch, length, plan.most, plan.streams(plan.lengths.back()), "");
    bool any = false;
    auto const all = [&]<class M>(Tag<M>, char const* name, Recipe recipe) {
        if (!only.empty() && only != name) return;
        any = true;
        run<M>(name, recipe, plan, lines);
    };
    all(Tag<SlidingWindow>{}, "window", {5e-3, 2});
    all(Tag<Linear>{}, "linear", {5e-3, 2});
    all(Tag<MemoryAlone>{}, "memory", {5e-3, 2});
    all(Tag<Keeping>{}, "keeping", {5e-3, 2});
    all(Tag<Mac>{}, "MAC", {3e-3, 2, 2500});
    all(Tag<Mag>{}, "MAG", {5e-3, 0});
    all(Tag<Mal>{}, "MAL", {5e-3, 0});
    all(Tag<Fam>{}, "FAM", {3e-3, 0});
    if (!any) throw std::runtime_error("models: window linear memory keeping MAC MAG MAL FAM");
} catch (std::exception const& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 1;
}
