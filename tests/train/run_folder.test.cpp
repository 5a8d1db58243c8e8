// SPDX-License-Identifier: BSD-3-Clause
#include "../data/file.hpp"
#include "fixtures.hpp"

#include <inlay/train/run_folder.hpp>

#include <doctest/doctest.h>

#include <csignal>
#include <random>
#include <sys/wait.h>
#include <unistd.h>

using namespace inlay;
using namespace fixtures;

namespace {

using Noisy = Model<Visit, Sum<Cross<Hashed<64>, Each, Of<"a", "b">>,
                               Stack<Embed<4>, Flatten, Dense<9>, Relu, Dropout<0.2>, Dense<1>>>>;
using Learner = Trainer<Noisy, BinaryCrossEntropy, Batch<16>, Mixed>;
TrainOptions<Mixed> const training{.schedule = Cosine{.warmup = 3},
                                   .optimizer = {Ftrl{.alpha = 0.2}, Sgd{0.1, 0.9}, AdaGrad{}},
                                   .seed = Seed{5},
                                   .clip = {.norm = 1},
                                   .average = 0.9};

std::vector<std::string> lines(std::string const& path) {
    std::ifstream stream(path);
    std::vector<std::string> all;
    for (std::string line; std::getline(stream, line);) all.push_back(line);
    return all;
}
/// What a program would do that is started again after each time it was killed.
FitReport program(std::string const& folder, Network<Noisy>& net, std::uint64_t every,
                  std::function<void(StepEvent&)> on_step = {}) {
    auto const rows = Rows<Visit>::random(150, Seed{7});
    Learner trainer(net, training);
    auto run = RunFolder(trainer, folder, {.every = every, .keep = 2});
    return trainer.fit(rows, {.epochs = 5,
                              .validation = 0.2,
                              .metrics = metrics<Auc, LogLoss>,
                              .validate_every = 5,
                              .patience = 6,
                              .on_step = on_step,
                              .resume = true,
                              .run = &run});
}
/// Behind each epoch of 8 steps, and after every fifth.
std::size_t validations(FitReport const& report) { return std::size_t(report.epochs) + report.steps / 5; }
/// Without the column of seconds, which no two runs share.
std::vector<std::string> untimed(std::string const& path) {
    auto all = lines(path);
    for (auto& line : all) line.resize(line.rfind(path.ends_with("jsonl") ? ",\"seconds\"" : ","));
    return all;
}

} // namespace

TEST_CASE("killed at any step and started again, a program ends with the same bits and the same logs") {
    File const whole_folder;
    std::string const uninterrupted = whole_folder.folder / "run";
    Network<Noisy> whole(Seed{1});
    auto const expected = program(uninterrupted, whole, 4);
    REQUIRE(expected.steps >= 24);
    std::mt19937 random(11);
    for (int trial = 0; trial < 20; ++trial) {
        File const file;
        std::string const folder = file.folder / "run";
        std::uint64_t const kills[] = {1 + random() % expected.steps, 1 + random() % expected.steps};
        std::uint64_t const every = trial % 3 ? 1 + random() % 7 : 0;
        CAPTURE(kills[0]);
        CAPTURE(every);
        for (std::uint64_t const kill : kills) { // a second time where the first restart gets there
            pid_t const child = fork();
            REQUIRE(child >= 0);
            if (child == 0) {
                Network<Noisy> net(Seed{1});
                program(folder, net, every, [&](StepEvent const& e) {
                    if (e.step == kill) raise(SIGKILL);
                });
                _exit(0);
            }
            int status = 0;
            waitpid(child, &status, 0);
            CHECK((WIFSIGNALED(status) || WIFEXITED(status)));
        }
        Network<Noisy> net(Seed{1});
        auto const report = program(folder, net, every);
        CHECK(same(whole, net));
        CHECK(report.steps == expected.steps);
        CHECK(report.loss == expected.loss);
        CHECK(report.validation == expected.validation);
        CHECK(report.metric("Auc") == expected.metric("Auc"));
        for (char const* log : {"steps.csv", "epochs.csv", "log.jsonl"})
            CHECK(untimed(folder + "/" + log) == untimed(uninterrupted + "/" + log));
    }
}

TEST_CASE("killed at any moment, also while it writes") {
    File const whole_folder;
    Network<Noisy> whole(Seed{1});
    program(whole_folder.folder / "run", whole, 1);
    for (int trial = 0; trial < 10; ++trial) {
        File const file;
        std::string const folder = file.folder / "run";
        for (int round = 0; round < 3; ++round) {
            pid_t const child = fork();
            REQUIRE(child >= 0);
            if (child == 0) {
                Network<Noisy> net(Seed{1});
                program(folder, net, 1);
                _exit(0);
            }
            usleep(unsigned(500 + 3000 * trial));
            kill(child, SIGKILL);
            int status = 0;
            waitpid(child, &status, 0);
        }
        Network<Noisy> net(Seed{1});
        program(folder, net, 1);
        CHECK(same(whole, net));
        for (auto const& entry : std::filesystem::recursive_directory_iterator(folder))
            CHECK(entry.path().string().find(".partial") == std::string::npos);
    }
}

TEST_CASE("what a run folder holds") {
    File const file;
    std::string const folder = file.folder / "run";
    Network<Noisy> net(Seed{1});
    auto const report = program(folder, net, 10);

    auto const config = detail::parse_json(lines(folder + "/config.json").at(0), "config.json", "");
    CHECK(*config.find("loss")->get<std::string>() == "BinaryCrossEntropy");
    CHECK(config.find("parameters")->number() == double(Noisy::parameters));
    CHECK(config.find("clip_norm")->number() == 1.0);
    CHECK(detail::to_json(*config.find("schedule")) == "[\"Cosine\",3,0,0]");
    CHECK(detail::to_json(*config.find("optimizers")).starts_with("[[\"Ftrl\",0.2,"));
    CHECK(detail::to_json(*config.find("optimizers")).find("[\"Sgd\",0.1,0.9,false,0,0]") !=
          std::string::npos);
    CHECK(detail::to_json(*config.find("rules")).find("OnName<") != std::string::npos);
    CHECK(lines(folder + "/model.txt").size() > 5);

    auto const steps = lines(folder + "/steps.csv"), epochs = lines(folder + "/epochs.csv"),
               both = lines(folder + "/log.jsonl");
    CHECK(steps.size() == report.steps + 1);
    CHECK(steps[0] == "step,epoch,rows,loss,rate,norm,seconds");
    CHECK(steps[3].starts_with("3,1,48,"));
    CHECK(epochs.size() == validations(report) + 1);
    CHECK(epochs[0] == "step,epoch,epoch_loss,validation,Auc,LogLoss,seconds");
    CHECK(both.size() == report.steps + validations(report));
    for (auto const& line : both) {
        auto const json = detail::parse_json(line, "log.jsonl", "");
        CHECK(json.find("step")->number() >= 1);
        CHECK((json.find("validation") != nullptr) == (json.find("loss") == nullptr));
    }

    std::vector<std::string> kept;
    for (auto const& entry : std::filesystem::directory_iterator(folder + "/checkpoints"))
        kept.push_back(entry.path().filename().string());
    CHECK(kept.size() == 2);
    Network<Noisy> best(Seed{2}), last(Seed{2});
    load(best, folder + "/best.safetensors");
    load(last, folder + "/weights.safetensors");
    CHECK(same(best, net)); // patience puts the best back
    CHECK(same(last, net));
}

TEST_CASE("the events of a run are TensorBoard's records, one for each line") {
    File const file;
    std::string const folder = file.folder / "run";
    Network<Noisy> net(Seed{1});
    auto const report = program(folder, net, 10);
    std::string bytes;
    for (auto const& entry : std::filesystem::directory_iterator(folder))
        if (entry.path().filename().string().starts_with("events.out.tfevents.")) {
            std::ifstream stream(entry.path(), std::ios::binary);
            bytes.assign(std::istreambuf_iterator<char>(stream), {});
        }
    std::size_t records = 0, losses = 0;
    for (std::size_t at = 0; at < bytes.size(); ++records) {
        REQUIRE(at + 16 <= bytes.size());
        auto const* p = reinterpret_cast<std::byte const*>(bytes.data() + at);
        auto const size = std::size_t(detail::load_little<std::uint64_t>(p));
        REQUIRE(at + 16 + size <= bytes.size());
        std::string again;
        detail::append_record(again, std::string_view(bytes).substr(at + 12, size));
        CHECK(again == bytes.substr(at, 16 + size));
        losses += bytes.substr(at, 16 + size).find("validation/LogLoss") != std::string::npos;
        at += 16 + size;
    }
    CHECK(records == 1 + report.steps + validations(report));
    CHECK(losses == validations(report));
}

TEST_CASE("runs do not mix") {
    File const file;
    std::string const folder = file.folder / "run";
    auto const rows = Rows<Visit>::random(50, Seed{7});
    Network<Noisy> net(Seed{1}), again(Seed{1});
    Learner trainer(net, training), other(again, training);
    auto run = RunFolder(trainer, folder);
    trainer.fit(rows, {.run = &run});
    CHECK(words([&] { trainer.fit(rows, {.run = &run}); }) ==
          "inlay: " + folder + ": expected an empty folder, .resume or .overwrite, found an earlier run");
    CHECK(words([&] { RunFolder(trainer, folder, {.keep = 0}); }) ==
          "inlay: " + folder + ": RunOptions, keep: expected 1 or more, found 0");
    std::ofstream(folder + "/notes.txt") << "mine";
    auto fresh = RunFolder(other, folder, {.overwrite = true});
    other.fit(rows, {.epochs = 2, .run = &fresh});
    CHECK(lines(folder + "/steps.csv").size() == 1 + 2 * 4);
    CHECK(fresh.checkpoints().size() == 2);
    CHECK(lines(folder + "/notes.txt").size() == 1);

    // In the same process too a fit goes on, and its steps are counted on.
    auto const report = other.fit(rows, {.resume = true, .run = &fresh});
    CHECK(report.steps == 4);
    CHECK(lines(folder + "/steps.csv").size() == 1 + 3 * 4);
    CHECK(lines(folder + "/steps.csv").back().starts_with("12,1,50,"));
    CHECK(words([&] {
              auto more = RunFolder(other, folder);
              other.fit(rows, {.validation = 0.5, .metrics = metrics<Auc>, .resume = true, .run = &more});
          }).find("epochs.csv: line 1: expected step,epoch,epoch_loss,validation,Auc,seconds, found ") !=
          std::string::npos);
}
