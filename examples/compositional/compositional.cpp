// SPDX-License-Identifier: BSD-3-Clause
// Pairs that were never seen: a grid of 20 x 20 pairs (a, b) whose value is <p_a, q_b> with vectors of two
// numbers, a part of it held out. An exact cross knows what it has seen, embeddings compose; some pairs are
// exceptions, which embeddings can only smooth. Who gets which right?
//
//     compositional
//
// R² = 1 - squared error / variance, on seen pairs, on seen exceptions, and on held-out pairs against the
// rule. Means over four grids; seconds on one core. Results go to compositional.csv, curves to
// compositional.svg.
#include <inlay/inlay.hpp>
#include <inlay/train.hpp>

#include "../plot.hpp"

#include <cstdio>
#include <cstdlib>

using namespace inlay;

constexpr int edge = 20;
using Pair = Record<Categorical<"a", edge + 1>, Categorical<"b", edge + 1>>;

using Exact = Cross<Indexed, Of<"a", "b">>;
using Additive = Cross<Indexed, Each>;
template <int K> using Products = Stack<Embed<K>, Cross<Fm>>;
using Perceptron = Stack<Embed<8>, Flatten, Mlp<64, 64, 1>>;
using DeepCross = Stack<Embed<8>, Flatten, Cross<Dcn<2>>, Dense<1>>;

/// A grid: its rule, where it has exceptions, and what is held out.
struct Grid {
    std::vector<double> rule, value; // of pair a * edge + b
    std::vector<bool> exception, held;
    Grid(double held_share, double exceptions, Seed seed)
        : rule(edge * edge), value(edge * edge), exception(edge * edge), held(edge * edge) {
        Key const key{seed.value};
        for (std::size_t i = 0; i < rule.size(); ++i) {
            std::size_t const a = i / edge, b = edge + i % edge;
            for (std::uint64_t k = 0; k < 2; ++k) rule[i] += key.normal(a, k) * key.normal(b, k);
            value[i] = rule[i];
            held[i] = key.uniform(i, 2) < held_share;
            exception[i] = !held[i] && key.uniform(i, 3) < exceptions;
            if (exception[i]) value[i] += key.uniform(i, 4) < 0.5 ? -3 : 3;
        }
    }
    static Pair::Row row(std::size_t i) {
        Pair::Row r{};
        get<0>(r).id = 1 + int(i) / edge, get<1>(r).id = 1 + int(i) % edge;
        return r;
    }
    Rows<Pair> seen() const {
        Rows<Pair> rows;
        for (std::size_t i = 0; i < value.size(); ++i)
            if (!held[i]) rows.row.push_back(row(i)), rows.target.push_back(float(value[i]));
        return rows;
    }
};

/// 1 - squared error / variance of some pairs.
double r_squared(std::vector<double> const& y, std::vector<double> const& z, std::vector<bool> const& of) {
    double n = 0, mean = 0, error = 0, variance = 0;
    for (std::size_t i = 0; i < y.size(); ++i)
        if (of[i]) mean += y[i], ++n;
    for (std::size_t i = 0; i < y.size(); ++i)
        if (of[i]) {
            error += (y[i] - z[i]) * (y[i] - z[i]);
            variance += (y[i] - mean / n) * (y[i] - mean / n);
        }
    return 1 - error / variance;
}

struct Quality {
    double seen = 0, exceptions = 0, held = 0;
};
/// Trains a sum of branches on what was seen of a grid; exact crosses by FTRL with this L1, if it is not 0.
template <class... Branches> Quality quality(Grid const& grid, double l1, int steps, Seed seed) {
    using M = Model<Pair, Sum<Branches...>>;
    auto net = Network<M>(seed);
    auto const rows = grid.seen();
    auto const fit = [&]<class O>(TrainOptions<O> options) {
        options.schedule = Cosine{}, options.seed = seed;
        Trainer<M, MeanSquaredError, Batch<32>, O>(net, options).fit(rows, {.steps = std::uint64_t(steps)});
    };
    constexpr bool has_exact = (std::is_same_v<Branches, Exact> || ...);
    Ftrl const sparse{.alpha = 0.1f, .l1 = float(l1)};
    Adam const dense{.learning_rate = 0.01f};
    if constexpr (!has_exact) fit(TrainOptions<Adam>{.optimizer = dense});
    else if constexpr (sizeof...(Branches) == 1) fit(TrainOptions<Ftrl>{.optimizer = sparse});
    else fit(TrainOptions<Optimize<On<Cross, Ftrl>, Otherwise<Adam>>>{.optimizer = {sparse, dense}});
    Workspace<M> ws;
    std::vector<double> z;
    std::vector<bool> seen;
    for (std::size_t i = 0; i < grid.value.size(); ++i) {
        z.push_back(double(net.infer(Grid::row(i), ws)[0]));
        seen.push_back(!grid.held[i]);
    }
    return {r_squared(grid.value, z, seen), r_squared(grid.value, z, grid.exception),
            r_squared(grid.rule, z, grid.held)};
}

struct Sizes {
    int seeds, steps;
};
/// Means over grids, which differ with the seed as the starts of the networks do.
template <class... Branches> Quality mean(double held, double exceptions, double l1, Sizes sizes) {
    Quality sum;
    for (int s = 1; s <= sizes.seeds; ++s) {
        Seed const seed{std::uint64_t(s)};
        auto const q = quality<Branches...>(Grid(held, exceptions, seed), l1, sizes.steps, seed);
        sum.seen += q.seen / sizes.seeds;
        sum.exceptions += q.exceptions / sizes.seeds;
        sum.held += q.held / sizes.seeds;
    }
    return sum;
}

int main() try {
    bool const smoke = std::getenv("INLAY_SMOKE") != nullptr; // one grid, and one share held out, for tests
    Sizes const sizes{smoke ? 1 : 4, 4000};
    auto const shares =
        smoke ? std::vector<double>{0.25} : std::vector<double>{0.1, 0.25, 0.4, 0.55, 0.7, 0.85};
    struct Line {
        char const* name;
        Quality (*mean)(double, double, double, Sizes);
        double l1;
        bool plotted;
    };
    Line const lines[] = {{"a weight each for a and b", mean<Additive>, 0, false},
                          {"exact crosses", mean<Exact>, 0, true},
                          {"products, width 2", mean<Products<2>>, 0, true},
                          {"products, width 8", mean<Products<8>>, 0, true},
                          {"perceptron on embeddings", mean<Perceptron>, 0, true},
                          {"DCN-V2 on embeddings", mean<DeepCross>, 0, true},
                          {"products of 2 + exact", mean<Products<2>, Exact>, 0, false},
                          {"the same, L1 of 100", mean<Products<2>, Exact>, 100, false},
                          {"the same, L1 of 300", mean<Products<2>, Exact>, 300, true}};
    std::FILE* const file = std::fopen("compositional.csv", "w");
    if (!file) throw std::runtime_error("cannot write compositional.csv");
    std::fprintf(file, "model,held_out,exceptions,r2_seen,r2_exceptions,r2_held_out\n");
    std::printf("R² with a quarter of the pairs held out, mean of %d grid%s\n", sizes.seeds,
                sizes.seeds == 1 ? "" : "s");
    std::printf("                               the rule alone       5 %% of the pairs are exceptions\n"
                "                                seen  held out       seen  exceptions  held out\n");
    std::vector<Curve> curves;
    bool composes = true;
    for (auto const& l : lines) {
        auto const write = [&](double share, double exceptions) {
            auto const q = l.mean(share, exceptions, l.l1, sizes);
            std::fprintf(file, "\"%s\",%g,%g,%.4f,", l.name, share, exceptions, q.seen);
            if (exceptions > 0) std::fprintf(file, "%.4f", q.exceptions);
            std::fprintf(file, ",%.4f\n", q.held);
            return q;
        };
        Curve curve{l.name, {}, {}};
        Quality plain;
        for (double const share : shares) {
            auto const q = write(share, 0);
            if (share == 0.25) plain = q;
            curve.x.push_back(share), curve.y.push_back(std::max(q.held, -1.0));
        }
        auto const q = write(0.25, 0.05);
        std::printf("%-28s %7.3f   %7.3f    %7.3f     %7.3f   %7.3f\n", l.name, plain.seen, plain.held,
                    q.seen, q.exceptions, q.held);
        std::fflush(stdout);
        if (l.plotted) curves.push_back(curve);
        if (&l == &lines[1]) composes = composes && plain.held <= 0;
        if (&l == &lines[2]) composes = composes && plain.held > 0.95;
    }
    std::fclose(file);
    plot("compositional.svg", {"R² on held-out pairs of a rule", "share held out", "R²"}, curves);
    if (!composes) std::fprintf(stderr, "exact crosses compose, or products do not\n");
    return composes ? 0 : 1;
} catch (std::exception const& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 1;
}
