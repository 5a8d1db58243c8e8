// SPDX-License-Identifier: BSD-3-Clause
// How much is memorised, how much is smoothed: the Adult census with a wide model of exact crosses, a deep
// model of embeddings, both trained jointly on one logit, and the two trained apart and added (arXiv
// 1606.07792). Then the same with numbers embedded by waves and by bins (arXiv 2203.05556).
//
//     census adult.data adult.test
//
// Hyper-parameters are chosen on 20 % of adult.data, by models and encoders that have not seen it;
// adult.test is opened once, at the end.
#include <inlay/data.hpp>
#include <inlay/inlay.hpp>
#include <inlay/parallel.hpp>
#include <inlay/train.hpp>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
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

// Numbers with edges where the label differs, which crosses and embeddings share.
using Bins = TargetBins<64, 10>;
using Binned =
    Record<Numeric<"age", Bins>, Categorical<"workclass", 16>, Numeric<"fnlwgt", Bins>,
           Categorical<"education", 32>, Numeric<"education_num", Bins>, Categorical<"marital_status", 16>,
           Categorical<"occupation", 32>, Categorical<"relationship", 16>, Categorical<"race", 16>,
           Categorical<"sex", 4>, Numeric<"capital_gain", Bins>, Numeric<"capital_loss", Bins>,
           Numeric<"hours_per_week", Bins>, Categorical<"native_country", 64>>;
template <class Numbers> using Top = Stack<Numbers, Flatten, Dense<128>, Relu, Dropout<0.3>, Dense<1>>;
using ByWaves = Model<Person, Top<Embed<16, Periodic<16, 4.0>>>>;
using ByBins = Model<Binned, Top<Embed<16, PiecewiseLinear>>>;
using WideByBins =
    Model<Binned, Sum<Cross<Hashed<1 << 14>, Each, Of<"education", "occupation">, Of<"age", "education">>,
                      Top<Embed<8, PiecewiseLinear>>>>;

/// What is chosen on the validation rows.
struct Choice {
    int epochs;
    float l1, rate;
};

template <class M> auto options_for(Choice c, Seed seed) {
    Ftrl const wide{.alpha = 0.1f, .l1 = c.l1};
    AdaGrad const deep{.learning_rate = c.rate};
    AdamW const decayed{.learning_rate = c.rate};
    if constexpr (std::is_same_v<M, WideOnly>) return TrainOptions<Ftrl>{.optimizer = wide, .seed = seed};
    else if constexpr (std::is_same_v<M, DeepOnly>)
        return TrainOptions<AdaGrad>{.optimizer = deep, .seed = seed};
    else if constexpr (std::is_same_v<M, WideDeep>)
        return TrainOptions<Optimize<On<Cross, Ftrl>, Otherwise<AdaGrad>>>{.optimizer = {wide, deep},
                                                                           .seed = seed};
    else if constexpr (std::is_same_v<M, WideByBins>)
        return TrainOptions<Optimize<On<Cross, Ftrl>, Otherwise<AdamW>>>{.optimizer = {wide, decayed},
                                                                         .seed = seed};
    else return TrainOptions<AdamW>{.optimizer = decayed, .seed = seed};
}
template <class M, class O, class Data>
FitReport fit(Network<M>& net, TrainOptions<O> options, Data const& rows, FitOptions<Data> const& how) {
    return Trainer<M, BinaryCrossEntropy, Batch<128>, O, Threads>(net, options, Threads{}).fit(rows, how);
}
/// Trains as chosen, and says how long it took.
template <class M, class Data> double train(Network<M>& net, Data const& rows, Choice c, Seed seed) {
    return fit(net, options_for<M>(c, seed), rows, {.epochs = c.epochs}).seconds;
}

Label const income{"income", ">50K"};

/// The rows of adult.data as an encoder sees them that has learned from 80 % of them.
template <class Rec> struct Parts {
    Rows<Rec> rows, held;
    Parts(Csv const& most, Csv const& rest) {
        Encoder<Rec> encoder;
        rows = encoder.fit_transform(most, income);
        held = encoder.transform(rest, income);
    }
};
/// Writes the lines of a file to two, a share of them drawn by the seed to the second.
void split_lines(char const* path, double share, Seed seed, std::string const& most,
                 std::string const& rest) {
    std::ifstream from(path);
    std::ofstream to_most(most), to_rest(rest);
    std::string line;
    for (std::uint64_t i = 0; std::getline(from, line); ++i)
        (Key{seed.value}.uniform(i) < share ? to_rest : to_most) << line << '\n';
}

/// The choice with the best AUC on held-out rows, of any number of epochs.
template <class M, class Rec>
Choice choose(char const* name, Parts<Rec> const& parts, std::vector<Choice> const& grid) {
    Choice best = grid.front();
    double best_auc = 0;
    for (Choice const& c : grid) {
        auto net = Network<M>(Seed{100});
        fit(net, options_for<M>(c, Seed{100}), parts.rows,
            {.epochs = c.epochs,
             .validate = &parts.held,
             .metrics = metrics<Auc>,
             .on_epoch = [&](EpochEvent& e) {
                 double const auc = e.metrics[0].value;
                 if (auc > best_auc) best_auc = auc, best = {e.epoch, c.l1, c.rate};
             }});
    }
    std::printf("  %-12s", name);
    if (best.l1 > 0) std::printf(" l1 %.0f,", double(best.l1));
    if (best.rate > 0) std::printf(" learning rate %.4f,", double(best.rate));
    std::printf(" %d epochs: validation AUC %.4f\n", best.epochs, best_auc);
    return best;
}

std::vector<Choice> grid_of(int epochs, std::vector<float> l1, std::vector<float> rates) {
    std::vector<Choice> grid;
    for (float l : l1)
        for (float r : rates) grid.push_back({epochs, l, r});
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
    void print(int runs, long long parameters) const {
        std::printf("%-28s %.4f   %.4f    %.4f   ", name, auc / runs, loss / runs, accuracy / runs);
        if (weights) std::printf("%8d", weights / runs);
        else std::printf("       -");
        std::printf("   %9lld   %6.2f\n", parameters, seconds / runs);
    }
};
/// A line for a model by itself.
template <class M, class Data>
void print_line(char const* name, Data const& rows, Data const& test, Choice c, int seeds) {
    Line line{name};
    for (int s = 1; s <= seeds; ++s) {
        Seed const seed{std::uint64_t(s)};
        auto net = Network<M>(seed);
        double const seconds = train(net, rows, c, seed);
        line.add(predict(net, test), seconds);
    }
    line.print(seeds, M::parameters);
}

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
    bool const quick = std::getenv("INLAY_SMOKE") != nullptr; // one seed and few epochs, for tests
    int const seeds = quick ? 1 : 5, few = quick ? 1 : 6, more = quick ? 1 : 8, most = quick ? 1 : 14;
    std::printf("Chosen on 20 %% of the training rows:\n");
    Csv const train_file{argv[1]}, test_file{argv[2], {.skip_lines = 1}};
    Csv const most_rows{"census-80.csv"}, other_rows{"census-20.csv"};
    split_lines(argv[1], 0.2, Seed{20}, most_rows.path, other_rows.path);
    Parts<Person> const parts(most_rows, other_rows);
    Parts<Binned> const binned_parts(most_rows, other_rows);
    std::remove(most_rows.path.c_str());
    std::remove(other_rows.path.c_str());
    std::vector<float> const rates = {0.02f, 0.03f, 0.05f};
    Choice const wide = choose<WideOnly>("wide", parts, grid_of(few, {1, 3}, {0}));
    Choice const deep = choose<DeepOnly>("deep", parts, grid_of(more, {0}, rates));
    Choice const joint = choose<WideDeep>("joint", parts, grid_of(more, {1, 3}, rates));
    Choice const waves = choose<ByWaves>("deep, waves", parts, grid_of(most, {0}, {5e-4f, 1e-3f}));
    Choice const bins = choose<ByBins>("deep, bins", binned_parts, grid_of(most, {0}, {1e-3f, 2e-3f}));
    Choice const both = choose<WideByBins>("joint, bins", binned_parts, grid_of(most, {3}, {5e-4f, 1e-3f}));

    auto encoder = Encoder<Person>{};
    auto binned = Encoder<Binned>{};
    auto const rows = encoder.fit_transform(train_file, income);
    auto const binned_rows = binned.fit_transform(train_file, income);
    auto const test = encoder.transform(test_file, Label{"income", ">50K."});
    auto const binned_test = binned.transform(test_file, Label{"income", ">50K."});

    Line w{"wide only"}, d{"deep only"}, j{"joint"}, apart{"trained apart, added"};
    int above = 0;
    auto joint_net = Network<WideDeep>(Seed{0});
    for (int s = 1; s <= seeds; ++s) {
        Seed const seed{std::uint64_t(s)};
        auto wide_net = Network<WideOnly>(seed);
        auto deep_net = Network<DeepOnly>(seed);
        joint_net = Network<WideDeep>(seed);
        double const t_wide = train(wide_net, rows, wide, seed), t_deep = train(deep_net, rows, deep, seed),
                     t_joint = train(joint_net, rows, joint, seed);
        auto const p_wide = predict(wide_net, test), p_deep = predict(deep_net, test),
                   p_joint = predict(joint_net, test);
        Predictions sum = p_wide;
        for (std::size_t i = 0; i < sum.logit.size(); ++i) sum.logit[i] += p_deep.logit[i];
        w.add(p_wide, t_wide);
        d.add(p_deep, t_deep);
        j.add(p_joint, t_joint);
        apart.add(sum, t_wide + t_deep);
        w.weights += nonzero(get<0>(wide_net.params()));
        apart.weights = w.weights;
        j.weights += nonzero(get<0>(get<0>(joint_net.params())));
        above += Auc::of(p_joint) > std::max(Auc::of(p_wide), Auc::of(p_deep));
    }
    std::printf("\nadult.test, %zu rows, mean of %d seed%s; compiled for %s, %d threads:\n", test.size(),
                seeds, seeds == 1 ? "" : "s", INLAY_ISA_NAME, Threads{}.workers());
    std::printf("                             AUC     log loss  accuracy  non-zero  parameters  seconds\n");
    w.print(seeds, WideOnly::parameters);
    d.print(seeds, DeepOnly::parameters);
    j.print(seeds, WideDeep::parameters);
    apart.print(seeds, WideOnly::parameters + DeepOnly::parameters);
    print_line<ByWaves>("deep, numbers by waves", rows, test, waves, seeds);
    print_line<ByBins>("deep, numbers by bins", binned_rows, binned_test, bins, seeds);
    print_line<WideByBins>("joint, numbers by bins", binned_rows, binned_test, both, seeds);
    std::printf("joint is above each half in %d of %d seeds\n", above, seeds);
    print_strongest(joint_net, encoder, rows);
} catch (std::exception const& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 1;
}
