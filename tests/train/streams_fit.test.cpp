// SPDX-License-Identifier: BSD-3-Clause
// Fits over streams: the order they read in, executors, checkpoints, and what they refuse.
#include "../data/file.hpp"
#include "executors.hpp"
#include "fixtures.hpp"

#include <inlay/train/checkpoint.hpp>

#include <doctest/doctest.h>

using namespace inlay;
using namespace fixtures;

namespace {

using Text = Rows<Tokens<4, 7>>;
using Recur = Model<Tokens<4, 7>, Embed<5>, Residual<Gru<5>>, Dropout<0.1>, Dense<7>>;
template <class Exec = Serial> using Learner = Trainer<Recur, CrossEntropy, Batch<4>, Adam, Exec>;
TrainOptions<Adam> const twice{.seed = Seed{9}, .accumulate = 2};

} // namespace

TEST_CASE("a fit is a loop of steps over parts that are read side by side") {
    auto const text = Text::random(29, Seed{5});
    Streams const streams(text, {9, 2});
    Network<Recur> net(Seed{1}), loop(Seed{1}), rows(Seed{1}), one(Seed{1});
    Learner<> trainer(net, twice), by_hand(loop, twice);
    trainer.fit(streams, {.epochs = 2});
    for (int epoch = 0; epoch < 2; ++epoch)
        for (std::uint32_t n = 0; n < 4; ++n) { // eight parts, of four rows or, from the sixth on, three
            std::vector<std::uint32_t> index;
            for (std::uint32_t lane = 0; lane < (n < 3 ? 8u : 5u); ++lane)
                index.push_back(lane * 3 + std::min(lane, 5u) + n);
            by_hand.step(streams, index, 8);
        }
    CHECK(same(net, loop));
    Learner<>(rows, twice).fit(text, {.epochs = 2, .shuffle = false});
    CHECK(!same(net, rows));
    Streams const fresh(text, first(29)); // where each window begins a stream, it is a row like others
    Learner<> a(one, twice), b(loop, twice);
    loop.params() = one.params();
    auto const order = detail::side_by_side(29, 8);
    for (std::size_t at = 0; at < 29; at += 8) {
        auto const part = std::span(order).subspan(at, std::min<std::size_t>(8, 29 - at));
        CHECK(a.step(fresh, part, 4) == b.step(text, part, 4));
    }
    CHECK(same(one, loop));
}

TEST_CASE("streams give the same bits whatever the executor") {
    auto const text = Text::random(29, Seed{5});
    Streams const streams(text, {9});
    auto const fit = [&](auto exec) {
        Network<Recur> net(Seed{1});
        Trainer<Recur, CrossEntropy, Batch<4>, Adam, decltype(exec)> trainer(net, twice, exec);
        return std::pair(trainer.fit(streams, {.epochs = 2, .validate = &streams}).validation,
                         std::move(net));
    };
    auto const expected = fit(Serial{});
    for (int const n : {2, 3}) {
        CAPTURE(n);
        auto const threads = fit(executors::Threads{n}), shuffled = fit(executors::Shuffled{n});
        CHECK(same(expected.second, threads.second));
        CHECK(same(expected.second, shuffled.second));
        CHECK(expected.first == threads.first);
    }
}

TEST_CASE("from a checkpoint at any step streams go on bit by bit") {
    auto const text = Text::random(29, Seed{5});
    Streams const streams(text, {9});
    FitOptions<Streams<Text>> options{.epochs = 2, .validate = &streams, .validate_every = 3};
    File const folder;
    std::vector<std::string> files;
    Network<Recur> whole(Seed{1});
    Learner<> trainer(whole, twice);
    options.on_step = [&](StepEvent const& e) {
        files.push_back((folder.folder / std::to_string(e.step)).string());
        save(trainer, files.back());
    };
    trainer.fit(streams, options);
    REQUIRE(files.size() == 8);
    options.on_step = {};
    options.resume = true;
    for (auto const& path : files) {
        CAPTURE(path);
        Network<Recur> net(Seed{2});
        Learner<> other(net, twice);
        other.fit(streams); // leaves states that must not matter
        load(other, path);
        other.fit(streams, options);
        CHECK(same(whole, net));
    }
    CHECK(Safetensors::read(files[0]).find("carried.state")->shape ==
          std::vector<std::uint64_t>{8, sizeof(Recur::Block::State)});

    auto const held = Safetensors::read(files[0]);
    for (auto const& [name, number] : {std::pair{"carried.position", 4}, std::pair{"carried.next", 1}}) {
        auto const* const tensor = held.find(name); // of the first stream, behind its first window
        REQUIRE(tensor);
        CHECK(tensor->dtype == DType::I64);
        CHECK(tensor->shape == std::vector<std::uint64_t>{8, 1});
        for (std::size_t i = 0; i < 8; ++i)
            CHECK(std::to_integer<int>(tensor->bytes[i]) == (i == 0 ? number : 0));
    }

    using Wider = Model<Tokens<4, 7>, Embed<5>, Stack<Gru<40, NoBias>, Dense<5>>, Dense<7>>;
    static_assert(sizeof(Wider::Block::State) != sizeof(Recur::Block::State));
    Network<Wider> wide(Seed{1});
    Trainer<Wider, CrossEntropy, Batch<4>, Adam> wider(wide, twice);
    auto const message = words([&] { load(wider, files[0]); });
    CAPTURE(message);
    CHECK(message.find("carried.state [8, ") != std::string::npos);

    std::string const other_build = (folder.folder / "other").string();
    auto const file = Safetensors::read(files[0]);
    std::vector<TensorSource> sources;
    for (auto const& t : file.tensors())
        sources.push_back({t.name, t.dtype, t.shape,
                           [&t](std::byte* to) { std::copy(t.bytes.begin(), t.bytes.end(), to); }});
    auto metadata = file.metadata();
    CHECK(metadata.at("inlay.state").starts_with("32 bits in "));
    metadata["inlay.state"] = "32 bits in 3 lanes";
    write_safetensors(other_build, sources, metadata);
    Network<Recur> net(Seed{1}), untouched(Seed{1});
    Learner<> stopped(net, twice);
    CHECK(words([&] { load(stopped, other_build); }).find(", found 32 bits in 3 lanes") != std::string::npos);
    CHECK(same(net, untouched));

    // One that a callback stops goes on without a file.
    options.on_step = [](StepEvent& e) { e.stop = e.step == 3; };
    CHECK(stopped.fit(streams, options).stopped);
    options.on_step = {};
    stopped.fit(streams, options);
    CHECK(same(whole, net));
}

TEST_CASE("what streams cannot do, they say") {
    auto const text = Text::random(29, Seed{5}), few = Text::random(15, Seed{5});
    Streams const streams(text), beyond(text, {3, 29}), short_ones(few);
    Network<Recur> net(Seed{1}), before(Seed{1});
    Learner<> trainer(net, twice);
    CHECK(words([&] { trainer.fit(streams, {.validation = 0.1}); }) ==
          "inlay: FitOptions, validation: expected other Streams as .validate, since rows in order leave no "
          "gaps, found 0.100000");
    CHECK(words([&] { trainer.fit(beyond); }) == "inlay: Streams, begins: expected rows below 29, found 29");
    CHECK(words([&] { trainer.fit(short_ones); }) ==
          "inlay: fit of Streams: expected at least 16 rows, two for each of the 8 of a step, found 15");
    auto bad = text;
    bad.id[5] = 7;
    CHECK(words([&] { trainer.fit(Streams(bad)); }).find("Rows::id, position 5") != std::string::npos);
    CHECK(same(net, before));
}

TEST_CASE("sequences of numbers are streams, too, and a number that is not finite is found behind a state") {
    using Sound = Model<Sequence<8, 1>, Gru<4>, Dense<1>>;
    auto rows = Rows<Sequence<8, 1>>::random(8, Seed{6}, 8);
    rows.length.clear();
    for (std::size_t i = 8; i < rows.input.size(); ++i)
        rows.target[i] = rows.input[i - 8]; // of the window before
    Streams const streams(rows);
    Network<Sound> net(Seed{1}), blind(Seed{1});
    Trainer<Sound, MeanSquaredError, Batch<2>, Adam> trainer(net);
    trainer.fit(streams, {.epochs = 2});
    Trainer<Sound, MeanSquaredError, Batch<2>, Adam>(blind).fit(rows, {.epochs = 2, .shuffle = false});
    CHECK(!same(net, blind));
    rows.input[8 * 5 + 3] = std::numeric_limits<float>::quiet_NaN();
    CHECK(words([&] {
              trainer.fit(streams);
          }).starts_with("inlay: step 2, input, row 5, token 3: expected finite"));
}
