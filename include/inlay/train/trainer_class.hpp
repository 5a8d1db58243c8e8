// SPDX-License-Identifier: BSD-3-Clause
// What a Trainer is; what it does stands in trainer_steps.hpp and trainer_fit.hpp.
#pragma once

#include <inlay/core/executor.hpp>
#include <inlay/model/network.hpp>
#include <inlay/train/progress.hpp>
#include <inlay/train/reduce.hpp>
#include <inlay/train/staging_numbers.hpp>
#include <inlay/train/staging_tokens.hpp>

#include <limits>
#include <numeric>

namespace inlay::inline INLAY_ISA {

/// What a fit does with its data. Rows are shuffled anew for each epoch, by the Trainer's seed.
template <class Data> struct FitOptions {
    int epochs = 1;
    std::uint64_t steps = 0;        ///< where given, as many steps, over as many epochs as they take
    double validation = 0;          ///< this share of the rows, drawn by the seed, is held out
    Data const* validate = nullptr; ///< or these rows are
    int patience = 0; ///< stop after so many epochs without a better validation loss; keep the best weights
    bool shuffle = true;
    bool progress = false;
    bool resume = false; ///< go on where the last fit ended: optimizer, schedule, shuffles, noise
};
/// What came of it.
struct FitReport {
    int epochs = 0;
    std::uint64_t steps = 0;
    double loss = std::numeric_limits<double>::quiet_NaN();       ///< mean over the last epoch
    double validation = std::numeric_limits<double>::quiet_NaN(); ///< of the weights kept
    double seconds = 0;
};

/// Trains a network: `Trainer<Model, Loss, Batch<128>, AdamW>(net, {.learning_rate = 1e-3f})`, or with rules
/// `Optimize<On<Cross, Ftrl>, Otherwise<AdaGrad>>`. The loss is the mean over the valid targets of a batch. A
/// batch is cut into fixed shards whose gradients are summed in a fixed tree, so results do not depend on the
/// executor. Everything is allocated at construction, or once at the start of a fit; steps allocate nothing.
/// The network may be moved meanwhile; it must outlive the trainer.
template <class M, class Loss, class B, class Opt, class Exec = Serial> class Trainer {
public:
    using R = typename M::Scalar;
    using T = typename M::T;
    using Block = typename M::Block;
    using Input = typename M::Input;
    using Output = typename M::Output;
    using Rules = typename detail::RulesOf<Opt>::type;
    static constexpr int shards = std::min(8, B::rows), shard_rows = (B::rows + shards - 1) / shards;

    /// Throws Error when a rule matches no parameter, no rule matches one, or FTRL would move a dense one.
    explicit Trainer(Network<M>& net, TrainOptions<Opt> options = {}, Exec exec = {})
        : params_(&net.params()), options_(options), exec_(exec),
          parameters_(*params_, options.optimizers()) {
        reset();
    }

    /// Runs over the rows. A second fit starts afresh, from the weights there are, unless it resumes. Throws
    /// Error for rows that do not fit together, targets that the loss cannot use, options that contradict
    /// each other, and a loss that is no longer finite; the weights are then those before the step.
    template <class Data>
    FitReport fit(Data const& data, FitOptions<std::type_identity_t<Data>> const& options = {});

    /// One step on the rows of `data` at `index`, at most B: the loss before it. The weights stay where no
    /// target counts. `total_steps` is for a schedule without a total.
    template <class Data>
    double step(Data const& data, std::span<std::uint32_t const> index, std::uint64_t total_steps = 0);

    /// The mean loss over a data set, without training.
    template <class Data> double loss(Data const& data, std::span<std::uint32_t const> index);

    std::vector<detail::Parameter<T>> const& parameters() const noexcept { return parameters_.list(); }
    std::uint64_t steps() const noexcept { return step_; }

private:
    using Grads = typename Block::template Grads<shard_rows>;
    using Tape = typename Block::template Tape<shard_rows>;
    struct Worker {
        detail::AlignedBytes memory;
        Tape* tape;
        T *y, *dy;
        Scratch scratch;
    };
    static_assert(Says<LossFit<Loss, Output>>{}, "inlay: the loss does not fit");
    static constexpr int targets = Loss::targets(Output::width) * Output::rows; // of a row
    static constexpr std::size_t output_bytes = detail::bytes<Output, R>(shard_rows);
    // The loss has the scratch to itself, between forward and backward.
    static constexpr std::size_t scratch_bytes =
        std::max(Block::scratch(shard_rows), detail::loss_scratch<Loss, In<Output, R>>(shard_rows));

    void reset();
    template <class Data> void expect(Data const& data) const;
    template <class Data> void expect(Data const& data, std::span<std::uint32_t const> index) const;
    template <class Data>
    double run_shards(Data const& data, std::span<std::uint32_t const> index, bool train);
    void apply(int active, double count, std::uint64_t total_steps);
    Context<> context(int rows, std::int64_t first, bool train) const noexcept {
        return {.rows = rows,
                .capacity = shard_rows,
                .first_row = first,
                .depth = M::depth,
                .training = train,
                .key = Key{options_.seed.value}.fold(0x747261696E),
                .step = step_};
    }

    typename M::Params* params_;
    TrainOptions<Opt> options_;
    Exec exec_;
    detail::ParameterList<M, Rules> parameters_;
    std::vector<detail::AlignedBytes> grad_memory_;
    std::vector<std::vector<TensorRef<T>>> grads_;
    std::vector<Worker> workers_;
    std::vector<detail::Staging<Input, R, shard_rows>> staging_;
    std::vector<double> shard_loss_;
    std::vector<std::uint64_t> keys_;
    std::vector<T> sum_;
    double count_ = 0;
    std::uint64_t step_ = 0, epoch_ = 0; // done, also by the fits that this one resumes
    std::int64_t seen_ = 0;              // rows before the step: what noise is drawn by
};

} // namespace inlay::inline INLAY_ISA
