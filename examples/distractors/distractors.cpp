// SPDX-License-Identifier: BSD-3-Clause
// What to ignore. A text says values of keys, each behind a word that tells whether it holds: KEEP k v, or
// IGN k v, which is planted to mislead, some of it more than once. Then keys are asked for, and the answer is
// the value that was to be kept, or NONE where there is none. Four models that differ in nothing but their
// attention learn it, from scratch and from what softmax has learnt; tables tell how well they answer, what
// they look at, and what more and more copies of a planted value do to them.
//
//     distractors [--seeds N] [--steps N]
//
// Writes distractors.csv, and to distractors.svg the weight that copies get. It takes about a minute on one
// core.
#include <inlay/train.hpp>

#include "../plot.hpp"
#include "models.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <numeric>

namespace {
using namespace distractors;

constexpr int batch = 16;
/// From this weight on a question is said to look at a token.
constexpr double looks = 0.1;
constexpr int copies[] = {0, 1, 2, 4, 8, 16};

template <class M, class F> void each_tensor(Network<M>& net, F const& f) {
    M::Block::visit(net.params(), Path{}, [&](auto, Path const& at, Kind, auto w) { f(to_string(at), w); });
}
/// What attention reads.
struct Read {
    std::vector<double> x; ///< T rows of `width`
    void enter(Path const&) {}
    template <class Block, class C, class P, class X, class Y> void leave(C const&, P const&, X from, Y) {
        if constexpr (requires { Block::Select::used, Block::Choice::used; })
            for (int t = 0; t < T; ++t) x.insert(x.end(), from(0, t), from(0, t) + width);
    }
};
/// Scores for HardSelect (distillation): a logistic regression on what attention reads, of whether a question
/// that has an answer looks at a token in the trained soft model.
std::vector<double> distilled(Network<Soft> const& net, int texts, Key key) {
    std::vector<double> w(width);
    for (int i = 0; i < texts; ++i) {
        Exercise const text =
            make({.share = shares[std::size_t(i) % std::size(shares)]}, key.fold(std::uint64_t(i)));
        auto const map = look(net, text.row);
        Read read;
        watch(net, In<Row, Soft::Scalar>{&text.row}, read);
        for (int t = 0; t < T; ++t) {
            double const* const x = read.x.data() + t * width;
            double const p = 1 / (1 + std::exp(-std::inner_product(w.begin(), w.end(), x, 0.0)));
            bool wanted = false;
            for (auto const& q : text.questions)
                wanted = wanted || (q.answer != NONE && map.at(reader(map, q), q.at, t) >= looks);
            for (std::size_t c = 0; c < w.size(); ++c) w[c] += 0.003 * ((wanted ? 1 : 0) - p) * x[c];
        }
    }
    return w;
}
/// The numbers of the soft model, and, for scores that it has not, distilled ones.
template <class M> void start_from(Network<Soft>& soft, int texts, Key key, Network<M>& net) {
    std::map<std::string, std::vector<float>> numbers;
    each_tensor(soft, [&](std::string const& name, auto w) {
        for (int r = 0; r < w.rows; ++r)
            for (int i = 0; i < w.width; ++i) numbers[name].push_back(w(r, i));
    });
    each_tensor(net, [&](std::string const& name, auto w) {
        auto& from = numbers[name];
        if (from.empty())
            for (double const number : distilled(soft, texts, key)) from.push_back(float(number));
        auto at = from.begin();
        for (int r = 0; r < w.rows; ++r)
            for (int i = 0; i < w.width; ++i) w(r, i) = *at++;
    });
}

/// Of what was claimed, the part that is so; of what is so, the part that was claimed.
struct Found {
    double right = 0, claimed = 0, there = 0;
    double precision() const { return claimed > 0 ? right / claimed : 0; }
    double recall() const { return there > 0 ? right / there : 0; }
    double f1() const { return claimed + there > 0 ? 2 * right / (claimed + there) : 0; }
};
struct Copies {
    double accuracy = 0, right = 0, planted = 0; ///< answers, weight on the value to keep, and on all others
};
struct Result {
    double accuracy[std::size(shares)]{};
    Found none, known, attended;
    Copies by_copies[std::size(copies)];
};

template <class M> Result ask(Network<M> const& net, int tests, Key key) {
    Result r;
    auto const ws = std::make_unique<Workspace<M>>();
    auto const answer = [&](Exercise const& text, auto const& each) {
        auto const y = net.infer(std::span<Row::Row const>(&text.row, 1), *ws);
        for (auto const& q : text.questions) {
            auto const* const score = y(0, q.at);
            each(q, int(std::max_element(score, score + vocabulary) - score));
        }
    };
    for (std::size_t s = 0; s < std::size(shares); ++s)
        for (int i = 0; i < tests; ++i) {
            Exercise const text = make({.share = shares[s]}, key.fold(s).fold(std::uint64_t(i)));
            auto const map = look(net, text.row);
            answer(text, [&](Question const& q, int said) {
                r.accuracy[s] += double(said == q.answer) / tests / int(text.questions.size());
                Found& about = q.answer == NONE ? r.none : r.known;
                about.there += 1, about.right += said == q.answer;
                (said == NONE ? r.none : r.known).claimed += 1;
                if (q.answer == NONE) return;
                r.attended.there += 1;
                int const head = reader(map, q);
                for (int j = 0; j < text.told; ++j)
                    if (map.at(head, q.at, j) >= looks)
                        r.attended.claimed += 1, r.attended.right += j == q.right;
            });
        }
    for (std::size_t c = 0; c < std::size(copies); ++c)
        for (int i = 0; i < tests; ++i) {
            Exercise const text = make({.of_first = copies[c]}, key.fold(100 + c).fold(std::uint64_t(i)));
            auto const map = look(net, text.row);
            auto const& asked = text.questions.front();
            auto& now = r.by_copies[c];
            int const head = reader(map, asked);
            now.right += map.at(head, asked.at, asked.right) / tests;
            for (int const j : asked.planted) now.planted += map.at(head, asked.at, j) / tests;
            answer(text, [&](Question const& q, int said) {
                if (&q == &asked) now.accuracy += double(said == q.answer) / tests;
            });
        }
    return r;
}

struct Options {
    int seeds = 2;
    std::uint64_t steps = 1000;
    bool smoke = false;
};
struct Line {
    char const* name;
    std::vector<Result> seeds;
    /// The mean over seeds of what f tells of a result.
    template <class F> double mean(F f) const {
        double sum = 0;
        for (auto const& r : seeds) sum += f(r) / double(seeds.size());
        return sum;
    }
};

template <class M> Network<M> learn(Network<M> net, Options const& o, int seed, float rate) {
    auto const rows = lessons(o.smoke ? 64 : std::min<std::size_t>(batch * o.steps, 50'000),
                              Key{std::uint64_t(seed)}.fold(1));
    Trainer<M, CrossEntropy, Batch<batch>, AdamW> trainer(
        net, {.learning_rate = rate, .schedule = Cosine{.warmup = 50}, .clip = {.norm = 1}});
    trainer.fit(rows, {.steps = o.steps});
    return net;
}
/// Learns, from scratch or from what the soft models of the same seeds have learnt, and tells.
template <class M>
std::vector<Network<M>> run(char const* name, Options const& o, std::vector<Network<Soft>>* soft,
                            std::vector<Line>& lines) {
    Line line{name, {}};
    std::vector<Network<M>> nets;
    for (int seed = 1; seed <= o.seeds; ++seed) {
        Key const key{std::uint64_t(seed)};
        Network<M> start(Seed{std::uint64_t(seed)});
        if (soft) start_from((*soft)[std::size_t(seed) - 1], o.smoke ? 2 : 400, key.fold(3), start);
        nets.push_back(learn(std::move(start), o, seed, soft ? 1e-3f : 3e-3f));
        line.seeds.push_back(ask(nets.back(), o.smoke ? 2 : 100, key.fold(2)));
    }
    std::printf("%-21s", name);
    for (std::size_t s = 0; s < std::size(shares); ++s)
        std::printf(" %.3f", line.mean([&](Result const& r) { return r.accuracy[s]; }));
    for (auto const part : {&Result::none, &Result::known, &Result::attended})
        std::printf("   %.3f %.3f %.3f", line.mean([&](Result const& r) { return (r.*part).precision(); }),
                    line.mean([&](Result const& r) { return (r.*part).recall(); }),
                    line.mean([&](Result const& r) { return (r.*part).f1(); }));
    std::printf("\n");
    std::fflush(stdout);
    lines.push_back(line);
    return nets;
}

void write_csv(char const* path, std::vector<Line> const& lines) {
    std::FILE* const csv = std::fopen(path, "w");
    if (!csv) throw std::runtime_error(std::string("cannot write ") + path);
    std::fprintf(csv, "model,seed,measure,at,value\n");
    for (auto const& line : lines)
        for (std::size_t i = 0; i < line.seeds.size(); ++i) {
            Result const& r = line.seeds[i];
            auto const put = [&](char const* measure, double at, double value) {
                std::fprintf(csv, "%s,%d,%s,%g,%.4f\n", line.name, int(i) + 1, measure, at, value);
            };
            for (std::size_t s = 0; s < std::size(shares); ++s)
                put("accuracy by share misled", shares[s], r.accuracy[s]);
            auto const three = [&](std::string const& what, Found const& f) {
                put((what + " precision").c_str(), 0, f.precision());
                put((what + " recall").c_str(), 0, f.recall());
                put((what + " F1").c_str(), 0, f.f1());
            };
            three("NONE", r.none), three("value", r.known), three("attended", r.attended);
            for (std::size_t c = 0; c < std::size(copies); ++c) {
                put("accuracy by copies", copies[c], r.by_copies[c].accuracy);
                put("weight on the value by copies", copies[c], r.by_copies[c].right);
                put("weight on copies", copies[c], r.by_copies[c].planted);
            }
        }
    std::fclose(csv);
}
} // namespace

int main(int argc, char** argv) try {
    Options o;
    o.smoke = std::getenv("INLAY_SMOKE") != nullptr;
    for (int i = 1; i + 1 < argc; i += 2)
        if (!std::strcmp(argv[i], "--seeds")) o.seeds = std::atoi(argv[i + 1]);
        else if (!std::strcmp(argv[i], "--steps")) o.steps = std::strtoull(argv[i + 1], nullptr, 10);
    if (o.smoke) o.steps = 2;
    if (argc % 2 == 0) {
        std::fprintf(stderr, "usage: distractors [--seeds N] [--steps N]\n");
        return 2;
    }
    std::printf("%-21s %-23s   %-17s   %-17s   %-17s\n%-21s", "", "accuracy, share misled", "NONE: P R F1",
                "a value: P R F1", "looked at: P R F1", "");
    for (double const share : shares) std::printf(" %5.2f", share);
    std::printf("\n");
    std::vector<Line> lines;
    auto soft = run<Soft>("soft", o, nullptr, lines);
    run<Told>("Selective", o, nullptr, lines);
    run<Sparse>("Sparsemax", o, nullptr, lines);
    run<Hard>("HardSelect", o, nullptr, lines);
    std::size_t const from_scratch = lines.size();
    run<Soft>("soft, longer", o, &soft, lines);
    run<Told>("Selective after soft", o, &soft, lines);
    run<Sparse>("Sparsemax after soft", o, &soft, lines);
    run<Hard>("HardSelect after soft", o, &soft, lines);
    std::printf("\naccuracy, weight on the value to keep, weight on the copies, of a key with copies\n%-21s",
                "");
    for (int const c : copies) std::printf(" %17d", c);
    std::vector<Curve> curves;
    for (auto const& line : lines) {
        std::printf("\n%-21s", line.name);
        Curve curve{line.name, {}, {}};
        for (std::size_t c = 0; c < std::size(copies); ++c) {
            auto const of = [&](auto part) {
                return line.mean([&](Result const& r) { return r.by_copies[c].*part; });
            };
            std::printf("   %.2f %.3f %.3f", of(&Copies::accuracy), of(&Copies::right), of(&Copies::planted));
            curve.x.push_back(copies[c]), curve.y.push_back(of(&Copies::planted));
        }
        curves.push_back(curve);
    }
    curves.erase(curves.begin(), curves.begin() + std::ptrdiff_t(from_scratch));
    std::printf("\n");
    write_csv("distractors.csv", lines);
    plot("distractors.svg", {"Weight on a planted value, by its copies", "copies", "weight"}, curves);
} catch (std::exception const& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 1;
}
