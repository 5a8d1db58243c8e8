// SPDX-License-Identifier: BSD-3-Clause
// A trainer's file: what is in it, what goes on from it, what is refused.
#include "../data/file.hpp"
#include "fixtures.hpp"

#include <inlay/train/checkpoint.hpp>

#include <doctest/doctest.h>

using namespace inlay;
using namespace fixtures;

namespace {
using Noisy = Model<Visit, Sum<Cross<Hashed<64>, Each, Of<"a", "b">>,
                               Stack<Embed<4>, Flatten, Dense<9>, Relu, Dropout<0.2>, Dense<1>>>>;
using Learner = Trainer<Noisy, BinaryCrossEntropy, Batch<16>, Mixed>;
TrainOptions<Mixed> const training{
    .schedule = Cosine{.warmup = 3}, .seed = Seed{5}, .clip = {.norm = 1}, .accumulate = 2, .average = 0.9};
} // namespace

TEST_CASE("from any step of a fit it goes on bit by bit") {
    auto const rows = Rows<Visit>::random(150, Seed{7});
    FitOptions<Rows<Visit>> options{.epochs = 5, .validation = 0.2, .patience = 2};
    Network<Noisy> whole(Seed{1});
    Learner trainer(whole, training);
    File const folder;
    std::vector<std::string> files;
    options.on_step = [&](StepEvent const& e) {
        files.push_back((folder.folder / std::to_string(e.step)).string());
        save(trainer, files.back());
    };
    auto const expected = trainer.fit(rows, options);
    options.on_step = {};
    options.resume = true;
    REQUIRE(files.size() == expected.steps);
    CHECK(expected.epochs > 2);
    for (auto const& path : files) {
        CAPTURE(path);
        Network<Noisy> net(Seed{2});
        Learner other(net, training);
        load(other, path);
        auto const report = other.fit(rows, options);
        CHECK(same(whole, net));
        CHECK(report.steps == expected.steps);
        CHECK(report.epochs == expected.epochs);
        CHECK(report.loss == expected.loss);
        CHECK(report.validation == expected.validation);
        auto const a = trainer.averaged(), b = other.averaged();
        CHECK(same(whole, net));
    }
}

TEST_CASE("what a checkpoint holds, by name") {
    File const file;
    auto const rows = Rows<Visit>::random(60, Seed{7});
    Network<Noisy> net(Seed{1});
    Learner trainer(net, training);
    trainer.fit(rows, {.validation = 0.2, .patience = 2, .on_step = [](StepEvent& e) { e.stop = true; }});
    save(trainer, file.path);
    auto const saved = Safetensors::read(file.path);
    std::size_t parameters = 0;
    for (auto const& p : trainer.parameters()) {
        ++parameters;
        CHECK(saved.find("model." + p.name));
        CHECK(saved.find("average." + p.name));
        CHECK(!saved.find("best." + p.name)); // no epoch yet
        CHECK(saved.find("optimizer.0." + p.name));
    }
    CHECK(saved.find("optimizer.1.0.0.weight")); // of FTRL
    std::size_t tables = 0;
    for (auto const& p : trainer.parameters())
        if (p.kind == Kind::table) {
            ++tables;
            auto const* behind = saved.find("average_behind." + p.name);
            REQUIRE(behind);
            CHECK(behind->count() == std::size_t(p.ref.rows));
        }
    CHECK(tables == 4);
    CHECK(saved.tensors().size() == 3 * parameters + 1 + tables);
    auto const& state = saved.metadata().at("inlay.trainer");
    CHECK(state.find("\"optimizers\":[\"Ftrl\",\"Sgd\",\"AdaGrad\"]") != std::string::npos);
    CHECK(state.find("\"steps\":1,") != std::string::npos);
    CHECK(state.find("\"best\":\"inf\"") != std::string::npos);
}

TEST_CASE("numbers of every size and BatchNorm's statistics come back as they were") {
    using Normed = Model<Vector<3>, Dense<5>, BatchNorm, Relu, Dense<3>>::as<double>;
    using T = Trainer<Normed, CrossEntropy, Batch<16>, Adam>;
    File const file;
    auto const rows = classes(60);
    Network<Normed> net(Seed{1}), other(Seed{2});
    T a(net), b(other);
    a.fit(rows, {.epochs = 2});
    save(a, file.path);
    load(b, file.path);
    CHECK(same(net, other));
    CHECK(a.fit(rows, {.resume = true}).loss == b.fit(rows, {.resume = true}).loss);
    CHECK(same(net, other));
    CHECK(a.steps() == b.steps());
}

TEST_CASE("what does not belong to a trainer is refused, and changes nothing") {
    File const file;
    Network<Noisy> net(Seed{1}), other(Seed{2}), before(Seed{2});
    Learner trainer(net, training);
    trainer.fit(Rows<Visit>::random(60, Seed{7}));
    save(trainer, file.path);
    auto const refused = [&](auto t, std::string const& wanted) {
        std::string const message = words([&] { load(t, file.path); });
        CAPTURE(message);
        CHECK(message.starts_with("inlay: " + file.path + ": "));
        CHECK(message.find(wanted) != std::string::npos);
        CHECK(same(other, before));
        CHECK(t.steps() == 0);
    };
    auto options = training;
    options.seed = Seed{6};
    refused(Learner(other, options), "metadata inlay.trainer, seed: expected 6, found 5");
    options = training;
    options.accumulate = 3;
    refused(Learner(other, options), "metadata inlay.trainer, batch: expected 48, found 32");
    options = training;
    options.average = 0;
    refused(Learner(other, options), "average: expected none, as TrainOptions has none, found one");
    refused(Trainer<Noisy, BinaryCrossEntropy, Batch<32>, Adam>(other, {.seed = Seed{5}}),
            "optimizers: expected Adam, found Ftrl, Sgd, AdaGrad");
    using Wider =
        Model<Visit,
              Sum<Cross<Hashed<64>, Each, Of<"a", "b">>, Stack<Embed<5>, Flatten, Dense<9>, Relu, Dense<1>>>>;
    Network<Wider> wide(Seed{1});
    Trainer<Wider, BinaryCrossEntropy, Batch<16>, Mixed> wider(wide, training);
    auto const shapes = words([&] { load(wider, file.path); });
    CHECK(shapes.find("tensors: expected model.0.1.0.") != std::string::npos);
    CHECK(shapes.find("average.0.1.0.") != std::string::npos); // all of them at once
    save(net, file.path);
    refused(Learner(other, training), "metadata: expected a trainer's state under inlay.trainer, found none");
    std::ofstream(file.path) << "nothing";
    refused(Learner(other, training), "the 8 bytes of a header size");
}
