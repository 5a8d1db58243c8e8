// SPDX-License-Identifier: BSD-3-Clause
// How much is memorised, how much is smoothed: the Adult census with a wide model of exact crosses, a deep
// model of embeddings, both trained jointly on one logit, and the two trained apart and added (arXiv
// 1606.07792).
//
//     census adult.data adult.test
//
// Hyper-parameters are chosen on 20 % of adult.data; adult.test is opened once, at the end.
#include <inlay/data.hpp>
#include <inlay/inlay.hpp>
#include <inlay/train.hpp>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <vector>

using namespace inlay;

// The same record, halves and model as the library's first page.
using Person =
    Record<Numeric<"age", Buckets<18, 25, 30, 35, 40, 45, 50, 55, 60, 65>>, Categorical<"workclass", 16>,
           Numeric<"fnlwgt">, Categorical<"education", 32>, Numeric<"education_num">,
           Categorical<"marital_status", 16>, Categorical<"occupation", 32>, Categorical<"relationship", 16>,
           Categorical<"race", 16>, Categorical<"sex", 4>, Numeric<"capital_gain", LogBuckets<20>>,
           Numeric<"capital_loss", LogBuckets<20>>,
           Numeric<"hours_per_week", Buckets<20, 35, 40, 41, 50, 60>>, Categorical<"native_country", 64>>;
using Wide =
    Cross<Hashed<1 << 14>, Each, Of<"education", "occupation">, Of<"age", "education", "occupation">>;
using Deep = Stack<Embed<8>, Flatten, Dense<64>, Relu, Dense<32>, Relu, Dense<1>>;

using WideOnly = Model<Person, Wide>;
using DeepOnly = Model<Person, Deep>;
using WideDeep = Model<Person, Sum<Wide, Deep>>;
using Batch128 = Batch<128>;

/// What is chosen on the validation rows.
struct Choice {
    int epochs;
    float l1, rate;
};

template <class M> double train(Network<M>& net, Rows<Person> const& rows, Choice c, Seed seed) {
    Ftrl const wide{.alpha = 0.1f, .l1 = c.l1};
    AdaGrad const deep{.learning_rate = c.rate};
    FitReport report;
    if constexpr (std::is_same_v<M, WideOnly>)
        report = Trainer<M, BinaryCrossEntropy, Batch128, Ftrl>(net, {.optimizer = wide, .seed = seed})
                     .fit(rows, {.epochs = c.epochs});
    else if constexpr (std::is_same_v<M, DeepOnly>)
        report = Trainer<M, BinaryCrossEntropy, Batch128, AdaGrad>(net, {.optimizer = deep, .seed = seed})
                     .fit(rows, {.epochs = c.epochs});
    else
        report = Trainer<M, BinaryCrossEntropy, Batch128, Optimize<On<Cross, Ftrl>, Otherwise<AdaGrad>>>(
                     net, {.optimizer = {wide, deep}, .seed = seed})
                     .fit(rows, {.epochs = c.epochs});
    return report.seconds;
}

/// The choice with the best AUC on held-out rows.
template <class M> Choice choose(char const* name, Rows<Person> const& all, std::vector<Choice> const& grid) {
    auto const [rows, held] = all.split(0.2, Seed{20});
    Choice best = grid.front();
    double best_auc = 0;
    for (Choice const& c : grid) {
        auto net = Network<M>(Seed{100});
        train(net, rows, c, Seed{100});
        double const auc = Auc::of(predict(net, held));
        if (auc > best_auc) best_auc = auc, best = c;
    }
    std::printf("  %-5s epochs %d, l1 %.1f, learning rate %.3f: validation AUC %.4f of %zu tried\n", name,
                best.epochs, double(best.l1), double(best.rate), best_auc, grid.size());
    return best;
}

std::vector<Choice> grid_of(std::vector<int> epochs, std::vector<float> l1, std::vector<float> rates) {
    std::vector<Choice> grid;
    for (int e : epochs)
        for (float l : l1)
            for (float r : rates) grid.push_back({e, l, r});
    return grid;
}

/// One line of the result table.
struct Line {
    char const* name;
    double auc = 0, loss = 0, accuracy = 0, seconds = 0;
    int weights = 0;
    void add(Predictions const& p, double time) {
        auc += Auc::of(p);
        loss += LogLoss::of(p);
        accuracy += Accuracy::of(p);
        seconds += time;
    }
    void print(int runs, int parameters) const {
        std::printf("%-22s %.4f   %.4f    %.4f   ", name, auc / runs, loss / runs, accuracy / runs);
        if (weights) std::printf("%8d", weights / runs);
        else std::printf("       -");
        std::printf("   %9d   %6.2f\n", parameters, seconds / runs);
    }
};

int nonzero(Wide::Block<Person, Native>::Params const& p) {
    auto const& w = p.weight.data;
    return int(std::count_if(std::begin(w), std::end(w), [](float x) { return x != 0; }));
}

/// The crosses with the largest weights of either sign, by the rows in which they fire.
void print_strongest(Network<WideDeep> const& net, Encoder<Person> const& encoder, Rows<Person> const& rows) {
    using Keys = Wide::Block<Person, Native>::Keys;
    auto const& weight = get<0>(get<0>(net.params())).weight.data;
    struct Found {
        std::string text;
        int rows = 0;
    };
    std::map<std::int32_t, Found> found;
    for (auto const& row : rows.row)
        Keys::each(row, [&](int k, std::int32_t at) {
            auto& f = found[at];
            if (f.rows++ || weight[at] == 0) return;
            for (int field : Keys::fields_at(k)) {
                std::int32_t id = 0;
                detail::each<Person::fields>([&](auto j) {
                    if (int(j) == field) id = get<j>(row).id;
                });
                if (!f.text.empty()) f.text += " x ";
                f.text += encoder.field_name(std::size_t(field)) + "=" + encoder.text(std::size_t(field), id);
            }
        });
    std::vector<std::pair<float, Found const*>> order;
    for (auto const& [at, f] : found)
        if (weight[at] != 0) order.push_back({weight[at], &f});
    std::sort(order.begin(), order.end(), [](auto const& a, auto const& b) { return a.first > b.first; });
    std::size_t const n = std::min<std::size_t>(10, order.size());
    std::printf("\nThe %zu strongest exact crosses towards an income above 50K (weight, rows, cross):\n", n);
    for (std::size_t i = 0; i < n; ++i)
        std::printf("  %+.3f %6d  %s\n", double(order[i].first), order[i].second->rows,
                    order[i].second->text.c_str());
    std::printf("and the %zu strongest against it:\n", n);
    for (std::size_t i = 0; i < n; ++i) {
        auto const& [w, f] = order[order.size() - 1 - i];
        std::printf("  %+.3f %6d  %s\n", double(w), f->rows, f->text.c_str());
    }
}

int main(int argc, char** argv) try {
    if (argc != 3) {
        std::fprintf(stderr, "usage: census adult.data adult.test\n");
        return 2;
    }
    bool const quick = std::getenv("INLAY_SMOKE") != nullptr; // one seed and no search, for tests
    int const seeds = quick ? 1 : 5;
    auto encoder = Encoder<Person>{};
    auto const rows = encoder.fit_transform(Csv{argv[1]}, Label{"income", ">50K"});
    std::printf("%zu rows; compiled for %s\n", rows.size(), INLAY_ISA_NAME);

    std::printf("Chosen on 20 %% of the training rows:\n");
    std::vector<int> const few = quick ? std::vector{2} : std::vector{2, 4, 6},
                           more = quick ? few : std::vector{3, 5, 8};
    std::vector<float> const l1 = quick ? std::vector{1.0f} : std::vector{1.0f, 3.0f};
    std::vector<float> const rates = quick ? std::vector{0.03f} : std::vector{0.02f, 0.03f, 0.05f};
    Choice const wide = choose<WideOnly>("wide", rows, grid_of(few, l1, {0.03f}));
    Choice const deep = choose<DeepOnly>("deep", rows, grid_of(more, {1.0f}, rates));
    Choice const joint = choose<WideDeep>("joint", rows, grid_of(more, l1, rates));

    auto const test = encoder.transform(Csv{argv[2], {.skip_lines = 1}}, Label{"income", ">50K."});
    Line w{"wide only"}, d{"deep only"}, j{"joint"}, apart{"trained apart, added"};
    int above = 0;
    for (int s = 1; s <= seeds; ++s) {
        Seed const seed{std::uint64_t(s)};
        auto wide_net = Network<WideOnly>(seed);
        auto deep_net = Network<DeepOnly>(seed);
        auto joint_net = Network<WideDeep>(seed);
        double const t_wide = train(wide_net, rows, wide, seed), t_deep = train(deep_net, rows, deep, seed),
                     t_joint = train(joint_net, rows, joint, seed);
        auto const p_wide = predict(wide_net, test), p_deep = predict(deep_net, test),
                   p_joint = predict(joint_net, test);
        Predictions both = p_wide;
        for (std::size_t i = 0; i < both.logit.size(); ++i) both.logit[i] += p_deep.logit[i];
        w.add(p_wide, t_wide);
        d.add(p_deep, t_deep);
        j.add(p_joint, t_joint);
        apart.add(both, t_wide + t_deep);
        w.weights += nonzero(get<0>(wide_net.params()));
        apart.weights = w.weights;
        j.weights += nonzero(get<0>(get<0>(joint_net.params())));
        above += Auc::of(p_joint) > std::max(Auc::of(p_wide), Auc::of(p_deep));
        if (s == seeds) {
            std::printf("\nadult.test, %zu rows, mean of %d seed%s:\n", test.size(), seeds,
                        seeds == 1 ? "" : "s");
            std::printf("                       AUC     log loss  accuracy  non-zero  parameters  seconds\n");
            w.print(seeds, WideOnly::parameters);
            d.print(seeds, DeepOnly::parameters);
            j.print(seeds, WideDeep::parameters);
            apart.print(seeds, WideOnly::parameters + DeepOnly::parameters);
            std::printf("joint is above each half in %d of %d seeds\n", above, seeds);
            print_strongest(joint_net, encoder, rows);
        }
    }
} catch (std::exception const& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 1;
}
