// SPDX-License-Identifier: BSD-3-Clause
// The models, and what their questions look at.
#pragma once

#include "texts.hpp"

#include <inlay/probe.hpp>

#include <algorithm>
#include <cmath>

namespace distractors {
constexpr int width = 64, heads = 2;

// A convolution brings each value its key and its tag, so that one layer can do the task.
template <class Attention>
using Net =
    Model<Row, Select<"text">,
          Tied<Embed<width>, Residual<CausalConv1d<3>>, PreNorm<Attention>, PreNorm<SwiGlu<128>>, RmsNorm>>;
using Soft = Net<SoftmaxAttn<Heads<heads>>>;
using Told = Net<SoftmaxAttn<Heads<heads>, Selective>>;
using Sparse = Net<SoftmaxAttn<Heads<heads>, Sparsemax>>;
using Hard = Net<SparseAttn<Heads<heads>, HardSelect<known + unknown>>>;

/// The weights of attention whose map follows from more than its scores: what the first head scores above
/// zero is taken off for later queries (Selective), or only the tokens of the best scores of their own are
/// seen, each with a factor of its score (HardSelect). Out of the trained numbers, in double.
class Looks {
public:
    AttentionMap map;
    void enter(Path const&) {}
    template <class Block, class C, class P, class X, class Y> void leave(C const&, P const& p, X x, Y) {
        if constexpr (requires { Block::Select::used, Block::Choice::used; }) read<Block>(p, x);
    }

private:
    struct Matrix {
        int wide;
        std::vector<double> number;
        Matrix(int rows, int columns) : wide(columns), number(std::size_t(rows * columns)) {}
        double& operator()(int row, int i) { return number[std::size_t(row * wide + i)]; }
    };
    template <class X, class W> static Matrix product(int n, X x, W const& w, int rows) {
        Matrix y(n, rows);
        for (int t = 0; t < n; ++t)
            for (int r = 0; r < rows; ++r)
                for (int i = 0; i < width; ++i) y(t, r) += double(w.ref()(r, i)) * double(x(0, t)[i]);
        return y;
    }
    template <class Block, class P, class X> void read(P const& p, X x) {
        int const n = x.length(0), d = Block::d;
        auto q = product(n, x, p.q.weight, width), k = product(n, x, p.k.weight, width);
        auto const score = [&](int h, int i, int j) {
            double z = 0;
            for (int a = h * d; a < (h + 1) * d; ++a) z += q(i, a) * k(j, a);
            return z / std::sqrt(double(d));
        };
        Matrix own(n, 1), taken(n, 1);
        if constexpr (Block::Choice::used) own = product(n, x, p.choice.score.weight, 1);
        map.heads = heads, map.tokens = n;
        map.weight.assign(std::size_t(heads * n * n), 0.0);
        std::vector<int> seen;
        for (int t = 0; t < n; ++t) {
            seen.push_back(t);
            if constexpr (Block::Choice::used) {
                std::sort(seen.begin(), seen.end(),
                          [&](int a, int b) { return std::pair(-own(a, 0), a) < std::pair(-own(b, 0), b); });
                seen.resize(std::min<std::size_t>(seen.size(), known + unknown));
            }
            for (int h = 0; h < heads; ++h) {
                double* const w = map.weight.data() + (h * n + t) * n;
                double sum = 0;
                for (int const j : seen) {
                    w[j] = std::exp(score(h, t, j) - taken(j, 0));
                    if constexpr (Block::Choice::used) w[j] /= 1 + std::exp(-own(j, 0));
                    sum += w[j];
                }
                for (int const j : seen) w[j] /= sum;
            }
            if constexpr (Block::Select::used)
                for (int j = 1; j < t; ++j) taken(j, 0) += std::max(0.0, score(0, t, j));
        }
    }
};
template <class M> AttentionMap look(Network<M> const& net, Row::Row const& row) {
    In<Row, typename M::Scalar> const x{&row};
    if constexpr (std::is_same_v<M, Soft> || std::is_same_v<M, Sparse>) {
        AttentionMap found;
        each_attention_map(net, x, [&](AttentionMap const& map) { found = map; });
        return found;
    } else {
        Looks looks;
        watch(net, x, looks);
        return looks.map;
    }
}

/// The head that looks at the value to keep most.
inline int reader(AttentionMap const& map, Question const& q) {
    int best = 0;
    for (int h = 1; h < map.heads; ++h)
        if (map.at(h, q.at, q.right) > map.at(best, q.at, q.right)) best = h;
    return best;
}

} // namespace distractors
