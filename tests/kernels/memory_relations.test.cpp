// SPDX-License-Identifier: BSD-3-Clause
// A memory of one layer by worked numbers, and as linear attention, retention and the delta rule, forward and
// back.
#include "../reference/checks.hpp"

#include <inlay/blocks/activation.hpp>
#include <inlay/kernels/gated_chunk_backward.hpp>
#include <inlay/kernels/memory/chunk_backward.hpp>

#include <doctest/doctest.h>

using namespace inlay;
using Table = reference::Sequence;

namespace {
using Numbers = std::vector<double>;
constexpr int W = native_lanes<double>;

constexpr int row_of(int width) { return kernels::whole<W>(width); }
Numbers rows(Table const& x) {
    auto const row = std::size_t(row_of(int(x[0].size())));
    Numbers y(x.size() * row);
    for (std::size_t t = 0; t < x.size(); ++t) std::copy(x[t].begin(), x[t].end(), y.data() + t * row);
    return y;
}
Table sequence(Numbers const& x, int width) {
    Table y;
    for (std::size_t at = 0; at < x.size(); at += std::size_t(row_of(width)))
        y.emplace_back(x.begin() + std::ptrdiff_t(at), x.begin() + std::ptrdiff_t(at) + width);
    return y;
}

// Tokens through a memory of one layer that starts at zero, and the way back from `dout` alone.
struct Run {
    int chunk;
    Numbers alpha, eta, theta;
    Numbers o, memory, speed, dq, dk, dv, dtheta, dalpha;

    void operator()(Table const& qs, Table const& ks, Table const& vs, Table const& dout) {
        int const n = int(qs.size()), width = int(qs[0].size()), values = int(vs[0].size());
        int const in = row_of(width), out = row_of(values);
        Numbers const q = rows(qs), k = rows(ks), v = rows(vs), d = rows(dout);
        auto const all = std::size_t(width * out);
        memory.assign(all, 0), speed.assign(all, 0);
        o.resize(v.size()), dq.resize(q.size()), dk.resize(k.size()), dv.resize(v.size());
        dtheta.resize(theta.size()), dalpha.resize(theta.size());
        Numbers deta(theta.size());
        std::vector<Numbers> met, fast;
        kernels::MemoryForm form{.width = {width, values}, .row = {in, out}};
        auto const at = [&](int t) {
            kernels::MemoryChunk<double> c{.form = form, .tokens = std::min(chunk, n - t)};
            c.q = q.data() + t * in, c.k = k.data() + t * in, c.v = v.data() + t * out;
            c.alpha = alpha.empty() ? nullptr : alpha.data() + t;
            c.eta = eta.empty() ? nullptr : eta.data() + t;
            c.theta = theta.data() + t;
            return c;
        };
        double* const moving = eta.empty() ? nullptr : speed.data();
        Numbers room(kernels::memory_chunk_room<W>(n, form, true));
        for (int t = 0; t < n; t += chunk) {
            auto c = at(t);
            c.first = memory.data();
            met.push_back(memory), fast.push_back(speed);
            kernels::memory_chunk<W, Silu>(c, memory.data(), moving, o.data() + t * out, room.data());
        }
        Numbers dmemory(all), dspeed(all);
        for (int t = (n - 1) / chunk * chunk; t >= 0; t -= chunk) {
            auto c = at(t);
            auto const i = std::size_t(t / chunk);
            c.first = met[i].data();
            Numbers dfirst(all);
            kernels::memory_chunk_backward<W, Silu>(
                c, met[i].data(), moving ? fast[i].data() : nullptr, d.data() + t * out, dfirst.data(),
                dmemory.data(), dspeed.data(),
                {dq.data() + t * in, dk.data() + t * in, dv.data() + t * out,
                 alpha.empty() ? nullptr : dalpha.data() + t, moving ? deta.data() + t : nullptr,
                 dtheta.data() + t},
                room.data());
            for (std::size_t j = 0; j < all; ++j) dmemory[j] += dfirst[j];
        }
    }
};

struct Linear {
    Numbers o, state, dq, dk, dv, dbeta, ddecay;
};
Linear linear(Table const& qs, Table const& ks, Table const& vs, Table const& dout, Numbers const& log_decay,
              Numbers const& beta) {
    int const n = int(qs.size()), width = int(qs[0].size()), in = row_of(width),
              out = row_of(int(vs[0].size()));
    Numbers const q = rows(qs), k = rows(ks), v = rows(vs), d = rows(dout);
    Linear a{Numbers(v.size()), Numbers(std::size_t(width * out)),
             Numbers(q.size()), Numbers(k.size()),
             Numbers(v.size()), Numbers(qs.size()),
             Numbers(qs.size())};
    Numbers const start = a.state;
    Numbers slope = a.state, room(kernels::gated_chunk_room<W>(n, in, out, true));
    kernels::GatedChunk<double> c{.tokens = n, .keys = width, .key_row = in, .value_row = out};
    c.q = q.data(), c.k = k.data(), c.v = v.data();
    if (!log_decay.empty()) c.log_decay = log_decay.data(), c.decays = 1;
    if (!beta.empty()) c.beta = beta.data(), c.delta = true;
    kernels::gated_chunk<W>(c, a.state.data(), a.o.data(), room.data());
    kernels::gated_chunk_backward<W>(c, start.data(), d.data(), slope.data(),
                                     {a.dq.data(), a.dk.data(), a.dv.data(), a.ddecay.data(), a.dbeta.data()},
                                     room.data());
    return a;
}
void equal(Numbers const& got, Numbers const& wanted) {
    REQUIRE(got.size() == wanted.size());
    double worst = 0;
    for (std::size_t i = 0; i < got.size(); ++i) worst = std::max(worst, std::abs(got[i] - wanted[i]));
    CHECK(worst < 1e-12);
}
void equal(Run const& run, Linear const& wanted) {
    equal(run.o, wanted.o), equal(run.memory, wanted.state);
    equal(run.dq, wanted.dq), equal(run.dk, wanted.dk), equal(run.dv, wanted.dv);
}
constexpr std::size_t n = 21;
Table const q = reference::numbers(n, 5, 1), k = reference::times(.4, reference::numbers(n, 5, 2)),
            v = reference::numbers(n, 3, 3), dout = reference::numbers(n, 3, 4);
} // namespace

TEST_CASE("a memory of one layer: worked numbers") {
    using reference::check_equal, reference::worked_q, reference::worked_k, reference::worked_v;
    Table const none(3, std::vector<double>(2));
    Run online{1, Numbers(3, .1), Numbers(3, .5), Numbers(3, .5), {}, {}, {}, {}, {}, {}, {}, {}};
    online(worked_q, worked_k, worked_v, none);
    check_equal(sequence(online.o, 2), {{.5, 1}, {1.5, 2}, {5.221, 6.802}});
    check_equal(sequence(online.memory, 2), {{1.769, 2.578}, {3.452, 4.224}});
    check_equal(sequence(online.speed, 2), {{1.139, 1.318}, {2.102, 2.424}});
    Run whole = online;
    whole.chunk = 3;
    whole(worked_q, worked_k, worked_v, none);
    check_equal({sequence(whole.o, 2)[2]}, {{6.355, 8.51}});
    check_equal(sequence(whole.memory, 2), {{2.255, 3.31}, {4.1, 5.2}});
    check_equal(sequence(whole.speed, 2), {{1.625, 2.05}, {2.75, 3.4}});
}

TEST_CASE("what each token is worth: worked numbers, and momentum that never ends") {
    Numbers const alpha(3, .1), eta(3, .5), ones(3, 1);
    Numbers room(kernels::memory_weights_room<W>(3));
    int const row = row_of(3);
    kernels::MemoryWeights<double> w{};
    w.kept = room.data(), w.worth = w.kept + 3 * row, w.past = w.worth + 3 * row, w.speed = w.past + row;
    w.end_worth = w.speed + row, w.end_speed = w.end_worth + row;
    auto const worth = [&](int t, int j) { return w.worth[j * row + t]; };
    kernels::memory_weights<W>(3, alpha.data(), eta.data(), false, w);
    double const G[3][3] = {{1, 0, 0}, {1.4, 1, 0}, {1.51, 1.4, 1}}, f[] = {.5, .7, .755};
    for (int t = 0; t < 3; ++t) {
        CHECK(w.speed[t] == doctest::Approx(f[t]));
        CHECK(w.past[t] == doctest::Approx(std::pow(.9, t + 1)));
        CHECK(w.end_worth[t] == doctest::Approx(G[2][t]));
        for (int j = 0; j <= t; ++j) CHECK(worth(t, j) == doctest::Approx(G[t][j]));
    }
    kernels::memory_weights<W, double>(3, nullptr, ones.data(), false, w);
    for (int t = 0; t < 3; ++t)
        for (int j = 0; j <= t; ++j) CHECK(worth(t, j) == t - j + 1);
    kernels::memory_weights<W, double>(3, nullptr, ones.data(), true, w);
    for (int t = 0; t < 3; ++t)
        for (int j = 0; j < t; ++j) CHECK(worth(t, j) == t - j);
}

TEST_CASE("one chunk that neither forgets nor goes on is linear attention") {
    Run run{int(n), {}, {}, Numbers(n, 1), {}, {}, {}, {}, {}, {}, {}, {}};
    run(q, k, v, dout);
    equal(run, linear(q, k, v, dout, {}, {}));
}
TEST_CASE("one chunk that forgets a constant part is retention") {
    double const kept = 31. / 32;
    Run run{int(n), Numbers(n, 1 - kept), {}, Numbers(n, 1), {}, {}, {}, {}, {}, {}, {}, {}};
    run(q, k, v, dout);
    Linear const wanted = linear(q, k, v, dout, Numbers(n, std::log(kept)), {});
    equal(run, wanted);
    for (std::size_t t = 0; t < n; ++t) // log decay = log(1 - alpha)
        CHECK(run.dalpha[t] == doctest::Approx(-wanted.ddecay[t] / kept));
}
TEST_CASE("chunks of one token are the delta rule; longer ones are not") {
    Numbers theta;
    for (auto const& row : reference::numbers(n, 1, 5)) theta.push_back(.5 + .4 * row[0]);
    Run run{1, {}, {}, theta, {}, {}, {}, {}, {}, {}, {}, {}};
    run(q, k, v, dout);
    Linear const wanted = linear(q, k, v, dout, {}, theta);
    equal(run, wanted), equal(run.dtheta, wanted.dbeta);
    Run mini = run;
    mini.chunk = 3;
    mini(q, k, v, dout);
    CHECK(std::abs(mini.o[n / 2 * std::size_t(row_of(3))] - wanted.o[n / 2 * std::size_t(row_of(3))]) > 1e-3);
}
TEST_CASE("without steps a memory only fades") {
    Run run{4, Numbers(n, .25), Numbers(n, .5), Numbers(n, 0), {}, {}, {}, {}, {}, {}, {}, {}};
    run(q, k, v, dout);
    for (double x : run.memory) CHECK(x == 0);
    for (double x : run.o) CHECK(x == 0);
}
