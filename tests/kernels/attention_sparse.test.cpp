// SPDX-License-Identifier: BSD-3-Clause
// Weights below a threshold are zero: the worked rows, and many tiles of keys against sums in double.
#include <inlay/kernels/attention/backward.hpp>
#include <inlay/kernels/attention/sparse.hpp>

#include "../reference/row_map.hpp"
#include "matrices.hpp"
#include "spans.hpp"

using namespace inlay;
using matrices::Matrix;

namespace {
constexpr int W = INLAY_VECTOR_BYTES ? INLAY_VECTOR_BYTES / 8 : 1;

template <class Map> constexpr bool is_sparsemax = std::is_same_v<Map, kernels::SparsemaxWeights>;
template <class Map> std::vector<double> weights(std::vector<double> const& z) {
    reference::Row row;
    for (double v : z) row.push_back(reference::constant(v));
    row = is_sparsemax<Map> ? reference::sparsemax(row) : reference::entmax15(row);
    std::vector<double> w;
    for (auto const& v : row) w.push_back(v.value);
    return w;
}

template <class Map> struct Case {
    static constexpr int n = 75, keys = 150, d = 5, p = matrices::padded(d, W);
    Matrix<double> q = Matrix<double>::random(n, d, p), k = Matrix<double>::random(keys, d, p),
                   v = Matrix<double>::random(keys, d, p), dout = Matrix<double>::random(n, d, p),
                   out{n, d, d}, dq{n, p, p}, dk{keys, p, p}, dv{keys, p, p};
    Spans<double> spans{n};
    std::vector<double> threshold = std::vector<double>(n), mean = threshold;
    std::vector<double> room = std::vector<double>(kernels::sparse_room<W, double>(d, d, keys) +
                                                   kernels::attention_backward_room<W, double>(d, d));
    kernels::Scores<kernels::Capped<double>> scores{{4.0}, {}};

    auto head() {
        return kernels::AttentionHead<double>{n,        d,        d,        1.5,      q.data(),    k.data(),
                                              v.data(), q.stride, k.stride, v.stride, spans.view()};
    }
    void forward() {
        kernels::attend_sparse<Map, W>(head(), scores, out.data(), out.stride, threshold.data(), room.data());
    }
    double loss() {
        forward();
        double sum = 0;
        for (int i = 0; i < n; ++i)
            for (int c = 0; c < d; ++c) sum += out(i, c) * dout(i, c);
        return sum;
    }
    void check() {
        for (int i = 0; i < n; ++i) // sinks, windows, and a query that sees nothing
            spans[i] = i == 3 ? Span{} : Span{2, i / 2, 2 * i + 1};
        forward();
        CHECK(out.keeps_poison());
        for (int i = 0; i < n; ++i) {
            std::vector<double> z;
            std::vector<int> seen;
            auto const& s = spans[i];
            for (int j = 0; j < keys; ++j) {
                if (!s.sees(j)) continue;
                double product = 0;
                for (int c = 0; c < d; ++c) product += q(i, c) * k(j, c);
                z.push_back(4 * std::tanh(1.5 * product / 4));
                seen.push_back(j);
            }
            std::vector<double> const w = seen.empty() ? z : weights<Map>(z);
            for (int c = 0; c < d; ++c) {
                double o = 0;
                for (std::size_t j = 0; j < w.size(); ++j) o += w[j] * v(seen[j], c);
                CHECK(std::abs(out(i, c) - o) < 1e-13);
            }
        }
        for (auto* m : {&dk, &dv})
            for (int j = 0; j < keys; ++j) kernels::clear(&(*m)(j, 0), p);
        kernels::sparse_means<Map, W>(head(), scores, dout.data(), dout.stride, threshold.data(), mean.data(),
                                      room.data());
        kernels::attend_backward<Map, W>(
            head(), scores, dout.data(), dout.stride, static_cast<double const*>(threshold.data()),
            static_cast<double const*>(mean.data()), dq.data(), dk.data(), dv.data(), room.data());
        auto const slope = [&](Matrix<double>& m, Matrix<double> const& got, int r, int c) {
            double const was = m(r, c), h = 1e-6;
            m(r, c) = was + h;
            double const above = loss();
            m(r, c) = was - h;
            double const below = loss();
            m(r, c) = was;
            CHECK(std::abs(got(r, c) - (above - below) / (2 * h)) < 1e-7);
        };
        for (int r = 0; r < n; r += 7) slope(q, dq, r, r % d);
        for (int r = 0; r < keys; r += 11) slope(k, dk, r, r % d), slope(v, dv, r, r % d);
    }
};

template <class Map> void row(std::vector<double> const& wanted) {
    std::vector<double> z{1, .6, .1, -.5};
    kernels::sparse_row<Map, W>(4, z.data());
    for (std::size_t i = 0; i < 4; ++i) CHECK(z[i] == doctest::Approx(wanted[i]).epsilon(1e-6));
    std::vector<float> many(101);
    for (std::size_t i = 0; i < 101; ++i) many[i] = float(1e4 * matrices::draw());
    kernels::sparse_row<Map, 4>(101, many.data());
    double sum = 0;
    for (float x : many) sum += double(x);
    CHECK(std::abs(sum - 1) < 2e-3); // scores of ten thousand have no more digits
}
} // namespace

TEST_CASE("sparsemax and entmax of a row") {
    row<kernels::SparsemaxWeights>({.7, .3, 0, 0});
    row<kernels::Entmax15Weights>({.5834265, .3178971, .0984853, .0001911});
}
TEST_CASE("attention with sparsemax and entmax") {
    Case<kernels::SparsemaxWeights>().check();
    Case<kernels::Entmax15Weights>().check();
}
