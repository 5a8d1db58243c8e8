// SPDX-License-Identifier: BSD-3-Clause
// How many documents can vectors of a width order, and what do exact crosses and several vectors for a
// document do where one cannot? (arXiv 2508.21038)
//
//     limit [LIMIT-SMALL]
//
// The folder has queries.jsonl ("Who likes X?"), corpus.jsonl (46 people and what they like) and qrels.jsonl
// (the two who do). Without it all pairs of 46 made-up people are asked for, each by a word of its own. About
// forty seconds on one core. Results go to limit.csv, curves to limit.svg.
#include <inlay/inlay.hpp>
#include <inlay/train.hpp>

#include "../plot.hpp"
#include "free_vectors.hpp"
#include "sparse_queries.hpp"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>

using namespace inlay;

constexpr int people = 46, queries = 1100;

/// Words are numbered; each query is a word, whose two people like it and others.
struct Task {
    std::vector<std::vector<int>> likes; // words of each person
    std::vector<int> word;               // of each query
    Answers answers;
    int words = 0;
};
Task made_up(int n) {
    Task t;
    t.answers = all_pairs(n);
    t.likes.resize(std::size_t(n));
    for (auto const& pair : t.answers) {
        for (int const who : pair) t.likes[std::size_t(who)].push_back(t.words);
        t.word.push_back(t.words++);
    }
    return t;
}

/// What stands between the quotes behind "name": in a line of JSON without escapes.
std::string text_of(std::string const& line, std::string const& name) {
    auto const key = line.find('"' + name + "\": \"");
    if (key == std::string::npos) throw std::runtime_error("a line without " + name + ": " + line);
    auto const begin = key + name.size() + 5;
    return line.substr(begin, line.find('"', begin) - begin);
}
template <class F> void each_line(std::string const& path, F f) {
    std::ifstream file(path);
    if (!file) throw std::runtime_error("cannot read " + path);
    for (std::string line; std::getline(file, line);)
        if (!line.empty()) f(line);
}
Task read(std::string const& folder) {
    Task t;
    std::map<std::string, int> word, person, query;
    auto const number = [&](std::string const& text) {
        return word.try_emplace(text, int(word.size())).first->second;
    };
    each_line(folder + "/corpus.jsonl", [&](std::string const& line) {
        person.try_emplace(text_of(line, "_id"), int(person.size()));
        std::string list = text_of(line, "text");
        list = list.substr(list.find(" likes ") + 7);
        list.pop_back(); // the period
        if (auto const last = list.rfind(" and "); last != std::string::npos) list.replace(last, 5, ", ");
        t.likes.emplace_back();
        for (std::size_t at = 0; at <= list.size();) {
            auto const end = std::min(list.find(", ", at), list.size());
            t.likes.back().push_back(number(list.substr(at, end - at)));
            at = end + 2;
        }
    });
    each_line(folder + "/queries.jsonl", [&](std::string const& line) {
        auto const text = text_of(line, "text");
        query.try_emplace(text_of(line, "_id"), int(query.size()));
        t.word.push_back(number(text.substr(10, text.size() - 11))); // Who likes ...?
    });
    std::vector<std::vector<int>> found(t.word.size());
    each_line(folder + "/qrels.jsonl", [&](std::string const& line) {
        found[std::size_t(query.at(text_of(line, "query-id")))].push_back(
            person.at(text_of(line, "corpus-id")));
    });
    for (auto const& f : found) {
        if (f.size() != 2) throw std::runtime_error(folder + ": a query without exactly two answers");
        t.answers.push_back({f[0], f[1]});
    }
    if (t.likes.size() > people || t.word.size() > queries)
        throw std::runtime_error(folder + ": more people or queries than LIMIT-small has");
    t.words = int(word.size());
    return t;
}

/// Scores of all people by the words that they like. Each word has a vector of width d, a person the sum of
/// them all, and the score is their product; `best`: the best of the products with each.
/// `dense` vectors are drawn, `hashed` ones are a single 1; where the width is the number of words, each word
/// has its own.
enum class Words { dense, hashed, best };
double by_words(Task const& t, int d, Words how) {
    auto const n = t.likes.size(), width = std::size_t(d);
    std::vector<float> vector(std::size_t(t.words) * width), score;
    Key const key{17};
    for (std::size_t w = 0; w < std::size_t(t.words); ++w) {
        float* const v = vector.data() + w * width;
        if (how == Words::hashed) v[d == t.words ? w : std::size_t(key.below(width, w))] = 1;
        else {
            float sum = 0;
            for (std::size_t k = 0; k < width; ++k) v[k] = float(key.normal(w, k)), sum += v[k] * v[k];
            for (std::size_t k = 0; k < width; ++k) v[k] /= std::sqrt(sum);
        }
    }
    for (int const asked : t.word)
        for (std::size_t j = 0; j < n; ++j) {
            float sum = 0, top = -2;
            for (int const liked : t.likes[j]) {
                float s = 0;
                for (std::size_t k = 0; k < width; ++k)
                    s += vector[std::size_t(asked) * width + k] * vector[std::size_t(liked) * width + k];
                sum += s, top = std::max(top, s);
            }
            score.push_back(how == Words::best ? top : sum);
        }
    return recall_at_2(t.answers, int(n), score);
}

struct Crosses {
    double recall;
    int weights;
};
/// A weight for each query and person, learned from a log of who was right for what, every pair once an
/// epoch.
Crosses exact_crosses(Task const& t, int epochs) {
    using Pair = Record<Categorical<"query", queries + 1>, Categorical<"person", people + 1>>;
    using M = Model<Pair, Cross<Indexed, Of<"query", "person">>>;
    auto const n = t.likes.size();
    Rows<Pair> rows;
    for (std::size_t q = 0; q < t.answers.size(); ++q)
        for (std::size_t j = 0; j < n; ++j) {
            Pair::Row row{};
            get<0>(row).id = 1 + int(q), get<1>(row).id = 1 + int(j);
            rows.row.push_back(row);
            rows.target.push_back(int(j) == t.answers[q][0] || int(j) == t.answers[q][1]);
        }
    auto net = Network<M>(Seed{1});
    Trainer<M, BinaryCrossEntropy, Batch<64>, Ftrl>(net, {.optimizer = Ftrl{.alpha = 0.1f, .l1 = 0.5f}})
        .fit(rows, {.epochs = epochs});
    auto const p = predict(net, rows);
    auto const& w = get<0>(net.params()).weight.data;
    return {recall_at_2(t.answers, int(n), {p.logit.begin(), p.logit.end()}),
            int(std::count_if(std::begin(w), std::end(w), [](float x) { return x != 0; }))};
}

int main(int argc, char** argv) try {
    if (argc > 2) {
        std::fprintf(stderr, "usage: limit [LIMIT-SMALL]\n");
        return 2;
    }
    bool const smoke = std::getenv("INLAY_SMOKE") != nullptr;
    auto const task = argc > 1 ? read(argv[1]) : made_up(smoke ? 12 : people);
    int const n = int(task.likes.size());
    std::FILE* const file = std::fopen("limit.csv", "w");
    if (!file) throw std::runtime_error("cannot write limit.csv");

    std::printf("The largest n with a query for every pair of n documents (6000 steps, best of 3 seeds):\n"
                "  width   found   published fit\n");
    std::fprintf(file, "what,width,value\n");
    bool right = true;
    for (int d = 2; d <= (smoke ? 3 : 5); ++d) {
        int const found = critical_documents(d, d == 2 ? 3 : d == 3 ? 4 : 2 * d - 1, 3, smoke ? 2000 : 6000);
        double const fit = -10.5322 + 4.0309 * d + 0.0520 * d * d + 0.0037 * d * d * d;
        std::printf("  %5d   %5d   ", d, found);
        if (d < 4) std::printf("       -\n"); // below what was fitted
        else std::printf("%8.1f\n", fit);
        std::fflush(stdout);
        std::fprintf(file, "critical n,%d,%d\n", d, found);
        if (d < 4) right = right && found == d + 1; // exact: hull edges, and K5 is not planar
    }

    std::printf("\n%d documents, %zu queries with two answers each; recall at 2:\n", n, task.word.size());
    std::vector<Curve> curves;
    auto const sweep = [&](char const* name, std::vector<int> const& widths, auto recall) {
        Curve c{name, {}, {}};
        std::printf("  %s\n   ", name);
        for (int const d : widths) {
            c.x.push_back(std::log2(d)), c.y.push_back(recall(d));
            std::fprintf(file, "\"%s\",%d,%.4f\n", name, d, c.y.back());
            std::printf(" %5d: %.3f", d, c.y.back());
            std::fflush(stdout);
        }
        std::printf("\n");
        curves.push_back(c);
        return c.y.back();
    };
    std::vector<int> const few = smoke ? std::vector<int>{2, 8} : std::vector<int>{2, 4, 6, 8, 10, 12, 16};
    int const steps = smoke ? 200 : 1000;
    for (int const each : {1, 2, 4}) {
        char name[80];
        std::snprintf(name, sizeof name, "trained, %d vector%s", each, each == 1 ? "" : "s");
        sweep(name, few, [&](int d) { return FreeVectors(task.answers, n, d, each, Seed{1}).train(steps); });
    }
    auto const sparse = [&](int width, auto train) {
        std::printf("  trained, L1 on queries of width %d (numbers used: recall)\n   ", width);
        for (double const l1 : {1., 5., 10., 20.}) {
            Sparse const s = train(task.answers, l1, smoke ? 20 : 100);
            std::fprintf(file, "\"width %d, L1 %g, numbers used\",%.2f,%.4f\n", width, l1, s.used, s.recall);
            std::printf(" %5.1f: %.3f", s.used, s.recall);
            std::fflush(stdout);
        }
        std::printf("\n");
    };
    sparse(12, sparse_queries<queries, people, 12>);
    sparse(64, sparse_queries<queries, people, 64>);
    sparse(256, sparse_queries<queries, people, 256>);
    std::vector<int> wide;
    for (int d = 4; d <= (smoke ? 64 : 4096); d *= 2) wide.push_back(d);
    sweep("sums of words' vectors", wide, [&](int d) { return by_words(task, d, Words::dense); });
    sweep("hashed words", wide, [&](int d) { return by_words(task, d, Words::hashed); });
    double const best =
        sweep("best of words' vectors", {2, 3, 4, 8}, [&](int d) { return by_words(task, d, Words::best); });
    double const own = by_words(task, task.words, Words::hashed);
    std::printf("  a dimension for each word: %.3f, width %d\n", own, task.words);
    std::fprintf(file, "a dimension for each word,%d,%.4f\n", task.words, own);
    auto const crosses = exact_crosses(task, 3);
    std::printf("  exact crosses of query and document: %.3f, %d weights\n", crosses.recall, crosses.weights);
    std::fprintf(file, "exact crosses,%d,%.4f\n", crosses.weights, crosses.recall);
    std::fclose(file);
    plot("limit.svg", {"Recall at 2", "log2(width)", "recall"}, curves);
    right = right && best == 1 && own == 1 && crosses.recall == 1;
    if (!right) std::fprintf(stderr, "what must be exact is not\n");
    return right ? 0 : 1;
} catch (std::exception const& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 1;
}
