// SPDX-License-Identifier: BSD-3-Clause
// What is still known of something said once, thousands of tokens ago. Small models that differ in nothing
// but what mixes tokens learn two kinds of texts (texts.hpp), all by one recipe: texts of 128 tokens first,
// then of 512, then of 2,048. Then they read streams that are much longer, token by token with a state of
// constant size: needles in noise, at five depths of the text, asked for at its end, and a passkey at the
// beginning, asked for again and again while the stream goes on.
//
//     long_recall [--only MODEL] [--seed S] [--seeds N] [--rate R] [--steps N] [--full]
//
// Gradients go back through windows of 128 tokens. What a longer text said before is in the state that the
// window began with: so one Trainer learns from texts of all lengths, in steps that cost the same.
// Results go to long_recall.csv, the share of first needles found to long_recall.svg. What the CSV file has
// of other models and seeds stays, so that they may be run one by one. --steps and --rate are those with the
// shortest texts. Streams have up to 262,144 tokens, with --full the first seed reads 2,097,152.
#include <inlay/inlay.hpp>
#include <inlay/train.hpp>

#include "questions.hpp"
#include "results.hpp"

#include <cstdio>
#include <cstdlib>
#include <cstring>

using namespace inlay;

constexpr int window = 128, width = 32, batch = 16;

// A convolution brings each token its neighbours, so that every mixer can tell what follows what.
template <class... Layers>
using Net = Model<Tokens<window, vocabulary>,
                  Tied<Embed<width>, Residual<CausalConv1d<3>>, Repeat<2, Layers...>, RmsNorm>>;
template <class Mixer> using Layered = Net<PreNorm<Mixer>, PreNorm<SwiGlu<2 * width>>>;

// Attention sees 16 tokens, in windows, segments or blocks, so that most answers lie further back.
using Near = SoftmaxAttn<Heads<2>, Window<16>, Rope<10'000>>;
// Without a limit MAC may come to gradients that are not finite, and the trainer leaves out such steps.
using Learning = Memory<Heads<2>, Chunk<8>, Depth<1>, StepSize<1>, GradientLimit<2>>;
using SlidingWindow = Layered<Near>;
using Linear = Layered<LinearAttn<Heads<2>, GatedDelta>>;
using Keeping = Layered<Memory<Heads<2>, Chunk<8>, Depth<1>, StepSize<1>, GradientLimit<2>, NeverForgets>>;
using MemoryAlone = Layered<Learning>;
using Mac = Layered<MemoryAsContext<16, 4, SoftmaxAttn<Heads<2>, Rope<10'000>>, Learning>>;
using Mag =
    Layered<Persistent<4, MemoryAsGate<SoftmaxAttn<Heads<2>, Window<16>, Sinks<4>, Rope<10'000>>, Learning>>>;
using Mal = Layered<MemoryAsLayer<Near, Residual<Learning>>>;
template <class Norm>
using Fam = Net<FeedbackMemory<BlockWindow<16, 0>, FeedbackRows<16>, Norm, Heads<2>, Rope<10'000>>>;

/// The loss looks at values and digits only: nothing else can be known.
template <int... Id>
auto look_at_values(std::integer_sequence<int, Id...>) -> BasicCrossEntropy<IgnoreLabels<Id...>>;
using Loss = decltype(look_at_values(std::make_integer_sequence<int, first_value>{}));

/// A part of the training: a step is a window of each of a batch of texts of so many tokens.
struct Stage {
    int tokens;
    double steps, rate; ///< as shares of those of the first
};
constexpr Stage stages[] = {{128, 1, 1}, {512, .5, 1}, {2048, .5, .7}};

/// How long is trained, and how many streams are read to which lengths.
struct Plan {
    int steps = 2000, seed = 1, seeds = 1;
    double rate = 3e-3;
    std::vector<int> lengths{512, 2048, 4096, 16'384, 65'536, 262'144};
    int most = 32;
    int streams(int tokens) const { return std::clamp((1 << 19) / tokens, 1, most); }
    /// The longest are for the first seed only.
    std::vector<int> lengths_of(int which) const {
        auto of = lengths;
        if (which > 1) std::erase(of, longest);
        return of;
    }
    static constexpr int longest = 2'097'152;
};

/// Texts one after the other in which something is said or asked about every 2, 8, 32 .. tokens, up to a
/// sixteenth of a text.
class Lessons {
public:
    Lessons(int texts, int tokens, Key key) {
        int kinds = 1;
        while (32 << 2 * kinds <= tokens) ++kinds;
        Draw draw(key);
        for (int i = 0; i < texts; ++i) {
            begins_.push_back(std::uint32_t(i * tokens / window));
            append_lesson(rows_.id, tokens, i % 2 == 0, 2 << 2 * (i / 2 % kinds), draw);
        }
        rows_.id.push_back(0);
    }
    auto streams() const { return Streams(rows_, begins_); }

private:
    Rows<Tokens<window, vocabulary>> rows_;
    std::vector<std::uint32_t> begins_;
};

/// Prints the loss of texts held out after each stage.
template <class M> void learn(Network<M>& net, Plan const& plan, Seed seed) {
    for (Stage const& stage : stages) {
        int const each = stage.tokens / window, // windows of a text
            steps = (std::max(2, int(plan.steps * stage.steps)) + each - 1) / each * each;
        Key const key = Key{1}.fold(seed.value).fold(std::uint64_t(stage.tokens));
        Lessons const lessons(steps * batch / each, stage.tokens, key.fold(1)),
            others(2 * batch, stage.tokens, key.fold(2));
        auto const texts = lessons.streams(), held = others.streams();
        Trainer<M, Loss, Batch<batch>, AdamW> trainer(net, {.learning_rate = plan.rate * stage.rate,
                                                            .schedule = Cosine{.warmup = 50, .floor = .1},
                                                            .clip = {.norm = 1}});
        auto const report = trainer.fit(texts, {.steps = std::uint64_t(steps), .validate = &held});
        std::printf("%6.3f ", report.validation);
        if (report.skipped > 0) std::printf("(%d steps were not finite) ", int(report.skipped));
        std::fflush(stdout);
    }
}

template <class M>
void run(char const* name, Plan const& plan, std::uint64_t seed, std::vector<Line>& lines) {
    std::printf("%-7s %4d %10lld %8zu ", name, int(seed), M::parameters, sizeof(typename M::Block::State));
    std::fflush(stdout);
    auto net = Network<M>(Seed{seed});
    auto const begin = Clock::now();
    learn(net, plan, Seed{seed});
    double const training = since(begin);

    double seconds = 0, tokens = 0;
    auto const ends = plan.lengths_of(int(seed));
    auto const sizes = ends.size();
    std::vector<std::array<double, depths>> found(sizes);
    std::vector<double> recalled(sizes);
    auto const key_of = [&](int kind, int i) {
        return Key{2}.fold(seed).fold(std::uint64_t(kind)).fold(std::uint64_t(i));
    };
    for (std::size_t l = 0; l < sizes; ++l) {
        int const end = ends[l], streams = plan.streams(end);
        for (int i = 0; i < streams; ++i) {
            auto const right = needles<M>(net.params(), end, key_of(end, i));
            for (std::size_t d = 0; d < depths; ++d) found[l][d] += right[d] / double(streams);
        }
    }
    for (int i = 0; i < plan.most; ++i) {
        std::vector<int> lengths; // that this stream is read to
        for (int const end : ends)
            if (i < plan.streams(end)) lengths.push_back(end);
        auto const right = passkey<M>(net.params(), lengths, key_of(0, i), seconds, tokens);
        for (std::size_t l = 0; l < right.size(); ++l)
            recalled[l] += right[l] / double(plan.streams(lengths[l]));
    }
    std::printf("%8.0f %13.1f\n", training, seconds / tokens * 1e6);
    for (std::size_t l = 0; l < sizes; ++l) {
        std::printf("%17d tokens:", ends[l]);
        auto const add = [&](char const* task, double depth, double share) {
            lines.push_back({name, task, int(seed), ends[l], depth, share});
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
    for (int i = 1; i < argc; ++i) {
        auto const is = [&](char const* option) { return !std::strcmp(argv[i], option) && i + 1 < argc; };
        if (!std::strcmp(argv[i], "--full")) plan.lengths.push_back(Plan::longest);
        else if (is("--only")) only = argv[++i];
        else if (is("--seed")) plan.seed = std::max(1, std::atoi(argv[++i]));
        else if (is("--seeds")) plan.seeds = std::max(1, std::atoi(argv[++i]));
        else if (is("--rate")) plan.rate = std::atof(argv[++i]);
        else if (is("--steps")) plan.steps = std::atoi(argv[++i]);
        else {
            std::fprintf(
                stderr,
                "usage: long_recall [--only MODEL] [--seed S] [--seeds N] [--rate R] [--steps N] [--full]\n");
            return 2;
        }
    }
    if (std::getenv("INLAY_SMOKE")) plan.steps = 2, plan.lengths = {512, 2048}, plan.most = 2;
    int const last = plan.seed + plan.seeds - 1;
    std::vector<Line> lines = read_csv();
    std::erase_if(lines, [&](Line const& l) {
        return (only.empty() || l.model == only) && l.seed >= plan.seed && l.seed <= last;
    });
    std::printf("compiled for %s, %d windows of %d tokens a step; up to %d streams of each length, %d of the "
                "longest\n"
                "model   seed parameters    state   losses of 3 stages training  \u00b5s of a token\n"
                "%25s needles by depth 0 .25 .5 .75 1 | passkey\n",
                INLAY_ISA_NAME, batch, window, plan.most, plan.streams(plan.lengths.back()), "");
    bool any = false;
    auto const all = [&]<class M>(Tag<M>, char const* name) {
        if (!only.empty() && only != name) return;
        any = true;
        for (int seed = plan.seed; seed <= last; ++seed) run<M>(name, plan, std::uint64_t(seed), lines);
        if (last > 1) summary(name, plan.lengths, lines);
    };
    all(Tag<SlidingWindow>{}, "window");
    all(Tag<Linear>{}, "linear");
    all(Tag<MemoryAlone>{}, "memory");
    all(Tag<Keeping>{}, "keeping");
    all(Tag<Mac>{}, "MAC");
    all(Tag<Mag>{}, "MAG");
    all(Tag<Mal>{}, "MAL");
    all(Tag<Fam<BareRows>>{}, "FAM");
    all(Tag<Fam<NormRows>>{}, "FAM-N");
    if (!any) throw std::runtime_error("models: window linear memory keeping MAC MAG MAL FAM FAM-N");
} catch (std::exception const& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 1;
}
