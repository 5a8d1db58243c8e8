// SPDX-License-Identifier: BSD-3-Clause
// A loss that is not finite names what is to blame, and changes nothing.
#include "fixtures.hpp"

#include <doctest/doctest.h>

using namespace inlay;
using namespace fixtures;

namespace {

constexpr float inf = std::numeric_limits<float>::infinity();

/// The message of a fit over rows of which only row 13 has a number in its first place, so that only it meets
/// the huge weight planted in the parameter.
template <class M> std::string blamed(char const* parameter, float huge = 3e38f) {
    auto rows = Rows<Vector<3>>::random(20, Seed{1});
    for (std::size_t i = 0; i < 20; ++i) rows.input[3 * i] = i == 13 ? 100.0f : 0.0f;
    Network<M> net(Seed{1});
    bool planted = false;
    M::Block::visit(net.params(), Path{}, [&](auto, Path const& at, Kind, auto ref) {
        if (to_string(at) == parameter) planted = true, ref(0, 0) = huge;
    });
    REQUIRE(planted);
    Network<M> before(Seed{1});
    std::memcpy(&before.params(), &net.params(), sizeof(typename M::Params));
    Trainer<M, MeanSquaredError, Batch<16>, Adam> trainer(net);
    std::vector<std::uint32_t> index = first(20);
    index.erase(index.begin(), index.begin() + 4);
    auto const message = words([&] { trainer.step(rows, index); });
    CHECK(same(net, before));
    CHECK(trainer.steps() == 0);
    return message;
}
bool begins(std::string const& message, std::string const& start) {
    CAPTURE(message);
    CHECK(message.substr(0, start.size()) == start);
    return message.starts_with(start);
}

} // namespace

TEST_CASE("the first block that goes bad, at any depth, with the row of the data") {
    using Plain = Model<Vector<3>, Dense<4>, Relu, Dense<1>>;
    CHECK(begins(blamed<Plain>("0.weight"),
                 "inlay: step 1, block 0 (Dense<4>), row 13: expected finite numbers, found inf"));
    CHECK(begins(blamed<Plain>("2.bias", -inf), "inlay: step 1, parameter 2.bias: expected finite"));
    using Nested =
        Model<Vector<3>, Dense<3>, Residual<Relu, Stack<Named<"widen", Dense<5>>, Relu, Dense<3>>>, Dense<1>>;
    CHECK(begins(blamed<Nested>("0.weight"), "inlay: step 1, block 0 (Dense<3>), row 13"));
    CHECK(begins(blamed<Nested>("1.1.widen.weight"), "inlay: step 1, block 1.1.widen (Dense<5>), row "));
    using Again = Model<Vector<3>, Repeat<3, Dense<3>>, Dense<1>>;
    CHECK(begins(blamed<Again>("0.0.0.weight"), "inlay: step 1, block 0.0.0 (Dense<3>), row 13"));
    using Branches = Model<Vector<3>, Sum<Stack<Dense<2>, Tanh>, Dense<2>>, Dense<1>>;
    CHECK(begins(blamed<Branches>("0.1.weight"), "inlay: step 1, block 0.1 (Dense<2>), row 13"));
    using Side = Model<Vector<3>, Keep<"e", Dense<2>, Relu>, Concat<Dense<2>, Dense<1>>, Dense<1>>;
    CHECK(begins(blamed<Side>("0.e.weight"), "inlay: step 1, block 0.e (Dense<2>), row 13"));
    using Experts = Model<Vector<3>, Gate<Dense<2>, Dense<2>>, Dense<1>>;
    CHECK(begins(blamed<Experts>("0.gate.weight"), "inlay: step 1, block 0.gate (Dense<2>), row 13"));
}

TEST_CASE("inputs, fields and the loss itself are to blame where they are") {
    auto rows = line(20, 1);
    Network<Line> net(Seed{1});
    Trainer<Line, MeanSquaredError, Batch<16>, Sgd> trainer(net);
    rows.target[7] = inf;
    CHECK(words([&] { trainer.fit(rows, {.shuffle = false}); }) ==
          "inlay: step 1, the loss: expected finite numbers, found inf");
    rows.input[2 * 7 + 1] = -inf;
    CHECK(words([&] { trainer.fit(rows, {.shuffle = false}); }) ==
          "inlay: step 1, input, row 7: expected finite numbers, found -inf");

    auto visits = Rows<Visit>::random(40, Seed{5});
    get<1>(visits.row[38]).value = inf;
    Network<Ranker> ranker(Seed{1});
    Trainer<Ranker, BinaryCrossEntropy, Batch<16>, Mixed> learner(ranker);
    CHECK(words([&] { learner.fit(visits, {.shuffle = false}); }) ==
          "inlay: step 3, field x, row 38: expected finite numbers, found inf");
    CHECK(words([&] { learner.update(visits.row[38], 1); }) ==
          "inlay: step 3, field x: expected finite numbers, found inf");
}

TEST_CASE("an infinite number that gates saturate leaves the loss finite, and is blamed in its own step") {
    using Recur = Model<Sequence<8, 1>, Gru<4>, Dense<1>>;
    auto rows = Rows<Sequence<8, 1>>::random(16, Seed{6}, 8);
    rows.length.clear();
    rows.input[8 * 13 + 3] = inf;
    Network<Recur> net(Seed{1}), before(Seed{1});
    Trainer<Recur, MeanSquaredError, Batch<4>, Adam> trainer(net, {.accumulate = 2});
    CHECK(std::isfinite(trainer.loss(rows, first(16))));
    std::string const wanted = ", input, row 13, token 3: expected finite numbers, found inf";
    CHECK(words([&] { trainer.step(rows, std::vector<std::uint32_t>{1, 2, 3, 4, 5, 13, 6, 7}); }) ==
          "inlay: step 1" + wanted);
    CHECK(same(net, before));
    Streams const streams(rows);
    CHECK(words([&] { trainer.fit(streams); }).ends_with(wanted));
    CHECK(words([&] { trainer.fit(rows, {.shuffle = false}); }) == "inlay: step 2" + wanted);
    CHECK(!same(net, before)); // the first step was sound
    std::span<float const, 8> const event(rows.input.data() + 8 * 13, 8), target(rows.target.data(), 8);
    CHECK(words([&] {
              trainer.update(event, target);
          }).ends_with(", input, token 3: expected finite numbers, found inf"));
    Recur::Block::visit(net.params(), Path{}, [](auto, Path const&, Kind, auto ref) {
        for (std::size_t i = 0; i < ref.size(); ++i) CHECK(std::isfinite(ref.data[i]));
    });
    // A block that writes it, and a gradient that no row explains.
    rows.input[8 * 13 + 3] = 1e30f;
    using Scaled = Model<Sequence<8, 1>, Dense<2>, Gru<4>, Dense<1>>;
    Network<Scaled> scaled(Seed{1});
    get<0>(scaled.params()).weight[0][0] = 1e10f;
    Trainer<Scaled, MeanSquaredError, Batch<16>, Adam> other(scaled);
    CHECK(begins(words([&] { other.step(rows, first(16)); }),
                 "inlay: step 1, block 0 (Dense<2>), row 13, token 3: expected finite numbers, found"));
    auto steep = line(16, 1);
    steep.target[7] = 1e38f, steep.input[2 * 7] = 1e3f;
    Network<Line> straight(Seed{1}), untouched(Seed{1});
    Trainer<Line, MeanSquaredError, Batch<16>, Sgd> third(straight);
    CHECK(words([&] { third.step(steep, first(16)); }) ==
          "inlay: step 1, the gradient of 0.weight: expected finite numbers, found one that is not");
    CHECK(same(straight, untouched));
}

TEST_CASE("of several batches that make a step, the bad one") {
    auto rows = Rows<Visit>::random(32, Seed{5});
    using T = Trainer<Ranker, BinaryCrossEntropy, Batch<8>, Mixed>;
    Network<Ranker> net(Seed{1}), before(Seed{1}), other(Seed{1});
    T trainer(net, {.accumulate = 4}), fresh(other, {.accumulate = 4});
    get<1>(rows.row[20]).value = inf;
    CHECK(words([&] { trainer.step(rows, first(32)); }) ==
          "inlay: step 1, field x, row 20: expected finite numbers, found inf");
    CHECK(same(net, before));
    // What the failed step left behind is no part of the next.
    get<1>(rows.row[20]).value = 0;
    CHECK(trainer.step(rows, first(32)) == fresh.step(rows, first(32)));
    CHECK(same(net, other));
}
