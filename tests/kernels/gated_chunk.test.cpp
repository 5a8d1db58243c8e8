// SPDX-License-Identifier: BSD-3-Clause
// Chunks of the gated linear family, forward and backward, against the recurrence and its own way back, token
// by token.
#include <inlay/core/shape.hpp>
#include <inlay/kernels/gated_chunk_backward.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <random>
#include <vector>

using namespace inlay;

namespace {
using Numbers = std::vector<double>;

struct Case {
    int tokens, keys, values, decays; // 0, 1, or 2: one a channel
    bool beta, delta;
    double steep = 1; // what log decays are multiplied by
};
struct HeadTokens {
    Numbers q, k, v, g, beta, state;
};
struct Answer {
    Numbers o, state, dq, dk, dv, dg, dbeta, dstate;
};

// S' = e^g S, u = beta (v - delta k S'), S = S' + k u, o = q S, and back from (dout, dstate).
Answer recurrence(Case const& c, HeadTokens const& t, Numbers const& dout, Numbers const& dstate) {
    auto const n = std::size_t(c.tokens), K = std::size_t(c.keys), V = std::size_t(c.values);
    auto const g = [&](std::size_t i, std::size_t d) {
        return c.decays == 0 ? 0.0 : c.decays == 1 ? t.g[i] : t.g[i * K + d];
    };
    auto const beta = [&](std::size_t i) { return c.beta ? t.beta[i] : 1.0; };
    Answer a{Numbers(n * V),      t.state,    Numbers(n * K), Numbers(n * K), Numbers(n * V),
             Numbers(t.g.size()), Numbers(n), dstate};
    std::vector<Numbers> faded, after, u;
    for (std::size_t i = 0; i < n; ++i) {
        Numbers& S = a.state;
        for (std::size_t d = 0; d < K; ++d)
            for (std::size_t j = 0; j < V; ++j) S[d * V + j] *= std::exp(g(i, d));
        faded.push_back(S);
        Numbers w(V);
        for (std::size_t j = 0; j < V; ++j) {
            double held = 0;
            for (std::size_t d = 0; d < K; ++d) held += t.k[i * K + d] * S[d * V + j];
            w[j] = beta(i) * (t.v[i * V + j] - (c.delta ? held : 0));
        }
        for (std::size_t d = 0; d < K; ++d)
            for (std::size_t j = 0; j < V; ++j) {
                S[d * V + j] += t.k[i * K + d] * w[j];
                a.o[i * V + j] += t.q[i * K + d] * S[d * V + j];
            }
        u.push_back(w), after.push_back(S);
    }
    Numbers& R = a.dstate;
    for (std::size_t i = n; i-- > 0;) {
        Numbers const &S = after[i], &F = faded[i];
        for (std::size_t d = 0; d < K; ++d)
            for (std::size_t j = 0; j < V; ++j) {
                a.dq[i * K + d] += dout[i * V + j] * S[d * V + j];
                R[d * V + j] += t.q[i * K + d] * dout[i * V + j];
            }
        Numbers de(V);
        for (std::size_t j = 0; j < V; ++j) {
            double du = 0, held = 0;
            for (std::size_t d = 0; d < K; ++d) {
                du += t.k[i * K + d] * R[d * V + j];
                held += t.k[i * K + d] * F[d * V + j];
                a.dk[i * K + d] += u[i][j] * R[d * V + j];
            }
            a.dbeta[i] += du * (t.v[i * V + j] - (c.delta ? held : 0));
            a.dv[i * V + j] = de[j] = beta(i) * du;
        }
        for (std::size_t d = 0; d < K; ++d) {
            double slope = 0;
            for (std::size_t j = 0; j < V; ++j) {
                if (c.delta) {
                    a.dk[i * K + d] -= de[j] * F[d * V + j];
                    R[d * V + j] -= t.k[i * K + d] * de[j];
                }
                slope += R[d * V + j] * F[d * V + j];
                R[d * V + j] *= std::exp(g(i, d));
            }
            if (c.decays == 1) a.dg[i] += slope;
            if (c.decays == 2) a.dg[i * K + d] += slope;
        }
    }
    return a;
}

struct Draw {
    std::mt19937 from{7};
    Numbers operator()(std::size_t n, double low, double high) {
        Numbers x(n);
        for (double& v : x) v = low + (high - low) * double(from()) / 4294967296.0;
        return x;
    }
};

// Rows of `width` numbers padded to `row`, and back.
template <class T> std::vector<T> padded_rows(Numbers const& x, int width, int row) {
    std::vector<T> y(x.size() / std::size_t(width) * std::size_t(row));
    for (std::size_t i = 0; i < x.size(); ++i)
        y[i / std::size_t(width) * std::size_t(row) + i % std::size_t(width)] = T(x[i]);
    return y;
}
template <class T>
void close(char const* what, std::vector<T> const& got, Numbers const& wanted, int width, int row,
           double largest = 1e-300) {
    for (double w : wanted) largest = std::max(largest, std::abs(w));
    double worst = 0;
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        double const g = double(got[i / std::size_t(width) * std::size_t(row) + i % std::size_t(width)]);
        worst = std::abs(g - wanted[i]) <= worst ? worst : std::abs(g - wanted[i]); // NaN stays
    }
    INFO(what << ": " << worst << " of " << largest);
    CHECK(worst <= (sizeof(T) == 8 ? 2e-13 : 1e-5) * largest);
}

template <class T, int W> void check(Case const& c) {
    INFO(W << " lanes, " << c.tokens << " tokens, keys " << c.keys << ", decays " << c.decays << ", delta "
           << c.delta << ", steep " << c.steep);
    Draw draw;
    auto const n = std::size_t(c.tokens), K = std::size_t(c.keys), V = std::size_t(c.values);
    HeadTokens t{draw(n * K, -.4, .4), draw(n * K, -.4, .4), draw(n * V, -1, 1), {},
                 draw(n, .1, 1),       draw(K * V, -1, 1)};
    if (c.decays) t.g = draw(n * (c.decays == 1 ? 1 : K), -c.steep, 0);
    Numbers const dout = draw(n * V, -1, 1), dstate = draw(K * V, -1, 1);
    Answer const want = recurrence(c, t, dout, dstate);

    int const key_row = (c.keys + W - 1) / W * W, value_row = (c.values + W - 1) / W * W;
    auto const q = padded_rows<T>(t.q, c.keys, key_row), k = padded_rows<T>(t.k, c.keys, key_row),
               v = padded_rows<T>(t.v, c.values, value_row), d = padded_rows<T>(dout, c.values, value_row);
    auto const g =
        c.decays == 2 ? padded_rows<T>(t.g, c.keys, key_row) : std::vector<T>(t.g.begin(), t.g.end());
    std::vector<T> const beta(t.beta.begin(), t.beta.end());
    auto const start = padded_rows<T>(t.state, c.values, value_row);
    auto state = start, slope = padded_rows<T>(dstate, c.values, value_row);
    T const nan = std::numeric_limits<T>::quiet_NaN();
    std::vector<T> o(v.size()), dq(q.size()), dk(q.size()), dv(v.size()), dg(g.size()), db(n);
    kernels::GatedChunk<T> const chunk{.tokens = c.tokens,
                                       .keys = c.keys,
                                       .key_row = key_row,
                                       .value_row = value_row,
                                       .q = q.data(),
                                       .k = k.data(),
                                       .v = v.data(),
                                       .log_decay = g.data(),
                                       .decays = c.decays == 2 ? key_row : c.decays,
                                       .beta = c.beta ? beta.data() : nullptr,
                                       .delta = c.delta};
    std::vector<T> room(kernels::gated_chunk_room<W>(c.tokens, key_row, value_row, false), nan);
    kernels::gated_chunk<W>(chunk, state.data(), o.data(), room.data());
    close("o", o, want.o, c.values, value_row);
    close("state", state, want.state, c.values, value_row);
    room.assign(kernels::gated_chunk_room<W>(c.tokens, key_row, value_row, true), nan);
    kernels::gated_chunk_backward<W>(chunk, start.data(), d.data(), slope.data(),
                                     {dq.data(), dk.data(), dv.data(), dg.data(), db.data()}, room.data());
    close("dq", dq, want.dq, c.keys, key_row);
    close("dk", dk, want.dk, c.keys, key_row);
    close("dv", dv, want.dv, c.values, value_row);
    // the slope of a log decay is a sum of q dq - k dk, in which most cancels where nearly nothing is left
    double terms = 1e-300;
    for (std::size_t i = 0; i < n; ++i) {
        double sum = 0;
        for (std::size_t at = i * K; at < (i + 1) * K; ++at)
            sum += std::abs(t.q[at] * want.dq[at]) + std::abs(t.k[at] * want.dk[at]);
        terms = std::max(terms, sum);
    }
    if (c.decays == 1) close("dg", dg, want.dg, 1, 1, terms);
    if (c.decays == 2) close("dg", dg, want.dg, c.keys, key_row, terms);
    if (c.beta) close("dbeta", db, want.dbeta, 1, 1);
    close("dstate", slope, want.dstate, c.values, value_row);
}
} // namespace

TEST_CASE("a chunk is the recurrence") {
    for (int tokens : {1, 2, 3, 15, 17, 40})
        for (int decays : {0, 1, 2})
            for (bool delta : {false, true}) {
                check<double, native_lanes<double>>({tokens, 5, 3, decays, delta, delta});
                check<float, native_lanes<float>>({tokens, 5, 3, decays, delta, delta});
            }
    check<double, 1>({19, 3, 2, 2, true, true});
    check<double, native_lanes<double>>({33, 17, 19, 1, true, true});
    check<double, native_lanes<double>>({33, 16, 16, 2, true, true});
    check<float, native_lanes<float>>({64, 32, 32, 1, true, true});
    check<float, native_lanes<float>>({20, 4, 4, 0, true, false});
    check<float, native_lanes<float>>({14, 128, 128, 1, true, true}); // a state that is brought near
}
TEST_CASE("steep decays leave no trace and no NaN") {
    for (int decays : {1, 2})
        for (double steep : {6., 50., 500.}) {
            check<float, native_lanes<float>>({40, 8, 4, decays, true, true, steep});
            check<double, native_lanes<double>>({40, 8, 4, decays, false, false, steep});
        }
}
TEST_CASE("later tokens have no say in what earlier ones read") {
    constexpr int n = 23, K = 5, V = 3, W = native_lanes<float>, row = (K + W - 1) / W * W;
    for (double steep : {0., 1., 6., 50.}) {
        Draw draw;
        auto const rows = [&](int width) {
            return padded_rows<float>(draw(std::size_t(n * width), -.4, .4), width, row);
        };
        auto const all_q = rows(K), all_k = rows(K), all_v = rows(V);
        Numbers const g = draw(std::size_t(n), -steep, 0), b = draw(std::size_t(n), .1, 1);
        std::vector<float> const all_decay(g.begin(), g.end()), beta(b.begin(), b.end());
        auto const read = [&](int tokens) { // those behind them are other ones
            auto q = all_q, k = all_k, v = all_v;
            auto decay = all_decay;
            for (auto* x : {&q, &k, &v})
                for (auto i = std::size_t(tokens * row); i < x->size(); ++i) (*x)[i] = -3 * (*x)[i];
            for (auto i = std::size_t(tokens); i < decay.size(); ++i) decay[i] *= 3;
            kernels::GatedChunk<float> const c{.tokens = n,
                                               .keys = K,
                                               .key_row = row,
                                               .value_row = row,
                                               .q = q.data(),
                                               .k = k.data(),
                                               .v = v.data(),
                                               .log_decay = decay.data(),
                                               .decays = steep > 0,
                                               .beta = beta.data(),
                                               .delta = true};
            std::vector<float> state(std::size_t(K * row)), o(std::size_t(n * row)),
                room(kernels::gated_chunk_room<W>(n, row, row, false));
            kernels::gated_chunk<W>(c, state.data(), o.data(), room.data());
            o.resize(std::size_t(tokens * row));
            return o;
        };
        auto const all = read(n);
        for (int tokens : {2, 7, 16, 20}) {
            INFO(tokens << " tokens, steep " << steep);
            auto const some = read(tokens);
            CHECK(std::equal(some.begin(), some.end(), all.begin()));
        }
    }
}
TEST_CASE("decays that are far down the chunk keep their digits") {
    // a steep beginning, after which nearly nothing fades
    constexpr int n = 32, W = native_lanes<float>;
    float g[n], high[n], low[n], d[n * n];
    for (int i = 0; i < n; ++i) g[i] = i < 8 ? -49.37f : -0.013f * float(i % 3);
    kernels::DecaySums<float> const sums{high, low, 1};
    kernels::sum_decays<W>(n, g, sums);
    kernels::decay_triangle<W>(n, sums, d, n);
    for (int j = 8; j < n; ++j) {
        double sum = 0;
        for (int i = j + 1; i < n; ++i) {
            sum += double(g[i]);
            CHECK(double(d[j * n + i]) == doctest::Approx(std::exp(sum)).epsilon(3e-7));
        }
    }
}
