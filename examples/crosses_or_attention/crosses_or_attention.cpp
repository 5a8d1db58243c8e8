// SPDX-License-Identifier: BSD-3-Clause
// Crosses or attention? Rankers of the field on the Adult census, from a logistic regression to exact crosses
// beside and under attention over the fields: AUC, parameters, and latency at batch 1 and 256.
//
//     crosses_or_attention adult.data adult.test [DIRECTORY]
//
// Learning rate and epochs are chosen on 20 % of adult.data, by models and encoders that have not seen it;
// adult.test is opened once, at the end, with 5 seeds. With a directory, crosses_or_attention.csv and .svg
// are written there.
#include <inlay/data.hpp>
#include <inlay/inlay.hpp>
#include <inlay/parallel.hpp>
#include <inlay/train.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

using namespace inlay;

namespace {
using Bins = TargetBins<64, 10>;
using Person =
    Record<Numeric<"age", Buckets<18, 25, 30, 35, 40, 45, 50, 55, 60, 65>>, Categorical<"workclass", 16>,
           Numeric<"fnlwgt">, Categorical<"education", 32>, Numeric<"education_num">,
           Categorical<"marital_status", 16>, Categorical<"occupation", 32>, Categorical<"relationship", 16>,
           Categorical<"race", 16>, Categorical<"sex", 4>, Numeric<"capital_gain", LogBuckets<20>>,
           Numeric<"capital_loss", LogBuckets<20>>,
           Numeric<"hours_per_week", Buckets<20, 35, 40, 41, 50, 60>>, Categorical<"native_country", 64>>;
using Binned =
    Record<Numeric<"age", Bins>, Categorical<"workclass", 16>, Numeric<"fnlwgt", Bins>,
           Categorical<"education", 32>, Numeric<"education_num", Bins>, Categorical<"marital_status", 16>,
           Categorical<"occupation", 32>, Categorical<"relationship", 16>, Categorical<"race", 16>,
           Categorical<"sex", 4>, Numeric<"capital_gain", Bins>, Numeric<"capital_loss", Bins>,
           Numeric<"hours_per_week", Bins>, Categorical<"native_country", 64>>;

using Linear = Cross<Hashed<1 << 12>, Each>;
template <class... More>
using Crosses =
    Cross<Hashed<1 << 14>, Each, Of<"education", "occupation">, Of<"age", "education", "occupation">,
          Of<"age", "relationship">, Of<"occupation", "sex">, More...>;
using Deep = Stack<Embed<8>, Flatten, Dense<64>, Relu, Dropout<0.2>, Dense<32>, Relu, Dense<1>>;
template <class Numbers>
using Products =
    Stack<Numbers, Flatten, Concat<Cross<Dcn<2>, Rank<24>>, Stack<Dense<64>, Relu, Dropout<0.2>>>, Dense<1>>;
template <class Numbers>
using Fields = Stack<Numbers, Sum<SoftmaxAttn<Heads<2>, Bidirectional>, Dense<8, NoBias>>, Relu, Flatten,
                     Dropout<0.2>, Dense<1>>;
using ByAttention = Gated<Embed<8>, PreNorm<SoftmaxAttn<Heads<2>, Bidirectional>>, Flatten>;

using Logistic = Model<Person, Linear>;
using Wide = Model<Person, Crosses<>>;
using Machine = Model<Person, Sum<Linear, Stack<Embed<8>, Cross<Fm>>>>;
using DcnV2 = Model<Person, Sum<Linear, Products<Embed<8>>>>;
using AutoInt = Model<Person, Sum<Linear, Fields<Embed<8>>>>;
using WideDeep = Model<Person, Sum<Crosses<>, Deep>>;
using Both = Model<Person, Sum<Crosses<>, Fields<Embed<8>>>>;
using GatedCrosses = Model<Person, Crosses<ByAttention>>;
using BinnedProducts = Model<Binned, Sum<Linear, Products<Embed<8, PiecewiseLinear>>>>;

using How = Optimize<On<Cross, Ftrl>, Otherwise<AdamW>>;
template <class M> inline constexpr bool only_tables = std::is_same_v<M, Logistic> || std::is_same_v<M, Wide>;
template <class M> auto options_for(float rate, Seed seed, double average) {
    Ftrl const wide{.alpha = 0.1f, .l1 = 1};
    if constexpr (only_tables<M>) return TrainOptions<Ftrl>{.optimizer = wide, .seed = seed};
    else
        return TrainOptions<How>{
            .optimizer = {wide, AdamW{.learning_rate = rate}}, .seed = seed, .average = average};
}
/// Leaves the average of the weights in the network, where one is kept.
template <class M, class O, class Data>
FitReport fit(Network<M>& net, TrainOptions<O> options, Data const& rows, FitOptions<Data> const& how) {
    Trainer<M, BinaryCrossEntropy, Batch<128>, O, Threads> trainer(net, options, Threads{});
    auto const report = trainer.fit(rows, how);
    if (options.average > 0) {
        auto const kept = std::make_unique<typename M::Params>();
        {
            auto const swapped = trainer.averaged();
            *kept = net.params();
        }
        net.params() = *kept;
    }
    return report;
}

Label const income{"income", ">50K"};
/// The rows of adult.data, those that choose apart, and adult.test, which is not looked at before the end.
template <class Rec> struct Data {
    Rows<Rec> most, held, all, test;
    Data(Csv const& most_file, Csv const& held_file, Csv const& train_file, Csv const& test_file) {
        Encoder<Rec> chooser, encoder;
        most = chooser.fit_transform(most_file, income);
        held = chooser.transform(held_file, income);
        all = encoder.fit_transform(train_file, income);
        test = encoder.transform(test_file, Label{"income", ">50K."});
    }
};
void split_lines(char const* path, std::string const& most, std::string const& rest) {
    std::ifstream from(path);
    std::ofstream to_most(most), to_rest(rest);
    std::string line;
    for (std::uint64_t i = 0; std::getline(from, line); ++i)
        (Key{20}.uniform(i) < 0.2 ? to_rest : to_most) << line << '\n';
}

struct Line {
    char const* name;
    double auc = 0, deviation = 0, loss = 0, one = 0, many = 0, rows_per_second = 0;
    int parameters = 0, epochs = 0;
    float rate = 0;
};
/// Microseconds of an inference of B rows: the least of many runs.
template <class M, int B, class Rec> double latency(Network<M> const& net, Rows<Rec> const& rows) {
    auto ws = Workspace<M, Batch<B>>{};
    double least = 1e9, kept = 0;
    for (std::size_t i = 0; i < 400; ++i) {
        std::size_t const from = i * 37 % (rows.size() - B);
        std::span<typename Rec::Row const> const some(rows.row.data() + from, B);
        auto const start = std::chrono::steady_clock::now();
        kept += double(net.infer(some, ws)(0)[0]);
        std::chrono::duration<double, std::micro> const time = std::chrono::steady_clock::now() - start;
        least = std::min(least, time.count());
    }
    return std::isfinite(kept) ? least : 0;
}
template <class M, class Rec>
Line measure(char const* name, Data<Rec> const& data, int seeds, int epochs, double average = 0) {
    Line l{name};
    l.parameters = M::parameters;
    double best = 0;
    for (float const rate : only_tables<M> ? std::vector<float>{0.1f} : std::vector<float>{1e-3f, 3e-3f}) {
        auto net = Network<M>(Seed{100});
        fit(net, options_for<M>(rate, Seed{100}, average), data.most,
            {.epochs = epochs,
             .validate = &data.held,
             .metrics = metrics<Auc>,
             .on_epoch = [&](EpochEvent& e) {
                 if (e.metrics[0].value > best) best = e.metrics[0].value, l.epochs = e.epoch, l.rate = rate;
             }});
    }
    double squares = 0;
    for (int s = 1; s <= seeds; ++s) {
        Seed const seed{std::uint64_t(s)};
        auto net = Network<M>(seed);
        double const seconds =
            fit(net, options_for<M>(l.rate, seed, average), data.all, {.epochs = l.epochs}).seconds;
        auto const p = predict(net, data.test);
        double const auc = Auc::of(p);
        l.auc += auc / seeds, squares += auc * auc / seeds, l.loss += LogLoss::of(p) / seeds;
        l.rows_per_second += double(data.all.size()) * l.epochs / seconds / seeds;
        if (s == 1) l.one = latency<M, 1>(net, data.test), l.many = latency<M, 256>(net, data.test);
    }
    l.deviation = std::sqrt(std::max(0.0, squares - l.auc * l.auc));
    std::printf("%-28s %.4f +- %.4f  %.4f  %9d  %6.2f us  %7.1f us  %8.0f   %d epochs, validation AUC %.4f\n",
                name, l.auc, l.deviation, l.loss, l.parameters, l.one, l.many, l.rows_per_second, l.epochs,
                best);
    std::fflush(stdout);
    return l;
}

void write_csv(std::string const& path, std::vector<Line> const& lines) {
    std::ofstream out(path);
    out << "model,auc,auc_deviation,log_loss,parameters,microseconds_1,microseconds_256,training_rows_per_"
           "second,epochs,"
           "learning_rate\n";
    for (auto const& l : lines)
        out << l.name << ',' << l.auc << ',' << l.deviation << ',' << l.loss << ',' << l.parameters << ','
            << l.one << ',' << l.many << ',' << l.rows_per_second << ',' << l.epochs << ',' << l.rate << '\n';
}
/// AUC by latency at batch 1, on a scale by powers of ten.
void write_svg(std::string const& path, std::vector<Line> const& lines) {
    std::ofstream out(path);
    double low = 1, high = 0;
    for (auto const& l : lines) low = std::min(low, l.auc), high = std::max(high, l.auc);
    double const span = std::max(high - low, 1e-4);
    out << "<svg xmlns='http://www.w3.org/2000/svg' width='640' height='360' font-family='sans-serif' "
           "font-size='12'>\n"
           "<text x='20' y='16'>AUC by microseconds of one inference (0.1 to 100)</text>\n"
           "<line x1='40' y1='330' x2='620' y2='330' stroke='black'/>\n";
    for (auto const& l : lines) {
        double const x = 50 + 170 * (std::log10(std::clamp(l.one, 0.1, 100.0)) + 1),
                     y = 310 - 270 * (l.auc - low) / span;
        out << "<circle cx='" << x << "' cy='" << y << "' r='4' fill='#4c72b0'/><text x='" << x + 7 << "' y='"
            << y + 4 << "'>" << l.name << ' ' << std::to_string(l.auc).substr(1, 5) << "</text>\n";
    }
    out << "</svg>\n";
}
} // namespace

int main(int argc, char** argv) try {
    if (argc < 3) {
        std::fprintf(stderr, "usage: crosses_or_attention adult.data adult.test [DIRECTORY]\n");
        return 2;
    }
    bool const quick = std::getenv("INLAY_SMOKE") != nullptr;
    int const seeds = quick ? 1 : 5, epochs = quick ? 1 : 12;
    Csv const train{argv[1]}, test{argv[2], {.skip_lines = 1}}, most{"crosses-80.csv"},
        held{"crosses-20.csv"};
    split_lines(argv[1], most.path, held.path);
    Data<Person> const data(most, held, train, test);
    Data<Binned> const binned(most, held, train, test);
    std::remove(most.path.c_str());
    std::remove(held.path.c_str());
    std::printf("%zu rows, %zu to test, %d seeds, compiled for %s\n", data.all.size(), data.test.size(),
                seeds, INLAY_ISA_NAME);
    std::printf("%-28s AUC               log loss  parameters  batch 1   batch 256  rows/s\n", "");
    std::vector<Line> lines;
    lines.push_back(measure<Logistic>("logistic", data, seeds, std::min(epochs, 4)));
    lines.push_back(measure<Wide>("exact crosses", data, seeds, std::min(epochs, 4)));
    lines.push_back(measure<Machine>("factorization machine", data, seeds, epochs));
    lines.push_back(measure<DcnV2>("DCN-V2", data, seeds, epochs));
    lines.push_back(measure<DcnV2>("DCN-V2, averaged weights", data, seeds, epochs, 0.998));
    lines.push_back(measure<AutoInt>("AutoInt", data, seeds, epochs));
    lines.push_back(measure<WideDeep>("Wide & Deep", data, seeds, epochs));
    lines.push_back(measure<Both>("crosses + attention", data, seeds, epochs));
    lines.push_back(measure<GatedCrosses>("crosses under attention", data, seeds, epochs));
    lines.push_back(measure<BinnedProducts>("DCN-V2, numbers by bins", binned, seeds, epochs));
    if (argc > 3) {
        write_csv(std::string(argv[3]) + "/crosses_or_attention.csv", lines);
        write_svg(std::string(argv[3]) + "/crosses_or_attention.svg", lines);
    }
} catch (std::exception const& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 1;
}
