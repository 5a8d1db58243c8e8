// SPDX-License-Identifier: BSD-3-Clause
// How rankers are compared: learning rate and epochs chosen on rows held out, then several seeds, the test
// rows opened once.
#pragma once

#include <inlay/data.hpp>
#include <inlay/inlay.hpp>
#include <inlay/parallel.hpp>
#include <inlay/train.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

namespace rankers {

using namespace inlay;

using How = Optimize<On<Cross, Ftrl>, Otherwise<AdamW>>;
/// Whether a model is exact crosses and nothing else.
template <class M> inline constexpr bool only_tables = false;
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

/// Rows to train on while learning rate and epochs are chosen, those that choose, all rows to train on in the
/// end, and those that are not looked at before.
template <class Rec> struct Data {
    Rows<Rec> most, held, all, test;
};

struct Line {
    char const* name;
    double auc = 0, deviation = 0, loss = 0, one = 0, many = 0, rows_per_second = 0;
    long long parameters = 0;
    int epochs = 0;
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
    std::printf(
        "%-28s %.4f +- %.4f  %.4f  %9lld  %6.2f us  %7.1f us  %8.0f   %d epochs, validation AUC %.4f\n", name,
        l.auc, l.deviation, l.loss, l.parameters, l.one, l.many, l.rows_per_second, l.epochs, best);
    std::fflush(stdout);
    return l;
}

inline void write_csv(std::string const& path, std::vector<Line> const& lines) {
    std::ofstream out(path);
    out << "model,auc,auc_deviation,log_loss,parameters,microseconds_1,microseconds_256,training_rows_per_"
           "second,epochs,"
           "learning_rate\n";
    for (auto const& l : lines)
        out << l.name << ',' << l.auc << ',' << l.deviation << ',' << l.loss << ',' << l.parameters << ','
            << l.one << ',' << l.many << ',' << l.rows_per_second << ',' << l.epochs << ',' << l.rate << '\n';
}
/// AUC by latency at batch 1, on a scale by powers of ten.
inline void write_svg(std::string const& path, std::vector<Line> const& lines) {
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

} // namespace rankers
