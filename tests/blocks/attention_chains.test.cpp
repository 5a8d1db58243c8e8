// SPDX-License-Identifier: BSD-3-Clause
// Policies of attention that become each other: outputs and gradients of the input are the same.
#include "harness.hpp"

#include <map>

using namespace inlay;

namespace {
constexpr int T = 9, D = 8;
using Parameters = std::map<std::string, reference::Matrix>;

double drawn(std::string const& name, int r, int i) {
    return 0.8 * Key{std::uint64_t(name[0])}.normal(std::uint64_t(r), std::uint64_t(i));
}
struct Answer {
    std::vector<double> y, dx;
};
/// The same numbers wherever a name is that of attention; what a policy adds is set by `more`.
template <class Spec> Answer answer(Parameters const& more = {}) {
    using H = test::Harness<Spec, Sequence<T, D>, double, native_lanes<double>, 1>;
    auto h = std::make_unique<H>();
    H::each_parameter(h->params, [&](std::string const& path, auto ref) {
        std::string const name = path.substr(path.find_first_of("abcdefghijklmnopqrstuvwxyz"));
        auto const own = more.find(name);
        for (int r = 0; r < ref.rows; ++r)
            for (int i = 0; i < ref.width; ++i)
                ref(r, i) = own != more.end() ? own->second(r, i) : drawn(name, r, i);
    });
    h->engine.seed(3);
    h->randomize();
    h->forward();
    h->backward();
    Answer a;
    for (int t = 0; t < T; ++t)
        for (int i = 0; i < D; ++i) a.y.push_back(h->y()(0, t)[i]), a.dx.push_back(h->dx()(0, t)[i]);
    return a;
}
reference::Matrix all(int rows, int width, double x) {
    return {rows, width, std::vector<double>(std::size_t(rows * width), x)};
}
void same(Answer const& a, Answer const& b, double tolerance = 1e-12) {
    for (std::size_t i = 0; i < a.y.size(); ++i) {
        CHECK(std::abs(a.y[i] - b.y[i]) <= tolerance * (1 + std::abs(b.y[i])));
        CHECK(std::abs(a.dx[i] - b.dx[i]) <= tolerance * (1 + std::abs(b.dx[i])));
    }
}
bool differ(Answer const& a, Answer const& b) {
    double most = 0;
    for (std::size_t i = 0; i < a.y.size(); ++i) most = std::max(most, std::abs(a.y[i] - b.y[i]));
    return most > 1e-3;
}
template <class... P> using Two = SoftmaxAttn<Heads<2>, P...>;
} // namespace

TEST_CASE("policies that come to nothing") {
    Answer const plain = answer<Two<>>();
    same(answer<Two<Window<T>>>(), plain);
    same(answer<Two<BlockWindow<T, 0>>>(), plain);
    same(answer<Two<Window<1>, Sinks<T>>>(), plain);
    same(answer<Two<Softcap<1'000'000>>>(), plain, 1e-9);
    same(answer<Two<SinkLogit>>({{"sink", all(1, 2, -1e3)}}), plain);
    same(answer<Two<LearnedAlibi>>({{"slopes", all(1, 2, 0)}}), plain);
    same(answer<Two<Forgetting>>({{"forget.weight", all(2, D, 0)}, {"forget.bias", all(1, 2, 60)}}), plain);
    reference::Matrix twice = all(D, D, 0); // half of it is let through
    for (int r = 0; r < D; ++r)
        for (int i = 0; i < D; ++i) twice.data[std::size_t(r * D + i)] = 2 * drawn("o.weight", r, i);
    same(answer<Two<OutputGate<Headwise>>>({{"gate.weight", all(2, D, 0)}, {"o.weight", twice}}), plain);
}
TEST_CASE("policies that are each other's cases") {
    Answer const plain = answer<Two<>>(), one = answer<Two<OffByOne>>();
    CHECK(differ(plain, one));
    same(answer<Two<SinkLogit>>({{"sink", all(1, 2, 0)}}), one);
    same(answer<Two<SinkKeys<1>>>({{"sink_key", all(2, 4, 0)}, {"sink_value", all(2, 4, 0)}}), one);
    Answer const slopes = answer<Two<Alibi>>();
    CHECK(differ(plain, slopes));
    reference::Matrix own = all(1, 2, 0);
    own.data = {1.0 / 16, 1.0 / 256};
    same(answer<Two<LearnedAlibi>>({{"slopes", own}}), slopes);
}
TEST_CASE("streams that are the input's") {
    Answer const plain = answer<Stack<Tanh, Two<>>>();
    same(answer<Keep<"e", Tanh, Two<ScoredBy<StaticEmbQK<"e">>>>>(), plain);
    same(answer<Keep<"e", Tanh, FixedStream<"e", Two<ScoredBy<FixedSeqQK>>>>>(), plain);
    same(answer<Keep<"e", Tanh, FixedStream<"e", Two<>>>>(), plain); // each stream by itself
    CHECK(differ(answer<Let<"e", Tanh, FixedStream<"e", Two<ScoredBy<FixedSeqQK>>>>>(), answer<Two<>>()));
}
