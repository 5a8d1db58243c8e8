// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <inlay/model/network.hpp>
#include <inlay/train/metrics.hpp>
#include <inlay/train/staging.hpp>

namespace inlay::inline INLAY_ISA {

/// The logits of every row, with their targets. The model's output is a vector.
template <class M, class Data> Predictions predict(Network<M> const& net, Data const& data) {
    using Output = typename M::Output;
    static_assert(Output::rows == 1,
                  "inlay: predict wants a model whose output is a vector, one row for each row");
    constexpr int rows = 64;
    Workspace<M, Batch<rows>> ws;
    detail::Staging<typename M::Input, typename M::Scalar, rows> stage(
        detail::Staging<typename M::Input, typename M::Scalar, rows>::targets_of(data));
    Predictions p{Output::width, {}, {}};
    p.logit.reserve(data.size() * std::size_t(Output::width));
    std::vector<std::uint32_t> index(rows);
    for (std::size_t at = 0; at < data.size(); at += rows) {
        int const n = int(std::min<std::size_t>(rows, data.size() - at));
        std::iota(index.begin(), index.end(), std::uint32_t(at));
        stage.load(data, index.data(), n);
        auto const y = net.infer(stage.input(), n, ws);
        auto const targets = stage.targets();
        for (int b = 0; b < n; ++b) {
            for (int i = 0; i < Output::width; ++i) p.logit.push_back(double(y(b)[i]));
            p.target.push_back(targets.data[b * targets.each_row]);
        }
    }
    return p;
}

/// Metrics over a data set: `evaluate<Auc, LogLoss>(net, test)`.
template <class... Metric, class M, class Data>
Scores<Metric...> evaluate(Network<M> const& net, Data const& data) {
    Predictions const p = predict(net, data);
    return {{Metric::of(p)...}};
}

} // namespace inlay::inline INLAY_ISA
