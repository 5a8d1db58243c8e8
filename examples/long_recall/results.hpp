// SPDX-License-Identifier: BSD-3-Clause
// What was found, as a CSV file, a plot and lines of a table.
#pragma once

#include "../plot.hpp"
#include "questions.hpp"

#include <cmath>
#include <cstdio>
#include <map>

/// A line of the CSV file.
struct Line {
    std::string model, task;
    int seed, tokens;
    double depth, accuracy;
};
constexpr char const csv_path[] = "long_recall.csv";

inline std::vector<Line> read_csv() {
    std::vector<Line> lines;
    std::FILE* const file = std::fopen(csv_path, "r");
    if (!file) return lines;
    char model[32], task[32], words[160];
    Line l{};
    while (std::fgets(words, sizeof words, file))
        if (std::sscanf(words, "%31[^,],%31[^,],%d,%d,%lf,%lf", model, task, &l.seed, &l.tokens, &l.depth,
                        &l.accuracy) == 6)
            l.model = model, l.task = task, lines.push_back(l);
    std::fclose(file);
    return lines;
}
inline void write(std::vector<Line> const& lines) {
    std::FILE* const file = std::fopen(csv_path, "w");
    if (!file) throw std::runtime_error("cannot write long_recall.csv");
    std::fprintf(file, "model,task,seed,tokens,depth,accuracy\n");
    std::vector<Curve> curves; // means over the seeds
    std::map<std::string, std::vector<int>> counts;
    for (Line const& l : lines) {
        std::fprintf(file, "%s,%s,%d,%d,%.2f,%.4f\n", l.model.c_str(), l.task.c_str(), l.seed, l.tokens,
                     l.depth, l.accuracy);
        if (l.task != "needle" || l.depth > 0) continue;
        auto found = std::ranges::find(curves, l.model, &Curve::name);
        if (found == curves.end()) found = curves.insert(found, Curve{l.model, {}, {}});
        auto& curve = *found;
        double const place = std::log2(l.tokens);
        auto const at = std::size_t(std::ranges::find(curve.x, place) - curve.x.begin());
        if (at == curve.x.size())
            curve.x.push_back(place), curve.y.push_back(0), counts[l.model].push_back(0);
        double const n = ++counts[l.model][at];
        curve.y[at] += (l.accuracy - curve.y[at]) / n;
    }
    std::fclose(file);
    plot("long_recall.svg", {"Needles at the beginning that are found", "log2 of tokens", "accuracy"},
         curves);
}

/// What the seeds of a model gave: of an odd number of them the middle one, and between which it lies.
inline void summary(std::string const& model, std::vector<int> const& lengths,
                    std::vector<Line> const& lines) {
    for (int const tokens : lengths) {
        std::printf("| %s | %d |", model.c_str(), tokens);
        for (int column = 0; column <= depths; ++column) {
            std::vector<double> all;
            for (Line const& l : lines)
                if (l.model == model && l.tokens == tokens &&
                    (column < depths ? l.task == "needle" && l.depth == column / (depths - 1.0)
                                     : l.task == "passkey"))
                    all.push_back(l.accuracy);
            if (all.empty()) break;
            std::ranges::sort(all);
            std::printf(" %.2f (%.2f-%.2f) |", all[all.size() / 2], all.front(), all.back());
        }
        std::printf("\n");
    }
}
