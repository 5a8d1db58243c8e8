// SPDX-License-Identifier: BSD-3-Clause
// Truncated backpropagation through time: states carried from window to window, values without gradients.
#include "executors.hpp"
#include "fixtures.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <memory>

using namespace inlay;
using namespace fixtures;

namespace {

using Text = Rows<Tokens<4, 7>>;
using Recur = Model<Tokens<4, 7>, Embed<5>, Gru<6>, Dense<7>>::as<double>;
/// Blocks whose states are sums, rows of the past, a place in the stream, and weights that learn.
using Mixture = Model<Tokens<4, 7>, Embed<8>, Repeat<2, PreNorm<SoftmaxAttn<Heads<2>, Window<6>, Rope<100>>>>,
                      Residual<CausalConv1d<3>>, PreNorm<Memory<Heads<2>, Chunk<3>>>, Dense<7>>::as<double>;

template <class M, class Opt = Sgd> using Learner = Trainer<M, CrossEntropy, Batch<2>, Opt>;

/// The summed loss of windows by plain loops over PyTorch's equations; h is what the GRU has seen before.
double naive_loss(Recur::Params const& p, std::span<std::int32_t const> ids, std::int32_t last,
                  std::vector<double>& h) {
    auto const& embed = get<0>(p).weight;
    auto const& dense = get<2>(p);
    auto const& gru = get<1>(p);
    auto const sigmoid = [](double v) { return 1 / (1 + std::exp(-v)); };
    double loss = 0;
    for (std::size_t t = 0; t < ids.size(); ++t) {
        double a[18], b[18];
        for (int o = 0; o < 18; ++o) {
            a[o] = gru.ih.bias[0][o], b[o] = gru.hh.bias[0][o];
            for (int i = 0; i < 5; ++i) a[o] += gru.ih.weight.ref()(o, i) * embed[ids[t]][i];
            for (int i = 0; i < 6; ++i) b[o] += gru.hh.weight.ref()(o, i) * h[std::size_t(i)];
        }
        for (int i = 0; i < 6; ++i) {
            double const r = sigmoid(a[i] + b[i]), z = sigmoid(a[6 + i] + b[6 + i]);
            double& at = h[std::size_t(i)];
            at = (1 - z) * std::tanh(a[12 + i] + r * b[12 + i]) + z * at;
        }
        double scores[7], total = 0;
        for (int v = 0; v < 7; ++v) {
            scores[v] = dense.bias[0][v];
            for (int i = 0; i < 6; ++i) scores[v] += dense.weight.ref()(v, i) * h[std::size_t(i)];
            total += std::exp(scores[v]);
        }
        loss += std::log(total) - scores[t + 1 < ids.size() ? ids[t + 1] : last];
    }
    return loss;
}
double naive_window(Recur::Params const& p, Text const& text, std::size_t row, std::vector<double>& h) {
    auto const ids = text[row];
    return naive_loss(p, ids, text.id[row * 4 + ids.size()], h);
}

/// What reading each of `lanes` parts of a text token by token loses in its n-th window, summed.
std::vector<double> by_steps(Network<Mixture> const& net, Text const& text, std::size_t lanes) {
    auto const state = std::make_unique<Mixture::State>();
    std::vector<double> losses;
    auto const order = detail::side_by_side(text.size(), lanes);
    for (std::size_t lane = 0; lane < lanes; ++lane) {
        reset<Mixture>(*state);
        for (std::size_t n = 0; n * lanes + lane < order.size(); ++n) {
            losses.resize(std::max(losses.size(), n + 1));
            std::size_t const at = order[n * lanes + lane] * 4;
            for (std::size_t t = at; t < std::min(at + 4, text.id.size() - 1); ++t) {
                double scores[7], total = 0;
                Mixture::step(net.params(), *state, text.id[t], scores);
                for (double const s : scores) total += std::exp(s);
                losses[n] += std::log(total) - scores[text.id[t + 1]];
            }
        }
    }
    return losses;
}

} // namespace

TEST_CASE("rows lie side by side, and each is read once") {
    CHECK(detail::side_by_side(8, 3) == std::vector<std::uint32_t>{0, 3, 6, 1, 4, 7, 2, 5});
    CHECK(detail::side_by_side(2, 3) == std::vector<std::uint32_t>{0, 1});
    CHECK(detail::side_by_side(4, 1) == first(4));
}

TEST_CASE("a window's gradient is that of its loss behind a constant state") {
    auto const text = Text::random(6, Seed{3});
    Streams const streams(text, {4});
    Network<Recur> net(Seed{1});
    constexpr double rate = 0.1;
    Learner<Recur> trainer(net, {.learning_rate = rate});
    std::uint32_t const windows[2][2] = {{0, 3}, {1, 4}}; // of which the last begins a stream
    std::vector<double> before(6);
    naive_window(net.params(), text, 0, before);
    trainer.step(streams, windows[0]);

    Network<Recur> moved(Seed{0});
    moved.params() = net.params();
    double const loss = trainer.step(streams, windows[1]);
    auto const mean = [&] {
        auto h = before;
        std::vector<double> fresh(6);
        return (naive_window(moved.params(), text, 1, h) + naive_window(moved.params(), text, 4, fresh)) / 8;
    };
    CHECK(loss == doctest::Approx(mean()).epsilon(1e-12));
    auto const there = numbers(moved), after = numbers(net);
    double largest = 0;
    for (std::size_t i = 0; i < there.size(); ++i) {
        CAPTURE(i);
        double const at = *there[i], gradient = (at - *after[i]) / rate, h = 1e-5;
        *there[i] = at + h;
        double const up = mean();
        *there[i] = at - h;
        double const down = mean();
        *there[i] = at;
        largest = std::max(largest, std::abs(gradient));
        CHECK(gradient == doctest::Approx((up - down) / (2 * h)).epsilon(1e-6).scale(1e-2));
    }
    CHECK(largest > 0.01);
    std::fill(before.begin(), before.end(), 0);
    CHECK(std::abs(mean() - loss) > 1e-4); // the state does matter
}

TEST_CASE("windows of a stream lose what its tokens lose one by one, in training and in validation") {
    auto text = Text::random(11, Seed{4});
    text.id.resize(text.id.size() - 2); // the last window is short, and the parts are not equal
    Streams const streams(text);
    Network<Mixture> net(Seed{1});
    auto const expected = by_steps(net, text, 2);
    REQUIRE(expected.size() == 6);
    std::vector<double> losses;
    Learner<Mixture> trainer(net, {.learning_rate = 0});
    FitOptions<Streams<Text>> options{.epochs = 2, .validate = &streams, .metrics = metrics<Perplexity>};
    options.on_step = [&](StepEvent const& e) { losses.push_back(e.loss); };
    auto const report = trainer.fit(streams, options);
    double whole = 0;
    for (double const loss : expected) whole += loss;
    double const targets = double(text.id.size()) - 1;
    CHECK(report.validation == doctest::Approx(whole / targets).epsilon(1e-12));
    CHECK(report.metric("Perplexity") == doctest::Approx(std::exp(whole / targets)).epsilon(1e-12));
    REQUIRE(losses.size() == 12);
    for (std::size_t i = 0; i < 12; ++i) { // each epoch begins fresh
        CAPTURE(i);
        constexpr double targets_of[] = {8, 8, 8, 8, 6, 4}; // the second part has five rows, a short one last
        CHECK(losses[i] == doctest::Approx(expected[i % 6] / targets_of[i % 6]).epsilon(1e-12));
    }
}
