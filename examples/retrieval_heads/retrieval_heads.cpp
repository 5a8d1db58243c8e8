// SPDX-License-Identifier: BSD-3-Clause
// Which heads find a needle in a text: a model of two layers learns to go on with what once stood behind a
// letter, a probe finds the heads that do it (arXiv 2404.15574), and the model is asked again without them,
// and without as many others.
//
//     retrieval_heads [name]
//
// Writes name.csv and name.svg, the scores of all heads.
#include <inlay/inlay.hpp>
#include <inlay/probe.hpp>
#include <inlay/train.hpp>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

using namespace inlay;

// A text: a beginning and letters that are all different, then parts of them asked again: a question is a
// letter, its answer those that stood behind it.
constexpr int T = 48, letters = 32, V = 1 + letters, questions = 3, needle_size = 7;
constexpr int questions_at = T - questions * (1 + needle_size);

using Attention = SoftmaxAttn<Heads<8>, Rope<10'000>>;
using Text =
    Model<Tokens<T, V>, Tied<Embed<64>, Repeat<2, PreNorm<Attention>, PreNorm<SwiGlu<128>>>, RmsNorm>>;

struct Sample {
    std::vector<std::int32_t> ids; ///< T of them
    Needle needle;                 ///< what answers the first question
};

/// `count` different numbers below `below`.
std::vector<int> draw(Key key, int count, int below) {
    std::vector<int> all;
    for (int i = 0; i < below; ++i) all.push_back(i);
    for (int i = 0; i < count; ++i)
        std::swap(all[std::size_t(i)],
                  all[std::size_t(i) + key.below(std::uint64_t(below - i), std::uint64_t(i))]);
    all.resize(std::size_t(count));
    return all;
}

Sample sample(Key key) {
    Sample s;
    s.ids.push_back(0);
    for (int letter : draw(key.fold(0), questions_at - 1, letters)) s.ids.push_back(1 + letter);
    for (int q = 0; q < questions; ++q) {
        int const places = questions_at - 1 - needle_size;
        int const asked = 1 + int(key.fold(1).below(std::uint64_t(places), std::uint64_t(q)));
        if (q == 0) s.needle = {asked + 1, asked + 1 + needle_size};
        for (int i = 0; i <= needle_size; ++i) s.ids.push_back(s.ids[std::size_t(asked + i)]);
    }
    return s;
}

Rows<Tokens<T, V>> texts(int count, Seed seed) {
    Rows<Tokens<T, V>> rows;
    for (int i = 0; i < count; ++i) {
        auto const s = sample(Key{seed.value}.fold(std::uint64_t(i)));
        rows.id.insert(rows.id.end(), s.ids.begin(), s.ids.end());
    }
    rows.id.push_back(0); // what follows the last window
    return rows;
}

/// What the model writes behind the first question of texts it has not seen.
struct Answers {
    int needles_found = 0, tokens_found = 0, tests = 0;
    double needle_share() const { return double(needles_found) / tests; }
    double token_share() const { return double(tokens_found) / (tests * needle_size); }
};
template <class Each> Answers ask(Network<Text> const& net, int tests, Seed seed, Each each) {
    Answers answers;
    Generator<Text> write(net);
    auto state = std::make_unique<Text::State>();
    for (int i = 0; i < tests; ++i, ++answers.tests) {
        auto s = sample(Key{seed.value}.fold(std::uint64_t(i)));
        s.ids.resize(questions_at + 1);
        *state = {};
        auto text = s.ids;
        write(*state, s.ids, {.tokens = needle_size, .temperature = 0}, [&](int id) { text.push_back(id); });
        int found = 0;
        for (int k = 0; k < needle_size; ++k)
            found += text[std::size_t(questions_at + 1 + k)] == text[std::size_t(s.needle.begin + k)];
        answers.tokens_found += found, answers.needles_found += found == needle_size;
        each(text, s.needle);
    }
    return answers;
}
Answers ask(Network<Text> const& net, int tests, Seed seed) {
    return ask(net, tests, seed, [](auto const&, Needle) {});
}

struct Head {
    int layer, head;
    double score, active; ///< as RetrievalScores has them
    double left;          ///< the share of letters that is found without it
};

/// A bar a head, from the largest score on, in the colour of its layer, and a dot for what is found without
/// it.
void plot(std::string const& path, std::vector<Head> const& heads, double threshold) {
    std::ofstream out(path);
    int const bar = 26, high = 200, left = 46, top = 30, right = left + bar * int(heads.size());
    auto const y = [&](double share) { return top + high * (1 - share); };
    auto const line = [&](double at, char const* how) {
        out << "<line x1='" << left << "' x2='" << right << "' y1='" << y(at) << "' y2='" << y(at) << "' "
            << how << "/>\n";
    };
    out << "<svg xmlns='http://www.w3.org/2000/svg' width='" << right + 20 << "' height='" << top + high + 30
        << "' font-family='sans-serif' font-size='11'>\n<rect width='100%' height='100%' "
           "fill='white'/>\n<text x='"
        << left << "' y='16'>bar: retrieval score of layer.head; dot: letters found without it</text>\n";
    for (double tick : {0.0, 0.25, 0.5, 0.75, 1.0}) {
        line(tick, "stroke='#ddd'");
        out << "<text x='" << left - 6 << "' y='" << y(tick) + 4 << "' text-anchor='end'>" << tick
            << "</text>\n";
    }
    for (std::size_t i = 0; i < heads.size(); ++i) {
        auto const& h = heads[i];
        int const middle = left + bar * int(i) + bar / 2;
        out << "<rect x='" << middle - 9 << "' y='" << y(h.score) << "' width='18' height='" << high * h.score
            << "' fill='" << (h.layer == 0 ? "#4f81bd" : "#c0504d") << "'/><circle cx='" << middle << "' cy='"
            << y(h.left) << "' r='3'/><text x='" << middle << "' y='" << top + high + 16
            << "' text-anchor='middle'>" << h.layer << '.' << h.head << "</text>\n";
    }
    line(threshold, "stroke='black' stroke-dasharray='4 3'");
    out << "</svg>\n";
}

int main(int argc, char** argv) try {
    bool const quick = std::getenv("INLAY_SMOKE") != nullptr; // no time to learn anything
    int const count = quick ? 64 : 65536, steps = quick ? 4 : 4000, tests = quick ? 8 : 200,
              draws = quick ? 2 : 20;
    std::string const name = argc > 1 ? argv[1] : "retrieval_heads";

    auto net = Network<Text>(Seed{1});
    auto const rows = texts(count, Seed{10});
    Trainer<Text, CrossEntropy, Batch<32>, AdamW> trainer(
        net, {.learning_rate = 3e-3, .schedule = Cosine{.warmup = 100}, .seed = Seed{1}});
    auto const report = trainer.fit(rows, {.steps = std::uint64_t(steps), .progress = true});
    std::printf("%d steps in %.0f s\n", steps, report.seconds);

    RetrievalScores scores;
    ask(net, tests, Seed{20}, [&](std::vector<std::int32_t> const& text, Needle needle) {
        scores.add(net, text, needle, questions_at + 1);
    });
    // Texts that neither training nor the choice of heads has seen.
    auto const without = [&](std::vector<Head> const& pruned) {
        auto less = Network<Text>(Seed{1});
        less.params() = net.params();
        for (Head const& h : pruned) prune_head(less, h.layer, h.head);
        return ask(less, tests, Seed{30});
    };
    std::vector<Head> heads;
    for (int l = 0; l < scores.layers(); ++l)
        for (int h = 0; h < scores.heads(l); ++h)
            heads.push_back(
                {l, h, scores.score(l, h), scores.active(l, h), without({{l, h, 0, 0, 0}}).token_share()});
    std::ofstream table(name + ".csv");
    table << "layer,head,score,active,letters_found_without_it\n";
    for (Head const& h : heads)
        table << h.layer << ',' << h.head << ',' << h.score << ',' << h.active << ',' << h.left << '\n';

    constexpr double threshold = 0.1;
    std::sort(heads.begin(), heads.end(), [](Head const& a, Head const& b) {
        return std::tuple(-a.score, a.layer, a.head) < std::tuple(-b.score, b.layer, b.head);
    });
    plot(name + ".svg", heads, threshold);
    auto const others =
        std::find_if(heads.begin(), heads.end(), [&](Head const& h) { return h.score < threshold; });
    int const found = int(others - heads.begin()), rest = int(heads.end() - others);
    std::printf("%d of %zu heads are retrieval heads:", found, heads.size());
    for (auto h = heads.begin(); h != others; ++h) std::printf(" %d.%d (%.2f)", h->layer, h->head, h->score);

    auto const line = [](char const* what, Answers const& a) {
        std::printf("%-38s %5.1f %%          %5.1f %%\n", what, 100 * a.needle_share(),
                    100 * a.token_share());
    };
    std::printf("\n\n%4d new texts                         needles found  letters found\n", tests);
    line("all heads", without({}));
    line("without the retrieval heads", without({heads.begin(), others}));
    Answers random;
    for (int d = 0; d < draws; ++d) {
        std::vector<Head> some;
        for (int i : draw(Key{40}.fold(std::uint64_t(d)), std::min(found, rest), rest))
            some.push_back(others[i]);
        auto const a = without(some);
        random.needles_found += a.needles_found, random.tokens_found += a.tokens_found,
            random.tests += a.tests;
    }
    line("without as many others, mean of draws", random);
} catch (std::exception const& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 1;
}
