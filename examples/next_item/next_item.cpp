// SPDX-License-Identifier: BSD-3-Clause
// Which item comes next: SASRec (arXiv 1808.09781) with a softmax over all items, gSASRec (arXiv 2308.07192)
// with a table of its own for scores, and a network whose first layer reads the past by linear attention.
//
//     next_item [SEQUENCES [EPOCHS [sasrec|gsasrec|hybrid [SEED]]]]
//
// SEQUENCES has a line a user: ids from 1 to 3416, oldest first, such as ml-1m.txt of SASRec's authors
// grouped by user. Without it, walks through 200 items are made up, which takes seconds. Each user's last
// item is for testing, the one before for validation; all items that the user has not had are ranked. 5
// epochs of MovieLens 1M take about four minutes a model on one core. Results go to next_item.csv and
// next_item.svg.
#include <inlay/data.hpp>
#include <inlay/inlay.hpp>
#include <inlay/train.hpp>

#include "../plot.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>

using namespace inlay;

constexpr int items = 3416, length = 100, width = 64, batch = 16;

using Visit = Record<Categorical<"item", items + 1>, History<"seen", length, SameAs<"item">>>;
using Exact = SoftmaxAttn<Heads<1>, Causal>;
using Linear = LinearAttn<Heads<2>, GatedDelta>;
template <class Mixer>
using Layer = Stack<Residual<LayerNorm, Mixer, Dropout<0.2>>,
                    Residual<LayerNorm, Dense<width>, Relu, Dense<width>, Dropout<0.2>>>;
template <class... Layers>
using Next =
    Model<Visit, Select<"seen">, Tied<Embed<width>, LearnedPosition, Dropout<0.2>, Layers..., LayerNorm>>;
using SasRec = Next<Repeat<2, Layer<Exact>>>;
using GSasRec = Model<Visit, Select<"seen">, Embed<width>, LearnedPosition, Dropout<0.2>,
                      Repeat<2, Layer<Exact>>, LayerNorm, Named<"scores", Dense<items + 1>>>;
using Hybrid = Next<Layer<Linear>, Layer<Exact>>;

/// What users had, and the same as a log.
struct Data {
    std::vector<std::vector<int>> user;
    EventLog<Visit> log;
    LogSplit parts;
    explicit Data(std::vector<std::vector<int>> all) : user(std::move(all)) {
        for (std::size_t u = 0; u < user.size(); ++u)
            for (std::size_t t = 0; t < user[u].size(); ++t) {
                Visit::Row row{};
                get<0>(row).id = user[u][t];
                log.add(std::uint32_t(u), double(t), EventLog<Visit>::stored(row), 1);
            }
        log.sort();
        parts = log.leave_one_out();
    }
};
std::vector<std::vector<int>> read_sequences(char const* path) {
    std::ifstream file(path);
    if (!file) throw std::runtime_error(std::string("cannot read ") + path);
    std::vector<std::vector<int>> users;
    for (std::string line; std::getline(file, line);) {
        std::istringstream words(line);
        users.emplace_back();
        for (int id; words >> id;) {
            if (id < 1 || id > items)
                throw std::runtime_error(std::string(path) + ": an id that is not from 1 to 3416");
            users.back().push_back(id);
        }
        if (users.back().empty()) users.pop_back();
    }
    return users;
}
/// Walks around a ring of 200 items: mostly to the next, sometimes to anywhere, never to one seen before.
std::vector<std::vector<int>> made_up(int users) {
    constexpr int ring = 200, steps = 20;
    std::vector<std::vector<int>> all(std::size_t(users), std::vector<int>{});
    for (std::size_t u = 0; u < all.size(); ++u) {
        Key const key = Key{7}.fold(u);
        int at = int(key.below(ring, 0));
        for (std::uint64_t draw = 1; all[u].size() < steps; ++draw) {
            if (std::find(all[u].begin(), all[u].end(), at + 1) == all[u].end()) all[u].push_back(at + 1);
            at = key.uniform(draw, 1) < 0.1 ? int(key.below(ring, draw, 2)) : (at + 1) % ring;
        }
    }
    return all;
}

struct Quality {
    double hits = 0, ndcg = 0;
};
/// Ranks what each user had not had before one of these events; score(row, scores) scores all items.
template <class F> Quality rank(Data const& data, std::vector<std::uint32_t> const& events, F score) {
    Quality sum;
    Predictions one{items + 1, std::vector<double>(items + 1), {0}};
    constexpr double none = -std::numeric_limits<double>::infinity();
    auto const rows = next_rows<"item">(data.log, events);
    for (std::size_t i = 0; i < rows.size(); ++i) {
        score(rows[i], one.logit);
        std::size_t const u = data.log.user_of(events[i]);
        for (std::size_t t = 0; data.log.begin_of(u) + t < events[i]; ++t)
            one.logit[std::size_t(data.user[u][t])] = none;
        one.logit[0] = none;
        one.target[0] = rows.target[i];
        sum.hits += HitRate<10>::of(one), sum.ndcg += Ndcg<10>::of(one);
    }
    return {sum.hits / double(rows.size()), sum.ndcg / double(rows.size())};
}
template <class M>
Quality rank(Data const& data, std::vector<std::uint32_t> const& events, Network<M> const& net) {
    Workspace<M> ws;
    return rank(data, events, [&](Visit::Row const& row, std::vector<double>& scores) {
        auto const y = net.infer(std::span(&row, 1), ws);
        std::copy_n(y(0, y.length(0) - 1), items + 1, scores.begin());
    });
}

struct Report {
    std::string name;
    long long parameters = 0;
    double seconds = 0;
    Quality validation, test;
    Curve curve;
    void print() const {
        std::printf("%-30s %9lld %8.0f   %.4f   %.4f   %.4f   %.4f\n", name.c_str(), parameters, seconds,
                    validation.hits, validation.ndcg, test.hits, test.ndcg);
        std::fflush(stdout);
    }
};

/// Scores start where gBCE is at rest for an item that nothing is known of, K sigmoid(s) = beta. From 0 they
/// would all have to fall by that much first, and drag all that a network tells apart with them.
template <class M> void start_low(Network<M>& net) {
    constexpr double negatives = 256, beta = 1 - 0.75 * (1 - negatives / items);
    M::Block::visit(net.params(), Path{}, [](auto, Path const& at, Kind, auto weight) {
        if (to_string(at) == "scores.bias")
            std::fill_n(weight.data, weight.width, float(std::log(beta / negatives)));
    });
}

template <class M, class Loss> Report run(char const* name, Data const& data, int epochs, Seed seed) {
    auto const windows = sequence_rows<"seen">(data.log, data.parts.train);
    std::vector<std::uint32_t> some; // a part of the validation events, for the curve
    for (std::size_t i = 0; i < data.parts.validation.size(); i += 8)
        some.push_back(data.parts.validation[i]);
    Report r{name, M::parameters, 0, {}, {}, {name, {}, {}}};
    auto net = Network<M>(seed);
    if constexpr (std::is_same_v<Loss, Gbce>) start_low(net);
    Trainer<M, Loss, Batch<batch>, AdamW> trainer(
        net, {.learning_rate = 3e-3f, .schedule = Cosine{.warmup = 100}, .seed = seed, .clip = {.norm = 1}});
    trainer.fit(windows, {.epochs = epochs, .progress = true, .on_epoch = [&](EpochEvent& e) {
                              r.seconds = e.seconds;
                              r.curve.x.push_back(e.epoch);
                              r.curve.y.push_back(rank(data, some, net).ndcg);
                          }});
    r.validation = rank(data, data.parts.validation, net);
    r.test = rank(data, data.parts.test, net);
    r.print();
    return r;
}

Report popular(Data const& data) {
    std::vector<double> count(items + 1);
    for (auto const& u : data.user)
        for (std::size_t t = 0; t + 2 < u.size(); ++t) ++count[std::size_t(u[t])];
    auto const score = [&](Visit::Row const&, std::vector<double>& scores) { scores = count; };
    Report r{"popularity", 0, 0, {}, {}, {"popularity", {}, {}}};
    r.validation = rank(data, data.parts.validation, score);
    r.test = rank(data, data.parts.test, score);
    r.print();
    return r;
}

int main(int argc, char** argv) try {
    if (argc > 5) {
        std::fprintf(stderr, "usage: next_item [SEQUENCES [EPOCHS [sasrec|gsasrec|hybrid [SEED]]]]\n");
        return 2;
    }
    bool const smoke = std::getenv("INLAY_SMOKE") != nullptr;
    Data const data(argc > 1 ? read_sequences(argv[1]) : made_up(smoke ? 300 : 1000));
    int const epochs = argc > 2 ? std::max(1, std::atoi(argv[2])) : argc > 1 ? 7 : smoke ? 8 : 10;
    Seed const seed{argc > 4 ? std::uint64_t(std::max(1, std::atoi(argv[4]))) : 1};
    auto const wanted = [&](char const* name) { return argc < 4 || std::strcmp(argv[3], name) == 0; };
    std::printf("%zu users, %zu events, %d epochs, compiled for %s\n", data.user.size(), data.log.size(),
                epochs, INLAY_ISA_NAME);
    std::printf("                                                     validation         test\n"
                "                              parameters  seconds   HR@10    NDCG@10  HR@10    NDCG@10\n");
    std::vector<Report> all = {popular(data)};
    if (wanted("sasrec")) all.push_back(run<SasRec, CrossEntropy>("SASRec, softmax", data, epochs, seed));
    if (wanted("gsasrec")) all.push_back(run<GSasRec, Gbce>("gSASRec, 256 negatives", data, epochs, seed));
    if (wanted("hybrid"))
        all.push_back(run<Hybrid, CrossEntropy>("1 gated delta : 1 softmax", data, epochs, seed));

    std::FILE* const file = std::fopen("next_item.csv", "w");
    if (!file) throw std::runtime_error("cannot write next_item.csv");
    std::fprintf(file, "model,parameters,epochs,seconds,test_hr10,test_ndcg10\n");
    std::vector<Curve> curves;
    for (auto const& r : all) {
        std::fprintf(file, "\"%s\",%lld,%d,%.1f,%.4f,%.4f\n", r.name.c_str(), r.parameters, epochs, r.seconds,
                     r.test.hits, r.test.ndcg);
        curves.push_back(r.curve);
    }
    std::fclose(file);
    plot("next_item.svg", {"NDCG@10 of a part of the validation events", "epoch", "NDCG@10"}, curves);
    bool learned = true;
    for (auto const& r : all) learned = learned && (&r == &all[0] || r.test.ndcg > all[0].test.ndcg);
    if (!learned) std::fprintf(stderr, "a model ranks no better than popularity\n");
    return learned ? 0 : 1;
} catch (std::exception const& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 1;
}
