// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <inlay/io/tfevents.hpp>
#include <inlay/train/checkpoint.hpp>
#include <inlay/train/run_config.hpp>
#include <inlay/train/run_log.hpp>

#include <chrono>
#include <filesystem>
#include <functional>

namespace inlay::inline INLAY_ISA {

/// What a RunFolder keeps.
struct RunOptions {
    std::uint64_t every = 0;     ///< steps between checkpoints; 0: one behind each epoch and validation
    int keep = 3;                ///< checkpoints, the newest
    std::uint64_t log_every = 1; ///< steps between lines of steps
    bool tensorboard = true;     ///< also as a file of events
    bool overwrite = false;      ///< a fit that begins afresh may replace what an earlier one left
};

/// A folder in which a fit leaves what it was asked for and what came of it, and from which it can go on:
///
///     auto run = RunFolder(trainer, "runs/a", {.every = 500});
///     trainer.fit(rows, {.epochs = 3, .resume = true, .run = &run});
///
/// A program that is killed anywhere and started again ends with the same weights, bit by bit. The folder
/// gets `config.json`, `model.txt`, `steps.csv`, `epochs.csv`, `log.jsonl` with the lines of both,
/// `events.out.tfevents.*` for TensorBoard, `checkpoints/step-*.safetensors`, `best.safetensors` with the
/// weights of the lowest validation loss and, at the end, `weights.safetensors`. Steps are counted over all
/// fits that resume one another. The trainer stays where it is as long as the folder lives. Throws Error for
/// what cannot be written or read, and where a fit that does not resume would mix with an earlier one.
class RunFolder final : public FitFollower {
public:
    template <class M, class Loss, class B, class Opt, class Exec>
    RunFolder(Trainer<M, Loss, B, Opt, Exec>& trainer, std::string folder, RunOptions options = {})
        : folder_(std::move(folder)), options_(options), config_(detail::run_config(trainer)),
          model_(detail::model_text<M>()), steps_file_(in("steps.csv")), epochs_file_(in("epochs.csv")),
          lines_(in("log.jsonl")) {
        if (options.keep < 1)
            detail::fail(Error(folder_, "RunOptions, keep", "1 or more", std::to_string(options.keep)));
        if (options.log_every < 1) detail::fail(Error(folder_, "RunOptions, log_every", "1 or more", "0"));
        steps_ = [&trainer] { return trainer.steps(); };
        save_ = [&trainer](std::string const& path) { save(trainer, path); };
        load_ = [&trainer](std::string const& path) { load(trainer, path); };
        weights_ = [&trainer](std::string const& path) { detail::Checkpoint::save_weights(trainer, path); };
    }
    RunFolder(RunFolder const&) = delete;
    RunFolder& operator=(RunFolder const&) = delete;

    /// The checkpoints there are, oldest first.
    std::vector<std::string> checkpoints() const {
        std::vector<std::string> all;
        std::error_code none;
        for (auto const& entry : std::filesystem::directory_iterator(in("checkpoints"), none))
            if (std::string const name = entry.path().filename().string();
                name.starts_with("step-") && name.ends_with(".safetensors"))
                all.push_back(entry.path().string());
        std::ranges::sort(all, {}, step_of);
        return all;
    }

    void begin(bool resume) override {
        bool const used = std::filesystem::exists(in("config.json"));
        if (used && !resume && !options_.overwrite)
            detail::fail(Error(folder_, "", "an empty folder, .resume or .overwrite", "an earlier run"));
        if (used && !resume) clear();
        std::error_code error;
        std::filesystem::create_directories(in("checkpoints"), error);
        if (error) detail::fail(Error(in("checkpoints"), "", "to make this folder", error.message()));
        remove_torn();
        if (auto const all = checkpoints(); resume && !all.empty() && step_of(all.back()) != steps_())
            load_(all.back());
        write(in("config.json"), config_);
        write(in("model.txt"), model_);
        std::uint64_t const step = resume ? steps_() : 0;
        steps_file_.take_back(step);
        epochs_file_.take_back(step);
        lines_.take_back("{\"step\":", step);
        if (options_.tensorboard) open_events(used && resume, step);
    }
    void step(StepEvent const& e) override {
        if (steps_() % options_.log_every != 0) return;
        detail::LogNumber const line[] = {{"step", double(steps_())}, {"epoch", double(e.epoch)},
                                          {"rows", double(e.rows)},   {"loss", e.loss},
                                          {"rate", e.rate},           {"norm", e.norm},
                                          {"seconds", e.seconds}};
        steps_file_.append(line);
        lines_.append(detail::json_line(line) + "\n");
        add_event({{"train/loss", e.loss}, {"train/rate", e.rate}, {"train/norm", e.norm}});
    }
    void epoch(EpochEvent const& e) override {
        std::vector<detail::LogNumber> line{{"step", double(steps_())},
                                            {"epoch", double(e.epoch)},
                                            {"epoch_loss", e.loss},
                                            {"validation", e.validation}};
        std::vector<std::string> tags;
        for (auto const& m : e.metrics) {
            line.push_back({m.name, m.value});
            tags.push_back("validation/" + std::string(m.name));
        }
        line.push_back({"seconds", e.seconds});
        epochs_file_.append(line);
        lines_.append(detail::json_line(line) + "\n");
        std::vector<detail::Scalar> scalars{{"epoch/loss", e.loss}, {"validation/loss", e.validation}};
        for (std::size_t i = 0; i < tags.size(); ++i) scalars.push_back({tags[i], e.metrics[i].value});
        add_event(std::move(scalars));
    }
    void best() override { weights_(in("best.safetensors")); }
    void settle(bool validated, bool last) override {
        if (!last && (options_.every ? steps_() % options_.every != 0 : !validated)) return;
        flush(); // so that no line up to a checkpoint is missing from it on
        save_(in("checkpoints/" + name_of(steps_())));
        auto const all = checkpoints();
        for (std::size_t i = 0; i + std::size_t(options_.keep) < all.size(); ++i)
            std::filesystem::remove(all[i]);
    }
    void end(FitReport const&) override {
        flush();
        weights_(in("weights.safetensors"));
    }

private:
    std::string in(std::string const& name) const { return (std::filesystem::path(folder_) / name).string(); }
    static std::string name_of(std::uint64_t step) {
        std::string const digits = std::to_string(step);
        return "step-" + std::string(8 - std::min<std::size_t>(8, digits.size()), '0') + digits +
               ".safetensors";
    }
    static std::uint64_t step_of(std::string const& path) {
        std::string const digits = std::filesystem::path(path).stem().string().substr(5);
        std::uint64_t step = 0;
        std::from_chars(digits.data(), digits.data() + digits.size(), step);
        return step;
    }
    static void write(std::string const& path, std::string_view text) {
        detail::AtomicFile file(path);
        file.write(std::as_bytes(std::span(text)));
        file.commit();
    }
    /// Removes what runs leave, and nothing else.
    void clear() const {
        std::error_code none;
        for (auto const& path : checkpoints()) std::filesystem::remove(path, none);
        for (char const* name : {"steps.csv", "epochs.csv", "log.jsonl", "best.safetensors",
                                 "weights.safetensors", "config.json", "model.txt"})
            std::filesystem::remove(in(name), none);
        for (auto const& path : event_files()) std::filesystem::remove(path, none);
    }
    std::vector<std::string> event_files() const {
        std::vector<std::string> all;
        std::error_code none;
        for (auto const& entry : std::filesystem::directory_iterator(folder_, none))
            if (entry.path().filename().string().starts_with("events.out.tfevents."))
                all.push_back(entry.path().string());
        return all;
    }
    /// What a killed process was writing.
    void remove_torn() const {
        std::error_code none;
        for (auto const& folder : {folder_, in("checkpoints")})
            for (auto const& entry : std::filesystem::directory_iterator(folder, none))
                if (entry.path().filename().string().find(".partial") != std::string::npos)
                    std::filesystem::remove(entry.path(), none);
    }
    static double now() {
        return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
    }
    void open_events(bool again, std::uint64_t step) {
        std::string const name = "events.out.tfevents." + std::to_string(std::uint64_t(now())) + ".inlay.";
        int n = 0;
        while (std::filesystem::exists(in(name + std::to_string(n)))) ++n;
        events_ = detail::LogFile(in(name + std::to_string(n)));
        std::string records;
        detail::append_record(records, detail::first_event(now()));
        if (again) detail::append_record(records, detail::restart_event(now(), step));
        events_.append(records);
    }
    void add_event(std::vector<detail::Scalar> scalars) {
        if (!options_.tensorboard) return;
        std::erase_if(scalars, [](auto const& s) { return std::isnan(s.value); });
        std::string record;
        detail::append_record(record, detail::scalars_event(now(), steps_(), scalars));
        events_.append(record);
    }
    void flush() {
        steps_file_.flush();
        epochs_file_.flush();
        lines_.flush();
        events_.flush();
    }

    std::string folder_;
    RunOptions options_;
    std::string config_, model_;
    detail::CsvLog steps_file_, epochs_file_;
    detail::LogFile lines_, events_;
    std::function<std::uint64_t()> steps_;
    std::function<void(std::string const&)> save_, load_, weights_;
};

} // namespace inlay::inline INLAY_ISA
