// SPDX-License-Identifier: BSD-3-Clause
// The bodies of Trainer: losses and metrics without training.
#pragma once

#include <inlay/train/trainer/class.hpp>

namespace inlay::inline INLAY_ISA {

template <class M, class Loss, class B, class Opt, class Exec>
template <class Data>
double Trainer<M, Loss, B, Opt, Exec>::loss(Data const& data, std::span<std::uint32_t const> index) {
    using Problem = detail::DataProblem<fit_of_a_trainer, M, Data>;
    static_assert(Says<Problem>{}, "inlay: the data set does not go with the model");
    expect(data, index);
    constexpr bool carries = detail::carries_state<Data>;
    if constexpr (carries) judged_.make_room(B::rows), judged_.forget();
    double sum = 0, weight = 0;
    for (std::size_t at = 0; at < index.size(); at += std::size_t(B::rows)) {
        auto const part = index.subspan(at, std::min(std::size_t(B::rows), index.size() - at));
        double const count = stage(data, part);
        if (predictions_) make_room(part.size());
        detail::CarriedRows carried;
        if constexpr (carries) judged_.begin(data, part), carried = judged_.rows(0);
        sum += run<false>(part.size(), count > 0 ? 1 / count : 0, 0, true, carried) * count;
        if constexpr (carries) judged_.end(data, part);
        weight += count;
    }
    return weight > 0 ? sum / weight : 0;
}

/// Loss and metrics of rows.
template <class M, class Loss, class B, class Opt, class Exec>
template <class Data>
double Trainer<M, Loss, B, Opt, Exec>::measure(Data const& data, std::span<std::uint32_t const> index,
                                               std::span<NamedMetric const> metrics,
                                               std::vector<MetricValue>& values) {
    if (metrics.empty()) return loss(data, index);
    Predictions all;
    all.width = Output::width;
    all.targets = targets / Output::rows;
    predictions_ = &all;
    double const mean = loss(data, index);
    predictions_ = nullptr;
    for (std::size_t i = 0; i < metrics.size(); ++i) values[i].value = metrics[i].of(all);
    return mean;
}

/// Room for the logits of the batch laid out, shard behind shard, and its targets.
template <class M, class Loss, class B, class Opt, class Exec>
void Trainer<M, Loss, B, Opt, Exec>::make_room(std::size_t rows) {
    constexpr int each = targets / Output::rows;
    for (int k = 0; k < shards_of(rows); ++k) {
        first_token_[std::size_t(k)] = predictions_->target.size() / std::size_t(each);
        auto const y = output_of(k, workers_[0].y);
        auto const wanted = staging_[std::size_t(k)].targets();
        for (int b = 0; b < rows_of(rows, k); ++b) {
            float const* from = wanted.data + std::ptrdiff_t(b) * wanted.each_row;
            predictions_->target.insert(predictions_->target.end(), from, from + y.length(b) * each);
        }
    }
    predictions_->logit.resize(predictions_->target.size() / std::size_t(each) * std::size_t(Output::width));
}

/// Copies the logits of a shard; shards write apart.
template <class M, class Loss, class B, class Opt, class Exec>
void Trainer<M, Loss, B, Opt, Exec>::keep_logits(int shard, In<Output, R> y, int rows) noexcept {
    double* to = predictions_->logit.data() + first_token_[std::size_t(shard)] * std::size_t(Output::width);
    for (int b = 0; b < rows; ++b)
        for (int t = 0; t < y.length(b); ++t)
            for (int i = 0; i < Output::width; ++i) *to++ = double(y(b, t)[i]);
}

} // namespace inlay::inline INLAY_ISA
