// SPDX-License-Identifier: BSD-3-Clause
// What a static cross must repeat, a gated one can withhold. Users and items have planted effects as pairs; a
// context says whether a pair counts, means nothing or means its opposite, and four fields repeat one word
// that says nothing. Static crosses, crosses weighed by softmax or sparsemax, and crosses under a gate of
// either sign learn from the same rows; the table tells how well they rank, and what their gates do where the
// truth is known.
//
//     suppression [DIRECTORY]    writes suppression.csv and suppression.svg there
#include <inlay/inlay.hpp>
#include <inlay/probe.hpp>
#include <inlay/train.hpp>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

using namespace inlay;

namespace {
using Visit = Record<Categorical<"user", 31>, Categorical<"item", 31>, Categorical<"context", 4>,
                     Categorical<"word1", 41>, Categorical<"word2", 41>, Categorical<"word3", 41>,
                     Categorical<"word4", 41>>;
/// The pair that counts, and as many that do not.
template <class... More>
using Crosses = Cross<Hashed<1 << 14>, Each, Of<"user", "item">, Of<"user", "word1">, Of<"user", "word2">,
                      Of<"item", "word3">, Of<"item", "word4">, More...>;
using Attention = Gated<Embed<8>, PreNorm<SoftmaxAttn<Heads<2>, Bidirectional>>, Flatten>;
using Static = Model<Visit, Crosses<>>;
using Softmax = Model<Visit, Crosses<Attention, SoftmaxGate>>;
using Sparse = Model<Visit, Crosses<Attention, SparsemaxGate>>;
using Signed = Model<Visit, Crosses<Attention, ThresholdGate>>;

/// What a pair counts in each context.
constexpr double sign_of[] = {0, 1, 0, -1};

double effect(std::int32_t user, std::int32_t item) {
    return 2.5 * Key{77}.normal(std::uint64_t(user) * 31 + std::uint64_t(item));
}
double truth(Visit::Row const& row) {
    return sign_of[get<2>(row).id] * effect(get<0>(row).id, get<1>(row).id);
}
Rows<Visit> draw(std::size_t n, Seed seed) {
    Rows<Visit> rows;
    Key const key{seed.value};
    for (std::uint64_t i = 0; i < n; ++i) {
        auto const id = [&](std::uint64_t below, std::uint64_t what) {
            return std::int32_t(1 + key.below(below, 8 * i + what));
        };
        Visit::Row row{};
        get<0>(row).id = id(30, 0);
        get<1>(row).id = id(30, 1);
        get<2>(row).id = id(3, 2);
        auto const word = id(40, 3);
        get<3>(row).id = get<4>(row).id = get<5>(row).id = get<6>(row).id = word;
        rows.row.push_back(row);
        rows.target.push_back(key.uniform(8 * i + 4) < 1 / (1 + std::exp(-truth(row))) ? 1.0f : 0.0f);
    }
    return rows;
}

/// AUC by counting, and what the gates do: of the pair in each context, and of crosses with a word.
struct Found {
    double auc = 0, pair[4]{}, silent = 0, word = 0, word_zero = 0;
};
double auc_of(std::vector<std::pair<double, float>> scored) {
    std::sort(scored.begin(), scored.end());
    double ranks = 0, positive = 0;
    for (std::size_t i = 0; i < scored.size();) {
        std::size_t next = i;
        while (next < scored.size() && scored[next].first == scored[i].first) ++next;
        for (std::size_t k = i; k < next; ++k)
            if (scored[k].second > 0) ranks += double(i + next + 1) / 2, ++positive;
        i = next;
    }
    double const negative = double(scored.size()) - positive;
    return (ranks - positive * (positive + 1) / 2) / (positive * negative);
}
template <class M> Found look(Network<M> const& net, Rows<Visit> const& rows) {
    Found f;
    std::vector<std::pair<double, float>> scored;
    auto ws = Workspace<M>{};
    double count[4]{}, words = 0;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        scored.emplace_back(double(net.infer(rows[i], ws)[0]), rows.target[i]);
        if (i >= 2000) continue; // enough for means
        int const context = get<2>(rows[i]).id;
        for (auto const& part : audit(net, rows[i])) {
            if (part.fields.size() != 2) continue;
            if (part.fields[1] == "item") {
                f.pair[context] += part.gate;
                count[context] += 1;
                if (context == 2) f.silent += part.gate == 0;
            } else f.word += std::abs(part.gate), f.word_zero += part.gate == 0, words += 1;
        }
    }
    // A gate and its weights may both be turned round: what counts is shown as positive.
    double const turn = f.pair[1] < 0 ? -1 : 1;
    for (int c = 1; c < 4; ++c) f.pair[c] *= turn / count[c];
    f.silent /= count[2];
    f.word /= words;
    f.word_zero /= words;
    f.auc = auc_of(std::move(scored));
    return f;
}
/// Trains on one draw of the world; the number of epochs is chosen on rows that are held out.
template <class M> Found run(Seed seed, std::size_t n, int epochs) {
    auto const rows = draw(n, Seed{seed.value}), held = draw(n / 8, Seed{seed.value + 1000}),
               test = draw(n / 4, Seed{seed.value + 2000});
    auto net = Network<M>(seed);
    using How = Optimize<On<Cross, AdaGrad>, Otherwise<Adam>>;
    TrainOptions<How> options{.seed = seed};
    if constexpr (!std::is_same_v<M, Static>)
        options.optimizer = {AdaGrad{.learning_rate = 0.1f}, Adam{.learning_rate = 3e-3f}};
    Found best;
    double best_held = 0;
    auto const keep = [&](EpochEvent& e) {
        if (e.metrics[0].value > best_held) best_held = e.metrics[0].value, best = look(net, test);
    };
    FitOptions<Rows<Visit>> const fit{
        .epochs = epochs, .validate = &held, .metrics = metrics<Auc>, .on_epoch = keep};
    if constexpr (std::is_same_v<M, Static>)
        Trainer<M, BinaryCrossEntropy, Batch<128>, AdaGrad>(
            net, {.optimizer = AdaGrad{.learning_rate = 0.1f}, .seed = seed})
            .fit(rows, fit);
    else Trainer<M, BinaryCrossEntropy, Batch<128>, How>(net, options).fit(rows, fit);
    return best;
}

struct Line {
    char const* name;
    Found mean;
    double deviation = 0; ///< of the AUC
};
template <class M> Line measure(char const* name, int seeds, std::size_t n, int epochs) {
    Line l{name, {}};
    double squares = 0;
    for (int s = 0; s < seeds; ++s) {
        Found const f = run<M>(Seed{std::uint64_t(s + 1)}, n, epochs);
        l.mean.auc += f.auc / seeds;
        squares += f.auc * f.auc / seeds;
        for (int c = 1; c < 4; ++c) l.mean.pair[c] += f.pair[c] / seeds;
        l.mean.silent += f.silent / seeds;
        l.mean.word += f.word / seeds;
        l.mean.word_zero += f.word_zero / seeds;
    }
    l.deviation = std::sqrt(std::max(0.0, squares - l.mean.auc * l.mean.auc));
    std::printf("%-20s %.4f +- %.4f   %6.2f %6.2f %6.2f   %5.1f %%   %6.2f  %5.1f %%\n", name, l.mean.auc,
                l.deviation, l.mean.pair[1], l.mean.pair[2], l.mean.pair[3], 100 * l.mean.silent, l.mean.word,
                100 * l.mean.word_zero);
    return l;
}

void write_csv(std::string const& path, std::vector<Line> const& lines, double best) {
    std::ofstream out(path);
    out << "model,auc,auc_deviation,gate_where_it_counts,gate_where_it_means_nothing,gate_where_it_is_turned,"
           "zero_where_it_means_nothing,gate_of_words,zero_of_words\n";
    for (auto const& l : lines)
        out << l.name << ',' << l.mean.auc << ',' << l.deviation << ',' << l.mean.pair[1] << ','
            << l.mean.pair[2] << ',' << l.mean.pair[3] << ',' << l.mean.silent << ',' << l.mean.word << ','
            << l.mean.word_zero << '\n';
    out << "the truth," << best << ",0,1,0,-1,1,0,1\n";
}
/// Bars of the mean gate of the pair in each context, a group a model, and the AUC below.
void write_svg(std::string const& path, std::vector<Line> const& lines) {
    std::ofstream out(path);
    double scale = 1;
    for (auto const& l : lines)
        for (int c = 1; c < 4; ++c) scale = std::max(scale, std::abs(l.mean.pair[c]));
    int const group = 150, height = 90, middle = 110;
    out << "<svg xmlns='http://www.w3.org/2000/svg' width='" << 40 + group * int(lines.size())
        << "' height='260' font-family='sans-serif' font-size='12'>\n<text x='20' y='14'>mean gate of the "
           "planted pair: "
           "counts (blue), means nothing (grey), turned (orange)</text>\n";
    char const* const colour[] = {"", "#4c72b0", "#999999", "#dd8452"};
    for (std::size_t i = 0; i < lines.size(); ++i) {
        int const left = 30 + int(i) * group;
        for (int c = 1; c < 4; ++c) {
            double const h = lines[i].mean.pair[c] / scale * height;
            out << "<rect x='" << left + 30 * c - 10 << "' y='" << (h > 0 ? middle - h : double(middle))
                << "' width='24' height='" << std::max(1.0, std::abs(h)) << "' fill='" << colour[c]
                << "'/>\n";
        }
        out << "<text x='" << left + 15 << "' y='225'>" << lines[i].name << "</text>\n<text x='" << left + 15
            << "' y='242'>AUC " << std::to_string(lines[i].mean.auc).substr(0, 6) << "</text>\n";
    }
    out << "<line x1='20' x2='" << 20 + group * int(lines.size()) << "' y1='" << middle << "' y2='" << middle
        << "' stroke='black'/>\n</svg>\n";
}
} // namespace

int main(int count, char** argument) {
    bool const smoke = std::getenv("INLAY_SMOKE") != nullptr;
    int const seeds = smoke ? 1 : 5, epochs = smoke ? 6 : 24;
    std::size_t const n = smoke ? 8'000 : 48'000;
    auto const test = draw(n / 4, Seed{2001});
    std::vector<std::pair<double, float>> ideal;
    for (std::size_t i = 0; i < test.size(); ++i) ideal.emplace_back(truth(test[i]), test.target[i]);
    double const best = auc_of(std::move(ideal));
    std::printf("%zu rows, %d seeds; the truth itself has AUC %.4f\n", n, seeds, best);
    std::printf("%-20s %-18s   gate of the pair that       zero    gate of words\n", "", "AUC");
    std::printf("%-20s %-18s   counts   none turned    there    size   zero\n", "", "");
    std::vector<Line> lines;
    lines.push_back(measure<Static>("static crosses", seeds, n, epochs));
    lines.push_back(measure<Softmax>("soft attention", seeds, n, epochs));
    lines.push_back(measure<Sparse>("sparsemax", seeds, n, epochs));
    lines.push_back(measure<Signed>("gated crosses", seeds, n, epochs));
    if (count > 1) {
        std::string const folder = argument[1];
        write_csv(folder + "/suppression.csv", lines, best);
        write_svg(folder + "/suppression.svg", lines);
    }
    return lines[3].mean.auc > lines[0].mean.auc ? 0 : 1;
}
