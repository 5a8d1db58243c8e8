// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <inlay/model/network.hpp>
#include <inlay/train/data_problem.hpp>
#include <inlay/train/metrics.hpp>
#include <inlay/train/staging_numbers.hpp>
#include <inlay/train/staging_tokens.hpp>

#include <numeric>

namespace inlay::inline INLAY_ISA {

namespace detail {
template <class M> Predictions logits_of(Network<M> const& net, Rows<typename M::Input> const& data) {
    using Output = typename M::Output;
    constexpr int rows = 64;
    using Stage = Staging<typename M::Input, typename M::Scalar, rows>;
    data.check();
    int const each = data.targets() / Output::rows;
    if (each * Output::rows != data.targets())
        fail(Error("", "predict", "as many targets for each token of a row",
                   joined(data.targets(), " targets for ", Output::rows, " tokens")));
    Workspace<M, Batch<rows>> ws;
    Stage stage(data.targets());
    Predictions p{Output::width, {}, {}, each};
    p.logit.reserve(data.size() * std::size_t(Output::rows * Output::width));
    p.target.reserve(data.size() * std::size_t(data.targets()));
    std::vector<std::uint32_t> index(rows);
    for (std::size_t at = 0; at < data.size(); at += rows) {
        int const n = int(std::min<std::size_t>(rows, data.size() - at));
        std::iota(index.begin(), index.end(), std::uint32_t(at));
        stage.load(data, index.data(), n);
        auto const y = net.infer(stage.input(), n, ws);
        auto const targets = stage.targets();
        for (int b = 0; b < n; ++b)
            for (int t = 0; t < y.length(b); ++t) {
                for (int i = 0; i < Output::width; ++i) p.logit.push_back(double(y(b, t)[i]));
                float const* target = targets.data + std::ptrdiff_t(b) * targets.each_row + t * each;
                p.target.insert(p.target.end(), target, target + each);
            }
    }
    return p;
}
} // namespace detail

/// The logits of every row with its targets; where the output is a sequence, of every token of every row. All
/// of them at once: 8 bytes a logit.
template <class M, class Data> Predictions predict(Network<M> const& net, Data const& data) {
    using Problem = detail::DataProblem<evaluate_of_a_network, M, Data>;
    static_assert(is_numbers<typename M::Output>, "inlay: predict wants a model whose output is numbers");
    static_assert(Says<Problem>{}, "inlay: the data set does not go with the model");
    if constexpr (detail::fits<Problem>) return detail::logits_of(net, data);
    else return {};
}

/// Metrics over a data set: `evaluate<Auc, LogLoss>(net, test)`.
template <class... Metric, class M, class Data>
Scores<Metric...> evaluate(Network<M> const& net, Data const& data) {
    Predictions const p = predict(net, data);
    return {{detail::measured<Metric>(p)...}};
}

} // namespace inlay::inline INLAY_ISA
