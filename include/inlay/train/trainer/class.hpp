// SPDX-License-Identifier: BSD-3-Clause
// What a Trainer is; what it does stands in the other trainer_*.hpp.
#pragma once

#include <inlay/core/executor.hpp>
#include <inlay/model/network.hpp>
#include <inlay/train/average.hpp>
#include <inlay/train/carried_states.hpp>
#include <inlay/train/data_problem.hpp>
#include <inlay/train/event.hpp>
#include <inlay/train/first_bad.hpp>
#include <inlay/train/fit_options.hpp>
#include <inlay/train/gradients.hpp>
#include <inlay/train/progress.hpp>
#include <inlay/train/staging_numbers.hpp>
#include <inlay/train/staging_tokens.hpp>
#include <inlay/train/train_options.hpp>

#include <limits>
#include <numeric>

namespace inlay::inline INLAY_ISA {

namespace detail {
struct Checkpoint;
/// How far a fit has come.
struct FitState {
    bool open = false;          // begun, and not at its end
    int epochs = 0;             // whole ones
    std::uint64_t steps = 0;    // done
    std::uint64_t rows = 0;     // done
    std::uint64_t at = 0;       // rows of the epoch done
    std::uint64_t of = 0;       // rows of an epoch
    std::uint64_t skipped = 0;  // steps
    std::uint64_t judged = 0;   // the step of the last validation
    double loss = 0, count = 0; // of the epoch, summed
    double last_loss = std::numeric_limits<double>::quiet_NaN();
    double validation = std::numeric_limits<double>::quiet_NaN();
    double best = std::numeric_limits<double>::infinity();
    int worse = 0; // validations since the best
    bool kept = false;

    double mean() const noexcept { return count > 0 ? loss / count : 0; }
};
} // namespace detail

/// Trains a network: `Trainer<Model, Loss, Batch<128>, AdamW>(net, {.learning_rate = 1e-3f})`, or with rules
/// `Optimize<On<Cross, Ftrl>, Otherwise<AdaGrad>>`. The loss is the mean over the valid targets of a batch. A
/// batch is cut into fixed shards whose gradients are summed in a fixed tree, so results do not depend on the
/// executor. Everything is allocated at construction, or once at the start of a fit; steps allocate nothing.
/// The network may be moved meanwhile; it must outlive the trainer.
template <class M, class Loss, class B, class Opt, class Exec = Serial> class Trainer {
    static_assert(detail::runs_pieces<Exec>{}, "inlay: a Trainer's last argument is an Executor");

public:
    using Model = M;
    using R = typename M::Scalar;
    using T = typename M::T;
    using Block = typename M::Block;
    using Input = typename M::Input;
    using Output = typename M::Output;
    using Rules = typename detail::RulesOf<Opt>::type;
    static constexpr int shards = std::min(8, B::rows), shard_rows = (B::rows + shards - 1) / shards;
    static constexpr int targets = Loss::targets(Output::width) * Output::rows; ///< of a row

    /// Throws Error when a rule matches no parameter, no rule matches one, FTRL would move a dense one, or an
    /// option is out of its range.
    explicit Trainer(Network<M>& net, TrainOptions<Opt> options = {}, Exec exec = {})
        : params_(&net.params()), options_(checked(std::move(options))), exec_(std::move(exec)),
          parameters_(*params_, options_.optimizers()), gradients_(shards, options_.accumulate),
          average_(options_.average, *params_, parameters_.list()) {
        reset();
    }

    /// Runs over the rows, or over Streams with the state carried from window to window. A second fit starts
    /// afresh, from the weights there are, unless it resumes. Throws
    /// Error for rows that do not fit together, targets that the loss cannot use, options that contradict
    /// each other, and a loss that is no longer finite, which names the block that was the first to give such
    /// numbers; the weights are then those before the step.
    template <class Data>
    FitReport fit(Data const& data, FitOptions<std::type_identity_t<Data>> const& options = {}) {
        using Problem = detail::DataProblem<fit_of_a_trainer, M, Data>;
        static_assert(Says<Problem>{}, "inlay: the data set does not go with the model");
        if constexpr (detail::fits<Problem>) return fit_rows(data, options);
        else return {};
    }

    /// One step on the rows of `data` at `index`, at most B, times the batches that make a step: the loss
    /// before it. The weights stay where no target counts. `total_steps` is for a schedule without a total.
    /// Of Streams, stream i reads the row index[i]: from the state that it left in the last step where that
    /// was on the row before, otherwise from a fresh one.
    template <class Data>
    double step(Data const& data, std::span<std::uint32_t const> index, std::uint64_t total_steps = 0);

    /// One event: a record's row, or the numbers of a vector or a whole sequence.
    using Event = typename detail::EventOf<Input>::type;
    /// A row's targets, or one number where that is all a row has.
    using Wanted = detail::EventTargets<targets>;

    /// A step on one event, for models that learn as events arrive: the loss before it. No allocation; with
    /// `Batch<1>` the least there is to do. Throws Error for an id that is not of its field, a target that
    /// the loss cannot use and a loss that is not finite.
    double update(Event const& event, Wanted target, float weight = 1, std::uint64_t total_steps = 0)
        requires(!is_ids<Input>);

    /// The mean loss over a data set, without training. Streams, one for each row of a Batch, begin fresh.
    template <class Data> double loss(Data const& data, std::span<std::uint32_t const> index);

    /// The average of the weights in the network's place, for as long as what it returns lives:
    /// `{ auto const swapped = trainer.averaged(); save(net, "average.safetensors"); }`. Before the first
    /// step they are the weights. Throws Error unless `TrainOptions::average` asks for one.
    Averaged<M> averaged() {
        if (!average_)
            detail::fail(Error("", "Trainer::averaged", "a decay as TrainOptions::average", "none"));
        return {average_, *params_};
    }

    std::vector<detail::Parameter<T>> const& parameters() const noexcept { return parameters_.list(); }
    std::uint64_t steps() const noexcept { return step_; }

private:
    friend struct detail::Checkpoint;
    using Tape = typename Block::template Tape<shard_rows>;
    using Staging = detail::Staging<Input, R, shard_rows>;
    struct Worker {
        detail::AlignedBytes memory;
        Tape* tape;
        T *y, *dy;
        Scratch scratch;
    };
    static_assert(Says<LossFit<Loss, Output>>{}, "inlay: the loss does not fit");
    static constexpr std::size_t output_bytes = detail::bytes<Output, R>(shard_rows);
    // The loss has the scratch to itself, between forward and backward.
    static constexpr std::size_t scratch_bytes =
        std::max(Block::scratch(shard_rows), detail::loss_scratch<Loss, In<Output, R>>(shard_rows));
    static constexpr int rows_of(std::size_t rows, int shard) {
        return std::min(shard_rows, int(rows) - shard * shard_rows);
    }
    static auto rule_names() { return decltype(parameters_)::rule_names(); }
    static constexpr int shards_of(std::size_t rows) { return (int(rows) + shard_rows - 1) / shard_rows; }
    static TrainOptions<Opt> checked(TrainOptions<Opt> options) {
        detail::check_options(options.clip, options.accumulate, options.average);
        return options;
    }
    std::size_t step_rows() const noexcept { return std::size_t(B::rows) * std::size_t(options_.accumulate); }

    void reset();
    template <class Data> void expect(Data const& data) const;
    template <class Data> void expect(Data const& data, std::span<std::uint32_t const> index) const;
    template <class Data> double stage(Data const& data, std::span<std::uint32_t const> index);
    double weigh(int shard, int rows, std::uint32_t const* index);
    Out<Output, R> output_of(int shard, T* y) const noexcept {
        return {y, detail::lengths_of<Block, Input, R>(staging_[std::size_t(shard)].input())};
    }
    template <bool Train>
    double run(std::size_t rows, double scale, std::int64_t first, bool fresh,
               detail::CarriedRows const& carried = {});
    std::size_t apply(int active, int pieces, std::uint64_t total_steps);
    double rate(std::uint64_t total_steps) const;
    template <class Data>
    double measure(Data const& data, std::span<std::uint32_t const> index,
                   std::span<NamedMetric const> metrics, std::vector<MetricValue>& values);
    void begin_fit(bool resume, std::size_t rows);
    bool judge_epoch(double validation, bool keep);
    bool end_fit();
    template <class Data> FitReport fit_rows(Data const& data, FitOptions<Data> const& options);
    void make_room(std::size_t rows);
    void keep_logits(int shard, In<Output, R> y, int rows) noexcept;
    void blame(std::size_t rows, std::uint32_t const* index, std::int64_t first,
               detail::CarriedRows const& carried = {}, bool gradient = false);
    [[noreturn]] void blame_gradient(std::size_t tensor) const;
    Context<> context(int rows, std::int64_t first, bool train,
                      detail::CarriedRows const& carried) const noexcept {
        return {.rows = rows,
                .capacity = shard_rows,
                .first_row = first,
                .position = carried.position,
                .depth = M::depth,
                .training = train,
                .key = Key{options_.seed.value}.fold(0x747261696E),
                .step = step_,
                .carry = carried.carry};
    }

    typename M::Params* params_;
    TrainOptions<Opt> options_;
    Exec exec_;
    detail::ParameterList<M, Rules> parameters_;
    detail::Gradients<M, shard_rows> gradients_;
    detail::Average<M> average_;
    detail::CarriedStates<M> carried_, judged_; // of the streams trained on, and of those validated on
    std::vector<Worker> workers_;
    std::vector<Staging> staging_;
    std::vector<double> shard_loss_;
    std::vector<std::size_t> first_token_; // of each shard, among the predictions
    Predictions* predictions_ = nullptr;   // wanted from a run without training
    double count_ = 0, norm_ = 0;          // of the last step
    std::uint64_t step_ = 0, epoch_ = 0;   // done, also by the fits that this one resumes
    std::int64_t seen_ = 0;                // rows before the step: what noise is drawn by
    detail::FitState fit_;
    detail::AlignedBytes best_; // weights
};

} // namespace inlay::inline INLAY_ISA
