// SPDX-License-Identifier: BSD-3-Clause
// What of Memory the laws do not look at: gradients with other policies, chunks longer than what is worked on
// together, streams that run on and on, and that it is linear attention with the delta rule when asked.
#include "../reference/memory.hpp"

#include <inlay/inlay.hpp>
#include <inlay/testing.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <map>

using namespace inlay;
using namespace inlay::detail::laws;

namespace {
template <class Spec, class Input> Bound bound() { return bind<Spec, Input, NativeDouble>(); }
void run(Bound const& b, Call& c) {
    LawReport report;
    b.run(b, c, report);
    CHECK_MESSAGE(report.ok(), report.text());
}
template <class Spec, class Input> void check_slopes() {
    auto const report = check_gradients<Spec, Input>();
    CHECK_MESSAGE(report.ok(), report.text());
}
std::map<std::string, Numbers> by_name(Bound const& b, Numbers const& all) {
    std::map<std::string, Numbers> m;
    for (auto const& t : b.tensors)
        m[t.name] = Numbers(all.begin() + std::ptrdiff_t(t.offset),
                            all.begin() + std::ptrdiff_t(t.offset + t.size()));
    return m;
}
} // namespace

TEST_CASE("gradients of deep memories are second order, whatever the policies") {
    check_slopes<Memory<Heads<2>, Chunk<4>, Depth<3>, Expansion<1>, Inner<Gelu>, InnerResidual, Pre,
                        GradientLimit<2>, LossScale<1.5>, NormHeads, SiluGate, ShortConv<2>>,
                 Sequence<6, 6>>();
    check_slopes<Memory<Chunk<1>, Depth<2>, NoMomentum, NeverForgets, FreeKeys, ShortConv<0>, StepSize<.3>,
                        KeyDim<3>, ValueDim<4>>,
                 Sequence<5, 4>>();
    check_slopes<Memory<Heads<2>, Chunk<3>, Depth<2>, PreviousChunk, InnerNorm, ShortConv<0>>,
                 Sequence<7, 6>>();
}

TEST_CASE("a chunk of more tokens than are worked on together") {
    constexpr int tokens = 150;
    Bound const b = bound<Memory<Chunk<70>, Depth<2>, ShortConv<0>>, Sequence<tokens, 4>>();
    Call c = draw_call(b, 1);
    c.dy = draw_cotangent(b, c);
    run(b, c);
    reference::Parameters p;
    for (auto const& [name, x] : by_name(b, c.params))
        for (auto const& t : b.tensors)
            if (t.name == name) p.by_name[name] = {t.rows, t.width, x};
    reference::Sequence x;
    for (int t = 0; t < tokens; ++t) x.emplace_back(c.x.begin() + 4 * t, c.x.begin() + 4 * t + 4);
    auto const y = reference::memory({.layers = 2, .chunk = 70, .theta_max = 1. / 70})(p, x).value;
    for (std::size_t t = 0; t < tokens; ++t)
        for (std::size_t i = 0; i < 4; ++i) CHECK(std::abs(c.y[t * 4 + i] - y[t][i]) < 1e-11);

    // From the middle of a chunk, in two calls, with what flows back: the same.
    for (int cut : {20, 66, 75}) {
        Call first = part_of(b, c, 0, cut), second = part_of(b, c, cut, tokens);
        first.wants_state = second.wants_state = true, first.dy.clear();
        run(b, first);
        second.state = first.state_out, second.d_state = b.fresh_states(1);
        second.dy.assign(c.dy.size(), 0);
        std::copy(c.dy.begin() + 4 * cut, c.dy.end(), second.dy.begin());
        run(b, second);
        first.d_state = second.d_state_in, first.dy.assign(c.dy.size(), 0);
        std::copy(c.dy.begin(), c.dy.begin() + 4 * cut, first.dy.begin());
        run(b, first);
        double const most = largest(c.grads);
        for (std::size_t i = 0; i < c.grads.size(); ++i)
            CHECK(std::abs(first.grads[i] + second.grads[i] - c.grads[i]) < 1e-11 * most);
        for (std::size_t i = 0; i < std::size_t(4 * cut); ++i)
            CHECK(std::abs(first.dx[i] - c.dx[i]) < 1e-11 * largest(c.dx));
    }
}

TEST_CASE("a memory of one layer and chunks of one token is DeltaNet") {
    using Delta = LinearAttn<Heads<2>, DeltaNet, BareHeads, NoReadGate>;
    using Online = Memory<Heads<2>, Chunk<1>, Depth<1>, NoMomentum, NeverForgets, ZeroStart>;
    Bound const delta = bound<Delta, Sequence<9, 6>>(), memory = bound<Online, Sequence<9, 6>>();
    Call d = draw_call(delta, 1), m = draw_call(memory, 1);
    auto given = by_name(delta, d.params);
    given["theta.weight"] = given["beta.weight"], given["theta.bias"] = Numbers(2);
    for (auto const& t : memory.tensors)
        for (std::size_t i = 0; i < t.size(); ++i) m.params[t.offset + i] = given.at(t.name)[i];
    m.x = d.x;
    d.dy = m.dy = draw_cotangent(delta, d);
    for (double& g : m.dy) g /= std::sqrt(3.0); // DeltaNet divides queries by sqrt(d)
    run(delta, d), run(memory, m);
    for (std::size_t i = 0; i < d.y.size(); ++i) CHECK(std::abs(d.y[i] - m.y[i] / std::sqrt(3.0)) < 1e-12);
    for (std::size_t i = 0; i < d.dx.size(); ++i) CHECK(std::abs(d.dx[i] - m.dx[i]) < 1e-12);
    auto slopes = by_name(memory, m.grads);
    slopes["beta.weight"] = slopes["theta.weight"];
    for (auto const& t : delta.tensors)
        for (std::size_t i = 0; i < t.size(); ++i)
            CHECK(std::abs(d.grads[t.offset + i] - slopes.at(t.name)[i]) < 1e-11);
}

TEST_CASE("gates and keys at their ends give numbers") {
    Bound const b = bind<Memory<Heads<2>, Chunk<4>, GradientLimit<1>>, Sequence<13, 6>, Native>();
    auto const finite = [&](char const* name, double value) {
        INFO(name << " = " << value);
        Call c = draw_call(b, b.capacity);
        for (auto const& t : b.tensors)
            if (t.name == name)
                for (std::size_t i = 0; i < t.size(); ++i) c.params[t.offset + i] = value;
        if (std::string(name) == "input") c.x.assign(c.x.size(), value);
        c.dy = draw_cotangent(b, c);
        run(b, c);
        for (Numbers const* all : {&c.y, &c.dx, &c.grads})
            for (double v : *all) REQUIRE(std::isfinite(v));
    };
    for (char const* gate : {"alpha.bias", "eta.bias", "theta.bias"})
        for (double value : {-1000., -40., 40., 1000.}) finite(gate, value);
    finite("k.weight", 0), finite("q.weight", 0), finite("v.weight", 0), finite("memory.1", 0);
    finite("input", 0), finite("input", 1);
}

TEST_CASE("a stream runs on: the same token again and again, and others, without NaN") {
    using Stream = Model<Sequence<16, 8>, PreNorm<Memory<Chunk<16>, Depth<2>>>, Dense<1>>;
    auto const net = std::make_unique<Stream::Params>();
    auto const state = std::make_unique<Stream::State>();
    initialize<Stream>(*net, Seed{5});
    for (bool varied : {false, true}) {
        reset<Stream>(*state);
        float x[8] = {1, 2, 3, 4, 5, 6, 7, 8}, y = 0, most = 0;
        Key const key{3};
        for (int t = 0; t < 100'000; ++t) {
            if (varied)
                for (int i = 0; i < 8; ++i) x[i] = float(key.normal(std::uint64_t(t * 8 + i)));
            Stream::step(*net, *state, x, std::span<float, 1>(&y, 1));
            most = std::max(most, std::abs(y));
            REQUIRE(std::isfinite(y));
        }
        CHECK(most < 100);
    }
}
