// SPDX-License-Identifier: BSD-3-Clause
// Bigger and sparser against smaller and dense, after The Sparse Frontier (arXiv 2504.17768). Models of
// several widths are trained with all keys on texts that ask for a needle or for many short facts. Then the
// widest reads or writes with fewer and fewer keys, by six methods, and stands beside the narrower ones that
// cost as many multiply-adds.
//
//     sparse_frontier [--full] [--seeds N] [--steps N] [--tests N]
//
// Writes sparse_frontier.csv and sparse_frontier.svg. It takes about two minutes of processor time; --full,
// with three seeds and five times the tests, about ten.
#include <inlay/parallel.hpp>
#include <inlay/train.hpp>

#include "../plot.hpp"
#include "models.hpp"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <tuple>

namespace {
using namespace frontier;

constexpr int batch = 8;
constexpr int widest = 64;
/// Models with all keys: trained on as many texts as the widest, or for as many multiply-adds.
constexpr char const *same_texts = "all keys", *longer = "all, longer";

// Budgets of 1/2, 1/5, 1/10 and 1/20 of the pairs: of so many keys a query has, T / 2 in the mean, or nearly
// T behind a prompt.
template <template <int> class Of, int... N> using Budgets = std::tuple<Of<N>...>;
template <template <int> class Of> using OfReading = Budgets<Of, 150, 54, 26, 13>;
template <template <int> class Of> using OfWriting = Budgets<Of, 256, 102, 51, 26>;

struct Options {
    int seeds = 1, tests = 30;
    std::uint64_t steps = 1000;
    bool smoke = false;
};
/// What a method, or all widths with all keys, gave, cheapest last; the sums over seeds are divided at the
/// end.
struct Line {
    std::string name;
    Stage stage;
    std::vector<std::string> of; ///< a width, or a budget
    std::vector<Result> results;

    void add(std::size_t at, std::string const& label, Result const& r, int seeds) {
        if (at == results.size()) of.push_back(label), results.emplace_back();
        Result& sum = results[at];
        for (int task = 0; task < 2; ++task) sum.found[task] += r.found[task] / seeds;
        sum.keys += r.keys / seeds, sum.madds += r.madds / seeds;
    }
};

template <int Width> Network<Dense_<Width>> learn(Options const& o, int seed, std::uint64_t steps) {
    using M = Dense_<Width>;
    Network<M> net(Seed{std::uint64_t(seed)});
    auto const rows = lessons(o.smoke ? 16 : batch * steps, Key{std::uint64_t(seed)}.fold(1));
    Trainer<M, CrossEntropy, Batch<batch>, AdamW, Threads> trainer(
        net, {.learning_rate = 3e-3f, .schedule = Cosine{.warmup = 50}, .clip = {.norm = 1}}, Threads{});
    auto const report = trainer.fit(rows, {.steps = steps});
    std::printf("width %d: %lld parameters, %llu steps in %.0f s\n", Width, M::parameters,
                static_cast<unsigned long long>(report.steps), report.seconds);
    std::fflush(stdout);
    return net;
}

template <class... Patterns>
void sweep(std::tuple<Patterns...>*, Network<Dense_<widest>>& net, Options const& o, Key key, Line& line) {
    constexpr char const* budgets[] = {"1/2", "1/5", "1/10", "1/20"};
    std::size_t at = 0;
    ((line.add(at, budgets[at], ask_some<widest, Patterns>(net, line.stage, o.tests, key), o.seeds), ++at),
     ...);
}

void print(std::vector<Line> const& lines, Stage stage) {
    std::printf("\n%s\n%-16s %-7s %10s %14s %8s %8s\n",
                stage == Stage::reading ? "reading the whole text with fewer keys"
                                        : "writing answers with fewer keys",
                "", "", "keys asked", "madds a token", "needle", "recall");
    for (auto const& line : lines)
        for (std::size_t i = 0; line.stage == stage && i < line.results.size(); ++i) {
            Result const& r = line.results[i];
            std::printf("%-16s %-7s %9.1f%% %14.0f %8.3f %8.3f\n", i ? "" : line.name.c_str(),
                        line.of[i].c_str(), 100 * r.keys, r.madds, r.found[0], r.found[1]);
        }
}
/// Each narrower model beside what each method does with the widest for at most as many multiply-adds.
void compare(std::vector<Line> const& lines, Stage stage) {
    auto const put = [](Line const& line, std::size_t i) {
        Result const& r = line.results[i];
        std::printf("  %-16s %-9s %8.0f %8.3f %8.3f\n", line.name.c_str(), line.of[i].c_str(), r.madds,
                    r.found[0], r.found[1]);
    };
    for (std::size_t narrow = 0; narrow < 2; ++narrow) {
        double most = 0;
        std::printf("\n%s, at equal multiply-adds\n", stage == Stage::reading ? "reading" : "writing");
        for (auto const& line : lines) {
            if (line.stage != stage) continue;
            std::size_t i = line.name == same_texts ? narrow + 1 : narrow;
            if (line.name == same_texts) most = line.results[i].madds;
            else if (line.name != longer)
                for (i = 0; i < line.results.size() && line.results[i].madds > most;) ++i;
            if (i < line.results.size()) put(line, i);
        }
    }
}
void write_csv(char const* path, std::vector<Line> const& lines) {
    std::FILE* const csv = std::fopen(path, "w");
    if (!csv) throw std::runtime_error(std::string("cannot write ") + path);
    std::fprintf(csv, "stage,method,of,keys,madds,needle,recall\n");
    for (auto const& line : lines)
        for (std::size_t i = 0; i < line.results.size(); ++i) {
            Result const& r = line.results[i];
            std::fprintf(csv, "%s,%s,%s,%.4f,%.0f,%.4f,%.4f\n",
                         line.stage == Stage::reading ? "reading" : "writing", line.name.c_str(),
                         line.of[i].c_str(), r.keys, r.madds, r.found[0], r.found[1]);
        }
    std::fclose(csv);
}
void draw(char const* path, std::vector<Line> const& lines) {
    std::vector<Panel> panels;
    for (Stage const stage : {Stage::reading, Stage::writing})
        for (Task const task : {Task::needle, Task::recall}) {
            Panel panel{
                {std::string(task == Task::needle ? "Needle" : "Recall") +
                     (stage == Stage::reading ? ", reading with fewer keys" : ", writing with fewer keys"),
                 "thousands of multiply-adds a token", "share of right answers"},
                {}};
            for (auto const& line : lines) {
                if (line.stage != stage) continue;
                Curve curve{line.name, {}, {}};
                for (auto const& r : line.results)
                    curve.x.push_back(r.madds / 1000), curve.y.push_back(r.found[int(task)]);
                panel.curves.push_back(curve);
            }
            panels.push_back(panel);
        }
    plot(path, panels);
}
} // namespace

int main(int argc, char** argv) try {
    Options o;
    o.smoke = std::getenv("INLAY_SMOKE") != nullptr;
    for (int i = 1; i < argc; ++i) {
        bool const more = i + 1 < argc;
        if (!std::strcmp(argv[i], "--full")) o.seeds = 3, o.tests = 150;
        else if (more && !std::strcmp(argv[i], "--seeds")) o.seeds = std::atoi(argv[++i]);
        else if (more && !std::strcmp(argv[i], "--steps")) o.steps = std::strtoull(argv[++i], nullptr, 10);
        else if (more && !std::strcmp(argv[i], "--tests")) o.tests = std::atoi(argv[++i]);
        else {
            std::fprintf(stderr, "usage: sparse_frontier [--full] [--seeds N] [--steps N] [--tests N]\n");
            return 2;
        }
    }
    if (o.smoke) o.steps = 1, o.tests = 1;

    using enum Stage;
    std::vector<Line> lines{{same_texts, reading, {}, {}},       {longer, reading, {}, {}},
                            {"Vertical-Slash", reading, {}, {}}, {"Block-Sparse", reading, {}, {}},
                            {"FlexPrefill", reading, {}, {}},    {same_texts, writing, {}, {}},
                            {longer, writing, {}, {}},           {"SnapKV", writing, {}, {}},
                            {"Ada-SnapKV", writing, {}, {}},     {"Quest", writing, {}, {}}};
    for (int seed = 1; seed <= o.seeds; ++seed) {
        Key const key = Key{std::uint64_t(seed)}.fold(2);
        auto const tell = [&]<int Width>(Network<Dense_<Width>> const& net, char const* name,
                                         std::size_t at) {
            for (auto& line : lines)
                if (line.name == name)
                    line.add(at, "width " + std::to_string(Width),
                             ask_all<Width>(net, line.stage, o.tests, key), o.seeds);
        };
        auto const learn_less = [&]<int Width>(std::integral_constant<int, Width>, std::size_t at) {
            tell.template operator()<Width>(learn<Width>(o, seed, o.steps), same_texts, at);
            auto const steps = double(o.steps) * Dense_<widest>::flops / Dense_<Width>::flops;
            tell.template operator()<Width>(learn<Width>(o, seed, std::uint64_t(steps)), longer, at - 1);
        };
        auto net = learn<widest>(o, seed, o.steps);
        tell.template operator()<widest>(net, same_texts, 0);
        learn_less(std::integral_constant<int, 48>{}, 1);
        learn_less(std::integral_constant<int, 32>{}, 2);
        sweep(static_cast<OfReading<Vertical>*>(nullptr), net, o, key, lines[2]);
        sweep(static_cast<OfReading<Blocks>*>(nullptr), net, o, key, lines[3]);
        sweep(static_cast<Budgets<Flex, 80, 48, 30, 18>*>(nullptr), net, o, key, lines[4]);
        sweep(static_cast<OfWriting<Snap>*>(nullptr), net, o, key, lines[7]);
        sweep(static_cast<OfWriting<Ada>*>(nullptr), net, o, key, lines[8]);
        sweep(static_cast<OfWriting<Pages>*>(nullptr), net, o, key, lines[9]);
    }
    for (Stage const stage : {Stage::reading, Stage::writing}) print(lines, stage);
    for (Stage const stage : {Stage::reading, Stage::writing}) compare(lines, stage);
    write_csv("sparse_frontier.csv", lines);
    draw("sparse_frontier.svg", lines);
} catch (std::exception const& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 1;
}
